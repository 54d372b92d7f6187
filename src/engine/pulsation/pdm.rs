//! Phase dispersion minimisation (Stellingwerf 1978, doi:10.1086/156444): at the period of a signal, samples of one
//! phase are alike.
//!
//! `θ` is the variance of samples within phase bins over that of all samples ([`dispersion::Dispersion::theta`]). Bins
//! come from exact phases of the middles of the samples, and sums are exact sums of whole numbers, so that θ has the
//! same bits on every device.

use std::f64::consts::LN_10;

use rayon::prelude::*;

use super::candidate::Candidate;
use super::candidates;
use super::drifting;
use super::grid::pieces;
use super::profile_counter::ProfileCounter;
use super::refine::{RefinedPeak, TrialAmplitudes, TrialPeak, refine};
use super::relations::Listing;
use super::search_result::MAP_COLUMNS;
use super::tones::Tones;
use super::window::SourceWindow;
use super::{Algorithm, PulseEvents, PulseSamples, SearchMetadata, SearchOptions, SearchResult, TrialGrid};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warning;
use crate::data::phase::{Ephemeris, Spin};
use crate::engine::{WeightSummary, Weights};
use crate::kernels::fold::{self, BinTally, MOST_SAMPLES, TrialBlock};
use crate::science::statistics::dispersion;
use crate::science::statistics::pulse::{NullDistribution, TrialLaw};

/// Samples a bin below which their law rests on each of them.
const FEW_SAMPLES_A_BIN: usize = 5;

/// `θ` of a trial and its bins with samples.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PdmTrial {
    theta: f64,
    bins: u32,
}

impl PdmTrial {
    fn from_profile(samples: &PulseSamples, profile: &[BinTally]) -> PdmTrial {
        let bins = profile.iter().map(|bin| (bin.count as f64, samples.about_centre(bin.count, bin.sum)));
        let (theta, bins) = samples.dispersion().theta(bins);
        PdmTrial { theta, bins }
    }

    /// Logarithm of the probability that noise has so small a `θ` in this trial alone.
    fn ln_p(&self, samples: &PulseSamples) -> f64 {
        dispersion::ln_cdf(self.theta, samples.dispersion().samples, f64::from(self.bins))
    }

    fn rarer(&self, than: &PdmTrial, samples: &PulseSamples) -> bool {
        // Empty bins are rare, and so is this comparison.
        if self.bins == than.bins { self.theta < than.theta } else { self.ln_p(samples) < than.ln_p(samples) }
    }
}

