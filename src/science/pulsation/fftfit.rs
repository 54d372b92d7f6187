//! Shifts of profiles against a template by their Fourier coefficients (FFTFIT: Taylor 1992, doi:10.1098/rsta.1992.0088).
//!
//! A profile is taken to be `a + b·T(φ − τ)` with noise, `T` the template. With the coefficients `P_k` and `S_k` of both, the shift τ
//! makes `C(τ) = Re Σ_k P_k·conj(S_k)·exp(2πi·k·τ)` the largest, `k = 1 … harmonics` (his equation A7), and `b = C/Σ|S_k|²` (A9).
//! Errors are those of the bins, propagated through C: `σ_τ = √(Σ_j v_j·w_j²)/|C″|` with `v_j` the variance of bin j and `w_j` what it
//! weighs in C′. Where all bins have one variance that is his A10; pulses brighter than the background have not.

use std::f64::consts::TAU;

use rustfft::num_complex::Complex;

use crate::base::error::{Error, Result};
use crate::science::statistics::pulse::{H_HARMONICS, RootsOfUnity, h_of_z2, sums_of_profile, z2_of_sums};

/// Places where the largest C is looked for, to a cycle of the highest harmonic.
const PLACES: usize = 16;

/// The shape that pulse profiles are compared with.
#[derive(Clone, Debug)]
pub struct PulseTemplate {
    nbin: usize,
    /// Coefficients of the harmonics from the first on.
    harmonics: Vec<Complex<f64>>,
}

/// The shift of a profile against a template.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProfileShift {
    /// Phase by which the profile is later than the template, cycles from −½ to ½.
    pub shift: f64,
    /// Standard error of `shift`, cycles.
    pub shift_err: f64,
    /// Height of the profile relative to that of the template.
    pub scale: f64,
    /// Standard error of `scale`.
    pub scale_err: f64,
}

/// `exp(2πi·k·(place + ½)/n)`.
fn root(k: usize, place: f64, n: usize) -> Complex<f64> {
    Complex::cis(TAU * (k as f64 * (place + 0.5) / n as f64).fract())
}

impl PulseTemplate {
    /// The template `cos 2πφ` with `nbin` bins; its maximum is at phase 0.
    pub fn sinusoid(nbin: usize) -> PulseTemplate {
        PulseTemplate { nbin, harmonics: vec![Complex::new(0.5 * nbin as f64, 0.0)] }
    }

    /// A template made from an observed profile. Only as many harmonics are kept as maximise the H test; higher ones
    /// are noise, which would bias the shifts if the profile is part of the data.
    ///
    /// # Errors
    /// Fewer than 3 bins, a bin without a rate, `counts` and `rate` of different lengths, or a flat profile.
    pub fn from_profile(counts: &[u64], rate: &[f64]) -> Result<PulseTemplate> {
        let nbin = rate.len();
        let refuse = |message: &str| Err(Error::argument("template", format!("{nbin} bins"), message));
        if nbin < 3 || counts.len() != nbin {
            return refuse("must have 3 or more, each with its counts and rate");
        }
        if !rate.iter().all(|r| r.is_finite()) {
            return refuse("some have no exposure, hence no rate");
        }
        let whole: Vec<u32> = counts.iter().map(|&c| u32::try_from(c).unwrap_or(u32::MAX)).collect();
        let most = H_HARMONICS.min((nbin - 1) / 2);
        let total: f64 = counts.iter().map(|&c| c as f64).sum();
        let (_, kept) = h_of_z2(&z2_of_sums(&sums_of_profile(&whole, most, &RootsOfUnity::new(nbin)), [total; 2], &[]));
        let template = PulseTemplate { nbin, harmonics: coefficients(rate, kept.max(1)) };
        // What rounding leaves of a flat one is no pulse.
        let least = 1e-12 * rate.iter().sum::<f64>();
        match template.power() > least * least {
            true => Ok(template),
            false => refuse("all have the same rate, so there is no pulse to compare with"),
        }
    }

    /// Number of bins that profiles must have.
    pub fn nbin(&self) -> usize {
        self.nbin
    }

    /// Number of harmonics that the template has.
    pub fn harmonics(&self) -> usize {
        self.harmonics.len()
    }

    fn power(&self) -> f64 {
        self.harmonics.iter().map(|s| s.norm_sqr()).sum()
    }

