//! Candidates of a search: peaks refined, and side lobes and harmonics told from new sources.

use std::cmp::Ordering;
use std::f64::consts::{LN_10, PI, TAU};
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::{Deserialize, Serialize};

use super::best_rows::BestRows;
use super::fold::weighted;
use super::search_options::{SearchOptions, SearchStatistic};
use super::{PulseEvents, TrialGrid, exposure, harmonics};
use crate::base::time::DoubleDouble;
use crate::data::phase::{Ephemeris, Spin};
use crate::kernels::fold::{self, TrialBlock};
use crate::science::statistics::normal;
use crate::science::statistics::profile::ProfileChiSquare;
use crate::science::statistics::pulse::{self, NullDistribution};

/// Stretches of time whose harmonic sums are combined when a peak is refined: over one of them a frequency that is one step of the grid
/// off turns by less than a thousandth of a cycle.
const INTERVALS: usize = 512;
/// Peaks of the grid that are looked at for each candidate listed.
pub(super) const PEAKS_A_CANDIDATE: usize = 20;
/// The largest numbers in the ratio of a harmonic.
const HIGHEST_RATIO_TERM: u32 = 10;

/// A peak of the search statistic, refined between the trials of the grid with exact phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Frequency at the epoch of the search, Hz.
    pub freq: f64,
    /// Standard error of `freq`, Hz, for a single signal, from the powers of its harmonics and the spread of the event
    /// times.
    pub freq_err: f64,
    /// First derivative of the frequency, Hz/s.
    pub fdot: f64,
    /// Second derivative of the frequency, Hz/s².
    pub fddot: f64,
    /// Period, s.
    pub period: f64,
    /// The statistic at the refined frequency: unbinned for `Z²_n` and H, with the bins of the search for epoch folding
    /// and phase dispersion.
    pub stat: f64,
    /// `Z²_n` or H by its definition there, without the correction for uneven exposure; absent where there is none, and for
    /// epoch folding and phase dispersion. Its law is not that of noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat_plain: Option<f64>,
    /// Largest statistic of the grid in the peak; for phase dispersion the smallest.
    pub grid_stat: f64,
    /// log₁₀ of the false-alarm probability over the whole search, number of trials included. For H, epoch folding and
    /// phase dispersion it is that of `grid_stat`.
    pub log10_p: f64,
    /// log₁₀ of the probability of `grid_stat` in one trial, for trials that have laws of their own: epoch folding, and phase dispersion if bins are
    /// empty. Candidates are in its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_log10_p: Option<f64>,
    /// Number of phase bins, for epoch folding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbin: Option<usize>,
    /// The false-alarm probability as standard deviations of a normal distribution.
    pub sigma: f64,
    /// Number of harmonics that `rms` and `freq_err` are computed from: that of `Z²_n`, or the one at which H is
    /// largest.
    pub nharm: usize,
    /// Fractional rms of the pulse in these harmonics, noise subtracted; for weighted events, of the weighted rate.
    pub rms: f64,
    /// Index of the candidate of which this one is a harmonic; its own index if it is none.
    pub group: usize,
    /// Ratio of its frequency to that of the candidate `group`, as `2/1` or `1/2`; `1/1` for itself.
    pub harmonic: String,
}

/// The peaks that are no side lobes of stronger ones, refined, the least probable first; those above the detection level, and at least one.
pub(super) fn find(
    events: &PulseEvents,
    options: &SearchOptions,
    grid: &TrialGrid,
    best: &BestRows,
    chances: &NullDistribution,
) -> Vec<Candidate> {
    let (false_alarm, folded) = (options.false_alarm.ln(), best.folded.is_some());
    let level = if folded { -chances.trial_level(false_alarm) } else { chances.level(false_alarm) };
    let kept = peaks(best.rarity(), level, options.candidates, grid.df * events.span);
    let refined = kept.par_iter().map(|&j| {
        let peak = TrialPeak::from_grid(grid, j, best.row[j], best.stat[j]);
        let peak = TrialPeak { ln_p: folded.then(|| -best.rarity()[j]), ..peak };
        refine(events, options, peak, chances, &[])
    });
    let mut found: Vec<Candidate> = refined.collect();
    match folded {
        true => found.sort_by(by_probability),
        false => found.sort_by(|a, b| b.stat.total_cmp(&a.stat)),
    }
    group(&mut found, events.span);
    found
}

