//! Harmonic sums `S_h(f) = Σ_i exp(2πi·h·φ_f(t_i))` on a grid of equidistant frequencies, all at once.
//!
//! From trial to trial the phase of an event advances by the same `t·Δf`, so those of a harmonic are sums of a nonuniform transform
//! ([`SearchTransform`]). Phases are those of [`Spin`], whole cycles wrapped exactly, however many; the sums are unbinned. A sum errs by less
//! than [`SEARCH_ERROR`](crate::numerics::nonuniform::SEARCH_ERROR) of the number of events, whatever their times, which `tests` measure against the definition: the statistic
//! of a trial near the detection level changes by its 1e-4 at most. Weights are factors of what an event adds: then it is of the sum of the weights.
//!
//! An event and harmonic costs two exact phases and a point of the transform, for all trials together. Counting an event for each trial costs 5 instructions.

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use crate::base::progress::Progress;
use crate::data::phase::Spin;
use crate::numerics::nonuniform::{PhasedPoint, SearchTransform};
use crate::numerics::phasor::PhasorTable;
use crate::science::statistics::pulse::z2_of_sums;

/// Number of trials that are evaluated at once.
pub const MOST_TRIALS: usize = 1 << 20;
/// Events that are summed together by definition.
const CHUNK: usize = 1 << 16;

/// Tables to compute harmonic sums of a number of trials at once.
pub struct HarmonicSums {
    transform: SearchTransform,
}

impl HarmonicSums {
    /// Tables for `trials` frequencies, and about so many events.
    pub fn new(trials: usize, events: usize) -> HarmonicSums {
        HarmonicSums { transform: SearchTransform::new(trials, events) }
    }

    /// The sums `S_h` of harmonic `h = harmonic` at the trials `first + j·step`, each passed through `of`. Computed on
    /// the threads of the caller's pool; the number of threads does not change the result. With `weights`, one an
    /// event, the sums are `Σ w·exp(2πi·h·φ)`.
    pub fn each<T: Send>(
        &self,
        times: &[i64],
        weights: Option<&[f64]>,
        [first, step]: [&Spin; 2],
        harmonic: u64,
        of: fn(Complex<f64>) -> T,
        progress: &Progress,
    ) -> Vec<T> {
        let point = |i: usize| PhasedPoint {
            first: first.phase(times[i]).wrapping_mul(harmonic),
            step: step.phase(times[i]).wrapping_mul(harmonic),
            weight: weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0),
        };
        // Nobody looks at what comes of a run that was cancelled.
        let goes_on = || !progress.is_cancelled();
        self.transform.sums(times.len(), |range, run| run.extend(range.map(point)), of, goes_on)
    }
}

/// The weights from a place on; without any none, for all are 1.
fn part_of(weights: Option<&[f64]>, from: usize) -> &[f64] {
    weights.and_then(|weights| weights.get(from..)).unwrap_or_default()
}

/// The harmonic sums `S_1 … S_n` of one ephemeris, by their definition. They are summed in pieces of 65,536 events, so
/// that the number of threads does not change the result. With `weights`, one an event, they are `Σ w·exp(2πi·h·φ)`. Those of a run that was cancelled
/// lack events.
pub fn harmonic_sums_at(
    times: &[i64],
    weights: Option<&[f64]>,
    spin: &Spin,
    harmonics: usize,
    progress: &Progress,
) -> Vec<Complex<f64>> {
    let unit = PhasorTable::shared();
    let pieces: Vec<Vec<Complex<f64>>> = times
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(piece, chunk)| {
            let mut sums = vec![Complex::default(); harmonics];
            if progress.is_cancelled() {
                return sums;
            }
            let weights = part_of(weights, piece * CHUNK);
            for (i, &t) in chunk.iter().enumerate() {
                let weight = weights.get(i).copied().unwrap_or(1.0);
                let (cos, sin) = unit.of(spin.phase(t));
                let turn = Complex::new(cos, sin);
                let mut now = Complex::new(weight, 0.0);
                for sum in &mut sums {
                    now *= turn;
                    *sum += now;
                }
            }
            sums
        })
        .collect();
    pieces.iter().fold(vec![Complex::default(); harmonics], |mut all, one| {
        all.iter_mut().zip(one).for_each(|(a, b)| *a += b);
        all
    })
}

/// `Z²_1 … Z²_n` of one ephemeris, from unbinned events. With weights (such as the probabilities that events come from
/// the source) it is `(2/Σw²)·Σ_h |Σ w·exp(2πi·h·φ)|²` (Kerr 2011, doi:10.1088/0004-637X/732/1/38), with the same
/// distribution. `window` has the amplitudes of the exposure, as for [`z2_of_sums`].
pub fn z2(times: &[i64], weights: Option<&[f64]>, window: &[Complex<f64>], spin: &Spin, harmonics: usize) -> Vec<f64> {
    let [z2] = z2_by(times, weights, [window], spin, harmonics, &Progress::default());
    z2
}

