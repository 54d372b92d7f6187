//! Folding: the pulse profile of one ephemeris, with counts, exposures and rates in phase bins, its statistics and
//! pulsed fractions.

use std::f64::consts::LN_10;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::exposure::{self, exposure};
use super::profile_counter::{self, ProfileCounter};
use super::{PulseEvents, harmonics};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::progress::Progress;
use crate::data::Record;
use crate::data::light_curve::counting_error;
use crate::data::phase::{Ephemeris, Spin};
use crate::engine::WeightSummary;
use crate::kernels::fold::{MOST_BINS, bin_of};
use crate::science::orbit::TimingModel;
use crate::science::pulsation::fraction::{PulsedFractions, pulsed_fractions};
use crate::science::statistics::profile::ProfileChiSquare;
use crate::science::statistics::pulse::{self, H_HARMONICS, TrialLaw};

/// Options of a fold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FoldOptions {
    /// The ephemeris to fold at. Its epoch must be [`Ticks::reference`](crate::data::phase::Ticks::reference) of the
    /// events; else an error.
    pub ephemeris: Ephemeris,
    /// Number of phase bins.
    pub nbin: usize,
    /// Number of harmonics of `Z²_n` and of the pulsed fraction by Fourier amplitudes.
    pub nharm: usize,
    /// Background rate, counts/s. It is subtracted for the pulsed fractions.
    pub background: f64,
}

/// Metadata of a pulse profile. Probabilities are for one trial: the frequency was known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PulseProfileMetadata {
    /// Number of phase bins.
    pub nbin: usize,
    /// Frequency at the epoch, Hz, as the phases were computed with.
    pub freq: f64,
    /// First derivative of the frequency, Hz/s, as the phases were computed with.
    pub fdot: f64,
    /// Second derivative of the frequency, Hz/s², as the phases were computed with.
    pub fddot: f64,
    /// Epoch, seconds of the frame: the phase is 0 there, and frequency and derivatives hold there.
    pub epoch: f64,
    /// Epoch as MJD; `None` if the frame has no reference epoch.
    pub epoch_mjd: Option<f64>,
    /// Length of a tick, s. Phases are exact apart from the rounding of times to ticks.
    pub tick: f64,
    /// The timing model that gave phases and times of emission, if a `.par` file was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<TimingModel>,
    /// Number of events.
    pub nphots: usize,
    /// Summary of the weights, if events have weights. Rates and pulsed fractions then are those of `Σw`, their errors
    /// those of `√Σw²`, and the statistics are weighted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightSummary>,
    /// Sum of the good time, s.
    pub exposure_total: f64,
    /// Time from the first start to the last stop, s.
    pub span: f64,
    /// Mean rate, counts/s, or sum of the weights a second.
    pub mean: f64,
    /// Background rate, counts/s, that was subtracted for the pulsed fractions.
    pub background: f64,
    /// Number of harmonics of `z2` and of the pulsed fraction by Fourier amplitudes.
    pub nharm: usize,
    /// `Z²_n` of the unbinned events, corrected for uneven exposure.
    pub z2: f64,
    /// Decimal logarithm of the probability that noise reaches `z2`.
    pub z2_log10_p: f64,
    /// `H` of the unbinned events, corrected for uneven exposure.
    pub h: f64,
    /// Number of harmonics at which `H` is reached.
    pub h_harmonics: usize,
    /// Decimal logarithm of the probability that noise reaches `h`.
    pub h_log10_p: f64,
    /// `Z²_n` by its definition, without that correction; absent where there is none. Its law is not that of noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z2_plain: Option<f64>,
    /// `H` by its definition, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h_plain: Option<f64>,
    /// Number of harmonics at which `h_plain` is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h_plain_harmonics: Option<usize>,
    /// χ² of the counts against a constant rate, given the exposures of the bins.
    pub chi2: f64,
    /// Degrees of freedom of `chi2`: one fewer than bins that are exposed, those with less than half of the mean exposure merged with the next.
    pub chi2_dof: f64,
    /// Decimal logarithm of the probability that noise reaches `chi2`, by the law of so few or many events
    /// ([`ProfileChiSquare::ln_p`]).
    pub chi2_log10_p: f64,
    /// Pulsed fractions by four definitions.
    pub pulsed_fraction: PulsedFractions,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// A pulse profile: counts and rates by phase, one entry a phase bin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PulseProfile {
    /// Centre of the bin, cycles from 0 to 1.
    pub phase: Vec<f64>,
    /// Number of events in the bin.
    pub counts: Vec<u64>,
    /// Sums of the weights in the bin and their standard errors, if events have weights.
    pub weight: Option<[Vec<f64>; 2]>,
    /// Rate in the bin: counts, or sum of weights, a second of the exposure of the bin; NaN without exposure.
    pub rate: Vec<f64>,
    /// Standard error of `rate`.
    pub rate_err: Vec<f64>,
    /// Time for which the bin was observed, s.
    pub exposure: Vec<f64>,
    /// Metadata: ephemeris, statistics, pulsed fractions, record.
    pub meta: PulseProfileMetadata,
}

