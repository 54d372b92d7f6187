//! The nonuniform transform of type 1: sums over points anywhere, at evenly spaced frequencies,
//!
//! ```text
//! S_k = Σ_j w_j·exp(2πi·(a_j + k·x_j)),      k = 0 … n − 1
//! ```
//!
//! with `a_j` the phase of point j at the first frequency and `x_j` what it advances by from each to the next, both in units of 2⁻⁶⁴ cycle, so that
//! whole cycles wrap exactly, however many. A range of frequencies that begins at K has `K·x_j` in `a_j`.
//!
//! Points are spread over a grid at least twice as fine as the frequencies ask for (`spreading`), the grid is transformed, and amplitudes are divided
//! by the transform of the spreading function (Dutt & Rokhlin 1993, doi:10.1137/0914081; Barnett, Magland & af Klinteberg 2019,
//! doi:10.1137/18M120885X). The error is the sum of those of the points, each its weight times that of a point of weight 1, so all are bounded by `ε·Σ|w|`,
//! whatever the points: ε is [`SEARCH_ERROR`] over 8 cells and [`LEAST_ERROR`] over 16. `tests` look for the largest error of one point at places all over
//! a cell: 2.7e-7 and 2.6e-14. To the latter the rounding of sums adds `N·2⁻⁵³` where N points of one sign fall together.
//!
//! **Cost.** A point (24 bytes, which stay in the cache) takes two products, a root of unity (16 bytes of a table of 16 KiB), W values of ψ by T terms
//! (`8·W·T` bytes of a table of 24 or 48 KiB, `2·W·(T − 1)` operations) and `4·W` operations that add them, and changes `16·W` bytes of the grid, once for
//! all neighbours that share a cell: some 80 operations over 8 cells and 240 over 16, of which vectors of four do most. A frequency has 2 to 3 cells of 16 bytes, of
//! `5·log₂` operations of the transform each, and some 20 operations of its own. Blocks of 2¹⁸ frequencies keep the grid in the caches; each has all
//! points, so that of many there are fewer and larger ones. Memory is 48 bytes a cell of a block and thread.

mod spreading;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use multiversion::multiversion;
use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use spreading::{SpreadingGrid, SpreadingKernel};

use super::phasor::PhasorTable;
use crate::base::footprint::Footprint;

/// Largest error of a sum of [`SearchTransform`], relative to the sum of the magnitudes of the weights.
pub const SEARCH_ERROR: f64 = 1e-6;
/// The same of [`LeastErrorTransform`], but for the rounding of sums.
pub const LEAST_ERROR: f64 = 1e-13;
/// Frequencies of a block, at most: a grid of 8 MiB.
const MOST_FREQUENCIES: usize = 1 << 18;
/// Points from which a block costs more by them than by its frequencies, and has [`MOST_OF_MANY`].
const MANY_POINTS: usize = 1 << 22;
/// Frequencies of a block of many points, at most.
const MOST_OF_MANY: usize = 1 << 20;
/// Points of a grid of their own, at least.
const CHUNK: usize = 1 << 16;
/// The most grids of a block.
const MOST_GRIDS: usize = 16;
/// Points that are asked for at once.
const RUN: usize = 512;

/// A transform of least cost, for searches.
pub type SearchTransform = NonuniformTransform<8, 3>;
/// A transform of least error, for spectra.
pub type LeastErrorTransform = NonuniformTransform<16, 6>;

/// A point of a transform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhasedPoint {
    /// Phase at the first frequency, units of 2⁻⁶⁴ cycle.
    pub first: u64,
    /// Phase from each frequency to the next, units of 2⁻⁶⁴ cycle.
    pub step: u64,
    /// Factor of what the point adds.
    pub weight: f64,
}

/// Tables for the sums at a number of frequencies. Points are spread over `WIDTH` cells, by polynomials of `TERMS` terms.
pub struct NonuniformTransform<const WIDTH: usize, const TERMS: usize> {
    frequencies: usize,
    /// Frequencies of a block; the last may have fewer.
    block: usize,
    grid: usize,
    fft: Arc<dyn Fft<f64>>,
    kernel: SpreadingKernel<WIDTH, TERMS>,
    /// What each amplitude is multiplied by, `|k|` from the middle of a block.
    correction: Vec<f64>,
    unit: &'static PhasorTable,
}

impl<const WIDTH: usize, const TERMS: usize> NonuniformTransform<WIDTH, TERMS> {
    /// Memory of the sums at so many frequencies of so many points: of each thread that has a block its cells, those of the grids that are
    /// spread apart, and the scratch of the transform.
    pub fn footprint(frequencies: usize, points: usize) -> Footprint {
        let most = if points < MANY_POINTS { MOST_FREQUENCIES } else { MOST_OF_MANY };
        let blocks = frequencies.div_ceil(most).max(1);
        let cells = (2 * frequencies.div_ceil(blocks)).max(4 * WIDTH).next_power_of_two();
        let grids = (points / CHUNK.max(4 * cells)).clamp(1, MOST_GRIDS);
        let busy = blocks.min(rayon::current_num_threads().max(1));
        Footprint::default().and(busy as u64 * cells as u64, (grids + 3) * size_of::<Complex<f64>>())
    }

