//! Limits of time and memory: files made to hold the program up, work that plans more than there is, options at their ends, and the
//! announcements of what takes long.

mod announcements;
mod files;
mod options;
mod planned;
mod promises;
mod scarce;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::common::fits_file::Folder;
use crate::program::simulate;

/// What a run that was waited for gave.
struct Ended {
    /// `None` where the time was over, and it was ended.
    status: Option<ExitStatus>,
    seconds: f64,
    said: String,
}

impl Ended {
    fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }
}

/// Runs the program in a folder with so many kilobytes of addresses, if there is a limit, for at most so long.
fn run_limited(folder: &Path, line: &[&str], kilobytes: Option<u64>, most: Duration) -> Ended {
    let program = env!("CARGO_BIN_EXE_eagleray");
    let mut command = match kilobytes {
        Some(kilobytes) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit -v {kilobytes} && exec \"$@\""), "sh", program]);
            shell
        }
        None => Command::new(program),
    };
    command.args(line).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // As many threads on every machine: each has addresses of its own.
    command.env("RAYON_NUM_THREADS", "2");
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stderr.take().expect("it is piped");
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        pipe.read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default()
    });
    let status = wait(&mut child, most);
    Ended { status, seconds: begun.elapsed().as_secs_f64(), said: reader.join().unwrap_or_default() }
}

/// The status of a process that ends in time; one that does not is ended.
fn wait(child: &mut Child, most: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if begun.elapsed() > most {
            child.kill().expect("a child can be ended");
            child.wait().expect("a child can be waited for");
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder with three event files of 600 s (12 keV and below), one of them later, light curves of them, a spectrum and a profile.
fn inputs() -> Folder {
    let folder = Folder::new();
    let path = folder.0.path();
    for (name, seed, start) in [("a.evt", 1, 0), ("b.evt", 2, 0), ("later.evt", 3, 1000)] {
        simulate(path, name, &format!("--rate 20 --length 600 --mission nicer --tstart {start} --seed {seed}"));
    }
    for line in [
        "lc a.evt --dt 0.5 -o c.fits",
        "pds a.evt --dt 0.125 --segment-size 8 --backend cpu -o pds.ecsv",
        "pds later.evt --dt 0.125 --segment-size 8 --backend cpu -o pds2.ecsv",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let done = run_limited(path, &words, None, Duration::from_secs(60));
        assert_eq!(done.code(), Some(0), "{line}: {}", done.said);
    }
    folder
}

/// Names in a folder.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