    /// The shift of a profile with rates `rate` and variances `variance`. `None` if a value is not finite, if there are
    /// not as many bins as in the template, or if the profile has no signal.
    pub fn shift(&self, rate: &[f64], variance: &[f64]) -> Option<ProfileShift> {
        let usable = rate.iter().chain(variance).all(|x| x.is_finite());
        if !usable || rate.len() != self.nbin || variance.len() != self.nbin {
            return None;
        }
        let products: Vec<Complex<f64>> =
            coefficients(rate, self.harmonics()).iter().zip(&self.harmonics).map(|(p, s)| p * s.conj()).collect();
        // C and its first two derivatives by 2πτ.
        let at = |tau: f64| {
            let terms = products
                .iter()
                .enumerate()
                .map(|(i, x)| ((i + 1) as f64, x * Complex::cis(TAU * (i + 1) as f64 * tau)));
            terms.fold([0.0; 3], |[c, d, dd], (k, x)| [c + x.re, d - k * x.im, dd - k * k * x.re])
        };
        let places = PLACES * self.harmonics();
        let step = 1.0 / places as f64;
        let place = (0..places).map(|i| i as f64 * step).max_by(|a, b| at(*a)[0].total_cmp(&at(*b)[0]))?;
        // The slope changes its sign once around the largest of so many places.
        let (mut lo, mut hi) = (place - step, place + step);
        for _ in 0..60 {
            let middle = 0.5 * (lo + hi);
            if at(middle)[1] > 0.0 { lo = middle } else { hi = middle }
        }
        let tau = 0.5 * (lo + hi);
        let [c, _, bend] = at(tau);
        if !(c > 0.0 && bend < 0.0) {
            return None;
        }
        let (mut of_slope, mut of_c) = (0.0, 0.0);
        for (j, v) in variance.iter().enumerate() {
            let weights = self.harmonics.iter().enumerate().map(|(i, s)| {
                let k = i + 1;
                (k as f64, s.conj() * root(k, j as f64, self.nbin).conj() * Complex::cis(TAU * k as f64 * tau))
            });
            let (slope, value) = weights.fold((0.0, 0.0), |(d, c), (k, w)| (d - k * w.im, c + w.re));
            of_slope += v * slope * slope;
            of_c += v * value * value;
        }
        Some(ProfileShift {
            shift: tau - tau.round(),
            shift_err: of_slope.sqrt() / -bend / TAU,
            scale: c / self.power(),
            scale_err: of_c.sqrt() / self.power(),
        })
    }
}

/// `Σ_j p_j·exp(−2πi·k·(j + ½)/n)` for `k = 1 … harmonics`.
fn coefficients(profile: &[f64], harmonics: usize) -> Vec<Complex<f64>> {
    let n = profile.len();
    let one = |k: usize| profile.iter().enumerate().map(|(j, p)| root(k, j as f64, n).conj() * p).sum();
    (1..=harmonics).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates of a pulse of three harmonics at phase `at`.
    fn pulse(nbin: usize, at: f64) -> Vec<f64> {
        let rate = |j: usize| {
            let x = TAU * ((j as f64 + 0.5) / nbin as f64 - at);
            7.0 + 3.0 * x.cos() + 1.5 * (2.0 * x + 0.4).cos() + 0.5 * (3.0 * x - 1.0).cos()
        };
        (0..nbin).map(rate).collect()
    }

    #[test]
    fn shifts_without_noise_are_exact() {
        let rate = pulse(24, 0.2);
        let counts: Vec<u64> = rate.iter().map(|r| (1e4 * r) as u64).collect();
        let template = PulseTemplate::from_profile(&counts, &rate).unwrap();
        assert!((3..=11).contains(&template.harmonics()), "{}", template.harmonics());
        for i in -20..20 {
            let by = f64::from(i) / 40.0;
            let shifted: Vec<f64> = pulse(24, 0.2 + by).iter().map(|r| 5.0 + 0.3 * r).collect();
            let found = template.shift(&shifted, &[0.01; 24]).unwrap();
            let apart = found.shift - by;
            assert!((apart - apart.round()).abs() < 1e-12 && (found.scale - 0.3).abs() < 1e-12, "{found:?} {by}");
            // Taylor's A10, all variances alike: σ² = n·v/(2·b·Σ(2πk)²|S_k|²)·…, in our units.
            let sum: f64 =
                template.harmonics.iter().zip(1..).map(|(s, k)| (TAU * f64::from(k)).powi(2) * s.norm_sqr()).sum();
            let expected = (24.0 * 0.01 / (2.0 * 0.3 * 0.3 * sum)).sqrt();
            assert!((found.shift_err / expected - 1.0).abs() < 1e-9, "{found:?} {expected}");
            let expected = (24.0 * 0.01 / (2.0 * template.power())).sqrt();
            assert!((found.scale_err / expected - 1.0).abs() < 1e-9, "{found:?} {expected}");
        }
        let cosine: Vec<f64> = (0..24).map(|j| 2.0 + (TAU * ((f64::from(j) + 0.5) / 24.0 - 0.3)).cos()).collect();
        let found = PulseTemplate::sinusoid(24).shift(&cosine, &[1.0; 24]).unwrap();
        assert!((found.shift - 0.3).abs() < 1e-12 && (found.scale - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn what_has_no_shift_has_none() {
        let template = PulseTemplate::sinusoid(8);
        assert!(template.shift(&[1.0; 8], &[1.0; 8]).is_none_or(|s| s.scale < 1e-15));
        assert_eq!(template.shift(&[1.0; 7], &[1.0; 7]), None);
        assert_eq!(template.shift(&[f64::NAN; 8], &[1.0; 8]), None);
        assert!(PulseTemplate::from_profile(&[5; 8], &[5.0; 8]).is_err_and(|e| e.to_string().contains("no pulse")));
        assert!(PulseTemplate::from_profile(&[5; 2], &[5.0; 2]).is_err());
        assert!(PulseTemplate::from_profile(&[0, 5, 2], &[f64::NAN, 5.0, 2.0]).is_err());
    }
}
