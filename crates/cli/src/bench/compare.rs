//! What became slower since an earlier run.
//!
//! A timing is called different when all three say so: its medians differ by more than a floor; by more than [`SIGMAS`]
//! standard errors, from the median absolute deviations of both; and the best sample of the slower run is above the median of the
//! other by half of the floor, since others on the machine make samples slower but never faster than the program is. Where others used
//! the cores, it must also differ from what was measured together with it.

use super::record::{BenchRecord, BenchTiming};
use super::sample::{QUIET_CORES, least, mad, median};

/// Relative differences up to this are the same: from one start of a process to the next, places of its memory change times of what
/// lives in caches by several percent, all samples of a run alike.
pub const FLOOR: f64 = 0.15;
/// The same for times of cores that others use too: they share caches and memory, and so take up to this much longer.
pub const SHARED_FLOOR: f64 = 0.25;
/// Fewest timings that were taken in turn of which a median says how the machine did meanwhile.
const FEWEST_TOGETHER: usize = 4;
/// Standard errors of the difference that count.
pub const SIGMAS: f64 = 4.0;
/// Standard error of a median over MAD/√n for normal noise: 1.4826·√(π/2).
const MEDIAN_ERROR: f64 = 1.858;

/// What became of a timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No difference that counts.
    Same,
    /// Slower for certain.
    Slower,
    /// Faster for certain.
    Faster,
    /// The medians differ, the noise does not allow to say more.
    Unclear,
}

/// One timing that both runs have.
#[derive(Clone, Debug)]
pub struct Change {
    /// [`BenchTiming::id`].
    pub id: String,
    /// New median over the old one.
    pub ratio: f64,
    /// Of the time of all cores, instead of the clock's.
    pub by_cores: bool,
    /// What that means.
    pub verdict: Verdict,
}

/// A verdict on two sets of samples.
pub fn verdict(old: &[f64], new: &[f64], floor: f64) -> Verdict {
    let (before, after) = (median(old), median(new));
    let difference = after - before;
    let larger = |a: f64, b: f64, floor: f64| a > b * (1.0 + floor);
    if !(larger(after, before, floor) || larger(before, after, floor)) {
        return Verdict::Same;
    }
    let variance = mad(old).powi(2) / old.len() as f64 + mad(new).powi(2) / new.len() as f64;
    if difference.abs() <= SIGMAS * MEDIAN_ERROR * variance.sqrt() || old.len().min(new.len()) < 3 {
        Verdict::Unclear
    } else if difference > 0.0 && larger(least(new), before, floor / 2.0) {
        Verdict::Slower
    } else if difference < 0.0 && larger(least(old), after, floor / 2.0) {
        Verdict::Faster
    } else {
        Verdict::Unclear
    }
}

/// The timings of both runs, in the order of the new one. Where others used the machine during either, what is done by its cores is
/// judged by the time that they spent, not by the clock, which would measure the others; and what differs as all that was measured in
/// turn with it does, which had the same neighbours, is unclear.
pub fn changes(old: &BenchRecord, new: &BenchRecord) -> Vec<Change> {
    let is_disturbed = |timing: &BenchTiming| timing.others.is_some_and(|cores| cores > QUIET_CORES);
    let on_cores = |timing: &BenchTiming| {
        let software = new.adapters.iter().any(|adapter| adapter.software && adapter.name == timing.device);
        timing.device == "cpu" || software
    };
    let earlier = |timing: &BenchTiming| old.timings.iter().find(|t| t.id == timing.id);
    let both = new.timings.iter().filter(|t| t.kind != "peer").filter_map(|t| Some((earlier(t)?, t)));
    let judged = both.map(|(old, new)| {
        let disturbed = is_disturbed(old) || is_disturbed(new);
        let by_cores = disturbed && on_cores(new) && !old.cores.is_empty() && !new.cores.is_empty();
        let of = |timing: &BenchTiming| if by_cores { timing.cores.clone() } else { timing.samples.clone() };
        let (before, after) = (of(old), of(new));
        let (ratio, verdict) =
            (median(&after) / median(&before), verdict(&before, &after, if by_cores { SHARED_FLOOR } else { FLOOR }));
        ([&new.kind, &new.device, &new.profile], Change { id: new.id.clone(), ratio, by_cores, verdict })
    });
    let mut judged: Vec<([&String; 3], Change)> = judged.collect();
    let all: Vec<([&String; 3], f64)> = judged.iter().map(|(turn, change)| (*turn, change.ratio)).collect();
    for (turn, change) in judged.iter_mut().filter(|(_, change)| change.by_cores) {
        let together: Vec<f64> = all.iter().filter(|one| one.0 == *turn).map(|one| one.1).collect();
        let machine = if together.len() >= FEWEST_TOGETHER { median(&together) } else { 1.0 };
        change.verdict = with_others(change.verdict, change.ratio / machine);
    }
    judged.into_iter().map(|(_, change)| change).collect()
}

