//! The fast folding algorithm (Staelin 1969, doi:10.1109/PROC.1969.7051): profiles of all periods between two whole numbers of bins at once.
//!
//! A series of `M = 2^k` rows of `p` bins has `M` trials: trial `s` shifts the last row by `s` bins against the first, `σ = s/(M − 1)` a row. Rows are shifted in a
//! circle: what leaves one at its end comes in at its start, where a period that is longer than the row has `p` bins a turn. In phase from row to row is
//! what turns `1 − σ/p` times in `p` bins, which has the period `p²/(p − σ)`, and not `p + σ` (Morello et al. 2020, doi:10.1093/mnras/staa2291).
//! Of twice as many rows it is the sum of trial `⌊s/2⌋` of either half, the second one shifted by `⌈s/2⌉`: `log₂M`
//! additions for each bin of a profile of `M` rows, all of integers. Exposures of the bins fold the same way, so that a
//! profile has those of its own rows.
//!
//! Shifts of whole bins are off by one or two, and a row of a period that is longer than it by `σ` is smeared by that: both are parts of a bin's width of the period. So
//! rows have [`FEWEST_BINS`] at least, and profiles of fewer have several of them in each of theirs.

use std::f64::consts::LN_10;

use rayon::prelude::*;

use super::candidate::Candidate;
use super::candidates::{self, LEAST_PEAK_KEPT, REFINED_A_CANDIDATE, by_probability, listed};
use super::drifting;
use super::refine::{RefinedPeak, TrialAmplitudes, TrialPeak, refine};
use super::relations::Listing;
use super::scores::profile_ln_p;
use super::search_options::SearchOptions;
use super::tones::Tones;
use super::window::SourceWindow;
use super::{PulseEvents, SearchMetadata, SearchResult};
use crate::backend::WorkerThreads;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::warning::Warning;
use crate::data::phase::Spin;
use crate::science::statistics::profile::ProfileChiSquare;
use crate::science::statistics::pulse::{NullDistribution, TrialLaw};

/// The most bins of the series, and trials.
const MOST_BINS: f64 = (1u64 << 26) as f64;
/// Units of exposure in a bin.
const EXPOSURE_UNITS: f64 = 65536.0;

/// The profiles of all trials of a series of `2^k` rows of `bins` bins, one after the other. `rows` is used as a buffer
/// and changed.
pub fn profiles<T: Copy + std::ops::Add<Output = T>>(rows: &mut Vec<T>, bins: usize) -> Vec<T> {
    let (mut from, mut to) = (std::mem::take(rows), Vec::new());
    let mut half = bins;
    while half < from.len() {
        to.clear();
        for block in from.chunks_exact(2 * half) {
            let (heads, tails) = block.split_at(half);
            for s in 0..2 * (half / bins) {
                let row = s / 2 * bins..(s / 2 + 1) * bins;
                let (head, tail) = (&heads[row.clone()], &tails[row]);
                let (before, behind) = tail.split_at(s.div_ceil(2) % bins);
                let (first, last) = head.split_at(behind.len());
                to.extend(first.iter().zip(behind).chain(last.iter().zip(before)).map(|(&a, &b)| a + b));
            }
        }
        std::mem::swap(&mut from, &mut to);
        half *= 2;
    }
    from
}

/// Counts and exposures (in units of `1/EXPOSURE_UNITS` of a bin) in bins of `dt` seconds from the first good time on.
fn series(events: &PulseEvents, dt: f64) -> (Vec<u32>, Vec<u64>) {
    let start = events.gti.iter().map(|gti| gti.0).min().unwrap_or(0);
    let place = |t: i64| (t - start) as f64 * (events.ticks.seconds() / dt);
    let stop = events.gti.iter().map(|gti| place(gti.1)).fold(1.0, f64::max);
    let bins = stop.ceil() as usize;
    let (mut counts, mut exposures) = (vec![0u32; bins], vec![0u64; bins]);
    for &t in &events.times {
        if let Some(count) = counts.get_mut((place(t) as usize).min(bins - 1)) {
            *count += 1;
        }
    }
    for &(a, b) in &events.gti {
        let (a, b) = (place(a), place(b));
        for (i, exposure) in exposures.iter_mut().enumerate().take(b.ceil() as usize).skip(a as usize) {
            let inside = b.min(i as f64 + 1.0) - a.max(i as f64);
            *exposure += (inside.max(0.0) * EXPOSURE_UNITS).round() as u64;
        }
    }
    (counts, exposures)
}