/// Searches the samples of a light curve for a periodic signal by phase dispersion: computes θ at every frequency of
/// the grid, and refines the significant minima into candidates. The option `nharm` is not used.
///
/// # Errors
/// A range of frequencies that is empty or out of bounds, another statistic than phase dispersion, a grid that
/// is too large, not more samples than bins, or a failure of the device.
pub fn pdm(
    mut samples: PulseSamples,
    options: &SearchOptions,
    backend: &mut dyn Backend,
    progress: &Progress,
) -> Result<SearchResult> {
    options.check()?;
    if !options.method.is_of_samples() {
        return Err(Error::argument("method", options.method, "is of events; samples need pdm"));
    }
    if samples.values.len() != samples.at.times.len() {
        return Err(Error::argument("samples", samples.values.len(), "each has one moment and one value"));
    }
    let options = &SearchOptions { algorithm: Algorithm::Fold, ..options.clone() };
    warn_of_sampling(&mut samples, options)?;
    let grid = TrialGrid::new(&samples.at, options)?;
    grid.check_memory()?;
    let mut counter = ProfileCounter::new(backend, progress);
    let mut best: Vec<Option<(PdmTrial, usize)>> = vec![None; grid.frequencies];
    let mapped = if grid.rows.len() > 1 { grid.rows.len() } else { 0 };
    let mut map = vec![vec![0.0f64; MAP_COLUMNS.min(grid.frequencies)]; mapped];
    progress.begin(grid.trials());
    for piece in pieces(&grid, &samples.at, options) {
        let spins = [&grid.spin(piece.row, piece.first), &grid.step];
        let look = |_, profile: &[BinTally]| PdmTrial::from_profile(&samples, profile);
        let found = counter.tallies((&samples.at.times, &samples.values), spins, piece.trials, options.nbin, look)?;
        for ((i, trial), best) in found.into_iter().enumerate().zip(best.iter_mut().skip(piece.first)) {
            if best.is_none_or(|(other, _)| trial.rarer(&other, &samples)) {
                *best = Some((trial, piece.row));
            }
            let cells = map.get_mut(piece.row);
            let columns = cells.as_ref().map_or(1, |cells| cells.len());
            let place = (piece.first + i) * columns / grid.frequencies;
            if let Some(cell) = cells.and_then(|cells| cells.get_mut(place)) {
                *cell = cell.max(1.0 - trial.theta);
            }
        }
        progress.advance(piece.trials as u64)?;
    }
    let (device, failure) = counter.record();
    let warnings = &mut samples.at.record.warnings;
    warnings.extend(backend.take_warnings());
    failure.into_iter().for_each(|message| warnings.push("W-BACKEND-FALLBACK", message));
    let best: Vec<(PdmTrial, usize)> = best.into_iter().flatten().collect();
    let found = PdmCandidates { grid: &grid, best: &best, options, progress };
    let ((candidates, told), chances) = backend.threads().run(|| (found.candidates(&samples), found.chances(&samples)));
    progress.check()?;
    told.into_iter().for_each(|warning| samples.at.record.warnings.record(warning));
    let usual = grid.null_distribution(&samples.at, options.law(samples.dispersion().samples));
    let asked = serde_json::to_value(options).unwrap_or_default();
    let steps = [grid.df, grid.dfdot, grid.dfddot];
    let level = usual.level(options.false_alarm.ln());
    let meta =
        SearchMetadata::new(&samples.at, options, ("fold", asked, device), (grid.trials(), usual.band, steps), level);
    let nphots = samples.photons.unwrap_or(0) as usize;
    let rate = |of: fn(&[f64; 2]) -> f64| best.iter().map(|(_, row)| grid.rows.get(*row).map_or(0.0, of)).collect();
    let one_law = chances.len() == 1;
    let ln_p = if one_law { Vec::new() } else { best.par_iter().map(|(trial, _)| trial.ln_p(&samples)).collect() };
    let trial_level = (!one_law).then(|| usual.trial_level(options.false_alarm.ln()) / LN_10);
    Ok(SearchResult {
        freq: (0..grid.frequencies).map(|j| grid.spin(0, j).freq(&samples.at.ticks).value()).collect(),
        fdot: rate(|row| row[0]),
        fddot: rate(|row| row[1]),
        stat: best.iter().map(|(trial, _)| trial.theta).collect(),
        candidates,
        map,
        rows: grid.rows.clone(),
        laws: (!one_law).then(|| ("nbin", best.iter().map(|(trial, _)| u64::from(trial.bins)).collect())),
        ln_p,
        read_log10_p: Vec::new(),
        null_distributions: if one_law { vec![(0, usual)] } else { chances },
        meta: SearchMetadata { nphots, sampling: Some(samples.all.clone()), detection_log10_p: trial_level, ..meta },
    })
}

/// Warns once if there are few samples a bin, or if harmonics lie beyond the Nyquist frequency of the samples.
/// [`pdm`](fn@pdm) does this, too.
///
/// # Errors
/// There are not more samples than bins.
pub fn warn_of_sampling(samples: &mut PulseSamples, options: &SearchOptions) -> Result<()> {
    let (warnings, nbin, dt) = (&mut samples.at.record.warnings, options.nbin, samples.all.dt);
    let samples = samples.all.samples;
    if samples <= nbin {
        let message = format!("there are {samples} samples, and a variance within bins needs more than bins");
        return Err(Error::argument("nbin", nbin, message));
    }
    let mut warn = |code, message: String| {
        if warnings.iter().all(|said| said.code != code) {
            warnings.push(code, message);
        }
    };
    if samples < FEW_SAMPLES_A_BIN * nbin {
        let message = format!(
            "{samples} samples for {nbin} bins, fewer than {FEW_SAMPLES_A_BIN} each: probabilities rest on the distribution of single samples; use \
             fewer bins"
        );
        warn("W-PDM-FEW", message);
    }
    if options.freq.1 * dt * nbin as f64 > 1.0 {
        let message = format!(
            "from {} Hz on {nbin} bins have harmonics that samples of {dt} s do not tell from others: candidates there may be aliases of \
             lower frequencies; use fewer bins or shorter samples",
            ShortNumber(1.0 / (dt * nbin as f64))
        );
        warn("W-PDM-ALIAS", message);
    }
    Ok(())
}

