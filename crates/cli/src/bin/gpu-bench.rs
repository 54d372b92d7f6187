//! The `gpu-bench` command.

#[global_allocator]
static ALLOCATOR: eagleray_cli::out_of_memory::EndingAllocator =
    eagleray_cli::out_of_memory::EndingAllocator { program: "gpu-bench" };

fn main() -> std::process::ExitCode {
    // SAFETY: no thread has been started yet.
    unsafe { eagleray_cli::terminal::quiet_driver_layers() };
    eagleray_cli::bench::main()
}