/// The fewest bins of a row: shifts of whole ones leave at least 0.93 of the power of a sinusoid then, and 0.3 of 4 bins, in a million rows.
const FEWEST_BINS: usize = 16;
/// Independent frequencies by which the frequency of a trial may be off that of its signal: shifts of whole bins do 0.06 of it at most.
const SHIFTED: f64 = 1.0;

/// The part of the statistic of a trial that its profile has by exact phases at least. Whole bins and rows leave a little of a strong source at other periods, which
/// these do not.
const LEAST_EXACT: f64 = 0.7;

/// A trial: frequency, Hz, `χ²`, and bins.
#[derive(Clone, Copy)]
struct FfaTrial {
    freq: f64,
    step: f64,
    /// Bins, of which some may be merged.
    bins: usize,
    stat: f64,
    /// Logarithm of the probability in this trial alone.
    ln_p: f64,
}

/// How a series is cut into rows.
#[derive(Clone, Copy)]
struct Rows {
    /// Seconds of a bin of the series.
    dt: f64,
    /// Bins of a row, and how many of them are one of the profile.
    bins: usize,
    merged: usize,
    count: usize,
}

impl Rows {
    fn new(series: usize, dt: f64, bins: usize, merged: usize) -> Rows {
        Rows { dt, bins, merged, count: series.div_ceil(bins).next_power_of_two().max(2) }
    }

    /// The frequency of a trial, Hz.
    fn freq(&self, trial: usize) -> f64 {
        let (p, shift) = (self.bins as f64, trial as f64 / (self.count - 1) as f64);
        (p - shift) / (p * p * self.dt)
    }

    /// Trials that are made, before the first of rows of one bin more.
    fn trials(&self) -> impl Iterator<Item = usize> + use<> {
        let p = self.bins as f64;
        let most = (p / (p + 1.0) * (self.count - 1) as f64).ceil() as usize;
        (0..most.max(1)).step_by(self.merged)
    }

    /// A profile with the bins of a row put together: as many of them in each, within one.
    fn together<T: Copy + Into<u64>>(&self, row: &[T], profile: &mut Vec<f64>) {
        let (bins, all) = (self.bins / self.merged, self.bins);
        let of = |b: usize| row[b * all / bins..(b + 1) * all / bins].iter().map(|&x| x.into()).sum::<u64>() as f64;
        profile.clear();
        profile.extend((0..bins).map(of));
    }
}

/// The trials of one whole number of bins a row.
fn trials(events: f64, counts: &[u32], exposures: &[u64], rows: Rows) -> Vec<FfaTrial> {
    let (bins, padded) = (rows.bins, rows.count * rows.bins);
    let fill = |i: usize| counts.get(i).copied().unwrap_or(0);
    let folded = profiles(&mut (0..padded).map(fill).collect(), bins);
    let fill = |i: usize| exposures.get(i).copied().unwrap_or(0);
    let exposed = profiles(&mut (0..padded).map(fill).collect(), bins);
    let (mut profile, mut exposure) = (Vec::new(), Vec::new());
    let step = rows.freq(0) - rows.freq(rows.merged);
    let one = |s: usize| {
        let row = s * bins..(s + 1) * bins;
        rows.together(&folded[row.clone()], &mut profile);
        rows.together(&exposed[row], &mut exposure);
        let found = ProfileChiSquare::new(&profile, &exposure);
        FfaTrial { freq: rows.freq(s), step, bins: profile.len(), stat: found.stat, ln_p: found.ln_p(events) }
    };
    rows.trials().map(one).collect()
}

