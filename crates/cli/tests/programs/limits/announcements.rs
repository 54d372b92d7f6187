//! What takes longer than a minute says so, whether or not somebody sits at a terminal.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{RecvTimeoutError, channel};

use super::*;

/// Waits for a line of the program that says how long it will take, and ends it; all that it said.
fn announced(folder: &Path, line: &str, most: Duration) -> (bool, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
    command.args(line.split(' ')).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let pipe = BufReader::new(child.stderr.take().expect("it is piped"));
    let (sender, lines) = channel();
    std::thread::spawn(move || pipe.lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line)));
    let (begun, mut said) = (Instant::now(), Vec::new());
    let found = loop {
        match lines.recv_timeout(most.saturating_sub(begun.elapsed())) {
            Ok(line) => {
                let found = line.contains(" will take about ");
                said.push(line);
                if found {
                    break true;
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break false,
        }
    };
    let _ = child.kill();
    child.wait().expect("a child can be waited for");
    (found, said)
}

#[test]
fn long_runs_are_announced() {
    let folder = inputs();
    // Good time in very many pieces: the exposure of each phase takes longer than the events.
    let pieces: String =
        (0..60_000).map(|i| format!("{:.3} {:.3}\n", 0.01 * f64::from(i), 0.01 * f64::from(i) + 0.008)).collect();
    std::fs::write(folder.0.path().join("pieces.txt"), pieces).expect("the folder can be written to");
    for line in [
        "search a.evt --gti pieces.txt --freq 1:400 --method ef --nbin 16 --backend cpu",
        "ls a.evt --dt 1/32 --freq 0.001:2000 --direct",
        "search a.evt --freq 0.01:300 --algorithm ffa --method ef --nbin 64 --backend cpu",
        "multitaper a.evt --dt 2^-12 --segment-size 512 --half-bandwidth 64",
        "accel a.evt --freq 1:100 --fdot -0.04:0.04 --nharm 1 --backend cpu",
        "search a.evt --freq 1:2000 --method ef --nbin 128 --fdot -1e-4:1e-4 --backend cpu",
        "simulate -o long.evt --rate 1e8 --length 100",
    ] {
        let (found, said) = if line.starts_with("simulate") {
            let done = run_limited(folder.0.path(), &line.split(' ').collect::<Vec<_>>(), None, Duration::from_secs(2));
            (done.said.contains("about 10000000000 events will be written, at least 100 GB"), vec![done.said])
        } else {
            announced(folder.0.path(), line, Duration::from_secs(60))
        };
        assert!(found, "{line}: {said:?}");
    }
    // What is short is not; nor is anything said where nobody wants to hear it.
    let (found, said) = announced(folder.0.path(), "search a.evt --freq 1:2 --backend cpu", Duration::from_secs(30));
    assert!(!found, "{said:?}");
    let quiet = "ls a.evt --dt 1/32 --freq 0.001:2000 --direct --quiet";
    let (found, said) = announced(folder.0.path(), quiet, Duration::from_secs(5));
    assert!(!found && said.is_empty(), "{said:?}");
}