/// The less probable of two candidates first: in one trial, if trials have laws of their own, else in the whole search.
pub(super) fn by_probability(a: &Candidate, b: &Candidate) -> Ordering {
    let of = |c: &Candidate| c.trial_log10_p.unwrap_or(c.log10_p);
    of(a).total_cmp(&of(b))
}

/// The largest local maxima that reach the level, at most so many, and at least one: without those that a larger one explains as side
/// lobes. `step` is the part of an independent frequency between two values.
pub(super) fn peaks(stat: &[f64], level: f64, most: usize, step: f64) -> Vec<usize> {
    let above = |j: usize, k: Option<usize>| k.and_then(|k| stat.get(k)).is_none_or(|&other| stat[j] >= other);
    let mut peaks: Vec<usize> =
        (0..stat.len()).filter(|&j| above(j, j.checked_sub(1)) && above(j, Some(j + 1))).collect();
    let most = most.max(1);
    let descending = |&a: &usize, &b: &usize| stat[b].total_cmp(&stat[a]).then(a.cmp(&b));
    if peaks.len() > PEAKS_A_CANDIDATE * most {
        peaks.select_nth_unstable_by(PEAKS_A_CANDIDATE * most, descending);
        peaks.truncate(PEAKS_A_CANDIDATE * most);
    }
    peaks.sort_by(descending);
    let mut kept: Vec<usize> = Vec::new();
    for j in peaks {
        let lobe = |&strong: &usize| {
            let x = (j.abs_diff(strong) as f64) * step;
            // Neighbours, or below the envelope of sinc², twice, as gaps raise it.
            x < 1.5 || stat[j] < 2.0 * stat[strong] / (PI * x).powi(2)
        };
        if kept.len() < most && (kept.is_empty() || stat[j] >= level) && !kept.iter().any(lobe) {
            kept.push(j);
        }
    }
    kept
}

/// A trial whose statistic stands out.
#[derive(Clone, Copy)]
pub(super) struct TrialPeak {
    /// Where, with its derivatives, Hz/s and Hz/s².
    pub start: Spin,
    pub rates: [f64; 2],
    /// To the next trial: of frequency and derivatives, 0 where those are not searched.
    pub steps: [f64; 3],
    pub stat: f64,
    /// Logarithm of the probability in this trial alone, if trials have laws of their own.
    pub ln_p: Option<f64>,
}

impl TrialPeak {
    /// One of a grid.
    pub fn from_grid(grid: &TrialGrid, place: usize, row: usize, stat: f64) -> TrialPeak {
        let rates = grid.rows.get(row).copied().unwrap_or_default();
        TrialPeak { start: grid.spin(row, place), rates, steps: [grid.df, grid.dfdot, grid.dfddot], stat, ln_p: None }
    }
}

/// Complex sums of each stretch of time at one ephemeris, from which those of others close by follow.
struct IntervalHarmonics {
    /// Middle of the stretch, s from the epoch, and the sums of its events, and of its part in all good time.
    parts: Vec<(f64, [Vec<Complex<f64>>; 2])>,
    /// [`PulseEvents::sums`].
    total: [f64; 2],
}

impl IntervalHarmonics {
    fn new(events: &PulseEvents, spin: &Spin, harmonics: usize) -> IntervalHarmonics {
        let (Some(first), Some(last)) = (events.times.iter().min(), events.times.iter().max()) else {
            return IntervalHarmonics { parts: Vec::new(), total: [0.0; 2] };
        };
        let length = (last - first) / INTERVALS as i64 + 1;
        // Times are in order, by and large: few pieces.
        let mut stretches: Vec<Vec<Range<usize>>> = vec![Vec::new(); INTERVALS];
        let mut rest = events.times.as_slice();
        while let Some(t) = rest.first() {
            let place = (t - first) / length;
            let inside = first + place * length..first + (place + 1) * length;
            let here = rest.iter().take_while(|t| inside.contains(t)).count();
            let from = events.times.len() - rest.len();
            stretches[place as usize].push(from..from + here);
            rest = &rest[here..];
        }
        let tick = events.ticks.seconds();
        let matter = exposure::significant_harmonics(events, spin, 2 * harmonics);
        let good: f64 = events.gti.iter().map(|(a, b)| (b - a) as f64 * tick).sum();
        let part = |(i, pieces): (usize, &Vec<Range<usize>>)| {
            let from = first + i as i64 * length;
            let middle = (from as f64 + 0.5 * length as f64) * tick;
            // Good time before the first event and after the last one is theirs.
            let (from, to) = (if i == 0 { i64::MIN } else { from }, from.saturating_add(length));
            let to = if i + 1 == INTERVALS { i64::MAX } else { to };
            let gti = if matter > 0 { exposure::clip_intervals(&events.gti, from, to) } else { Vec::new() };
            let mut window = exposure::amplitudes(spin, &events.ticks, &gti, matter);
            window.iter_mut().for_each(|sum| *sum /= good);
            let mut sums = vec![Complex::default(); harmonics];
            for piece in pieces {
                let weights = events.each_weight().map(|weights| &weights[piece.clone()]);
                let piece = harmonics::harmonic_sums_at(&events.times[piece.clone()], weights, spin, harmonics);
                sums.iter_mut().zip(piece).for_each(|(sum, one)| *sum += one);
            }
            (!pieces.is_empty() || !gti.is_empty()).then_some((middle, [sums, window]))
        };
        let parts = stretches.par_iter().enumerate().filter_map(part).collect();
        IntervalHarmonics { parts, total: events.sums() }
    }