/// Epoch folding of all periods of a range.
///
/// # Errors
/// Derivatives are asked for; a range without meaning or with too many trials.
pub(super) fn search(
    events: PulseEvents,
    options: &SearchOptions,
    pool: &WorkerThreads,
    progress: &Progress,
) -> Result<SearchResult> {
    let (lo, hi) = options.freq;
    let text = format!("{lo}:{hi}");
    if !(lo > 0.0 && hi > lo && hi.is_finite()) {
        return Err(Error::argument("freq", text, "must be two frequencies above 0 Hz, the lower one first"));
    }
    if options.fdot.is_some() || options.fddot.is_some() {
        return Err(Error::argument("algorithm", "ffa", "folds constant periods, without derivatives")
            .mended_by([Mend::set("algorithm", "fold")]));
    }
    let octaves = (hi / lo).log2().ceil().max(1.0);
    let merged = FEWEST_BINS.div_ceil(options.nbin);
    let nbin = merged * options.nbin;
    let most = events.span * hi * nbin as f64;
    // Twice as many rows at most, of each number of bins; half as many in each further octave.
    if !(most * 4.0 < MOST_BINS && octaves <= 64.0) {
        let message = format!("makes up to {:.0} trials of {nbin} bins and more; the most is {MOST_BINS}", 4.0 * most);
        return Err(Error::argument("freq", text, message));
    }
    // A series of counts and exposures for each thread, twice while it is folded; and the trials, which halve in each octave, with their columns.
    let cells = (4.0 * most) as u64;
    let threads = pool.run(rayon::current_num_threads) as u64;
    Footprint::less_by(&["freq", "nbin"])
        .and(2 * cells * (threads + 1), size_of::<u32>() + size_of::<u64>())
        .and(2 * cells, size_of::<FfaTrial>() + 8 * size_of::<f64>())
        .check("the fast folding algorithm")?;
    let mut found: Vec<FfaTrial> = Vec::new();
    // Series of half as many bins take half as long.
    let octave_steps = |octave: i32| 1 << (octaves as i32 - 1 - octave).clamp(0, 40);
    let numbers = |octave: i32| {
        let dt = 2f64.powi(octave) / (hi * nbin as f64);
        // The last octave ends at the longest period.
        let longest = (1.0 / (lo * dt)).ceil() as usize;
        nbin..(2 * nbin).min(longest.max(nbin + 1))
    };
    progress.begin((0..octaves as i32).map(|octave| octave_steps(octave) * numbers(octave).len() as u64).sum());
    for octave in 0..octaves as i32 {
        let dt = 2f64.powi(octave) / (hi * nbin as f64);
        let all = || {
            let (counts, exposures) = series(&events, dt);
            let of = |bins: usize| {
                // Nobody looks at what comes of a run that was cancelled.
                if progress.is_cancelled() {
                    return Vec::new();
                }
                let rows = Rows::new(counts.len(), dt, bins, merged);
                let made = trials(events.noise_events(), &counts, &exposures, rows);
                // Steps that are done, by which the rest is estimated; whether the run goes on is asked above.
                let _ = progress.advance(octave_steps(octave));
                made
            };
            numbers(octave).into_par_iter().flat_map(of).filter(|trial| trial.freq >= lo).collect::<Vec<FfaTrial>>()
        };
        found.extend(pool.run(all));
        progress.check()?;
    }
    found.sort_by(|a, b| a.freq.total_cmp(&b.freq));
    let concluded = pool.run(|| conclude(events, options, &found, progress));
    progress.check().map(|()| concluded)
}

