//! The device's transform of one length: its passes, tables and launches.
//!
//! A row of `n` real samples is `h` complex points: pairs of samples where n is even, h = n/2, else h = n. Where h is a product
//! of 2, 3, 5, 7, 11 and 13 it is transformed in one pass, or in two or three whose columns fit a workgroup (Bailey 1990,
//! doi:10.1007/BF00162341); every other h by a convolution at a power of two (Bluestein 1970, doi:10.1109/TAU.1970.1162132).

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::lengths::{FftPass, factorise, radices};
use super::roots::{RootTables, append_split, gain};
use super::shaders::{FftParams, PassInput, pass_shader};
use crate::kernels::{Dispatch, Input, Limits};
use crate::numerics::fft::root;
use crate::numerics::precision::Precision;

/// Most points that are transformed, without the padding of a convolution.
const MOST_POINTS: usize = 1 << 23;
/// Largest even length, and largest odd one.
pub const LARGEST: [usize; 2] = [2 * MOST_POINTS, MOST_POINTS - 1];

/// True for the lengths that devices transform: even ones from 2 to 2^24, odd ones from 1 to 2^23.
pub fn device_supports(n: usize) -> bool {
    n >= 1 && n <= LARGEST[n % 2]
}

/// How one length is transformed on a device.
#[derive(Clone, Debug)]
pub struct FftPlan {
    /// Real samples a row.
    n: usize,
    /// Complex points of a row.
    h: usize,
    input: Input,
    precision: Precision,
    limits: Limits,
    /// Points that are transformed: h, or the length of the convolution.
    length: usize,
    passes: Vec<FftPass>,
    roots: RootTables,
    /// What rounded roots leave of a line.
    pub(super) gain: f64,
    /// Place in the tables of what splits pairs.
    split: usize,
    tables: Vec<Complex<f64>>,
    chirp: Vec<Complex<f64>>,
    filter: Vec<Complex<f64>>,
}

/// What the last of several passes transforms: `done` columns of `len` points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastPass {
    /// Points of a column.
    pub len: usize,
    /// Columns of a row.
    pub done: usize,
    /// Radices of the stages, 4 bits each.
    pub radices: u32,
    /// Place of a column's roots in the tables.
    pub stages: u32,
}

/// Buffers of a transform, by number.
#[derive(Clone, Copy, Debug)]
pub struct FftBuffers {
    /// rows × n samples: u32 counts, or flux in the precision of the transform.
    pub samples: usize,
    /// rows of [`DeviceSegment`](crate::kernels::DeviceSegment); of counts the mean is subtracted.
    pub rows: usize,
    /// [`FftPlan::tables`].
    pub tables: usize,
    /// [`FftPlan::chirp`].
    pub chirp: usize,
    /// [`FftPlan::filter`].
    pub filter: usize,
    /// Two of rows × [`FftPlan::length`] points.
    pub work: [usize; 2],
}

impl FftPlan {
    /// Plans rows of `n` samples; `None` where [`device_supports`] says no.
    pub fn new(n: usize, input: Input, precision: Precision, limits: &Limits) -> Option<FftPlan> {
        if !device_supports(n) {
            return None;
        }
        let limits = limits.of(precision);
        let h = if n.is_multiple_of(2) { n / 2 } else { n };
        let points = limits.points as usize;
        let whole = factorise(h, points).map(|lens| (h, lens));
        let (length, lens) = whole.or_else(|| {
            let length = (2 * h - 1).next_power_of_two();
            factorise(length, points).map(|lens| (length, lens))
        })?;
        let mut plan = FftPlan {
            n,
            h,
            input,
            precision,
            limits,
            length,
            passes: Vec::new(),
            roots: RootTables::default(),
            gain: 1.0,
            split: 0,
            tables: Vec::new(),
            chirp: Vec::new(),
            filter: Vec::new(),
        };
        for len in lens {
            let known = plan.passes.iter().find(|pass| pass.len == len).map(|pass| pass.stages);
            let stages = known.unwrap_or(plan.tables.len());
            if known.is_none() {
                plan.tables.extend((0..len).map(|k| root(k, len)));
            }
            plan.passes.push(FftPass { len, radices: radices(len)?, stages });
        }
        plan.roots = RootTables::append(&mut plan.tables, length);
        plan.gain = gain(&plan.passes, &plan.tables, plan.roots, precision);
        if length != h {
            plan.add_convolution();
        }
        plan.split = plan.tables.len();
        if n.is_multiple_of(2) {
            append_split(&mut plan.tables, n, length != h);
        }
        Some(plan)
    }

