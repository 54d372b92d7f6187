//! Profiles at trial frequencies, and their statistics: phases and bins are computed in the order of operations of Stingray, so that every
//! event is in the same bin.

use std::ops::Range;

use multiversion::multiversion;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;

use super::counters::Seam;
use super::exposure::exposure;
use super::parallel::worth_it;

/// Events whose phases are found together.
const BLOCK: usize = 1024;
/// Numbers from here to twice as much are integers, whose last bits are those of the significand.
const SHIFT: f64 = (1u64 << 52) as f64;

/// Phases, from 0 up to 1, of times at a frequency and its derivative.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2", "x86_64+sse4.1"))]
fn phases(times: &[f64], f: f64, fdot: f64, phases: &mut [f64]) {
    if fdot == 0.0 {
        for (phase, t) in phases.iter_mut().zip(times) {
            let cycles = t * f;
            *phase = cycles - cycles.floor();
        }
    } else {
        for (phase, t) in phases.iter_mut().zip(times) {
            let cycles = t * f + 0.5 * (t * t) * fdot;
            *phase = cycles - cycles.floor();
        }
    }
}

/// Bins of times at a frequency and its derivative: from 0 up to `nbin`, which rounding may reach.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2", "x86_64+sse4.1"))]
fn bins(times: &[f64], f: f64, fdot: f64, nbin: f64, bins: &mut [u32; BLOCK]) {
    let bin = |cycles: f64| (((cycles - cycles.floor()) * nbin).floor() + SHIFT).to_bits() as u32;
    if fdot == 0.0 {
        bins.iter_mut().zip(times).for_each(|(place, t)| *place = bin(t * f));
    } else {
        bins.iter_mut().zip(times).for_each(|(place, t)| *place = bin(t * f + 0.5 * (t * t) * fdot));
    }
}

/// What profiles are made of, and which number comes of them.
enum Statistic<'a> {
    /// `Z²` of binned events: the tables of sines and cosines in the middles of bins, and the number of harmonics.
    Harmonics { sin: &'a [f64], cos: &'a [f64], harmonics: usize },
    /// Of epoch folding: the scatter about the mean.
    Scatter,
    /// Phase dispersion of fluxes.
    Dispersion,
}

/// How events are folded.
struct Folding<'a> {
    statistic: Statistic<'a>,
    nbin: usize,
    /// Values of each event; then bins have edges, of which the last belongs to the last bin.
    weights: Option<&'a [f64]>,
    /// Good time intervals, by whose exposure profiles are divided.
    exposure: Option<&'a [[f64; 2]]>,
    /// Edges of bins, where there are weights.
    edges: Vec<f64>,
    /// The derivative and the frequency of each trial.
    trials: Vec<(f64, f64)>,
}

/// Some events of a segment, with their weights.
#[derive(Clone, Copy)]
struct Part<'a> {
    times: &'a [f64],
    weights: Option<&'a [f64]>,
}

/// Trials whose profiles are filled together, so that a block of times is read once for all of them.
const TOGETHER: usize = 8;