/// Events that are summed before it is asked whether the run goes on.
const PIECE: usize = 1 << 16;

/// Folds events at one ephemeris.
///
/// # Errors
/// Fewer than 2 or more than 4096 bins; an ephemeris beyond the range of exact phases, or with another epoch than the
/// ticks have; or a failure of the device.
pub fn fold(
    events: &PulseEvents,
    options: &FoldOptions,
    backend: &mut dyn Backend,
    progress: &Progress,
) -> Result<PulseProfile> {
    let nbin = options.nbin;
    if !(2..=MOST_BINS).contains(&nbin) {
        return Err(Error::argument("nbin", nbin, "must be from 2 to 4096"));
    }
    if options.nharm == 0 || options.nharm >= nbin.div_ceil(2) {
        return Err(Error::argument("nharm", options.nharm, "must be at least 1 and fewer than half of the bins"));
    }
    let (ephemeris, ticks) = (options.ephemeris, &events.ticks);
    if ephemeris.epoch != ticks.reference() {
        return Err(Error::argument("epoch", ephemeris.epoch.value(), "is not that of the times"));
    }
    if ephemeris.freq.value() <= 0.0 {
        return Err(Error::argument("freq", ephemeris.freq.value(), "must be above 0 Hz"));
    }
    let (spin, still) = (Spin::new(&ephemeris, ticks)?, Spin::default());
    let mut counter = ProfileCounter::new(backend, progress);
    let counts = counter.profiles(&events.times, [&spin, &still], 1, nbin, |_, profile| profile.to_vec())?;
    let (device, failure) = counter.record();
    let mut warnings = events.record.warnings.clone();
    failure.into_iter().for_each(|message| warnings.push("W-BACKEND-FALLBACK", message));
    let counts = counts.into_iter().next().unwrap_or_default();
    let most = options.nharm.max(H_HARMONICS);
    let window = exposure::exposure_amplitudes(events, &spin, 2 * most);
    let statistics =
        harmonics::z2_by(&events.times, events.each_weight(), [&window, &[]], &spin, most, progress).map(|z2| {
            let (h, harmonics) = pulse::h_of_z2(&z2);
            (z2.get(options.nharm - 1).copied().unwrap_or(0.0), h, harmonics)
        });
    let [(z2, h, h_harmonics), plain] = statistics;
    let plain = (!window.is_empty()).then_some(plain);
    let exposed = exposure(&spin, ticks, &events.gti, nbin);
    let [sum, squares] = events.sums();
    let weight = events.each_weight().map(|weights| {
        let [sums, variances] = weighted(&events.times, weights, &spin, nbin, progress);
        // What an empty bin may have had are events of the weight that most of the variance is from.
        let error = |v: &f64| if *v > 0.0 { v.sqrt() } else { counting_error(0.0) * (squares / sum) };
        let errors = variances.iter().map(error).collect();
        [sums, errors]
    });
    let [summed, errors] = weight.clone().unwrap_or_else(|| {
        let counted = || counts.iter().map(|&c| f64::from(c));
        [counted().collect(), counted().map(counting_error).collect()]
    });
    let chi_square = ProfileChiSquare::new(&summed, &exposed).scaled(sum / squares);
    let per_second = |x: f64, seconds: f64| if seconds > 0.0 { x / seconds } else { f64::NAN };
    let by_exposure = |sums: &[f64]| sums.iter().zip(&exposed).map(|(&x, &e)| per_second(x, e)).collect::<Vec<f64>>();
    let (rate, rate_err) = (by_exposure(&summed), by_exposure(&errors));
    let source: Vec<f64> = rate.iter().map(|r| r - options.background).collect();
    let epoch = ephemeris.epoch.value();
    let meta = PulseProfileMetadata {
        nbin,
        freq: spin.freq(ticks).value(),
        fdot: spin.fdot(ticks),
        fddot: spin.fddot(ticks),
        epoch,
        epoch_mjd: super::mjd(events, epoch),
        tick: ticks.seconds(),
        timing: events.timing.clone(),
        nphots: events.times.len(),
        weights: events.weights.as_ref().map(|weights| weights.all.clone()),
        exposure_total: events.exposure,
        span: events.span,
        mean: sum / events.exposure,
        background: options.background,
        nharm: options.nharm,
        z2,
        z2_log10_p: TrialLaw::Z2(options.nharm).ln_sf(z2) / LN_10,
        h,
        h_harmonics,
        h_log10_p: TrialLaw::H.ln_sf(h) / LN_10,
        z2_plain: plain.map(|(z2, ..)| z2),
        h_plain: plain.map(|(_, h, _)| h),
        h_plain_harmonics: plain.map(|(.., harmonics)| harmonics),
        chi2: chi_square.stat,
        chi2_dof: chi_square.degrees(),
        chi2_log10_p: chi_square.ln_p(events.noise_events()) / LN_10,
        pulsed_fraction: pulsed_fractions(&source, &rate_err, options.nharm),
        record: Record {
            device,
            options: serde_json::to_value(options).unwrap_or_default(),
            warnings,
            ..events.record.clone()
        },
    };
    Ok(PulseProfile {
        phase: (0..nbin).map(|b| (b as f64 + 0.5) / nbin as f64).collect(),
        counts: counts.iter().map(|&c| u64::from(c)).collect(),
        weight,
        rate,
        rate_err,
        exposure: exposed,
        meta,
    })
}

