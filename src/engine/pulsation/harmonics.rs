//! Harmonic sums `S_h(f) = Σ_i exp(2πi·h·φ_f(t_i))` on a grid of equidistant frequencies, all at once.
//!
//! From trial to trial the phase of an event advances by the same `δ = t·Δf`, so the sums of a harmonic are a Fourier series in `hδ`,
//! evaluated by gridding and one FFT (nonuniform FFT of type 1: Dutt & Rokhlin 1993, doi:10.1137/0914081; Kaiser & Bessel's
//! kernel: Beatty et al. 2005, doi:10.1109/TMI.2005.848376). Phases are those of [`Spin`], whole cycles wrapped exactly, however
//! many; the sums are unbinned. A sum errs by less than [`ERROR`] of the number of events, whatever their times, which
//! `tests` measure against the definition: the statistic of a trial near the detection level changes by its 1e-4 at most. Weights are
//! factors of what an event adds: then it is of the sum of the weights.
//!
//! Operations: an event and harmonic costs two exact phases, one root of unity, eight values of the kernel and eight complex additions,
//! about 100 instructions, for all trials together; each trial `5·log₂` of the grid. Counting an event for each trial costs 5.

use std::sync::{Arc, LazyLock};

use multiversion::multiversion;
use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::data::phase::Spin;
use crate::science::statistics::pulse::z2_of_sums;

/// Cells that an event is spread over.
const WIDTH: usize = 8;
/// Rows of the kernel's table to a cell.
const TABLE: usize = 2048;
/// Roots of unity in the table.
const ROOTS: usize = 1024;
/// Largest error of a sum, relative to the number of events, or to the sum of their weights.
pub const ERROR: f64 = 1e-6;
/// Number of trials that are evaluated at once, so that grids stay in the caches.
pub const MOST_TRIALS: usize = 1 << 20;
/// Events of a grid of their own, at least.
const CHUNK: usize = 1 << 16;

/// A table from which `exp(2πi·phase)` is computed for phases in units of 2⁻⁶⁴ cycle, accurate to 1e-11.
pub struct PhasorTable(Vec<(f64, f64)>);

impl Default for PhasorTable {
    fn default() -> PhasorTable {
        let angle = |k: usize| std::f64::consts::TAU * (k as f64 + 0.5) / ROOTS as f64;
        PhasorTable((0..ROOTS).map(|k| (angle(k).cos(), angle(k).sin())).collect())
    }
}

impl PhasorTable {
    /// The table that the whole process shares.
    pub fn shared() -> &'static PhasorTable {
        static UNIT: LazyLock<PhasorTable> = LazyLock::new(PhasorTable::default);
        &UNIT
    }

    /// Cosine and sine of a phase in units of 2⁻⁶⁴ cycle.
    #[inline]
    pub fn of(&self, phase: u64) -> (f64, f64) {
        const SHIFT: u32 = 64 - ROOTS.ilog2();
        let (cos, sin) = self.0[(phase >> SHIFT) as usize % ROOTS];
        // From the middle of the table's interval: at most 3e-3, so the next terms are below 4e-12.
        let rest = ((phase << ROOTS.ilog2()) ^ (1 << 63)) as i64 as f64;
        let x = rest * (std::f64::consts::TAU / ROOTS as f64 * 2f64.powi(-64));
        let (c, s) = (1.0 - 0.5 * x * x, x - x * x * x / 6.0);
        (cos * c - sin * s, sin * c + cos * s)
    }
}

/// Modified Bessel function of the first kind, order 0, by its series; x below 30.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..80 {
        term *= (0.5 * x / f64::from(k)).powi(2);
        sum += term;
        // What follows is less, and changes nothing.
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// Tables to compute harmonic sums of a number of trials at once.
pub struct HarmonicSums {
    trials: usize,
    grid: usize,
    fft: Arc<dyn Fft<f64>>,
    /// Kernel at the eight cells of an event at each of `TABLE + 1` places in its cell.
    table: Vec<[f64; WIDTH]>,
    /// What each amplitude is divided by, `|k|` from the middle.
    correction: Vec<f64>,
    unit: &'static PhasorTable,
}

