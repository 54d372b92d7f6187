//! What programs say to a terminal, and what drivers should not.

use eagleray::internal::text::plain;
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

/// Writes to standard output; a closed pipe is an error, not a panic.
pub fn print(text: &str) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Error::io("(standard output)", e))
}
