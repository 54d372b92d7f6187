//! The `eagleray` command.

fn main() -> std::process::ExitCode {
    eagleray::cli::main()
}