/// A verdict that others on the machine may have brought about: `ratio` is that to what was measured together with it.
fn with_others(verdict: Verdict, ratio: f64) -> Verdict {
    match verdict {
        Verdict::Slower if ratio <= 1.0 + SHARED_FLOOR => Verdict::Unclear,
        Verdict::Faster if ratio * (1.0 + SHARED_FLOOR) >= 1.0 => Verdict::Unclear,
        same => same,
    }
}

/// The comparison in words; every timing that is not the same, then how many are.
pub fn text(old: &BenchRecord, new: &BenchRecord, changes: &[Change]) -> String {
    let mut text = format!("compared with eagleray {}:\n", old.eagleray_version);
    if old.machine.processor != new.machine.processor || old.machine.cores != new.machine.cores {
        text += "  the earlier run was on another machine\n";
    }
    if changes.iter().any(|change| change.by_cores) {
        text += "  others used the machine: what its cores do is judged by the time that they spent\n";
    }
    for Change { id, ratio, verdict, .. } in changes.iter().filter(|c| c.verdict != Verdict::Same) {
        text += &format!("  {:<8} {ratio:>6.2} times  {id}\n", format!("{verdict:?}").to_lowercase());
    }
    let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
    text += &format!(
        "  {} slower, {} faster, {} unclear, {} the same (within {:.0} %; {:.0} % where others used the cores)\n",
        count(Verdict::Slower),
        count(Verdict::Faster),
        count(Verdict::Unclear),
        count(Verdict::Same),
        100.0 * FLOOR,
        100.0 * SHARED_FLOOR
    );
    let missing = old.timings.iter().filter(|t| t.kind != "peer" && !new.timings.iter().any(|n| n.id == t.id)).count();
    if missing > 0 {
        text += &format!("  {missing} of the earlier run were not measured now\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use eagleray::internal::random::Random;

    /// Times of 1 s and 3 % of noise; every tenth is disturbed by others.
    fn samples(random: &mut Random, scale: f64) -> Vec<f64> {
        let one = |_| {
            let disturbed = if random.below(10) == 0 { 1.0 + random.uniform() } else { 1.0 };
            scale * disturbed * (1.0 + 0.03 * random.normal().abs())
        };
        (0..15).map(one).collect()
    }

    #[test]
    fn noise_is_no_change_and_a_third_more_is_one() {
        let mut random = Random::new(5);
        let (mut different, mut found) = (0, 0);
        for _ in 0..1000 {
            let old = samples(&mut random, 1.0);
            different += usize::from(matches!(
                verdict(&old, &samples(&mut random, 1.0), FLOOR),
                Verdict::Slower | Verdict::Faster
            ));
            found += usize::from(verdict(&old, &samples(&mut random, 1.3), FLOOR) == Verdict::Slower);
        }
        assert!(different == 0 && found > 980, "{different} of 1000 called different, {found} slow-downs found");
    }

    #[test]
    fn what_changes_together_on_a_shared_machine_is_unclear() {
        let record = |ratios: &[f64], others| {
            let timing = |(i, ratio): (usize, &f64)| BenchTiming {
                id: i.to_string(),
                kind: "kernel".into(),
                device: "cpu".into(),
                samples: vec![*ratio; 5],
                cores: vec![*ratio; 5],
                others: Some(others),
                ..BenchTiming::default()
            };
            BenchRecord { timings: ratios.iter().enumerate().map(timing).collect(), ..BenchRecord::default() }
        };
        let verdicts = |ratios: &[f64], others| -> Vec<Verdict> {
            let (old, new) = (record(&vec![1.0; ratios.len()], 0.0), record(ratios, others));
            changes(&old, &new).iter().map(|change| change.verdict).collect()
        };
        use Verdict::{Same, Slower, Unclear};
        assert_eq!(verdicts(&[1.3, 1.3, 1.31, 1.3, 1.7], 0.9), [Unclear, Unclear, Unclear, Unclear, Slower]);
        assert_eq!(verdicts(&[1.0, 1.0, 1.1, 1.0, 1.3], 0.9), [Same, Same, Same, Same, Slower]);
        // Alone with the machine a change of all is one of the program.
        assert_eq!(verdicts(&[1.3; 5], 0.0), [Slower; 5]);
        assert_eq!(verdicts(&[1.3; 2], 0.9), [Slower; 2]);
    }

    #[test]
    fn too_few_samples_or_too_much_noise_say_nothing() {
        assert_eq!(verdict(&[1.0, 1.0], &[2.0, 2.0], FLOOR), Verdict::Unclear);
        assert_eq!(verdict(&[1.0, 2.0, 3.0, 4.0], &[1.1, 3.0, 4.0, 5.0], FLOOR), Verdict::Unclear);
        assert_eq!(verdict(&[2.0; 5], &[1.0; 5], FLOOR), Verdict::Faster);
        assert_eq!(verdict(&[1.0; 5], &[1.14; 5], FLOOR), Verdict::Same);
    }
}
