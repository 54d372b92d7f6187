//! Samples of times, and what is said of them.

use std::time::Instant;

use cpu_time::ProcessTime;

/// How long something is measured.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Samples at least, unless one alone takes longer than ten times `seconds`.
    pub least: usize,
    /// Samples at most.
    pub most: usize,
    /// Time for the samples of one measurement, s.
    pub seconds: f64,
}

/// Cores that others may keep busy meanwhile without being said to disturb.
pub const QUIET_CORES: f64 = 0.25;

/// Middle of some numbers; NaN without any.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match (values.get(values.len() / 2), values.len() % 2) {
        (Some(&upper), 0) => 0.5 * (values[values.len() / 2 - 1] + upper),
        (Some(&middle), _) => middle,
        (None, _) => f64::NAN,
    }
}

/// Median absolute deviation from the median, which a few disturbed samples do not change.
pub fn mad(values: &[f64]) -> f64 {
    let middle = median(values);
    median(&values.iter().map(|x| (x - middle).abs()).collect::<Vec<_>>())
}

/// The smallest; infinite without any.
pub fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Times of one measurement, s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimingSamples {
    /// What the measurement gave.
    pub seconds: Vec<f64>,
    /// Time that all cores spent on this process meanwhile, which others on the machine disturb less.
    pub cores: Vec<f64>,
    /// Cores that others kept busy while these and all that were taken in turn with them were taken; `None` where the system does
    /// not tell.
    pub others: Option<f64>,
}

/// What other processes use from some moment on.
struct OtherProcesses {
    since: Instant,
    /// Time that all cores had been busy, s.
    busy: f64,
    own: ProcessTime,
}

impl OtherProcesses {
    /// From now on.
    fn watch() -> Option<OtherProcesses> {
        Some(OtherProcesses { since: Instant::now(), busy: busy()?, own: ProcessTime::try_now().ok()? })
    }

    /// Cores that they kept busy, on average.
    fn cores(&self) -> Option<f64> {
        let own = self.own.try_elapsed().ok()?.as_secs_f64();
        Some(((busy()? - self.busy - own) / self.since.elapsed().as_secs_f64()).max(0.0))
    }
}

/// Time that all cores were busy since the system started, s, in steps of 10 ms; Linux alone tells.
fn busy() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).map_while(|word| word.parse().ok()).collect();
    // user nice system | idle iowait | irq softirq steal; what follows is part of the first two.
    let busy = ticks.get(..3)?.iter().chain(ticks.get(5..8)?).sum::<u64>();
    Some(busy as f64 / 100.0)
}

/// Times of several measurements, taken in turn, so that what disturbs the machine for a while disturbs all alike and shows as
/// spread. `measure(i)` gives seconds; the first round warms up and is not kept. A measurement that fails is left at that.
pub fn in_turn(
    count: usize,
    budget: Budget,
    mut measure: impl FnMut(usize) -> Result<f64, String>,
) -> Vec<Result<TimingSamples, String>> {
    let mut found: Vec<Result<TimingSamples, String>> = vec![Ok(TimingSamples::default()); count];
    let mut spent = vec![0.0; count];
    let watch = OtherProcesses::watch();
    for round in 0..=budget.most {
        let mut busy = false;
        for (i, (samples, spent)) in found.iter_mut().zip(&mut spent).enumerate() {
            let Ok(kept) = samples else { continue };
            let taken = kept.seconds.len();
            let enough = taken >= budget.least || (taken > 0 && *spent >= 10.0 * budget.seconds);
            if enough && *spent >= budget.seconds {
                continue;
            }
            // A clock that cannot be read tells no time of the cores.
            let before = ProcessTime::try_now();
            let result = measure(i);
            let cores = before.and_then(|before| before.try_elapsed()).map_or(f64::NAN, |time| time.as_secs_f64());
            match result {
                Ok(_) if round == 0 => {}
                Ok(seconds) => {
                    kept.seconds.push(seconds);
                    kept.cores.push(cores);
                    *spent += seconds;
                }
                Err(why) => *samples = Err(why),
            }
            busy = true;
        }
        if !busy {
            break;
        }
    }
    let others = watch.and_then(|watch| watch.cores());
    found.iter_mut().flatten().for_each(|samples| samples.others = others);
    found
}

/// Seconds that a call takes, and its value.
pub fn timed<T>(call: impl FnOnce() -> T) -> (f64, T) {
    let begin = Instant::now();
    let value = call();
    (begin.elapsed().as_secs_f64(), value)
}

/// Seconds of each of `count` calls, after one that warms up.
pub fn repeated(count: usize, mut call: impl FnMut()) -> Vec<f64> {
    call();
    (0..count).map(|_| timed(&mut call).0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_and_deviations() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
        assert!(median(&[]).is_nan());
        assert_eq!(mad(&[1.0, 2.0, 3.0, 100.0]), 1.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn others_are_those_outside_of_the_process() {
        let spin = |seconds: f64| {
            let begin = Instant::now();
            while begin.elapsed().as_secs_f64() < seconds {}
        };
        // Busy ourselves, we are not others; the machine's own work is at most its cores less that.
        let watch = OtherProcesses::watch().unwrap();
        spin(0.5);
        let (own, others) = (watch.own.try_elapsed().unwrap().as_secs_f64() / 0.5, watch.cores().unwrap());
        let cores = std::thread::available_parallelism().unwrap().get() as f64;
        assert!((0.0..cores - own + 0.3).contains(&others), "{others} of {cores} cores beside {own}");
        // A process of half a second is seen, whoever else there is.
        let watch = OtherProcesses::watch().unwrap();
        let mut child = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_secs_f64(0.5));
        let others = watch.cores().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(others > 0.3, "{others} cores");
    }

    #[test]
    fn rounds_end_when_the_budget_is_spent_or_something_fails() {
        let budget = Budget { least: 3, most: 5, seconds: 1.0 };
        let found = in_turn(3, budget, |i| match i {
            0 => Ok(0.4),
            1 => Ok(0.001),
            _ => Err("broken".into()),
        });
        let lengths: Vec<_> =
            found.iter().map(|samples| samples.as_ref().map(|s| (s.seconds.len(), s.cores.len()))).collect();
        assert_eq!(lengths, [Ok((3, 3)), Ok((5, 5)), Err(&"broken".to_string())]);
    }
}
