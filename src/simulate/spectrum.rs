//! What positive rates make of the power spectrum that was asked for.
//!
//! A positive series has no spectrum that its troughs do not allow: of a narrow strong Lorentzian at `f0` a lognormal series has the second
//! harmonic, and noise below the Lorentzian's width, with up to about `rms²/4` of the variance each. The spectrum that comes of `x = exp(g − σ²/2)` is known
//! without a simulation: its autocovariance is `exp(C_g) − 1`.

use realfft::RealFftPlanner;
use rustfft::num_complex::Complex;
use serde::Serialize;

use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;

/// Part of the variance that may lie elsewhere without a warning.
const MOST_MOVED: f64 = 0.01;
/// Part of the variance of an octave that is told of, at least.
const LEAST_OCTAVE: f64 = 0.001;

/// How the power spectrum of simulated rates, which are positive, differs from the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SpectrumChange {
    /// Part of the variance that lies at other frequencies than asked for.
    pub moved: f64,
    /// The octave of frequency with the largest `factor`, Hz, among those with a thousandth of the variance or more.
    pub octave: (f64, f64),
    /// The variance there over the one asked for.
    pub factor: f64,
    /// Fractional rms there.
    pub rms: f64,
}

impl SpectrumChange {
    /// Of the variance asked for and of that of the Gaussian series `g` at the frequencies `k·df`, k = 0 …; octaves begin at `lowest` (Hz).
    pub(super) fn new(asked: &[f64], gaussian: &[f64], df: f64, lowest: f64) -> SpectrumChange {
        let made = exponentiated(gaussian);
        let total: f64 = asked.iter().sum();
        let common: f64 = asked.iter().zip(&made).map(|(a, b)| a.min(*b)).sum();
        let mut change = SpectrumChange { moved: 1.0 - common / total, octave: (0.0, 0.0), factor: 1.0, rms: 0.0 };
        let mut from = lowest;
        while from < df * asked.len() as f64 {
            let [first, end] = [from, 2.0 * from].map(|f| ((f / df).ceil() as usize).min(asked.len()));
            let [wanted, found] = [asked, &made].map(|all| all[first..end].iter().sum::<f64>());
            let factor = found / wanted.max(f64::MIN_POSITIVE);
            if found > LEAST_OCTAVE * total && factor > change.factor {
                change = SpectrumChange { octave: (from, 2.0 * from), factor, rms: found.sqrt(), ..change };
            }
            from *= 2.0;
        }
        change
    }

    /// The warning, if it matters.
    pub fn warning(&self) -> Option<Warning> {
        let [lo, hi] = [self.octave.0, self.octave.1].map(ShortNumber);
        let factor = if self.factor < 1000.0 { format!("{:.1}", self.factor) } else { "over 1000".into() };
        let message = format!(
            "rates that are never negative have {:.1} % of the variance at other frequencies than the model: from {lo} to {hi} Hz {factor} times the \
             model's, an rms of {:.1} %",
            100.0 * self.moved,
            100.0 * self.rms
        );
        let mend = [Mend::field("model").doing("with less rms, or wider")];
        (self.moved > MOST_MOVED).then(|| Warning::new("W-SIM-SPECTRUM", message).mended_by(mend))
    }
}

/// The variance at each frequency of `exp(g − σ²/2)`, of that of the Gaussian series `g`.
fn exponentiated(gaussian: &[f64]) -> Vec<f64> {
    let n = 2 * (gaussian.len() - 1);
    let mut half: Vec<Complex<f64>> = gaussian.iter().map(|&v| Complex::new(0.5 * v, 0.0)).collect();
    let mut planner = RealFftPlanner::<f64>::new();
    let inverse = planner.plan_fft_inverse(n);
    let mut covariance = inverse.make_output_vec();
    inverse.process(&mut half, &mut covariance).expect("buffers come from the plan, so their lengths fit");
    covariance.iter_mut().for_each(|c| *c = c.exp_m1());
    let forward = planner.plan_fft_forward(n);
    forward.process(&mut covariance, &mut half).expect("buffers come from the plan, so their lengths fit");
    let mut made: Vec<f64> = half.iter().map(|h| (2.0 / n as f64 * h.re).max(0.0)).collect();
    // A constant is no variability.
    made[0] = 0.0;
    made
}
