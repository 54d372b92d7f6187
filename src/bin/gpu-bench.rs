//! The `gpu-bench` command.

fn main() -> std::process::ExitCode {
    eagleray::cli::quiet_driver_layers();
    eagleray::bench::main()
}