impl HarmonicSums {
    /// Tables for `trials` frequencies, at most [`MOST_TRIALS`].
    pub fn new(trials: usize) -> HarmonicSums {
        let grid = (2 * trials).next_power_of_two().max(4 * WIDTH);
        let w = WIDTH as f64;
        let ratio = grid as f64 / trials.max(1) as f64;
        // Beatty et al., equation 5; beyond twice the points the kernel gains nothing that the table would hold.
        let sigma = ratio.min(2.0);
        let beta = std::f64::consts::PI * ((w / sigma * (sigma - 0.5)).powi(2) - 0.8).sqrt();
        let scale = bessel_i0(beta).recip();
        let kernel = |x: f64| {
            let inside = 1.0 - (2.0 * x / w).powi(2);
            if inside > 0.0 { bessel_i0(beta * inside.sqrt()) * scale } else { 0.0 }
        };
        // An event at place u of cell i, 0 ≤ u ≤ 1, reaches cells i − 3 … i + 4.
        let row = |r: usize| std::array::from_fn(|c| kernel(r as f64 / TABLE as f64 + 3.0 - c as f64));
        let transform = |k: usize| {
            let x = (beta * beta - (std::f64::consts::PI * w * k as f64 / grid as f64).powi(2)).max(1e-12).sqrt();
            w * scale * x.sinh() / x
        };
        HarmonicSums {
            trials,
            grid,
            fft: FftPlanner::new().plan_fft_inverse(grid),
            table: (0..=TABLE).map(row).collect(),
            correction: (0..=trials / 2 + 1).map(|k| transform(k).recip()).collect(),
            unit: PhasorTable::shared(),
        }
    }

    /// The sums `S_h` of harmonic `h = harmonic` at the trials `first + j·step`, each passed through `of`. Computed on
    /// the threads of the caller's pool; the number of threads does not change the result. With `weights`, one an
    /// event, the sums are `Σ w·exp(2πi·h·φ)`.
    pub fn each<T>(
        &self,
        times: &[i64],
        weights: Option<&[f64]>,
        [first, step]: [&Spin; 2],
        harmonic: u64,
        of: fn(Complex<f64>) -> T,
    ) -> Vec<T> {
        let middle = self.trials / 2;
        let centre = first.stepped(step, middle as i64);
        // A grid of its own pays for enough events; the number depends on the work alone.
        let pieces = (times.len() / CHUNK.max(4 * self.grid)).clamp(1, 16);
        let length = times.len().div_ceil(pieces).max(1);
        let grids: Vec<SpreadingGrid> = times
            .par_chunks(length)
            .enumerate()
            .map(|(i, chunk)| {
                let mut grid = SpreadingGrid::new(self.grid);
                spread(self, chunk, part_of(weights, i * length), [&centre, step], harmonic, &mut grid);
                grid
            })
            .collect();
        let mut cells = vec![Complex::default(); self.grid];
        for grid in &grids {
            for (i, (re, im)) in grid.re.iter().zip(&grid.im).enumerate() {
                // Cell 3 of the padded grid is cell 0.
                cells[(i + self.grid - 3) % self.grid] += Complex::new(*re, *im);
            }
        }
        self.fft.process(&mut cells);
        let one = |j: usize| {
            let k = j.abs_diff(middle);
            let cell = if j >= middle { k } else { self.grid - k };
            let factor = self.correction.get(k).copied().unwrap_or(0.0);
            of(cells[cell % self.grid] * factor)
        };
        (0..self.trials).map(one).collect()
    }
}

/// The weights from a place on; without any none, for all are 1.
fn part_of(weights: Option<&[f64]>, from: usize) -> &[f64] {
    weights.and_then(|weights| weights.get(from..)).unwrap_or_default()
}

/// Adds the events to the cells about their places; those behind the last weight weigh 1. Those of sorted events are the same for many
/// in turn where trials are few, and are then summed in registers.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn spread(
    sums: &HarmonicSums,
    times: &[i64],
    weights: &[f64],
    [centre, step]: [&Spin; 2],
    harmonic: u64,
    grid: &mut SpreadingGrid,
) {
    let bits = sums.grid.ilog2();
    let (mut here, mut near) = (0, [[0.0; WIDTH]; 2]);
    for (i, &t) in times.iter().enumerate() {
        let (mut cos, mut sin) = sums.unit.of(centre.phase(t).wrapping_mul(harmonic));
        if let Some(weight) = weights.get(i) {
            cos *= weight;
            sin *= weight;
        }
        let place = step.phase(t).wrapping_mul(harmonic);
        let cell = (place >> (64 - bits)) as usize;
        let inside = (place << bits >> 11) as f64 * (TABLE as f64 * 2f64.powi(-53));
        let row = inside as usize;
        let part = inside - row as f64;
        let Some([low, high]) = sums.table.get(row..).and_then(|rows| rows.first_chunk::<2>()) else {
            continue;
        };
        if cell != here {
            grid.add(here, &near);
            (here, near) = (cell, [[0.0; WIDTH]; 2]);
        }
        let [re, im] = &mut near;
        for c in 0..WIDTH {
            let value = low[c] + part * (high[c] - low[c]);
            re[c] += cos * value;
            im[c] += sin * value;
        }
    }
    grid.add(here, &near);
}