    fn add_convolution(&mut self) {
        let h = self.h as u64;
        // j² mod 2h in integers: j²/h turns would lose the fraction.
        self.chirp = (0..h).map(|j| root((j * j % (2 * h)) as usize, 2 * self.h)).collect();
        self.filter = vec![Complex::default(); self.length];
        // The filter gives back what the transforms before and after it take from a strong line: its values have so many phases
        // that less than their last bit is kept on the average.
        let scale = 1.0 / (self.length as f64 * self.gain.powi(2));
        for (j, c) in self.chirp.iter().enumerate() {
            let value = c.conj() * scale;
            self.filter[j] = value;
            self.filter[(self.length - j) % self.length] = value;
        }
        FftPlanner::new().plan_fft_forward(self.length).process(&mut self.filter);
    }

    /// Real samples a row.
    pub fn n(&self) -> usize {
        self.n
    }

    /// What the rows hold.
    pub fn input(&self) -> Input {
        self.input
    }

    /// Arithmetic on the device.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Complex points of a row.
    pub fn h(&self) -> usize {
        self.h
    }

    /// Complex points from row to row in the work buffers.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Where one workgroup does a whole transform of pairs of samples: its radices and the place of its roots.
    pub(in crate::kernels) fn whole(&self) -> Option<(u32, u32)> {
        let [pass] = self.passes.as_slice() else { return None };
        (!self.chirped() && self.n.is_multiple_of(2)).then_some((pass.radices, pass.stages as u32))
    }

    /// The last pass where it can end in power: one of several, after which no chirp is due. A convolution leaves its chirp to be
    /// applied, but |F_k|² of odd lengths is that of the points themselves; those of even ones are paired first.
    pub fn last_pass(&self) -> Option<LastPass> {
        let &FftPass { len, radices, stages } = self.passes.last().filter(|_| self.passes.len() > 1)?;
        let last = LastPass { len, done: self.length / len, radices, stages: stages as u32 };
        (!self.chirped() || !self.n.is_multiple_of(2)).then_some(last)
    }

    /// Passes over the data.
    pub fn passes(&self) -> usize {
        if self.chirped() { 2 * self.passes.len() } else { self.passes.len() }
    }

    /// True where the spectra come by convolution: `Z_k = chirp_k·conj(stored_k)`, else `Z_k` is stored.
    pub fn chirped(&self) -> bool {
        !self.chirp.is_empty()
    }

    /// Roots of order length, for the steps between passes.
    pub(in crate::kernels) fn roots(&self) -> RootTables {
        self.roots
    }

    /// Place in the tables of what splits the pairs k, h − k of even n, from k = 0 on.
    pub(in crate::kernels) fn split(&self) -> u32 {
        self.split as u32
    }

    /// What the device's sums of |F_k|² are to be multiplied by: it gives back what rounded roots took from the amplitudes, as the
    /// filter does where there is one.
    pub fn power_factor(&self) -> f64 {
        if self.chirped() { 1.0 } else { self.gain.powi(-2) }
    }

    /// Roots of unity, and what pairs are split with, computed in f64.
    pub fn tables(&self) -> &[Complex<f64>] {
        &self.tables
    }

    /// `e^{−πi j²/h}`, h of them for a convolution, else none.
    pub fn chirp(&self) -> &[Complex<f64>] {
        &self.chirp
    }

