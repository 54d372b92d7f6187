//! Fourier transforms of real samples, `F_k = Σ_j x_j e^{−2πi jk/n}`, planned once and shared by threads; their frequencies and roots.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

use super::precision::Precision;
use crate::base::footprint::Footprint;

/// Frequencies kept of a transform of `n` samples: `k = 1 … ceil(n/2) − 1`; zero and Nyquist are dropped.
pub fn frequencies(n: usize) -> usize {
    n.div_ceil(2).saturating_sub(1)
}

/// `e^{−2πi k/order}`, within a unit in the last place: quarter turns are taken off in integers, so that the angle is small.
pub fn root(k: usize, order: usize) -> Complex<f64> {
    let (k, order) = (k as i64, order as i64);
    let quarters = (8 * k + order).div_euclid(2 * order);
    let rest = (4 * k - quarters * order) as f64;
    let (sin, cos) = (std::f64::consts::FRAC_PI_2 * rest / order as f64).sin_cos();
    match quarters.rem_euclid(4) {
        0 => Complex::new(cos, -sin),
        1 => Complex::new(-sin, -cos),
        2 => Complex::new(-cos, sin),
        _ => Complex::new(sin, cos),
    }
}

/// Bytes of the roots that a transform of `n` samples keeps, at most about: `12·n` where `n` is even, else `16·n`; and `128·p` for its largest
/// prime factor `p`, if that is above 11: a convolution of up to four times the length, of complex numbers and their roots.
pub fn plan_bytes(n: usize) -> u64 {
    n as u64 * if n.is_multiple_of(2) { 12 } else { 16 } + 128 * large_prime(n)
}

/// Bytes of the scratch of a thread, besides its samples and amplitudes: `8·n`, or `16·n`; and as for [`plan_bytes`].
pub fn scratch_bytes(n: usize) -> u64 {
    n as u64 * if n.is_multiple_of(2) { 8 } else { 16 } + 128 * large_prime(n)
}

/// Memory of a transform of `n` samples with one set of buffers.
pub fn footprint(n: usize) -> Footprint {
    Footprint::less_by(&["dt", "segment_size"])
        .and(plan_bytes(n) + scratch_bytes(n), 1)
        .and(n, size_of::<f64>() + size_of::<Complex<f64>>() / 2)
}

/// The largest prime factor of a number, if it is above 11; else 0.
fn large_prime(n: usize) -> u64 {
    let (mut rest, mut prime, mut largest) = (n as u64, 2, 1);
    while prime * prime <= rest {
        match rest.is_multiple_of(prime) {
            true => (rest, largest) = (rest / prime, prime),
            false => prime += 1,
        }
    }
    let largest = largest.max(rest);
    if largest > 11 { largest } else { 0 }
}

/// Production path on the CPU: one length, planned once, shared by threads; every length.
#[derive(Clone)]
pub struct CpuFft {
    plan: RealPlan,
}

#[derive(Clone)]
enum RealPlan {
    Double(Arc<dyn RealToComplex<f64>>),
    Single(Arc<dyn RealToComplex<f32>>),
}

/// Scratch and buffers of one thread.
pub struct CpuFftBuffers {
    /// The `n` input samples; destroyed by the transform.
    pub input: Vec<f64>,
    /// `floor(n/2) + 1` amplitudes.
    pub output: Vec<Complex<f64>>,
    scratch: Scratch,
}

enum Scratch {
    Double(Vec<Complex<f64>>),
    Single { samples: Vec<f32>, amplitudes: Vec<Complex<f32>>, scratch: Vec<Complex<f32>> },
}

impl CpuFft {
    /// Plans transforms of `n ≥ 1` real samples in double precision.
    pub fn new(n: usize) -> CpuFft {
        CpuFft::with_precision(n, Precision::Double)
    }

    /// Plans transforms of `n ≥ 1` real samples. In single precision the mean is subtracted before, in f64, and put back.
    pub fn with_precision(n: usize, precision: Precision) -> CpuFft {
        let plan = match precision {
            Precision::Double => RealPlan::Double(RealFftPlanner::new().plan_fft_forward(n)),
            Precision::Single => RealPlan::Single(RealFftPlanner::new().plan_fft_forward(n)),
        };
        CpuFft { plan }
    }

    /// Buffers for one thread.
    pub fn work(&self) -> CpuFftBuffers {
        match &self.plan {
            RealPlan::Double(plan) => CpuFftBuffers {
                input: plan.make_input_vec(),
                output: plan.make_output_vec(),
                scratch: Scratch::Double(plan.make_scratch_vec()),
            },
            RealPlan::Single(plan) => {
                let (samples, amplitudes) = (plan.make_input_vec(), plan.make_output_vec());
                CpuFftBuffers {
                    input: vec![0.0; samples.len()],
                    output: vec![Complex::default(); amplitudes.len()],
                    scratch: Scratch::Single { samples, amplitudes, scratch: plan.make_scratch_vec() },
                }
            }
        }
    }

    /// Transforms `work.input` into `work.output`.
    ///
    /// # Panics
    /// The buffers are those of another transform.
    pub fn process(&self, work: &mut CpuFftBuffers) {
        let CpuFftBuffers { input, output, scratch } = work;
        let done = match (&self.plan, scratch) {
            (RealPlan::Double(plan), Scratch::Double(scratch)) => plan.process_with_scratch(input, output, scratch),
            (RealPlan::Single(plan), Scratch::Single { samples, amplitudes, scratch }) => {
                let sum: f64 = input.iter().sum();
                let mean = sum / input.len() as f64;
                samples.iter_mut().zip(&*input).for_each(|(s, x)| *s = (x - mean) as f32);
                let done = plan.process_with_scratch(samples, amplitudes, scratch);
                let wide = |a: &Complex<f32>| Complex::new(f64::from(a.re), f64::from(a.im));
                output.iter_mut().zip(&*amplitudes).for_each(|(out, a)| *out = wide(a));
                output[0] += sum;
                done
            }
            _ => unreachable!("buffers come from the plan"),
        };
        done.expect("buffers come from the plan, so their lengths fit");
    }
}
