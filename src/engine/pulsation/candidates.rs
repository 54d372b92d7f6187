//! Candidates of a search: peaks refined, and side lobes and harmonics told from new sources.

use std::f64::consts::PI;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::refine::{TrialPeak, refine};
use super::search_options::SearchOptions;
use super::{PulseEvents, TrialGrid};
use crate::science::statistics::pulse::NullDistribution;

/// Peaks of the grid that are looked at for each candidate listed.
pub(super) const PEAKS_A_CANDIDATE: usize = 20;
/// The largest numbers in the ratio of a harmonic.
const HIGHEST_RATIO_TERM: u32 = 10;

/// A peak of the search statistic, refined between the trials of the grid with exact phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Frequency at the epoch of the search, Hz: where the harmonics that are signal ([`Candidate::signal_harmonics`]) have the most power.
    pub freq: f64,
    /// Standard error of `freq`, Hz, for a single signal ([`precision`](crate::science::pulsation::precision)); with derivatives searched, that of the
    /// frequency at the epoch whatever they are.
    pub freq_err: f64,
    /// First derivative of the frequency at the epoch, Hz/s.
    pub fdot: f64,
    /// Standard error of `fdot`, Hz/s; absent where it was not searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fdot_err: Option<f64>,
    /// Second derivative of the frequency, Hz/s².
    pub fddot: f64,
    /// Standard error of `fddot`, Hz/s²; absent where it was not searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fddot_err: Option<f64>,
    /// Period, s.
    pub period: f64,
    /// The statistic where it is largest, which is within the error of `freq`: unbinned for `Z²_n` and H, with the bins of the search
    /// for epoch folding and phase dispersion.
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
    /// The false-alarm probability as standard deviations of a normal distribution.
    pub sigma: f64,
    /// Number of harmonics that `rms` is computed from: that of `Z²_n`, or the one at which H is largest.
    pub nharm: usize,
    /// Number of harmonics that are signal, from which `freq` and its error come: the smallest beyond which H gains no more than 12.
    #[serde(default)]
    pub signal_harmonics: usize,
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
    stat: &[f64],
    row: &[usize],
    chances: &NullDistribution,
) -> Vec<Candidate> {
    let level = chances.level(options.false_alarm.ln());
    let kept = peaks(stat, level, options.candidates, grid.df * events.span);
    let refined =
        kept.par_iter().map(|&j| refine(events, options, TrialPeak::from_grid(grid, j, row[j], stat[j]), chances, &[]));
    let mut found: Vec<Candidate> = refined.collect();
    found.sort_by(|a, b| b.stat.total_cmp(&a.stat));
    group(&mut found, events.span);
    found
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
