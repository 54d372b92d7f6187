//! Candidates of a search: peaks refined, and side lobes and harmonics told from new sources.

use std::cmp::Ordering;
use std::f64::consts::PI;

use rayon::prelude::*;

use super::best_rows::BestRows;
use super::candidate::Candidate;
use super::drifting;
use super::refine::{RefinedPeak, TrialAmplitudes, TrialPeak, refine};
use super::relations::{self, Listing};
use super::scores::profile_ln_p;
use super::search_options::SearchOptions;
use super::tones::Tones;
use super::window::SourceWindow;
use super::{PulseEvents, TrialGrid};
use crate::base::progress::Progress;
use crate::base::warning::Warning;
use crate::science::statistics::pulse::NullDistribution;

/// Peaks of the grid that are looked at for each candidate listed.
pub(super) const PEAKS_A_CANDIDATE: usize = 20;
/// Peaks whose amplitudes are looked at for each that is refined at once.
pub(super) const MOST_LEFT_OVER: usize = 7;
/// What is left of a peak between trials, at least, as a part of the detection level, that may reach the level when refined.
pub(super) const LEAST_PEAK_KEPT: f64 = 0.7;
/// Independent frequencies between peaks, at least.
const NEIGHBOURS: f64 = 1.5;
/// Peaks that are refined for each candidate listed: those that belong to others leave room for sources.
pub(super) const REFINED_A_CANDIDATE: usize = 3;

/// The peaks that are no side lobes of stronger ones, refined, the least probable first; those above the detection level, and at least one.
pub(super) fn find(
    events: &PulseEvents,
    options: &SearchOptions,
    grid: &TrialGrid,
    best: &BestRows,
    chances: &NullDistribution,
    progress: &Progress,
) -> (Vec<Candidate>, Vec<Warning>) {
    let (false_alarm, folded) = (options.false_alarm.ln(), best.folded.is_some());
    let level = if folded { -chances.trial_level(false_alarm) } else { chances.level(false_alarm) };
    let (step, rarity) = (grid.df * events.span, best.rarity());
    let trial = |j: usize| {
        let peak = TrialPeak::from_grid(grid, j, best.row[j], best.stat[j]);
        TrialPeak { ln_p: folded.then(|| -rarity[j]), ..peak }
    };
    let refined = |j: usize| Some(refine(events, options, trial(j), chances, &[], progress));
    let at = |j: usize| grid.spin(0, j).freq(&events.ticks).value();
    let ln_p = |peak: &RefinedPeak, left: &[f64]| match options.method.is_of_profiles() {
        true => {
            let stat = peak.largest_stat - peak.largest.lost(left, options.nbin);
            chances.ln_p_of_trial(profile_ln_p(events, peak.largest.rates, options.nbin, stat))
        }
        false => chances.ln_p(options.score(left)),
    };
    let window = SourceWindow::new(events);
    let asked = Listing {
        band: options.freq,
        most: options.candidates,
        level: options.false_alarm.log10(),
        width: 1.0,
        squares: events.sums()[1],
        ln_p: &ln_p,
        again: &|freq| largest_near(rarity, freq, at, step, |value| *value).and_then(refined),
        drifting: &|one, tones| {
            let trial = drifting::trial(events, options, &window, one, grid.ranges, tones, progress)?;
            Some(refine(events, options, trial, chances, &[], progress))
        },
    };
    let order = |a: &RefinedPeak, b: &RefinedPeak| match folded {
        true => by_probability(&a.candidate, &b.candidate),
        false => b.candidate.stat.total_cmp(&a.candidate.stat),
    };
    let left = |j: usize, tones: &Tones| {
        let there = TrialAmplitudes::of_trial(events, options, &trial(j), &[], progress);
        let left = there.z2_without(&tones.predict(there.rates, there.harmonics()));
        let left = if folded {
            -profile_ln_p(events, there.rates, options.nbin, best.stat[j] - there.lost(&left, options.nbin))
        } else {
            options.score(&left)
        };
        Some(left).filter(|&left| left >= LEAST_PEAK_KEPT * level)
    };
    let peaks = peaks(rarity, level, REFINED_A_CANDIDATE.saturating_mul(options.candidates.max(1)), |a, b| {
        a.abs_diff(b) as f64 * step
    });
    listed(peaks, &window, &asked, &refined, &left, &order)
}

/// Peaks of a grid: those that are refined at once, and those that may be side lobes of them, or too many, the largest first.
pub(super) struct GridPeaks {
    pub kept: Vec<usize>,
    pub rest: Vec<usize>,
}