fn law(samples: &PulseSamples, bins: f64) -> TrialLaw {
    TrialLaw::Dispersion(samples.dispersion().samples, bins)
}

/// The best trial of each frequency, with its row.
struct PdmCandidates<'a> {
    grid: &'a TrialGrid,
    best: &'a [(PdmTrial, usize)],
    options: &'a SearchOptions,
    progress: &'a Progress,
}

impl PdmCandidates<'_> {
    /// Those of noise, for each number of bins that there is.
    fn chances(&self, samples: &PulseSamples) -> Vec<(u64, NullDistribution)> {
        let mut numbers: Vec<u32> =
            self.best.iter().map(|(trial, _)| trial.bins).chain([self.options.nbin as u32]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let of = |bins: u32| (u64::from(bins), self.chances_of(samples, bins));
        numbers.into_iter().map(of).collect()
    }

    /// Whether trials differ in their numbers of bins, and so in their laws.
    fn own_laws(&self) -> bool {
        self.best.iter().any(|(trial, _)| trial.bins as usize != self.options.nbin)
    }

    /// What is rarer than the detection level, and at least the rarest, refined between the trials.
    fn candidates(&self, samples: &PulseSamples) -> (Vec<Candidate>, Vec<Warning>) {
        let rarity: Vec<f64> = self.best.par_iter().map(|(trial, _)| -trial.ln_p(samples)).collect();
        let level = (self.grid.trials() as f64).ln() - self.options.false_alarm.ln();
        let step = self.grid.df * samples.at.span;
        let most = candidates::REFINED_A_CANDIDATE.saturating_mul(self.options.candidates.max(1));
        let peaks = candidates::peaks(&rarity, level, most, |a, b| a.abs_diff(b) as f64 * step);
        let events = centred(samples);
        let one = |j: usize| self.best.get(j).map(|&(trial, row)| self.refined(samples, &events, j, row, trial));
        let at = |j: usize| self.grid.spin(0, j).freq(&samples.at.ticks).value();
        // Of a trial whose harmonics lose that much in units of the noise within bins, which are what the variance between bins has more.
        let without = |trial: PdmTrial, lost: f64| {
            let free = samples.dispersion().samples - f64::from(trial.bins);
            let theta = trial.theta * (1.0 + (lost / free).max(0.0));
            PdmTrial { theta, ..trial }.ln_p(samples)
        };
        let ln_p = |peak: &RefinedPeak, left: &[f64]| {
            let theta = peak.candidate.stat;
            let trial = PdmTrial { theta, bins: peak.candidate.nbin.unwrap_or(self.options.nbin) as u32 };
            let ln_p = without(trial, peak.largest.lost(left, self.options.nbin));
            self.chances_of(samples, trial.bins).ln_p_of_trial(ln_p)
        };
        let left = |j: usize, tones: &Tones| {
            let &(trial, row) = self.best.get(j)?;
            let peak = TrialPeak::from_grid(self.grid, j, row, trial.theta);
            let there = TrialAmplitudes::of_trial(&events, self.options, &peak, &self.levels(trial), self.progress);
            let lost = there.lost(&there.z2_without(&tones.predict(there.rates, there.harmonics())), self.options.nbin);
            Some(-without(trial, lost)).filter(|&left| left >= candidates::LEAST_PEAK_KEPT * level)
        };
        let window = SourceWindow::of_samples(samples);
        let asked = Listing {
            band: self.options.freq,
            most: self.options.candidates,
            level: self.options.false_alarm.log10(),
            width: 1.0,
            squares: events.sums()[1],
            ln_p: &ln_p,
            again: &|freq| candidates::largest_near(&rarity, freq, at, step, |ln| *ln).and_then(one),
            drifting: &|found, tones| {
                let trial =
                    drifting::trial(&events, self.options, &window, found, self.grid.ranges, tones, self.progress)?;
                let levels = vec![found.stat; self.options.resolved_harmonics()];
                let chances = self.chances_of(samples, self.options.nbin as u32);
                Some(refine(&events, self.options, trial, &chances, &levels, self.progress))
            },
        };
        let order = |a: &RefinedPeak, b: &RefinedPeak| candidates::by_probability(&a.candidate, &b.candidate);
        candidates::listed(peaks, &window, &asked, &one, &left, &order)
    }

    fn chances_of(&self, samples: &PulseSamples, bins: u32) -> NullDistribution {
        self.grid.null_distribution(&samples.at, law(samples, f64::from(bins)))
    }

    /// Harmonic powers are over the variance within bins, which is the noise, instead of that of all.
    fn levels(&self, trial: PdmTrial) -> Vec<f64> {
        vec![trial.theta; self.options.resolved_harmonics()]
    }

    /// The candidate of a trial: frequency and derivatives where its harmonics have the most power (a smooth function of them, as θ is not),
    /// θ there or on the grid, whichever is smaller.
    fn refined(
        &self,
        samples: &PulseSamples,
        events: &PulseEvents,
        j: usize,
        row: usize,
        trial: PdmTrial,
    ) -> RefinedPeak {
        let (chances, levels) = (self.chances_of(samples, trial.bins), self.levels(trial));
        let ln_p = self.own_laws().then(|| trial.ln_p(samples));
        let of_grid = TrialPeak { ln_p, ..TrialPeak::from_grid(self.grid, j, row, trial.theta) };
        let peak = refine(events, self.options, of_grid, &chances, &levels, self.progress);
        let found = &peak.candidate;
        let ephemeris = Ephemeris {
            epoch: samples.at.ticks.reference(),
            freq: DoubleDouble::from(found.freq),
            fdot: DoubleDouble::from(found.fdot),
            fddot: DoubleDouble::from(found.fddot),
        };
        let at = Spin::new(&ephemeris, &samples.at.ticks).map_or(trial, |spin| at(samples, &spin, self.options.nbin));
        // The harmonics that are looked at say where θ is smallest; of higher ones the grid may.
        let (best, largest) = if at.rarer(&trial, samples) {
            (at, peak.largest)
        } else {
            (trial, TrialAmplitudes::of_trial(events, self.options, &of_grid, &levels, self.progress))
        };
        let (bins, n) = (f64::from(best.bins), samples.all.samples as f64);
        // Of the variance between bins, what is not noise.
        let within = best.theta * samples.all.variance;
        let between = (n - 1.0) * samples.all.variance - (n - bins) * within;
        let rms = ((between - (bins - 1.0) * within).max(0.0) / n).sqrt() / samples.all.mean.abs();
        RefinedPeak { candidate: Candidate { stat: best.theta, rms, ..peak.candidate }, largest, ..peak }
    }
}

/// The trial of one ephemeris.
fn at(samples: &PulseSamples, spin: &Spin, nbin: usize) -> PdmTrial {
    let (block, mut profile) = (TrialBlock { spin: *spin, trials: 1 }, vec![BinTally::default(); nbin]);
    for (times, values) in samples.at.times.chunks(MOST_SAMPLES).zip(samples.values.chunks(MOST_SAMPLES)) {
        fold::cpu_tallies(times, values, &block, &Spin::default(), nbin, &mut profile);
    }
    PdmTrial::from_profile(samples, &profile)
}

/// Samples as events that count by their value less the mean: their harmonic sums, over `Σ(x − x̄)²`, are those of the series.
fn centred(samples: &PulseSamples) -> PulseEvents {
    let squares = samples.dispersion().squares;
    let all = WeightSummary {
        column: String::new(),
        sum: 0.0,
        squares,
        effective_events: 0.0,
        noise_events: samples.dispersion().samples,
        zeros: 0,
    };
    PulseEvents { weights: Some(Weights { values: samples.centred(), all }), ..samples.at.clone() }
}