    /// Tables for so many frequencies, and about so many points.
    pub fn new(frequencies: usize, points: usize) -> Self {
        let most = if points < MANY_POINTS { MOST_FREQUENCIES } else { MOST_OF_MANY };
        // Equal blocks, so that they share the tables.
        let block = frequencies.div_ceil(frequencies.div_ceil(most).max(1)).max(1);
        let least = (2 * block).max(4 * WIDTH);
        let power = least.next_power_of_two();
        let grid = if 3 * (power / 4) >= least { 3 * (power / 4) } else { power };
        NonuniformTransform {
            frequencies,
            block,
            grid,
            fft: FftPlanner::new().plan_fft_inverse(grid),
            kernel: SpreadingKernel::new(),
            correction: SpreadingKernel::<WIDTH, TERMS>::corrections(block / 2, grid),
            unit: PhasorTable::shared(),
        }
    }

    /// The sums over `points` points, each passed through `of`. `fill` appends the points of a range. Computed on the threads of the caller's pool, in an
    /// order that depends on the numbers of points and frequencies alone: the number of threads changes no bit. Once `goes_on` says no, the rest are 0.
    pub fn sums<T: Send>(
        &self,
        points: usize,
        fill: impl Fn(Range<usize>, &mut Vec<PhasedPoint>) + Sync,
        of: impl Fn(Complex<f64>) -> T + Sync,
        goes_on: impl Fn() -> bool + Sync,
    ) -> Vec<T> {
        let block = |first: usize| match goes_on() {
            true => self.block(points, &fill, first, self.block.min(self.frequencies - first), &of, &goes_on),
            false => none(self.block.min(self.frequencies - first), &of),
        };
        let firsts: Vec<usize> = (0..self.frequencies).step_by(self.block).collect();
        match firsts[..] {
            [] => Vec::new(),
            [first] => block(first),
            _ => firsts.into_par_iter().map(block).collect::<Vec<Vec<T>>>().into_iter().flatten().collect(),
        }
    }

    /// The sums at `frequencies` frequencies from `first` on.
    fn block<T>(
        &self,
        points: usize,
        fill: &(impl Fn(Range<usize>, &mut Vec<PhasedPoint>) + Sync),
        first: usize,
        frequencies: usize,
        of: &impl Fn(Complex<f64>) -> T,
        goes_on: &(impl Fn() -> bool + Sync),
    ) -> Vec<T> {
        // Frequencies count from that in the middle: those about it are the most exact.
        let middle = frequencies / 2;
        let at = (first + middle) as u64;
        // A grid of its own pays for enough points.
        let grids = (points / CHUNK.max(4 * self.grid)).clamp(1, MOST_GRIDS);
        let length = points.div_ceil(grids).max(1);
        let one = |i: usize| {
            let mut grid = SpreadingGrid::new(self.grid, WIDTH);
            let mut run = Vec::with_capacity(RUN);
            let end = points.min((i + 1) * length);
            for from in (i * length..end).step_by(RUN) {
                if !goes_on() {
                    return None;
                }
                run.clear();
                fill(from..end.min(from + RUN), &mut run);
                spread(&self.kernel, self.unit, &run, at, self.grid as u64, &mut grid);
            }
            Some(grid)
        };
        let grids: Option<Vec<SpreadingGrid>> = match grids {
            1 => one(0).map(|grid| vec![grid]),
            _ => (0..grids).into_par_iter().map(one).collect(),
        };
        let Some(grids) = grids.filter(|_| goes_on()) else { return none(frequencies, of) };
        let mut cells = vec![Complex::default(); self.grid];
        grids.into_iter().for_each(|grid| grid.add_to(&mut cells, SpreadingKernel::<WIDTH, TERMS>::BEFORE));
        self.fft.process(&mut cells);
        let one = |k: usize| {
            let from = k.abs_diff(middle);
            let cell = if k >= middle { from } else { self.grid - from };
            of(cells[cell] * self.correction[from])
        };
        (0..frequencies).map(one).collect()
    }
}

/// Sums of no points.
fn none<T>(frequencies: usize, of: &impl Fn(Complex<f64>) -> T) -> Vec<T> {
    (0..frequencies).map(|_| of(Complex::default())).collect()
}

/// Adds the points, turned to frequency `at`, to the cells about their places. Those of sorted points are the same for many in turn where
/// frequencies are few, and are then summed in registers.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn spread<const WIDTH: usize, const TERMS: usize>(
    kernel: &SpreadingKernel<WIDTH, TERMS>,
    unit: &PhasorTable,
    points: &[PhasedPoint],
    at: u64,
    cells: u64,
    grid: &mut SpreadingGrid,
) {
    let (mut here, mut near) = (0, [[0.0; WIDTH]; 2]);
    for point in points {
        let (cos, sin) = unit.precise(point.first.wrapping_add(point.step.wrapping_mul(at)));
        let (cos, sin) = (cos * point.weight, sin * point.weight);
        // The place on the grid: whole cells, and 64 bits of the rest.
        let place = u128::from(point.step) * u128::from(cells);
        let cell = (place >> 64) as usize;
        let values = kernel.at(place as u64);
        if cell != here {
            grid.add(here, &near);
            (here, near) = (cell, [[0.0; WIDTH]; 2]);
        }
        let [re, im] = &mut near;
        for (i, value) in values.into_iter().enumerate() {
            re[i] += cos * value;
            im[i] += sin * value;
        }
    }
    grid.add(here, &near);
}
