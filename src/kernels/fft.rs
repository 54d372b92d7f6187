//! Batched real Fourier transform: `F_k = Σ_j x_j e^{−2πi jk/n}`, `k = 0 … floor(n/2)`.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

/// Reference: the definition, evaluated at the frequencies `ks`, in f64 with compensated sums; `x` holds `n` samples.
pub fn reference(x: &[f64], ks: &[usize]) -> Vec<Complex<f64>> {
    let n = x.len();
    let turn = -std::f64::consts::TAU / n as f64;
    ks.iter()
        .map(|&k| {
            let (mut re, mut im) = (Compensated::default(), Compensated::default());
            for (j, &x) in x.iter().enumerate() {
                let (sin, cos) = (turn * ((j * k) % n) as f64).sin_cos();
                re.add(x * cos);
                im.add(x * sin);
            }
            Complex::new(re.value(), im.value())
        })
        .collect()
}

/// A running sum with the rounding error carried along (Neumaier 1974, doi:10.1002/zamm.19740540106).
#[derive(Default)]
struct Compensated {
    sum: f64,
    error: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.error += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }
    fn value(&self) -> f64 {
        self.sum + self.error
    }
}

/// Production path on the CPU: one length, planned once, shared by threads; f64, every length.
#[derive(Clone)]
pub struct CpuFft {
    plan: Arc<dyn RealToComplex<f64>>,
}

/// Scratch and buffers of one thread.
pub struct CpuFftWork {
    /// The `n` input samples; destroyed by the transform.
    pub input: Vec<f64>,
    /// `floor(n/2) + 1` amplitudes.
    pub output: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl CpuFft {
    /// Plans transforms of `n ≥ 1` real samples.
    pub fn new(n: usize) -> CpuFft {
        CpuFft { plan: RealFftPlanner::new().plan_fft_forward(n) }
    }

    /// Buffers for one thread.
    pub fn work(&self) -> CpuFftWork {
        CpuFftWork {
            input: self.plan.make_input_vec(),
            output: self.plan.make_output_vec(),
            scratch: self.plan.make_scratch_vec(),
        }
    }

    /// Transforms `work.input` into `work.output`.
    pub fn process(&self, work: &mut CpuFftWork) {
        self.plan
            .process_with_scratch(&mut work.input, &mut work.output, &mut work.scratch)
            .expect("buffers come from the plan, so their lengths fit");
    }
}