/// [`z2`] by each of several windows; that by an empty one is without any correction for the exposure.
pub fn z2_by<const N: usize>(
    times: &[i64],
    weights: Option<&[f64]>,
    windows: [&[Complex<f64>]; N],
    spin: &Spin,
    harmonics: usize,
    progress: &Progress,
) -> [Vec<f64>; N] {
    let sum =
        |of: fn(f64) -> f64| weights.map_or(times.len() as f64, |w| w.iter().take(times.len()).map(|&w| of(w)).sum());
    let (sums, totals) = (harmonic_sums_at(times, weights, spin, harmonics, progress), [sum(|w| w), sum(|w| w * w)]);
    windows.map(|window| z2_of_sums(&sums, totals, window))
}

/// The ratio R of [`precision`](crate::science::pulsation::precision): the variance that the events, where in the pulse they are, give to the slope
/// by the frequency, over that of events at all phases alike. `sums` are those of the harmonics that are signal, what the exposure makes taken off. An event
/// has the variance of its weight squared; if `residuals`, weights are values about a mean, of which what the harmonics say is left out.
pub fn phase_noise(
    times: &[i64],
    weights: Option<&[f64]>,
    spin: &Spin,
    sums: &[Complex<f64>],
    residuals: bool,
    progress: &Progress,
) -> f64 {
    let unit = PhasorTable::shared();
    let scale = if residuals { 2.0 / times.len() as f64 } else { 0.0 };
    let piece = |(piece, chunk): (usize, &[i64])| {
        let weights = part_of(weights, piece * CHUNK);
        let mut both = [0.0; 2];
        if progress.is_cancelled() {
            return both;
        }
        for (i, &t) in chunk.iter().enumerate() {
            let (cos, sin) = unit.of(spin.phase(t));
            let turn = Complex::new(cos, sin);
            let (mut now, mut slope, mut model) = (Complex::new(1.0, 0.0), 0.0, 0.0);
            for (h, sum) in (1..).map(f64::from).zip(sums) {
                now *= turn;
                let term = sum.conj() * now;
                slope += h * term.im;
                model += term.re;
            }
            let variance = (weights.get(i).copied().unwrap_or(1.0) - scale * model).powi(2);
            both[0] += variance * slope * slope;
            both[1] += variance;
        }
        both
    };
    let pieces: Vec<[f64; 2]> = times.par_chunks(CHUNK).enumerate().map(piece).collect();
    let [found, all] = pieces.iter().fold([0.0; 2], |all, one| [all[0] + one[0], all[1] + one[1]]);
    let even: f64 = (1..).map(f64::from).zip(sums).map(|(h, sum)| 0.5 * h * h * sum.norm_sqr()).sum();
    if all * even > 0.0 { found / (all * even) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use crate::base::time::DoubleDouble;
    use crate::data::phase::{Ephemeris, Ticks};
    use crate::numerics::nonuniform::SEARCH_ERROR;

    #[test]
    fn weights_count_as_so_many_events_and_tell_the_source_from_the_rest() {
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(100.0)).unwrap();
        let spin = Spin::from_frequency(3.7, &ticks).unwrap();
        let mut random = Random::new(1);
        // Half of the events are the source's, at one phase.
        let source: Vec<f64> = (0..370).map(|i| (f64::from(i) + 0.2) / 3.7).collect();
        let times: Vec<f64> = source.iter().copied().chain((0..370).map(|_| 100.0 * random.uniform())).collect();
        let times: Vec<i64> = times.iter().map(|&t| ticks.of(DoubleDouble::from(t))).collect();
        let weights: Vec<f64> = (0..740).map(|i| if i < 370 { 1.0 } else { 0.0 }).collect();
        let z = |weights: Option<&[f64]>| z2(&times, weights, &[], &spin, 2);
        let (plain, told) = (z(None), z(Some(&weights)));
        assert_eq!(plain, z(Some(&[1.0; 740])));
        // All in phase: 2N a harmonic, of the source's events; diluted by as many others, half of it.
        assert!((told[0] - 740.0).abs() < 1e-3 && (told[1] - 1480.0).abs() < 1e-3, "{told:?}");
        assert!((plain[0] / 370.0 - 1.0).abs() < 0.2, "{plain:?}");
    }

    #[test]
    fn noise_is_where_the_photons_are() {
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(1000.0)).unwrap();
        let spin = Spin::from_frequency(1.0, &ticks).unwrap();
        let at = |phase: f64, i: i32| ticks.of(DoubleDouble::from(f64::from(i) + phase));
        let sum = [Complex::new(1.0, 0.0)];
        // The slope is the sine: its square has the mean ½ over all phases, and is 1 and 0 a quarter off and at the pulse.
        let all: Vec<i64> = (0..1000).map(|i| at(f64::from(i) / 1000.0, i)).collect();
        assert!((phase_noise(&all, None, &spin, &sum, false, &Progress::default()) - 1.0).abs() < 1e-6);
        let off: Vec<i64> = (0..1000).map(|i| at(0.25, i)).collect();
        assert!((phase_noise(&off, None, &spin, &sum, false, &Progress::default()) - 2.0).abs() < 1e-6);
        let pulse: Vec<i64> = (0..1000).map(|i| at(0.0, i)).collect();
        assert!(phase_noise(&pulse, None, &spin, &sum, false, &Progress::default()) < 1e-6);
        // Weights are squared, and of values that are a cosine, 500 in the sum, nothing is left over that is noise.
        let weights: Vec<f64> = (0..1000).map(|i| if i % 500 == 250 { 2.0 } else { 0.0 }).collect();
        assert!((phase_noise(&all, Some(&weights), &spin, &sum, false, &Progress::default()) - 2.0).abs() < 1e-6);
        let values: Vec<f64> = (0..1000)
            .map(|i| (std::f64::consts::TAU * f64::from(i) / 1000.0).cos() + f64::from(u8::from(i == 250)))
            .collect();
        let whole = [Complex::new(500.0, 0.0)];
        assert!((phase_noise(&all, Some(&values), &spin, &whole, true, &Progress::default()) - 2.0).abs() < 1e-6);
        assert_eq!(phase_noise(&all, None, &spin, &[], false, &Progress::default()), 1.0);
    }

    /// Times that a detector delivers, all at one place (every error adds up), on edges, and ends; steps that wrap.
    #[test]
    fn sums_are_those_of_the_definition() {
        let mut worst = 0f64;
        for (case, trials) in [1usize, 2, 3, 17, 64, 100, 333, 1000, 1024, 4097].into_iter().enumerate() {
            let mut random = Random::new(case as u64);
            let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(-5e3), DoubleDouble::from(5e3)).unwrap();
            // As different as those of photons of a faint source are.
            let weights: [f64; 700] = std::array::from_fn(|_| random.uniform().powi(8));
            let limit = 5e3 / ticks.seconds();
            for kind in 0..4 {
                let alike = ((random.uniform() - 0.5) * limit) as i64;
                let times: Vec<i64> = (0..700)
                    .map(|i| match kind {
                        0 => ((2.0 * random.uniform() - 1.0) * limit) as i64,
                        1 => alike,
                        2 => (limit * (i % 9) as f64 / 8.0) as i64 - 1,
                        _ => [0, 1, -1, limit as i64, -limit as i64][i % 5],
                    })
                    .collect();
                let fdot = [0.0, 3e-5][kind % 2];
                let first = Spin::new(&Ephemeris::new(DoubleDouble::ZERO, 716.0 + random.uniform(), fdot, 0.0), &ticks)
                    .unwrap();
                let step = Spin::from_frequency([2e-5, 1e-4, 0.3 / 1e4, 0.01][case % 4], &ticks).unwrap();
                let plan = HarmonicSums::new(trials, 700);
                for harmonic in [1, 2, 20] {
                    let found = plan.each(&times, None, [&first, &step], harmonic, |sum| sum, &Progress::default());
                    assert_eq!(found.len(), trials);
                    // Weights of 1 change no bit.
                    let ones = plan.each(
                        &times,
                        Some(&[1.0; 700]),
                        [&first, &step],
                        harmonic,
                        |sum| sum,
                        &Progress::default(),
                    );
                    assert_eq!(found, ones);
                    let weighted =
                        plan.each(&times, Some(&weights), [&first, &step], harmonic, |sum| sum, &Progress::default());
                    for j in (0..trials).step_by(1 + trials / 50).chain([trials - 1]) {
                        let spin = first.stepped(&step, j as i64);
                        for (found, weights) in [(&found, &[1.0; 700]), (&weighted, &weights)] {
                            let sums =
                                harmonic_sums_at(&times, Some(weights), &spin, harmonic as usize, &Progress::default());
                            let all: f64 = weights.iter().sum();
                            worst = worst.max((found[j] - sums[harmonic as usize - 1]).norm() / all);
                        }
                    }
                }
            }
        }
        eprintln!("largest error of a harmonic sum: {worst:.1e} of the number of events");
        assert!(worst < SEARCH_ERROR, "{worst}");
    }
}
