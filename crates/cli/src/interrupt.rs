//! What is left when a run is interrupted: nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::Signals;

/// What ends a process that does not listen: by hand, by the end of a session, and by batch systems, whose limits of time come as one of these.
const ENDING: [i32; 10] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF];

/// Removes unfinished outputs when the process is told to end, and ends it as if it had not listened (status 130 or 143 to
/// a shell).
pub(super) fn clean_up() {
    // A file beyond the limit of sizes is an error of writing, which names the file, where the signal does not end the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    let listened = ENDING.into_iter().filter(|&signal| !is_ignored(signal));
    // Without these signals the program works, and leaves a hidden file when it is killed.
    let Ok(mut signals) = Signals::new(listened) else { return };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            eagleray::internal::io::remove_unfinished();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(wait);
}

/// True for a signal that whoever started this process has it ignore, as `nohup` does; known on Linux alone.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