    /// Spectrum of the conjugate chirp over its length, and over what the rounding of roots takes from the sums of two transforms;
    /// length of them for a convolution, else none.
    pub fn filter(&self) -> &[Complex<f64>] {
        &self.filter
    }

    /// The launches for `rows` transforms, and which of the work buffers then holds the spectra, rows × length points of which h
    /// count.
    pub fn dispatches(&self, rows: usize, buffers: &FftBuffers) -> (Vec<Dispatch>, usize) {
        let mut list = Vec::new();
        let mut now = 0;
        for back in 0..=usize::from(self.chirped()) {
            let mut done = 1;
            for (i, pass) in self.passes.iter().enumerate() {
                let load = match (i, back) {
                    (0, 0) if self.chirped() => PassInput::Chirped(self.input),
                    (0, 0) => PassInput::Samples(self.input),
                    (0, _) => PassInput::Product,
                    _ => PassInput::Points,
                };
                let source = buffers.work[1 - now];
                let mut bound = vec![buffers.tables, buffers.work[now]];
                match load {
                    PassInput::Samples(_) => bound.extend([buffers.samples, buffers.rows]),
                    PassInput::Chirped(_) => bound.extend([buffers.samples, buffers.rows, buffers.chirp]),
                    PassInput::Points => bound.push(source),
                    PassInput::Product => bound.extend([source, buffers.filter]),
                }
                list.push(self.launch(rows, pass, done, load, bound));
                done *= pass.len;
                now = 1 - now;
            }
        }
        (list, buffers.work[1 - now])
    }

    /// [`FftPlan::dispatches`] without the last pass, and the work buffer with the points that it would take.
    pub fn dispatches_before_last(&self, rows: usize, buffers: &FftBuffers) -> (Vec<Dispatch>, usize) {
        let (mut list, spectra) = self.dispatches(rows, buffers);
        list.pop();
        (list, if spectra == buffers.work[0] { buffers.work[1] } else { buffers.work[0] })
    }

    fn launch(&self, rows: usize, pass: &FftPass, done: usize, load: PassInput, buffers: Vec<usize>) -> Dispatch {
        let width = self.length / pass.len;
        let batch = self.limits.points as usize / pass.len;
        let params = FftParams {
            rows: rows as u32,
            n: self.n as u32,
            h: self.h as u32,
            length: self.length as u32,
            len: pass.len as u32,
            width: width as u32,
            done: done as u32,
            batch: batch as u32,
            radices: pass.radices,
            stages: pass.stages as u32,
            fine: self.roots.fine,
            coarse: self.roots.coarse,
            log_fine: self.roots.log_fine,
        };
        let complex = u64::from(self.precision.complex_bytes());
        let (points, samples) = ((rows * self.length) as u64, (rows * self.n) as u64);
        let sample = if self.input == Input::Events { 4 } else { complex / 2 };
        let read = match load {
            PassInput::Samples(_) => sample * samples,
            PassInput::Chirped(_) => sample * samples + complex * self.h as u64,
            PassInput::Points => complex * points,
            PassInput::Product => complex * (points + self.length as u64),
        };
        Dispatch {
            bytes: read + complex * points,
            shader: pass_shader(load, self.length.is_power_of_two(), self.precision),
            params: bytemuck::bytes_of(&params).to_vec(),
            buffers,
            workgroups: self.limits.grid((rows * width).div_ceil(batch) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_lengths() {
        for (n, ok) in
            [(0, false), (1, true), (2, true), (1 << 24, true), ((1 << 24) + 2, false), ((1 << 23) + 1, false)]
        {
            assert_eq!(device_supports(n), ok, "{n}");
        }
        let plan = FftPlan::new((1 << 23) - 1, Input::Flux, Precision::Single, &Limits::PORTABLE).unwrap();
        assert_eq!((plan.length(), plan.passes()), (1 << 24, 6));
    }
}
