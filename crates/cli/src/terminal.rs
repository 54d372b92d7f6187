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

/// Whether standard output was closed when the process began: Rust opens the null device in its place, into which all can be written.
#[cfg(target_os = "linux")]
mod at_start {
    use std::sync::atomic::{AtomicBool, Ordering};

    static IS_CLOSED: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" {
        fn fcntl(stream: i32, command: i32, ...) -> i32;
    }

    /// Asks for the flags of standard output (F_GETFD), which only a closed stream has not.
    extern "C" fn look() {
        // SAFETY: the command takes no argument and changes nothing.
        let closed = unsafe { fcntl(1, 1) } == -1;
        IS_CLOSED.store(closed, Ordering::Relaxed);
    }

    /// Called by the loader before Rust's own beginning.
    #[used]
    // SAFETY: the section holds pointers to functions of this form, and this one needs nothing of Rust's runtime.
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;

    pub fn is_closed() -> bool {
        IS_CLOSED.load(Ordering::Relaxed)
    }
}

/// Not known elsewhere.
#[cfg(not(target_os = "linux"))]
mod at_start {
    pub fn is_closed() -> bool {
        false
    }
}

/// Refuses to work for standard output where that is closed.
///
/// # Errors
/// It was closed when the program began, as by `>&-`.
pub fn check_output() -> Result<()> {
    match at_start::is_closed() {
        true => Err(Error::io(
            "(standard output)",
            std::io::Error::other("it is closed, and what was asked for goes there"),
        )),
        false => Ok(()),
    }
}

/// Writes help or the version, in the colours that the terminal has.
///
/// # Errors
/// See [`print()`].
pub fn show(asked: &clap::Error) -> Result<()> {
    use std::io::Write;
    check_output()?;
    asked.print().and_then(|()| std::io::stdout().flush()).map_err(|e| Error::io("(standard output)", e))
}

/// Writes to standard output; a closed pipe is an error, not a panic.
///
/// # Errors
/// It cannot be written, or was closed when the program began.
pub fn print(text: &str) -> Result<()> {
    use std::io::Write;
    check_output()?;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Error::io("(standard output)", e))
}