/// `Σw` and `Σw²` of the bins of phase, summed in pieces of so many events that threads do not matter.
pub(super) fn weighted(times: &[i64], weights: &[f64], spin: &Spin, nbin: usize, progress: &Progress) -> [Vec<f64>; 2] {
    let piece = |(times, weights): (&[i64], &[f64])| {
        let mut sums = [vec![0.0; nbin], vec![0.0; nbin]];
        if progress.is_cancelled() {
            return sums;
        }
        for (&t, &weight) in times.iter().zip(weights) {
            let bin = bin_of(spin.phase(t), nbin);
            sums[0][bin] += weight;
            sums[1][bin] += weight * weight;
        }
        sums
    };
    let pieces: Vec<_> = times.par_chunks(PIECE).zip(weights.par_chunks(PIECE)).map(piece).collect();
    pieces.iter().fold([vec![0.0; nbin], vec![0.0; nbin]], |mut all, one| {
        all.iter_mut().flatten().zip(one.iter().flatten()).for_each(|(a, b)| *a += b);
        all
    })
}

/// Pulse profiles in consecutive intervals of equal length.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Phaseogram {
    /// Edges of the intervals, s from the epoch; one more than there are rows.
    pub time: Vec<f64>,
    /// Rates, counts/s, shape rows × nbin; NaN where a bin has no exposure.
    pub rate: Vec<Vec<f64>>,
    /// What made it.
    pub record: Record,
}

/// What fell between two times.
pub(super) struct FoldedInterval {
    /// Events by bin of phase, or the sums of their weights.
    pub counts: Vec<f64>,
    /// Seconds that each bin was observed.
    pub exposure: Vec<f64>,
    /// Good time, ticks.
    pub gti: Vec<(i64, i64)>,
}