fn conclude(
    mut events: PulseEvents,
    options: &SearchOptions,
    trials: &[FfaTrial],
    progress: &Progress,
) -> SearchResult {
    let (band, all) = (options.freq.1 - options.freq.0, trials.len() as f64);
    let deviation = events.time_deviation();
    let law = |bins: usize| TrialLaw::Profile { bins, events: events.noise_events() };
    let of_bins = |bins: usize| NullDistribution::new(law(bins), all, band, deviation);
    let chances: Vec<NullDistribution> = (options.nbin..2 * options.nbin).map(of_bins).collect();
    let trial_level = chances.first().map_or(0.0, |chances| chances.trial_level(options.false_alarm.ln()));
    let (candidates, told) = find(&events, options, trials, (&chances, trial_level), progress);
    for mut warning in told {
        // It folds constant periods.
        warning.mend = warning.mend.into_iter().map(|mend| mend.and("algorithm", "fold")).collect();
        events.record.warnings.record(warning);
    }
    let step = trials.last().map_or(0.0, |trial| trial.step);
    let numbers = [step, 0.0, 0.0];
    let level = chances.first().map_or(0.0, |chances| chances.level(options.false_alarm.ln()));
    let asked = serde_json::to_value(options).unwrap_or_default();
    let made = ("ffa", asked, super::profile_counter::cpu_record());
    let meta = SearchMetadata::new(&events, options, made, (trials.len() as u64, band, numbers), level);
    let oversample = 1.0 / (step * events.span);
    SearchResult {
        freq: trials.iter().map(|trial| trial.freq).collect(),
        fdot: vec![0.0; trials.len()],
        fddot: vec![0.0; trials.len()],
        stat: trials.iter().map(|trial| trial.stat).collect(),
        laws: Some(("nbin", trials.iter().map(|trial| trial.bins as u64).collect())),
        candidates,
        map: Vec::new(),
        rows: vec![[0.0; 2]],
        ln_p: trials.iter().map(|trial| trial.ln_p).collect(),
        read_log10_p: Vec::new(),
        null_distributions: (options.nbin as u64..).zip(chances).collect(),
        meta: SearchMetadata { oversample, detection_log10_p: Some(trial_level / LN_10), ..meta },
    }
}