    /// `Z²_1 …` where frequency and derivatives differ by so much.
    fn z2(&self, off: &[f64; 3]) -> Vec<f64> {
        let like = |i: usize| vec![Complex::default(); self.parts.first().map_or(0, |(_, sums)| sums[i].len())];
        let mut all = [like(0), like(1)];
        for (t, parts) in &self.parts {
            let cycles = t * (off[0] + t * (off[1] / 2.0 + t * off[2] / 6.0));
            let turn = Complex::from_polar(1.0, TAU * (cycles - cycles.round()));
            for (sums, all) in parts.iter().zip(&mut all) {
                let mut now = turn;
                for (sum, all) in sums.iter().zip(all) {
                    *all += sum * now;
                    now *= turn;
                }
            }
        }
        pulse::z2_of_sums(&all[0], self.total, &all[1])
    }
}

/// The candidate of a peak; `levels` are those of the noise at its harmonics, in units of Poisson's, which is 1 where they end.
pub(super) fn refine(
    events: &PulseEvents,
    options: &SearchOptions,
    peak: TrialPeak,
    chances: &NullDistribution,
    levels: &[f64],
) -> Candidate {
    let TrialPeak { start, rates: [fdot, fddot], steps, stat: grid_stat, ln_p } = peak;
    let ticks = &events.ticks;
    let stretches = IntervalHarmonics::new(events, &start, options.harmonics());
    let score = |off: &[f64; 3]| options.score(&whitened(stretches.z2(off), levels));
    // Steps along each direction, halved when none of them leads up.
    let (mut off, mut step) = ([0.0; 3], steps.map(|step| 0.5 * step));
    let mut best = score(&off);
    for _ in 0..400 {
        let tries = (0..3).flat_map(|i| [(i, step[i]), (i, -step[i])]).filter(|(_, by)| *by != 0.0);
        let moved = tries.map(|(i, by)| {
            let mut next = off;
            next[i] += by;
            (score(&next), next)
        });
        match moved.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((score, next)) if score > best => (best, off) = (score, next),
            _ => step.iter_mut().for_each(|step| *step *= 0.5),
        }
        if step[0] < 1e-5 * steps[0] {
            break;
        }
    }
    let ephemeris = Ephemeris {
        epoch: ticks.reference(),
        freq: start.freq(ticks) + DoubleDouble::from(off[0]),
        fdot: DoubleDouble::from(fdot + off[1]),
        fddot: DoubleDouble::from(fddot + off[2]),
    };
    // What was close to the grid is as good a number as the grid's.
    let spin = Spin::new(&ephemeris, ticks).unwrap_or(start);
    let window = exposure::exposure_amplitudes(events, &spin, 2 * options.harmonics());
    let [z2, plain] = harmonics::z2_by(&events.times, events.each_weight(), [&window, &[]], &spin, options.harmonics())
        .map(|z2| whitened(z2, levels));
    let of_harmonics = matches!(options.method, SearchStatistic::Z2 | SearchStatistic::H);
    let stat_plain = (of_harmonics && !window.is_empty()).then(|| options.score(&plain));
    let stat = match options.method {
        SearchStatistic::Z2 | SearchStatistic::H => options.score(&z2),
        SearchStatistic::Ef => {
            let exposed = exposure::exposure(&spin, ticks, &events.gti, options.nbin);
            if let Some(weights) = events.each_weight() {
                let ([profile, _], [sum, squares]) =
                    (weighted(&events.times, weights, &spin, options.nbin), events.sums());
                ProfileChiSquare::new(&profile, &exposed).stat * (sum / squares)
            } else {
                let mut counts = vec![0; options.nbin];
                let block = TrialBlock { spin, trials: 1 };
                fold::cpu(&events.times, &block, &Spin::default(), options.nbin, &mut counts);
                ProfileChiSquare::new(&counts, &exposed).stat
            }
        }
        // That of values is not known here.
        SearchStatistic::Pdm => grid_stat,
    };
    let each = |h: usize| z2.get(h).copied().unwrap_or(0.0) - if h > 0 { z2[h - 1] } else { 0.0 };
    let information: f64 = (0..z2.len()).map(|h| ((h + 1) as f64).powi(2) * (each(h) - 2.0).max(0.0)).sum();
    let harmonics = match options.method {
        SearchStatistic::H => pulse::h_of_z2(&z2).1,
        SearchStatistic::Z2 | SearchStatistic::Ef | SearchStatistic::Pdm => z2.len(),
    };
    let signal: f64 = (0..harmonics).map(|h| (each(h) - 2.0) * level(levels, h)).sum::<f64>().max(0.0);
    // Profiles of epoch folding may be better where the grid has them.
    let stat = if options.method == SearchStatistic::Ef { stat.max(grid_stat) } else { stat };
    // A maximum over all frequencies has more chances than the grid has trials; only of Z² it is known how many.
    let tested = if options.method == SearchStatistic::Z2 { stat } else { grid_stat };
    let ln_p_of_search = ln_p.map_or_else(|| chances.ln_p(tested), |ln_p| chances.ln_p_of_trial(ln_p));
    let freq = spin.freq(ticks).value();
    Candidate {
        freq,
        freq_err: 1.0 / (TAU * chances.deviation * information.max(f64::MIN_POSITIVE).sqrt()),
        fdot: spin.fdot(ticks),
        fddot: spin.fddot(ticks),
        period: 1.0 / freq,
        stat,
        stat_plain,
        grid_stat,
        log10_p: ln_p_of_search / LN_10,
        trial_log10_p: ln_p.map(|ln_p| ln_p / LN_10),
        sigma: normal::ln_isf(ln_p_of_search),
        nbin: (options.method == SearchStatistic::Ef).then_some(options.nbin),
        nharm: harmonics,
        rms: (signal / events.effective()).sqrt(),
        group: 0,
        harmonic: String::new(),
    }
}

