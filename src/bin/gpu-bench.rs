//! The `gpu-bench` command.

#[global_allocator]
static ALLOCATOR: eagleray::profile::CountingAllocator = eagleray::profile::CountingAllocator;

fn main() -> std::process::ExitCode {
    // SAFETY: no thread has been started yet.
    unsafe { eagleray::cli::quiet_driver_layers() };
    eagleray::bench::main()
}
