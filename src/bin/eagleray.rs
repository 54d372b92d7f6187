//! The `eagleray` command.

fn main() -> std::process::ExitCode {
    // Mesa's layer that picks a display's GPU complains on stderr where there is no display; adapters are picked here anyway.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: this is the first statement of a program that has one thread as yet, so nobody reads the environment.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
    eagleray::cli::main()
}