fn level(levels: &[f64], harmonic: usize) -> f64 {
    levels.get(harmonic).copied().unwrap_or(1.0)
}

/// `Z²_1 …` with the power of each harmonic over its noise level.
fn whitened(mut z2: Vec<f64>, levels: &[f64]) -> Vec<f64> {
    if !levels.is_empty() {
        let (mut before, mut sum) = (0.0, 0.0);
        for (h, z) in z2.iter_mut().enumerate() {
            sum += (*z - before) / level(levels, h);
            (before, *z) = (*z, sum);
        }
    }
    z2
}

/// Names the harmonics of stronger candidates: ratios of small numbers, within what the frequencies' peaks are wide.
pub(super) fn group(candidates: &mut [Candidate], span: f64) {
    for i in 0..candidates.len() {
        let freq = candidates[i].freq;
        let of = |j: usize| {
            let other = candidates[j].freq;
            let fits = |a: u32, b: u32| (f64::from(b) * freq - f64::from(a) * other).abs() < f64::from(a.max(b)) / span;
            (2..=2 * HIGHEST_RATIO_TERM).find_map(|sum| {
                (1..sum).map(|a| (a, sum - a)).find(|&(a, b)| a.max(b) <= HIGHEST_RATIO_TERM && a != b && fits(a, b))
            })
        };
        let found = (0..i).filter(|&j| candidates[j].group == j).find_map(|j| of(j).map(|ratio| (j, ratio)));
        let (group, (a, b)) = found.unwrap_or((i, (1, 1)));
        candidates[i].group = group;
        candidates[i].harmonic = format!("{a}/{b}");
    }
}