impl Folding<'_> {
    /// Adds the statistic of a segment to that of each trial.
    fn add(&self, part: Part<'_>, stats: &mut [f64]) {
        let work = part.times.len() as f64 * stats.len() as f64 * 2.0;
        let several = |(i, stats): (usize, &mut [f64])| {
            let first = i * TOGETHER;
            let trials = &self.trials[first..first + stats.len()];
            match part.weights {
                None => self.count(part.times, trials, stats),
                Some(weights) => {
                    for (stat, &trial) in stats.iter_mut().zip(trials) {
                        *stat += self.weigh(part.times, weights, trial);
                    }
                }
            }
        };
        if worth_it(work) {
            stats.par_chunks_mut(TOGETHER).enumerate().for_each(several);
        } else {
            stats.chunks_mut(TOGETHER).enumerate().for_each(several);
        }
    }

    /// Adds the statistics of some trials of events.
    fn count(&self, times: &[f64], trials: &[(f64, f64)], stats: &mut [f64]) {
        // Rounding may put a phase at 1. Two profiles of each trial, so that increments seldom wait for one another.
        let places = self.nbin + 1;
        let mut counts = vec![0u32; 2 * places * trials.len()];
        let mut found = [0; BLOCK];
        for block in times.chunks(BLOCK) {
            for (profile, &(fdot, f)) in counts.chunks_exact_mut(2 * places).zip(trials) {
                bins(block, f, fdot, self.nbin as f64, &mut found);
                let (even, odd) = profile.split_at_mut(places);
                let (pairs, rest) = found[..block.len()].as_chunks::<2>();
                for [a, b] in pairs {
                    if let (Some(a), Some(b)) = (even.get_mut(*a as usize), odd.get_mut(*b as usize)) {
                        *a += 1;
                        *b += 1;
                    }
                }
                if let Some(count) = rest.first().and_then(|bin| even.get_mut(*bin as usize)) {
                    *count += 1;
                }
            }
        }
        for (stat, profile) in stats.iter_mut().zip(counts.chunks_exact(2 * places)) {
            let (even, odd) = profile.split_at(places);
            let mut profile: Vec<f64> = even.iter().zip(odd).map(|(a, b)| f64::from(a + b)).collect();
            if profile[self.nbin] == 0.0 {
                profile.pop();
            } else {
                // There, as in Stingray, the last bin is one further, and the event that it adds and takes away again is not the same.
                profile[self.nbin] -= 1.0;
                profile[self.nbin - 1] += 1.0;
            }
            *stat += self.of_profile(&profile);
        }
    }

    /// The statistic of a trial of weighted events.
    fn weigh(&self, times: &[f64], weights: &[f64], (fdot, f): (f64, f64)) -> f64 {
        let mut found = vec![0.0; times.len()];
        phases(times, f, fdot, &mut found);
        let bin = |phase: &f64| {
            let near = ((phase * self.nbin as f64) as usize).min(self.nbin - 1);
            if *phase < self.edges[near] {
                near - 1
            } else if *phase >= self.edges[near + 1] && near + 1 < self.nbin {
                near + 1
            } else {
                near
            }
        };
        let bins: Vec<usize> = found.iter().map(bin).collect();
        let mut profile = vec![0.0; self.nbin];
        bins.iter().zip(weights).for_each(|(bin, weight)| profile[*bin] += weight);
        if matches!(self.statistic, Statistic::Dispersion) {
            return self.dispersion(&bins, weights, profile);
        }
        if let Some(intervals) = self.exposure {
            let cycles = |t: f64| t * f + 0.5 * (t * t) * fdot;
            let step = (times[1] - times[0]).abs();
            let ends = [cycles(times[0]), cycles(times[times.len() - 1] + step)];
            let exposed = exposure(ends, intervals.iter().map(|interval| interval.map(cycles)), self.nbin);
            profile.iter_mut().zip(exposed).for_each(|(value, exposed)| *value /= exposed);
        }
        self.of_profile(&profile)
    }

    fn of_profile(&self, profile: &[f64]) -> f64 {
        match self.statistic {
            Statistic::Harmonics { sin, cos, harmonics } => {
                let total: f64 = profile.iter().sum();
                if total == 0.0 {
                    return 0.0;
                }
                let part = |table: &[f64], k: usize| {
                    let terms = profile.iter().enumerate().map(|(j, value)| table[j * k % table.len()] * value);
                    terms.sum::<f64>().powi(2)
                };
                (1..=harmonics).map(|k| part(cos, k) + part(sin, k)).sum::<f64>() * 2.0 / total
            }
            Statistic::Scatter | Statistic::Dispersion => {
                let mean = profile.iter().sum::<f64>() / profile.len() as f64;
                let error = mean.sqrt();
                profile.iter().map(|value| (value - mean).powi(2) / (error * error)).sum()
            }
        }
    }

    /// Variance within bins of phase, of the variance of all; none where a bin is empty.
    fn dispersion(&self, bins: &[usize], weights: &[f64], sums: Vec<f64>) -> f64 {
        let mut counts = vec![0.0; self.nbin];
        bins.iter().for_each(|bin| counts[*bin] += 1.0);
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
        let squares = bins.iter().zip(weights).map(|(bin, value)| (value - means[*bin]).powi(2));
        let within: f64 = if counts.contains(&0.0) { f64::NAN } else { squares.sum() };
        let n = weights.len() as f64;
        let mean = weights.iter().sum::<f64>() / n;
        let variance = weights.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n * n / (n - 1.0);
        within / (n - self.nbin as f64) / variance
    }
}

