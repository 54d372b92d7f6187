//! `eagleray devices`: the GPUs of this machine.

use clap::Args;

use eagleray::Result;
use eagleray::internal::backend;

/// The GPUs of this machine, and which one `--backend auto` takes
#[derive(Args, Debug)]
#[command(after_help = "Example: eagleray devices --json")]
pub struct DevicesArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: DevicesArgs) -> Result<()> {
    let adapters = backend::adapters();
    if args.json {
        return crate::terminal::print_json(&serde_json::json!({ "adapters": adapters }));
    }
    if let Some(e) = backend::no_room() {
        let reason = e.reason();
        return crate::terminal::print(&format!("No GPU adapter: `--backend auto` takes the CPU: {reason}.\n"));
    }
    if adapters.is_empty() {
        return crate::terminal::print(
            "No GPU adapter: `--backend auto` takes the CPU. On Debian, mesa-vulkan-drivers brings a software one.\n",
        );
    }
    let mut text = String::new();
    for a in adapters {
        text += &format!(
            "{}  {}\n   workgroups: {} invocations, {} KiB; bindings to {} MiB, buffers to {} MiB\n   \
             features: {}\n   auto: {}\n",
            a.index,
            a.headline(),
            a.workgroup_invocations,
            a.workgroup_memory >> 10,
            a.binding_size >> 20,
            a.buffer_size >> 20,
            if a.features.is_empty() { "none".to_string() } else { a.features.join(", ") },
            a.auto
        );
    }
    crate::terminal::print(&text)
}
