//! Candidates of a search: peaks refined, and side lobes and harmonics told from new sources.

use std::cmp::Ordering;
use std::f64::consts::PI;

use rayon::prelude::*;

use super::best_rows::BestRows;
use super::candidate::Candidate;
use super::refine::{RefinedPeak, TrialPeak, refine};
use super::relations::{self, Listing};
use super::search_options::SearchOptions;
use super::window::SourceWindow;
use super::{PulseEvents, TrialGrid};
use crate::science::statistics::pulse::NullDistribution;

/// Peaks of the grid that are looked at for each candidate listed.
pub(super) const PEAKS_A_CANDIDATE: usize = 20;
/// Peaks that are refined for each candidate listed: those that belong to others leave room for sources.
pub(super) const REFINED_A_CANDIDATE: usize = 3;

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
    let (step, rarity) = (grid.df * events.span, best.rarity());
    let kept = peaks(rarity, level, REFINED_A_CANDIDATE.saturating_mul(options.candidates.max(1)), step);
    let refined = |j: usize| {
        let peak = TrialPeak::from_grid(grid, j, best.row[j], best.stat[j]);
        let peak = TrialPeak { ln_p: folded.then(|| -rarity[j]), ..peak };
        refine(events, options, peak, chances, &[])
    };
    let mut found: Vec<RefinedPeak> = kept.par_iter().map(|&j| refined(j)).collect();
    match folded {
        true => found.sort_by(|a, b| by_probability(&a.candidate, &b.candidate)),
        false => found.sort_by(|a, b| b.candidate.stat.total_cmp(&a.candidate.stat)),
    }
    let at = |j: usize| grid.spin(0, j).freq(&events.ticks).value();
    let again = |freq: f64| largest_near(rarity, freq, at, step, |value| *value).map(refined);
    let asked = Listing {
        band: options.freq,
        most: options.candidates,
        level: options.false_alarm.log10(),
        width: 1.0,
        trials: grid.trials() as f64,
    };
    relations::list(found, &SourceWindow::new(events), &asked, &again)
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
/// lobes. `step` is the part of an independent frequency between two values.
pub(super) fn peaks(stat: &[f64], level: f64, most: usize, step: f64) -> Vec<usize> {
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