/// Real and imaginary parts of the cells, with as many more as a kernel reaches over the ends.
struct SpreadingGrid {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl SpreadingGrid {
    fn new(cells: usize) -> SpreadingGrid {
        SpreadingGrid { re: vec![0.0; cells + WIDTH], im: vec![0.0; cells + WIDTH] }
    }

    /// Adds real and imaginary parts to the cells from `cell` on.
    #[inline]
    fn add(&mut self, cell: usize, near: &[[f64; WIDTH]; 2]) {
        for (cells, values) in [&mut self.re, &mut self.im].into_iter().zip(near) {
            if let Some(cells) = cells.get_mut(cell..).and_then(|cells| cells.first_chunk_mut::<WIDTH>()) {
                cells.iter_mut().zip(values).for_each(|(cell, value)| *cell += value);
            }
        }
    }
}

/// The harmonic sums `S_1 … S_n` of one ephemeris, by their definition. They are summed in pieces of 65,536 events, so
/// that the number of threads does not change the result. With `weights`, one an event, they are `Σ w·exp(2πi·h·φ)`.
pub fn harmonic_sums_at(times: &[i64], weights: Option<&[f64]>, spin: &Spin, harmonics: usize) -> Vec<Complex<f64>> {
    let unit = PhasorTable::shared();
    let pieces: Vec<Vec<Complex<f64>>> = times
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(piece, chunk)| {
            let mut sums = vec![Complex::default(); harmonics];
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
    let sum =
        |of: fn(f64) -> f64| weights.map_or(times.len() as f64, |w| w.iter().take(times.len()).map(|&w| of(w)).sum());
    z2_of_sums(&harmonic_sums_at(times, weights, spin, harmonics), [sum(|w| w), sum(|w| w * w)], window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use crate::base::time::DoubleDouble;
    use crate::data::phase::{Ephemeris, Ticks};

    #[test]
    fn roots_of_unity() {
        let (unit, mut random) = (PhasorTable::default(), Random::new(3));
        for i in 0..10_000u64 {
            let phase = if i < 100 { (i % 10) << 61 } else { random.bits() };
            let angle = phase as f64 * 2f64.powi(-64) * std::f64::consts::TAU;
            let (cos, sin) = unit.of(phase);
            assert!((cos - angle.cos()).abs() < 1e-11 && (sin - angle.sin()).abs() < 1e-11, "{phase}");
        }
    }

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
                let plan = HarmonicSums::new(trials);
                for harmonic in [1, 2, 20] {
                    let found = plan.each(&times, None, [&first, &step], harmonic, |sum| sum);
                    assert_eq!(found.len(), trials);
                    // Weights of 1 change no bit.
                    let ones = plan.each(&times, Some(&[1.0; 700]), [&first, &step], harmonic, |sum| sum);
                    assert_eq!(found, ones);
                    let weighted = plan.each(&times, Some(&weights), [&first, &step], harmonic, |sum| sum);
                    for j in (0..trials).step_by(1 + trials / 50).chain([trials - 1]) {
                        let spin = first.stepped(&step, j as i64);
                        for (found, weights) in [(&found, &[1.0; 700]), (&weighted, &weights)] {
                            let sums = harmonic_sums_at(&times, Some(weights), &spin, harmonic as usize);
                            let all: f64 = weights.iter().sum();
                            worst = worst.max((found[j] - sums[harmonic as usize - 1]).norm() / all);
                        }
                    }
                }
            }
        }
        eprintln!("largest error of a harmonic sum: {worst:.1e} of the number of events");
        assert!(worst < ERROR, "{worst}");
    }
}
