//! Candidates of a search: peaks refined, and side lobes and harmonics told from new sources.

use std::f64::consts::PI;

use rayon::prelude::*;

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
    stat: &[f64],
    row: &[usize],
    chances: &NullDistribution,
) -> Vec<Candidate> {
    let level = chances.level(options.false_alarm.ln());
    let step = grid.df * events.span;
    let kept = peaks(stat, level, REFINED_A_CANDIDATE * options.candidates.max(1), step);
    let refined = |j: usize| refine(events, options, TrialPeak::from_grid(grid, j, row[j], stat[j]), chances, &[]);
    let mut found: Vec<RefinedPeak> = kept.par_iter().map(|&j| refined(j)).collect();
    found.sort_by(|a, b| b.candidate.stat.total_cmp(&a.candidate.stat));
    let at = |j: usize| grid.spin(0, j).freq(&events.ticks).value();
    let again = |freq: f64| largest_near(stat, freq, at, step, |stat| *stat).map(refined);
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
