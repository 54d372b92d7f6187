//! The result of a search and its metadata.

use std::f64::consts::LN_10;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::search_options::SearchOptions;
use super::statistics::SearchStatistic;
use super::{Candidate, PulseEvents};
use crate::data::{DeviceRecord, Record};
use crate::engine::{SampleSummary, WeightSummary};
use crate::science::orbit::TimingModel;
use crate::science::statistics::pulse::NullDistribution;

/// Largest number of columns of [`SearchResult::map`].
pub const MAP_COLUMNS: usize = 800;

/// Metadata of an acceleration search besides [`SearchMetadata`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccelMetadata {
    /// Numbers of harmonics that were tried.
    pub harmonics: Vec<usize>,
    /// Detection level for each number of harmonics.
    pub detection_levels: Vec<f64>,
    /// Largest drift of the fundamental over the observation, Fourier bins.
    pub drift: f64,
    /// Largest change of the drift over the observation, Fourier bins.
    pub jerk: f64,
    /// Number of time bins over the observation that would have the Fourier bins of the search, from 0 to `bins/2`; no event is binned.
    pub bins: usize,
    /// Width of these time bins, s: `1/(2·dt)` is the frequency of the last Fourier bin.
    pub dt: f64,
    /// True if powers were divided by their local level.
    pub detrended: bool,
    /// Neighbouring trial frequencies that share a row of the result, which has the best of them: more than one from 2²² on.
    #[serde(default = "one")]
    pub frequencies_a_row: usize,
}

fn one() -> usize {
    1
}

/// Metadata of a search.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchMetadata {
    /// The test statistic.
    pub method: SearchStatistic,
    /// How the statistic was computed: `fft`, `fold`, `ffa`, or `templates` for an acceleration search
    /// ([`super::accel()`]).
    pub algorithm: String,
    /// Number of harmonics of `Z²_n`.
    pub nharm: usize,
    /// Number of phase bins of folded profiles.
    pub nbin: usize,
    /// Trial frequencies per `1/T`.
    pub oversample: f64,
    /// Number of trials of the grid.
    pub trials: u64,
    /// Number of independent frequencies `B·T`, for the width `B` of the band and the length `T` of the observation.
    pub independent_frequencies: f64,
    /// Step of the frequency, Hz.
    pub df: f64,
    /// Step of the first derivative, Hz/s; 0 without derivatives.
    pub dfdot: f64,
    /// Step of the second derivative, Hz/s²; 0 without derivatives.
    pub dfddot: f64,
    /// Epoch at which frequencies and derivatives hold, seconds of the frame.
    pub epoch: f64,
    /// Epoch as MJD; `None` if the frame has no reference epoch.
    pub epoch_mjd: Option<f64>,
    /// The timing model that gave the times of emission, if a `.par` file was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<TimingModel>,
    /// Number of events; for a light curve the photons in its samples, 0 if that is not known.
    pub nphots: usize,
    /// Summary of the samples, for phase dispersion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<SampleSummary>,
    /// Summary of the weights, if events have weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightSummary>,
    /// Sum of the good time, s.
    pub exposure: f64,
    /// Time from the first start to the last stop, s.
    pub span: f64,
    /// False-alarm probability over the whole search that makes a detection.
    pub detection_probability: f64,
    /// The statistic that noise reaches anywhere in the search with `detection_probability`.
    pub detection_level: f64,
    /// log₁₀ of the probability in one trial that makes a detection, for trials that have laws of their own: epoch folding, and phase dispersion if
    /// bins are empty. `detection_level` then is that of trials of `nbin` bins that are exposed alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_log10_p: Option<f64>,
    /// Further metadata of an acceleration search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<AccelMetadata>,
    /// Upper limit (95 %) of the pulsed fraction of a sinusoid at any frequency of the grid, for `Z²_n` only; for
    /// weighted events, of the weighted rate.
    pub pulsed_upper_limit: Option<f64>,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

impl SearchMetadata {
    /// What the statistic is called: `Z²_2`, `χ² of 16 bins`; without its numbers where trials differ in them.
    pub fn symbol(&self) -> String {
        match () {
            () if self.templates.is_some() => "Z²".into(),
            () if self.algorithm == "ffa" => format!("χ² of {} to {} bins", self.nbin, 2 * self.nbin - 1),
            () => self.method.symbol(self.nharm, self.nbin),
        }
    }