/// The list of the peaks of a grid. Of those that are not refined at once these are, of which the most is left (`left`) without the tones of the sources among
/// the others: faint sources stand among the ridges and side lobes of strong ones, which are more than any list is long.
pub(super) fn listed(
    peaks: GridPeaks,
    window: &SourceWindow,
    asked: &Listing,
    refined: &(dyn Fn(usize) -> Option<RefinedPeak> + Sync),
    left: &(dyn Fn(usize, &Tones) -> Option<f64> + Sync),
    order: &dyn Fn(&RefinedPeak, &RefinedPeak) -> Ordering,
) -> (Vec<Candidate>, Vec<Warning>) {
    let GridPeaks { kept, rest } = peaks;
    let most = REFINED_A_CANDIDATE.saturating_mul(asked.most.max(1));
    let mut found: Vec<RefinedPeak> = kept.par_iter().filter_map(|&j| refined(j)).collect();
    found.sort_by(order);
    // The refined statistic of other trials than the first may be no detection.
    let level = asked.level + 1e-6;
    let detected = |peak: &RefinedPeak| peak.candidate.log10_p <= level;
    let first = found.iter().position(|peak| !detected(peak)).unwrap_or(found.len()).max(1);
    found.truncate(first);
    if rest.is_empty() {
        return drifting::told(found, window, asked);
    }
    let tones = relations::list(found.clone(), window, asked, &[]).tones;
    let mut rest: Vec<(f64, usize)> = rest.par_iter().filter_map(|&j| left(j, &tones).map(|left| (left, j))).collect();
    rest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    rest.truncate(most);
    let extra = |&(_, j): &(f64, usize)| refined(j).map(|peak| RefinedPeak { extra: true, ..peak }).filter(detected);
    found.par_extend(rest.par_iter().filter_map(extra));
    found.sort_by(order);
    drifting::told(found, window, asked)
}

/// The trial with the largest value within an independent frequency of `freq`; `step` is the part of one between two trials, the first of which are `at(0)` and `at(1)`.
pub(super) fn largest_near<T>(
    values: &[T],
    freq: f64,
    at: impl Fn(usize) -> f64,
    step: f64,
    of: impl Fn(&T) -> f64,
) -> Option<usize> {
    let middle = ((freq - at(0)) / (at(1) - at(0))).round();
    let wide = (1.0 / step).ceil();
    let (from, to) =
        ((middle - wide).max(0.0) as usize, ((middle + wide).max(0.0) as usize).min(values.len().checked_sub(1)?));
    (from..=to).max_by(|&a, &b| of(&values[a]).total_cmp(&of(&values[b])))
}

/// The less probable of two candidates first: in one trial, if trials have laws of their own, else in the whole search.
pub(super) fn by_probability(a: &Candidate, b: &Candidate) -> Ordering {
    let of = |c: &Candidate| c.trial_log10_p.unwrap_or(c.log10_p);
    of(a).total_cmp(&of(b))
}

/// The largest local maxima that reach the level, at most so many, and at least one: without those that a larger one explains as side
/// lobes, which are the rest. `apart` are the independent frequencies between two values.
pub(super) fn peaks(stat: &[f64], level: f64, most: usize, apart: impl Fn(usize, usize) -> f64) -> GridPeaks {
    let above = |j: usize, k: Option<usize>| k.and_then(|k| stat.get(k)).is_none_or(|&other| stat[j] >= other);
    let mut peaks: Vec<usize> =
        (0..stat.len()).filter(|&j| above(j, j.checked_sub(1)) && above(j, Some(j + 1))).collect();
    let most = most.max(1);
    let descending = |&a: &usize, &b: &usize| stat[b].total_cmp(&stat[a]).then(a.cmp(&b));
    let looked_at = PEAKS_A_CANDIDATE.saturating_mul(most);
    if peaks.len() > looked_at {
        peaks.select_nth_unstable_by(looked_at, descending);
        peaks.truncate(looked_at);
    }
    peaks.sort_by(descending);
    let mut found = GridPeaks { kept: Vec::new(), rest: Vec::new() };
    for j in peaks {
        if stat[j] < level && !found.kept.is_empty() {
            break;
        }
        let apart = |strong: usize| apart(j, strong);
        // Neighbours, or below the envelope of sinc², twice, as gaps raise it.
        let near = |&strong: &usize| apart(strong) < NEIGHBOURS;
        let lobe = |&strong: &usize| stat[j] < 2.0 * stat[strong] / (PI * apart(strong)).powi(2);
        if found.kept.iter().any(near) {
            continue;
        }
        if found.kept.len() < most && !found.kept.iter().any(lobe) {
            found.kept.push(j);
        } else if !found.rest.iter().any(near) && found.rest.len() < MOST_LEFT_OVER.saturating_mul(most) {
            found.rest.push(j);
        }
    }
    found
}
