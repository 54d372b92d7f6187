//! What a search found, and what it says of itself.

use std::f64::consts::LN_10;

use rayon::prelude::*;
use serde::Serialize;

use super::search_options::{SearchOptions, SearchStatistic};
use super::{Candidate, PulseEvents};
use crate::data::table::{Table, column};
use crate::data::{DeviceRecord, Provenance};
use crate::engine::{SampleSummary, WeightSummary};
use crate::science::orbit::TimingModel;
use crate::science::statistics::pulse::NullDistribution;

/// Columns of [`SearchResult::map`].
pub const MAP_COLUMNS: usize = 800;

/// What a search by templates says of itself beside what all searches do.
#[derive(Clone, Debug, Serialize)]
pub struct AccelMetadata {
    /// Numbers of harmonics tried.
    pub harmonics: Vec<usize>,
    /// Detection level of each.
    pub detection_levels: Vec<f64>,
    /// Largest drift of the fundamental, Fourier bins.
    pub drift: f64,
    /// The most that the drift changes by, bins.
    pub jerk: f64,
    /// Bins of the series, and their width, s.
    pub bins: usize,
    /// See [`AccelMetadata::bins`].
    pub dt: f64,
    /// What bins leave of the power of the highest harmonic at the highest frequency.
    pub binning_loss: f64,
    /// Were powers taken over their local level?
    pub detrended: bool,
}

/// What a search says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct SearchMetadata {
    /// The statistic.
    pub method: SearchStatistic,
    /// How trials were computed: `fft`, `fold`, `ffa`, or `templates` ([`super::accel()`]).
    pub algorithm: &'static str,
    /// Harmonics of `Z²_n`.
    pub nharm: usize,
    /// Bins of profiles.
    pub nbin: usize,
    /// Trials to an independent frequency.
    pub oversample: f64,
    /// Trials of the grid.
    pub trials: u64,
    /// Of the band, over the span: `B·T`.
    pub independent_frequencies: f64,
    /// Step of the frequency, Hz, and of its derivatives (0 for none).
    pub df: f64,
    /// See [`SearchMetadata::df`].
    pub dfdot: f64,
    /// See [`SearchMetadata::df`].
    pub dfddot: f64,
    /// Where frequency and derivatives hold, seconds of the frame.
    pub epoch: f64,
    /// The same as MJD, where the frame has a reference.
    pub epoch_mjd: Option<f64>,
    /// The ephemeris file that times of emission are by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<TimingModel>,
    /// Events; of samples those in them, 0 where that is not known.
    pub nphots: usize,
    /// The samples, of phase dispersion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<SampleSummary>,
    /// Their weights, where they have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightSummary>,
    /// Good time, s.
    pub exposure: f64,
    /// First start to last stop, s.
    pub span: f64,
    /// What noise reaches in the search with this probability.
    pub detection_probability: f64,
    /// See [`SearchMetadata::detection_probability`].
    pub detection_level: f64,
    /// Of a search by templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<AccelMetadata>,
    /// Upper limit (95 %) of the pulsed fraction of a sinusoid at any frequency of the grid (`Z²_n` alone); of the weighted rate where
    /// events have weights.
    pub pulsed_upper_limit: Option<f64>,
    /// What computed it.
    #[serde(flatten)]
    pub device: DeviceRecord,
    /// What it was made of.
    #[serde(flatten)]
    pub provenance: Provenance,
}

impl SearchMetadata {
    /// What all searches say: how trials were computed, of which options and by what; how many trials of which band and steps; the
    /// detection level.
    pub(super) fn new(
        events: &PulseEvents,
        options: &SearchOptions,
        (algorithm, asked, device): (&'static str, serde_json::Value, DeviceRecord),
        (trials, band, [df, dfdot, dfddot]): (u64, f64, [f64; 3]),
        detection_level: f64,
    ) -> SearchMetadata {
        let epoch = events.ticks.reference().value();
        SearchMetadata {
            method: options.method,
            algorithm,
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
            templates: None,
            pulsed_upper_limit: None,
            device,
            provenance: Provenance { options: asked, ..events.provenance.clone() },
        }
    }
}

/// A search: one row a frequency, with the best of its derivatives.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// Frequencies at the epoch, Hz.
    pub freq: Vec<f64>,
    /// First derivative with the largest statistic, Hz/s.
    pub fdot: Vec<f64>,
    /// Second derivative, Hz/s².
    pub fddot: Vec<f64>,
    /// The statistic.
    pub stat: Vec<f64>,
    /// What stands out, the least probable first.
    pub candidates: Vec<Candidate>,
    /// Largest statistic (of phase dispersion `1 − θ`) in each of at most [`super::search::MAP_COLUMNS`] columns of frequency, row by row; without
    /// derivatives empty.
    pub map: Vec<Vec<f64>>,
    /// Rows of the grid: first and second derivative.
    pub rows: Vec<[f64; 2]>,
    /// Where not all trials have one law: what it depends on, `nharm` ([`super::accel()`]) or `nbin` ([`super::ffa`], and
    /// [`super::pdm()`] where bins are empty), of each.
    pub laws: Option<(&'static str, Vec<u64>)>,
    /// Chances of noise, for each of these numbers; one for all without.
    pub chances: Vec<(u64, NullDistribution)>,
    /// All else.
    pub meta: SearchMetadata,
}

impl SearchResult {
    /// Decimal logarithms of the probabilities that noise reaches each statistic anywhere in the search.
    pub fn log10_p(&self) -> Vec<f64> {
        let of = |j: usize| {
            let number = self.laws.as_ref().and_then(|(_, numbers)| numbers.get(j)).copied().unwrap_or(0);
            self.chances.iter().find(|(of, _)| *of == number).map(|(_, chances)| chances)
        };
        let one = |(j, &stat): (usize, &f64)| of(j).map_or(0.0, |chances| chances.ln_p(stat)) / LN_10;
        self.stat.par_iter().enumerate().map(one).collect()
    }

    /// The metadata with the candidates.
    pub fn summary(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.meta).unwrap_or_default();
        value["candidates"] = serde_json::to_value(&self.candidates).unwrap_or_default();
        value
    }

    /// The search as a table: `freq` `fdot` `stat` `log10_p`, `nharm` or `nbin` where trials differ in it, `fddot` where that was searched.
    pub fn table<'a>(&'a self, log10_p: &'a [f64]) -> Table<'a> {
        let mut columns = vec![
            column("freq", "Hz", &self.freq),
            column("fdot", "Hz s-1", &self.fdot),
            column("stat", "", &self.stat),
            column("log10_p", "", log10_p),
        ];
        if let Some((name, numbers)) = &self.laws {
            columns.push(column(name, "", numbers));
        }
        if self.meta.dfddot > 0.0 {
            columns.push(column("fddot", "Hz s-2", &self.fddot));
        }
        Table { name: "SEARCH", columns, meta: self.summary() }
    }
}
