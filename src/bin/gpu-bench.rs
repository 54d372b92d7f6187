//! The `gpu-bench` command.

fn main() -> std::process::ExitCode {
    // SAFETY: no thread has been started yet.
    unsafe { eagleray::cli::quiet_driver_layers() };
    eagleray::bench::main()
}