/// Profiles between consecutive `edges`, ticks; events beyond them are in the first and in the last.
///
/// # Errors
/// The run was cancelled.
pub(super) fn folded_intervals(
    events: &PulseEvents,
    spin: &Spin,
    nbin: usize,
    edges: &[i64],
    progress: &Progress,
) -> Result<Vec<FoldedInterval>> {
    let rows = edges.len().saturating_sub(1);
    let mut counts = vec![vec![0.0; nbin]; rows];
    let weights = events.each_weight().into_iter().flatten().copied().chain(std::iter::repeat(1.0));
    for (i, (&t, weight)) in events.times.iter().zip(weights).enumerate() {
        if i % PIECE == 0 {
            progress.check()?;
        }
        let row = edges.partition_point(|edge| *edge <= t).saturating_sub(1).min(rows.saturating_sub(1));
        let bin = bin_of(spin.phase(t), nbin);
        if let Some(count) = counts.get_mut(row).and_then(|row| row.get_mut(bin)) {
            *count += weight;
        }
    }
    let one = |(counts, edges): (Vec<f64>, &[i64])| {
        progress.check()?;
        let (from, to) = (edges[0], edges[1]);
        let gti = exposure::clip_intervals(&events.gti, from, to);
        Ok(FoldedInterval { counts, exposure: exposure(spin, &events.ticks, &gti, nbin), gti })
    };
    counts.into_iter().zip(edges.windows(2)).map(one).collect()
}

/// The most cells of a phaseogram: rows by bins.
const MOST_CELLS: u64 = 1 << 24;

/// Refuses a phaseogram of no rows, or of more cells than are held in memory.
///
/// # Errors
/// That number of rows.
pub(crate) fn check_rows(rows: usize, nbin: usize) -> Result<()> {
    let most = MOST_CELLS / (nbin.max(1) as u64).min(MOST_CELLS);
    match (1..=most).contains(&(rows as u64)) {
        true => Ok(()),
        false => {
            let message = format!("must be from 1 to {most}: with {nbin} bins that is {MOST_CELLS} cells");
            Err(Error::argument("rows", rows, message))
        }
    }
}

/// The record of what the CPU makes of events.
pub(super) fn record_on_cpu(events: &PulseEvents, options: &FoldOptions) -> Record {
    let options = serde_json::to_value(options).unwrap_or_default();
    Record { device: profile_counter::cpu_record(), options, ..events.record.clone() }
}

/// Pulse profiles in `rows` consecutive intervals of equal length.
///
/// # Errors
/// The ephemeris is beyond the range of exact phases; no rows, or too many.
pub fn phaseogram(events: &PulseEvents, options: &FoldOptions, rows: usize, progress: &Progress) -> Result<Phaseogram> {
    check_rows(rows, options.nbin)?;
    // Counts, exposures and rates of each cell, and a list for each row.
    Footprint::less_by(&["rows", "nbin"])
        .and(rows as u64 * options.nbin as u64, 3 * size_of::<f64>())
        .and(rows, 8 * size_of::<Vec<f64>>())
        .check("the phaseogram")?;
    let spin = Spin::new(&options.ephemeris, &events.ticks)?;
    let (start, stop) = match (events.gti.first(), events.gti.last()) {
        (Some(first), Some(last)) => (first.0, last.1),
        _ => (0, 0),
    };
    let rows = rows as i64;
    let edge = |i: i64| start + (i128::from(stop - start) * i128::from(i) / i128::from(rows)) as i64;
    let edges: Vec<i64> = (0..=rows).map(edge).collect();
    let rate = |(stretch, edges): (FoldedInterval, &[i64])| {
        // Slivers of exposure make no rate.
        let least = 1e-3 * (edges[1] - edges[0]) as f64 * events.ticks.seconds() / options.nbin as f64;
        let bins = stretch.counts.iter().zip(stretch.exposure);
        bins.map(|(&c, e)| if e > least { c / e } else { f64::NAN }).collect()
    };
    let found = folded_intervals(events, &spin, options.nbin, &edges, progress)?;
    Ok(Phaseogram {
        time: edges.iter().map(|&t| t as f64 * events.ticks.seconds()).collect(),
        rate: found.into_iter().zip(edges.windows(2)).map(rate).collect(),
        record: record_on_cpu(events, options),
    })
}