    /// What all searches say: how trials were computed, of which options and by what; how many trials of which band and steps; the
    /// detection level.
    pub(super) fn new(
        events: &PulseEvents,
        options: &SearchOptions,
        (algorithm, asked, device): (&str, serde_json::Value, DeviceRecord),
        (trials, band, [df, dfdot, dfddot]): (u64, f64, [f64; 3]),
        detection_level: f64,
    ) -> SearchMetadata {
        let epoch = events.ticks.reference().value();
        SearchMetadata {
            method: options.method,
            algorithm: algorithm.to_string(),
            nharm: options.nharm,
            nbin: options.nbin,
            oversample: options.oversampling(),
            trials,
            independent_frequencies: band * events.span,
            df,
            dfdot,
            dfddot,
            epoch,
            epoch_mjd: super::mjd(events, epoch),
            timing: events.timing.clone(),
            nphots: events.times.len(),
            sampling: None,
            weights: events.weights.as_ref().map(|weights| weights.all.clone()),
            exposure: events.exposure,
            span: events.span,
            detection_probability: options.false_alarm,
            detection_level,
            detection_log10_p: None,
            templates: None,
            pulsed_upper_limit: None,
            record: Record { device, options: asked, ..events.record.clone() },
        }
    }
}

/// The result of a search: for each trial frequency the best statistic over all derivatives, and the candidates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchResult {
    /// Trial frequencies at the epoch, Hz: all of them, or the best of each [`AccelMetadata::frequencies_a_row`].
    pub freq: Vec<f64>,
    /// First derivative with the best statistic at each frequency, Hz/s.
    pub fdot: Vec<f64>,
    /// Second derivative with the best statistic at each frequency, Hz/s².
    pub fddot: Vec<f64>,
    /// The best statistic at each frequency.
    pub stat: Vec<f64>,
    /// The candidates, the most significant first.
    pub candidates: Vec<Candidate>,
    /// Largest statistic (for phase dispersion `1 − θ`, for epoch folding `−log₁₀` of the probability in one trial) in each of at most [`super::search::MAP_COLUMNS`] ranges of
    /// frequency, one list for each entry of `rows`; empty for a search without derivatives.
    pub map: Vec<Vec<f64>>,
    /// First and second derivative of each row of the grid, Hz/s and Hz/s².
    pub rows: Vec<[f64; 2]>,
    /// If the noise distribution differs between trials: the name of the number that it depends on, and its value for
    /// each trial. The name is `nharm` ([`super::accel()`]) or `nbin` (fast folding, epoch folding if bins are not exposed or merged, and
    /// [`super::pdm()`] if bins are empty).
    pub laws: Option<(&'static str, Vec<u64>)>,
    /// Logarithms of the probabilities in one trial, for trials that have laws of their own (epoch folding, and [`super::pdm()`] if bins are empty);
    /// empty for others.
    pub ln_p: Vec<f64>,
    /// Decimal logarithms of the probabilities as a file gave them, which does not have the null distributions; empty for a
    /// search that was computed.
    pub read_log10_p: Vec<f64>,
    /// The null distribution for each value in [`SearchResult::laws`]; a single one if all trials share it.
    pub null_distributions: Vec<(u64, NullDistribution)>,
    /// Metadata: options, numbers of trials, detection level, record.
    pub meta: SearchMetadata,
}

impl SearchResult {
    /// Decimal logarithms of the probabilities that noise reaches each value of `stat` anywhere in the search.
    pub fn log10_p(&self) -> Vec<f64> {
        if !self.read_log10_p.is_empty() {
            return self.read_log10_p.clone();
        }
        if let (false, Some((_, chances))) = (self.ln_p.is_empty(), self.null_distributions.first()) {
            return self.ln_p.par_iter().map(|&ln_p| chances.ln_p_of_trial(ln_p) / LN_10).collect();
        }
        let of = |j: usize| {
            let number = self.laws.as_ref().and_then(|(_, numbers)| numbers.get(j)).copied().unwrap_or(0);
            self.null_distributions.iter().find(|(of, _)| *of == number).map(|(_, chances)| chances)
        };
        let one = |(j, &stat): (usize, &f64)| of(j).map_or(0.0, |chances| chances.ln_p(stat)) / LN_10;
        self.stat.par_iter().enumerate().map(one).collect()
    }

    /// The metadata and the candidates as JSON.
    pub fn summary(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.meta).unwrap_or_default();
        value["candidates"] = serde_json::to_value(&self.candidates).unwrap_or_default();
        value
    }
}
