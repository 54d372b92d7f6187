//! The `eagleray` command.

fn main() -> std::process::ExitCode {
    eagleray::cli::quiet_driver_layers();
    eagleray::cli::main()
}
