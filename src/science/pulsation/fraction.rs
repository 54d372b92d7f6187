//! Pulsed fractions of a profile, by the four definitions in use. They are different numbers: of a sinusoid `1 + a·sin` the first is
//! `a`, the second `a`, the third and the fourth `a/√2`.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

/// A value and its standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValueWithError {
    /// The value.
    pub value: f64,
    /// Standard error of `value`.
    pub error: f64,
}

/// Pulsed fractions of a profile with the rates `r_b ± σ_b` in n bins, background subtracted, by four definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PulsedFractions {
    /// `(max − min)/(max + min)`; biased upwards by noise.
    pub minmax: ValueWithError,
    /// `Σ(r_b − min)/Σr_b`, the fraction of the area above the minimum; biased upwards by noise.
    pub area: ValueWithError,
    /// Fractional rms `√(Σ((r_b − r̄)² − σ_b²)/n)/r̄`; 0 if noise explains the variance.
    pub rms: ValueWithError,
    /// Fractional rms of the first `nharm` harmonics, `√(Σ_h (a_h² + b_h² − noise)/2)/r̄` with the Fourier amplitudes
    /// `a_h`, `b_h`.
    pub fourier: ValueWithError,
}

/// The pulsed fractions of a profile with rates `rate` and standard errors `error`, the fourth from `nharm` harmonics.
/// Bins whose rate is not finite (no exposure) are left out.
pub fn pulsed_fractions(rate: &[f64], error: &[f64], nharm: usize) -> PulsedFractions {
    let bins = rate.iter().zip(error).enumerate().filter(|(_, (r, s))| r.is_finite() && s.is_finite());
    let bins: Vec<(usize, f64, f64)> = bins.map(|(b, (&r, &s))| (b, r, s)).collect();
    let n = bins.len() as f64;
    let total: f64 = bins.iter().map(|(_, r, _)| r).sum();
    let (Some(low), Some(high)) =
        (bins.iter().min_by(|a, b| a.1.total_cmp(&b.1)), bins.iter().max_by(|a, b| a.1.total_cmp(&b.1)))
    else {
        return PulsedFractions::default();
    };
    let (mean, sum) = (total / n, high.1 + low.1);
    let minmax = ValueWithError {
        value: (high.1 - low.1) / sum,
        error: 2.0 / (sum * sum) * ((low.1 * high.2).powi(2) + (high.1 * low.2).powi(2)).sqrt(),
    };
    let slope = |b: usize| n * low.1 / (total * total) - if b == low.0 { n / total } else { 0.0 };
    let area = ValueWithError {
        value: 1.0 - n * low.1 / total,
        error: bins.iter().map(|&(b, _, s)| (slope(b) * s).powi(2)).sum::<f64>().sqrt(),
    };
    let variance = bins.iter().map(|(_, r, s)| (r - mean).powi(2) - s * s).sum::<f64>() / n;
    let spread: f64 = bins.iter().map(|(_, r, s)| 2.0 * s.powi(4) + 4.0 * s * s * (r - mean).powi(2)).sum();
    let rms = root(variance, spread.sqrt() / n, mean);
    let (mut power, mut spread) = (0.0, 0.0);
    for h in 1..=nharm.min((rate.len() - 1) / 2) {
        let angle = |b: usize| TAU * h as f64 * (b as f64 + 0.5) / rate.len() as f64;
        let amplitude =
            |f: fn(f64) -> f64| 2.0 / n * bins.iter().map(|&(b, r, _)| (r - mean) * f(angle(b))).sum::<f64>();
        let noise = 2.0 / (n * n) * bins.iter().map(|(_, _, s)| s * s).sum::<f64>();
        let squared = amplitude(f64::cos).powi(2) + amplitude(f64::sin).powi(2);
        power += 0.5 * (squared - 2.0 * noise);
        spread += noise * (squared - noise).max(noise);
    }
    PulsedFractions { minmax, area, rms, fourier: root(power, spread.sqrt(), mean) }
}

/// The root of a variance with its error, of the mean; where the variance is not positive, 0 with the error of what it could be.
fn root(variance: f64, error: f64, mean: f64) -> ValueWithError {
    let value = variance.max(0.0).sqrt();
    // Of small variances the linear law is none: the root is within that of the error.
    let linear = error / (2.0 * value.max(f64::MIN_POSITIVE));
    ValueWithError { value: value / mean, error: linear.min(error.sqrt()) / mean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn a_sinusoid_has_the_fractions_that_the_definitions_say() {
        let rate: Vec<f64> = (0..64).map(|b| 10.0 * (1.0 + 0.3 * (TAU * (f64::from(b) + 0.5) / 64.0).sin())).collect();
        let f = pulsed_fractions(&rate, &[1e-6; 64], 4);
        for (found, expected) in
            [(f.minmax, 0.3), (f.area, 0.3), (f.rms, 0.3 / 2f64.sqrt()), (f.fourier, 0.3 / 2f64.sqrt())]
        {
            assert!((found.value - expected).abs() < 1e-3 && found.error < 1e-5, "{f:?}");
        }
        let flat = pulsed_fractions(&[5.0; 10], &[1.0; 10], 2);
        assert_eq!((flat.rms.value, flat.fourier.value, flat.minmax.value), (0.0, 0.0, 0.0));
        assert!(flat.rms.error > 0.0);
        assert_eq!(pulsed_fractions(&[f64::NAN], &[1.0], 2), PulsedFractions::default());
    }

    /// Scatter of the estimates of 1000 noisy profiles against the errors they state; no bias of the last two.
    #[test]
    fn errors_are_those_of_simulated_profiles() {
        let (mut random, mut all) = (Random::new(9), Vec::new());
        for _ in 0..1000 {
            let sigma = 0.5;
            let rate: Vec<f64> = (0..32)
                .map(|b| 10.0 * (1.0 + 0.3 * (TAU * (f64::from(b) + 0.5) / 32.0).sin()) + sigma * random.normal())
                .collect();
            all.push(pulsed_fractions(&rate, &[sigma; 32], 2));
        }
        for (name, of, bias) in [
            ("rms", (|f: &PulsedFractions| f.rms) as fn(&PulsedFractions) -> ValueWithError, 0.1),
            ("fourier", |f| f.fourier, 0.1),
            ("minmax", |f| f.minmax, f64::INFINITY),
            ("area", |f| f.area, f64::INFINITY),
        ] {
            let n = all.len() as f64;
            let mean = all.iter().map(|f| of(f).value).sum::<f64>() / n;
            let scatter = (all.iter().map(|f| (of(f).value - mean).powi(2)).sum::<f64>() / n).sqrt();
            let stated = all.iter().map(|f| of(f).error).sum::<f64>() / n;
            assert!((mean - 0.3 / 2f64.sqrt()).abs() < bias * scatter, "{name}: mean {mean}, scatter {scatter}");
            // The largest and the smallest of many bins scatter less than one bin.
            let least = if bias.is_finite() { 0.9 } else { 0.4 };
            assert!(scatter / stated > least && scatter / stated < 1.1, "{name}: scatter {scatter}, stated {stated}");
        }
    }
}
