//! What is left when a run is interrupted: nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    SIGXFSZ,
};
use signal_hook::iterator::Signals;

/// What ends a process that does not listen: by hand, by the end of a session, by batch systems, whose limits of time come as one of these, and by
/// what watches programs. SEGV, BUS, FPE and ILL are not among them: the processor raises them for an instruction that would be begun again
/// for ever where they are caught. KILL cannot be caught.
const ENDING: [i32; 13] = [
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF, SIGABRT, SIGTRAP, SIGSYS,
];

/// Those of Linux alone, by their numbers there: STKFLT, which MIPS and SPARC have not, IO, PWR, and those of real time, of which the C library keeps the
/// first two for itself.
#[cfg(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))))]
fn of_the_system() -> impl Iterator<Item = i32> {
    [16, 29, 30].into_iter().chain(34..=64)
}

/// Other systems end by no others.
#[cfg(not(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))))]
fn of_the_system() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// Removes unfinished outputs when the process is told to end, and ends it as if it had not listened (status 130 or 143 to
/// a shell).
pub(super) fn clean_up() {
    // A file beyond the limit of sizes is an error of writing, which names the file, where the signal does not end the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    // Without these signals the program works, and leaves a hidden file when it is killed.
    let Ok(mut signals) = Signals::new([SIGTERM].into_iter().filter(|&signal| !is_ignored(signal))) else { return };
    for signal in ENDING.into_iter().chain(of_the_system()).filter(|&signal| !is_ignored(signal)) {
        // One that cannot be caught here takes none of the others with it.
        let _ = signals.add_signal(signal);
    }
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            eagleray::internal::io::remove_unfinished();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            // What has no default there is ended with the status that it has to a shell.
            signal_hook::low_level::exit(128 + signal);
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
