//! The `gpu-bench` command.

#[global_allocator]
static ALLOCATOR: eagleray::internal::trace::CountingAllocator = eagleray::internal::trace::CountingAllocator;

fn main() -> std::process::ExitCode {
    // SAFETY: no thread has been started yet.
    unsafe { eagleray_cli::terminal::quiet_driver_layers() };
    eagleray_cli::bench::main()
}