/// The times of a segment: a stretch where they ascend, else a copy.
fn within<'a>(
    times: &'a [f64],
    weights: Option<&'a [f64]>,
    ascend: bool,
    (start, stop): (f64, f64),
    copies: &'a mut (Vec<f64>, Vec<f64>),
) -> Part<'a> {
    let inside = |t: &f64| *t >= start && *t < stop;
    if ascend {
        let range: Range<usize> = times.partition_point(|t| *t < start)..times.partition_point(|t| *t < stop);
        return Part { times: &times[range.clone()], weights: weights.map(|weights| &weights[range]) };
    }
    copies.0 = times.iter().copied().filter(inside).collect();
    if let Some(weights) = weights {
        copies.1 = times.iter().zip(weights).filter(|(t, _)| inside(t)).map(|(_, weight)| *weight).collect();
    }
    Part { times: &copies.0, weights: weights.map(|_| copies.1.as_slice()) }
}

/// Words for a statistic: sines and cosines in the middles of bins and the number of harmonics; or dispersion of fluxes; or neither.
type Words<'py> = (Option<(PyReadonlyArray1<'py, f64>, PyReadonlyArray1<'py, f64>, usize)>, bool);

/// Sums of a statistic over segments that are long enough, a row a derivative, and the number of these segments.
#[pyfunction]
#[pyo3(signature = (seams, times, starts, segment_size, f, fdot, nbin, statistic, edges, weights = None, exposure = None))]
#[allow(clippy::too_many_arguments)]
pub fn fold<'py>(
    py: Python<'py>,
    seams: Vec<Seam>,
    times: PyReadonlyArray1<'py, f64>,
    starts: PyReadonlyArray1<'py, f64>,
    segment_size: f64,
    f: PyReadonlyArray1<'py, f64>,
    fdot: PyReadonlyArray1<'py, f64>,
    nbin: usize,
    statistic: Words<'py>,
    edges: PyReadonlyArray1<'py, f64>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    exposure: Option<PyReadonlyArray2<'py, f64>>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, u64)> {
    let times = times.as_slice()?;
    let starts = starts.as_slice()?;
    let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
    let intervals: Option<Vec<[f64; 2]>> =
        exposure.map(|all| all.as_array().rows().into_iter().map(|row| [row[0], row[1]]).collect());
    let trials = fdot.as_slice()?.iter().flat_map(|fdot| f.as_slice().into_iter().flatten().map(|f| (*fdot, *f)));
    let statistic = match &statistic {
        (Some((sin, cos, harmonics)), _) => {
            Statistic::Harmonics { sin: sin.as_slice()?, cos: cos.as_slice()?, harmonics: *harmonics }
        }
        (None, true) => Statistic::Dispersion,
        (None, false) => Statistic::Scatter,
    };
    if nbin == 0 || weights.is_some_and(|weights| weights.len() != times.len()) {
        return Err(PyValueError::new_err("profiles need bins, and times and weights the same number"));
    }
    let folding = Folding {
        statistic,
        nbin,
        weights,
        exposure: intervals.as_deref(),
        edges: edges.as_slice()?.to_vec(),
        trials: trials.collect(),
    };
    let (stats, count) = py.detach(|| {
        let (mut stats, mut count) = (vec![0.0; folding.trials.len()], 0);
        let ascend = times.is_sorted();
        let mut copies = (Vec::new(), Vec::new());
        for &start in starts {
            let part = within(times, folding.weights, ascend, (start, start + segment_size), &mut copies);
            let (Some(first), Some(last)) = (part.times.first(), part.times.last()) else { continue };
            if last - first < 0.2 * segment_size {
                continue;
            }
            folding.add(part, &mut stats);
            count += 1;
        }
        (stats, count)
    });
    seams.into_iter().for_each(Seam::answer);
    Ok((stats.into_pyarray(py), count))
}