/// The peaks above the detection level, refined with exact phases; at least one.
fn find(
    events: &PulseEvents,
    options: &SearchOptions,
    trials: &[FfaTrial],
    (chances, limit): (&[NullDistribution], f64),
    progress: &Progress,
) -> (Vec<Candidate>, Vec<Warning>) {
    let asked = |bins: usize| SearchOptions { nbin: bins, ..options.clone() };
    let peak = |j: usize| {
        let trial = trials.get(j)?;
        // Phases of the series count from the start; the epoch moves none of them against each other.
        let start = Spin::from_frequency(trial.freq, &events.ticks).ok()?;
        let ranges = [options.freq, (0.0, 0.0), (0.0, 0.0)];
        Some(TrialPeak {
            start,
            steps: [trial.step, 0.0, 0.0],
            rates: [0.0; 2],
            ranges,
            stat: trial.stat,
            ln_p: Some(trial.ln_p),
            around: SHIFTED / events.span,
        })
    };
    let rarest = (0..trials.len()).min_by(|&a, &b| trials[a].ln_p.total_cmp(&trials[b].ln_p));
    let refined = |j: usize| {
        let bins = trials.get(j)?.bins;
        let found = refine(events, &asked(bins), peak(j)?, chances.get(bins - options.nbin)?, &[], progress);
        let exact = found.candidate.stat >= LEAST_EXACT * found.candidate.grid_stat;
        (exact || rarest == Some(j)).then_some(found)
    };
    let again = |freq: f64| {
        // Trials are in the order of their frequencies.
        let [from, to] = [-1.0, 1.0].map(|by| trials.partition_point(|trial| trial.freq < freq + by / events.span));
        (from..to).min_by(|&a, &b| trials[a].ln_p.total_cmp(&trials[b].ln_p)).and_then(refined)
    };
    let ln_p = |peak: &RefinedPeak, left: &[f64]| {
        let bins = peak.candidate.nbin.unwrap_or(options.nbin);
        let stat = peak.largest_stat - peak.largest.lost(left, bins);
        let one = profile_ln_p(events, peak.largest.rates, bins, stat);
        chances.get(bins - options.nbin).map_or(0.0, |chances| chances.ln_p_of_trial(one))
    };
    let window = SourceWindow::new(events);
    let listing = Listing {
        band: options.freq,
        most: options.candidates,
        level: options.false_alarm.log10(),
        width: 1.0,
        squares: events.sums()[1],
        ln_p: &ln_p,
        again: &again,
        drifting: &|one, tones| {
            let bins = one.nbin.unwrap_or(options.nbin);
            let ranges = [options.freq, (0.0, 0.0), (0.0, 0.0)];
            let trial = drifting::trial(events, &asked(bins), &window, one, ranges, tones, progress)?;
            Some(refine(events, &asked(bins), trial, chances.get(bins - options.nbin)?, &[], progress))
        },
    };
    let left = |j: usize, tones: &Tones| {
        let (peak, bins) = (peak(j)?, trials.get(j)?.bins);
        let there = TrialAmplitudes::of_trial(events, &asked(bins), &peak, &[], progress);
        let lost = there.lost(&there.z2_without(&tones.predict(there.rates, there.harmonics())), bins);
        let left = -profile_ln_p(events, there.rates, bins, peak.stat - lost);
        Some(left).filter(|&left| left >= LEAST_PEAK_KEPT * -limit)
    };
    let rarity: Vec<f64> = trials.iter().map(|trial| -trial.ln_p).collect();
    let most = REFINED_A_CANDIDATE.saturating_mul(options.candidates.max(1));
    let apart = |a: usize, b: usize| (trials[a].freq - trials[b].freq).abs() * events.span;
    let order = |a: &RefinedPeak, b: &RefinedPeak| by_probability(&a.candidate, &b.candidate);
    let peaks = candidates::peaks(&rarity, -limit, most, apart);
    listed(peaks, &window, &listing, &refined, &left, &order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    /// The number of bins by which row `row` of `rows` is shifted in trial `trial`: the definition of the sums that
    /// [`profiles`] makes.
    fn shift(row: usize, rows: usize, trial: usize) -> usize {
        match rows {
            0 | 1 => 0,
            _ if row < rows / 2 => shift(row, rows / 2, trial / 2),
            _ => trial.div_ceil(2) + shift(row - rows / 2, rows / 2, trial / 2),
        }
    }

    /// Every profile of the algorithm is that of its rows, shifted and added, and the shifts are those of a constant period, nearly.
    #[test]
    fn profiles_are_sums_of_shifted_rows() {
        let mut random = Random::new(5);
        for (bins, rows) in [(1, 2), (2, 4), (7, 8), (8, 64), (20, 16), (33, 1), (5, 128)] {
            let series: Vec<u32> = (0..bins * rows).map(|_| random.below(5) as u32).collect();
            let found = profiles(&mut series.clone(), bins);
            for (s, profile) in found.chunks(bins).enumerate() {
                let mut expected = vec![0; bins];
                for row in 0..rows {
                    let by = shift(row, rows, s);
                    (0..bins).for_each(|b| expected[b] += series[row * bins + (b + by) % bins]);
                }
                assert_eq!(profile, expected, "{bins} {rows} {s}");
            }
        }
        let off = |rows: usize| {
            let one =
                |s: usize| (0..rows).map(move |row| (shift(row, rows, s) as f64, (row * s) as f64 / (rows - 1) as f64));
            (0..rows).flat_map(one).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let worst = off(1024);
        eprintln!("rows of the fast folding algorithm are off by {worst:.2} bins at most");
        assert!(worst < 2.0);
    }
}
