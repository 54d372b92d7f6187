//! What programs say to a terminal, and what drivers should not.

use eagleray::internal::text::{escaped_json, plain};
use eagleray::{Error, Result};

/// Silences Mesa's layer that picks a display's GPU, which complains on stderr where there is no display; adapters are picked
/// here anyway.
///
/// # Safety
/// The process has one thread: to be called first in a program.
pub unsafe fn quiet_driver_layers() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: the caller has one thread as yet, so nobody reads the environment.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// A message without control characters but the ends of its lines.
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Writes whole lines to standard error. Nobody may listen there any more, or its disk may be full: what is said is lost then, and nothing
/// else is.
pub fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Writes JSON to standard output, without characters that a terminal obeys.
///
/// # Errors
/// See [`print()`].
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    print(&format!("{}\n", escaped_json(&format!("{value:#}"))))
}

/// Writes to standard output; a closed pipe is an error, not a panic.
///
/// # Errors
/// It cannot be written.
pub fn print(text: &str) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Error::io("(standard output)", e))
}
