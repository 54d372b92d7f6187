//! Variability in a band of frequencies: the fractional rms, noise subtracted.
//!
//! With the power `P_i` of bin `i` in the fractional normalisation, the noise level `n_i`, and `Δ_i` the part of the bin's width
//! that lies in the band,
//!
//! ```text
//! variance  V = Σ (P_i − n_i)·Δ_i          signed: noise may scatter it below zero
//! error    δV = √(Σ P_i²Δ_i²/(m_i) + (Σ δn_i·Δ_i)²)     m_i values in bin i, W = ΣΔ_i, δn the error of a fitted noise level
//! rms       s = √V,  δs = δV/(2s)          where V > 0
//! ```
//!
//! (van der Klis 1989, in "Timing Neutron Stars"; Vaughan et al. 2003, doi:10.1046/j.1365-2966.2003.07042.x). A band inside
//! one bin has that part of the bin's variance which is its part of the width. Powers of other normalisations are brought to the
//! fractional one first, so that s is the same for all: `s = σ/(r − r_b)`, without unit. Times the source's rate it is absolute.
//!
//! Segments of unlike rates `r_i`, in which the source has the fractional rms `s_i`, count by the squares of their rates with the common mean, `s² = Σs_i²r_i²/(m⟨r⟩²)`: of a
//! constant `s_i` it is `√⟨r²⟩/⟨r⟩ = √(m/m_eff)` times that. With means of their own ([`PowerOptions::use_common_mean`](super::PowerOptions::use_common_mean)) they count
//! alike in the fractional normalisation, `s² = ⟨s_i²⟩`, and by their rates in the others, `s² = Σs_i²r_i/(m⟨r⟩)`. The rms of energy spectra is that of the common mean.
//!
//! Few photons do no harm. Of `|F|² = N + Σ_{i≠j}`, the fluctuation of N is common to all frequencies, and in the noise level,
//! which comes from the same photons; what is left has exactly the variance of the exponential law, even with one photon a
//! segment. Not in δV: the error of the mean rate, `2V/√(photons)`. Not corrected: what binning takes, `sinc²(πf·dt)`.
//!
//! Dead time does two things. It lowers the noise, so that Poisson's level gives too small a variance and too low a limit: use
//! [`NoiseLevel::DeadTime`](super::NoiseLevel::DeadTime), or a fitted level. And it takes from the signal: detectors that are
//! dead for τ after each of the r events/s that they record show a slow, weak signal with `s = s₀·(1 − rτ)`, in general
//! with `s = s₀·√(response(f))` ([`DeadTimeModel::response`](super::DeadTimeModel::response)). s and its limit are those of the
//! recorded events; divided by that factor (`dead_time_rms_factor` in the metadata), they are those of the source.
//!
//! The upper limit, of [`LIMIT_CONFIDENCE`], holds for a stochastic signal. The mean power in the band over its expectation `T` is χ²/ν
//! with `ν = 2T̄²W²/δV²` degrees of freedom (Welch 1947, doi:10.1093/biomet/34.1-2.28); the scale `T` has its invariant prior `1/T`,
//! and cannot be below the noise. So the limit is never negative, whatever was observed, and covers at least as often as said.

use super::power::{AveragedPowerSpectrum, PowerScale};
pub use super::power_bands::LIMIT_CONFIDENCE;
use super::power_bins::PowerBin;
use crate::base::error::{Error, Result};
use crate::numerics::chi_square;

pub use super::power_bands::BandRms;

/// Below this many standard errors a variance is given an upper limit, too.
const DETECTED_SIGMAS: f64 = 3.0;

impl AveragedPowerSpectrum {
    /// The fractional rms between `lo` and `hi` Hz, of the values at original frequencies where the spectrum has them, else of its
    /// bins. Those that are partly inside the band count in part. A file has the bins alone: of a spectrum that was rebinned before it was
    /// written the error is too small where the power is uneven inside bins. The error is that of noise; a coherent pulsation has a
    /// smaller one ([`PulseProfile`](crate::pulsation::PulseProfile) gives its fraction).
    ///
    /// # Errors
    /// The spectrum has no bin in the band; the rate of the source cannot be told from 0.
    pub fn rms(&self, lo: f64, hi: f64) -> Result<BandRms> {
        self.check_source("rms", [lo, hi])?;
        band_rms(self.finest_bins(), [lo, hi], &self.meta.scale).ok_or_else(|| {
            let ends = match (self.freq.first(), self.freq.last()) {
                (Some(first), Some(last)) => format!("{first} to {last} Hz"),
                _ => "no frequency".into(),
            };
            Error::argument("rms", format!("{lo}:{hi}"), format!("the spectrum has {ends}"))
        })
    }
}

/// The fractional rms of bins between two frequencies, Hz; `None` if none of them is there.
pub(crate) fn band_rms(
    bins: impl Iterator<Item = PowerBin>,
    [lo, hi]: [f64; 2],
    scale: &PowerScale,
) -> Option<BandRms> {
    let (mut width, mut total, mut squares) = (0.0, 0.0, 0.0);
    let (mut noise, mut noise_err) = (0.0, 0.0);
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for bin in bins {
        let half = 0.5 * bin.width;
        let (a, b) = ((bin.freq - half).max(lo), (bin.freq + half).min(hi));
        if b > a {
            let part = bin.total * (b - a);
            width += b - a;
            total += part;
            squares += (bin.err * (b - a)).powi(2);
            noise += bin.noise * (b - a);
            noise_err += bin.noise_err * (b - a);
            (from, to) = (from.min(a), to.max(b));
        }
    }
    if width == 0.0 {
        return None;
    }
    let error2 = squares + noise_err * noise_err;
    let variance = (total - noise) * scale.frac;
    let variance_err = error2.sqrt() * scale.frac;
    let rms = (variance > 0.0).then(|| variance.sqrt());
    let limit = || {
        let dof = 2.0 * total * total / error2;
        let below_noise = chi_square::ln_cdf(dof * total / noise, dof);
        let highest = dof * total / chi_square::ln_ppf((1.0 - LIMIT_CONFIDENCE).ln() + below_noise, dof);
        Some(((highest - noise) * scale.frac).sqrt()).filter(|limit| limit.is_finite())
    };
    // A level that is too high leaves no room for a source: such a variance is none, and says nothing of its limit.
    let fits = variance > -DETECTED_SIGMAS * variance_err;
    Some(BandRms {
        band: [from, to],
        rms,
        rms_err: rms.map(|rms| variance_err / (2.0 * rms)),
        rms_abs: rms.map(|rms| rms * scale.source_rate),
        rms_upper_limit: if fits && variance < DETECTED_SIGMAS * variance_err { limit() } else { None },
        rms_variance: variance,
        rms_variance_err: variance_err,
    })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::base::sums::{SeriesSums, Sums};
    use crate::science::context::SpectrumContext;
    use crate::science::power::PowerOptions;
    use crate::science::{NoiseLevel, Norm, Rebin};

    /// 100 photons in segments of 16 bins of 0.25 s: 7 frequencies, 0.25 Hz apart; 25 counts/s, 5 of them background.
    fn spectrum(power: &[f64], segments: u64, options: &PowerOptions) -> AveragedPowerSpectrum {
        let n = 2 * power.len() + 2;
        let sums = Sums {
            power: power.iter().map(|p| p * segments as f64).collect(),
            segments,
            series: vec![SeriesSums { photons: 100 * segments, ..SeriesSums::default() }],
            ..Sums::default()
        };
        let context = SpectrumContext { n, dt: 4.0 / n as f64, segment_size: 4.0, ..SpectrumContext::default() };
        AveragedPowerSpectrum::new(&sums, false, options, context).unwrap()
    }

    #[test]
    fn bins_count_by_the_part_that_is_inside_in_every_norm() {
        // Noise 100, so powers above it of 50, 0, 300, 100, 0, 0, 0 in bins around 0.25, 0.5, … Hz.
        let power = [150.0, 100.0, 400.0, 200.0, 100.0, 100.0, 100.0];
        // Fractional: 2·P·dt/((μ − b)²n) = 2P/(T·(r − r_b)²) = 2P/(4·20²), T the segment's length.
        let unit = 2.0 / (4.0 * 400.0);
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            for subtract_noise in [false, true] {
                let options = PowerOptions { norm, subtract_noise, background: 5.0, ..PowerOptions::default() };
                let s = spectrum(&power, 50, &options);
                for (lo, hi, area) in [
                    (0.0, 9.0, 450.0 * 0.25),
                    (0.625, 0.875, 300.0 * 0.25),
                    // Inside one bin: its part, not the whole bin, and not nothing.
                    (0.7, 0.75, 300.0 * 0.05),
                    // Half of one bin and a quarter of the next.
                    (0.75, 0.9375, 300.0 * 0.125 + 100.0 * 0.0625),
                    (1.2, 1.7, 0.0),
                ] {
                    let r = s.rms(lo, hi).unwrap();
                    assert!((r.rms_variance - area * unit).abs() < 1e-15, "{norm} {lo}:{hi}: {r:?}");
                    match r.rms {
                        Some(rms) => assert!((rms * rms - area * unit).abs() < 1e-15 && r.rms_abs == Some(rms * 20.0)),
                        None => assert!(area == 0.0),
                    }
                }
                let one = s.rms(0.7, 0.75).unwrap();
                assert!((one.rms_variance_err / (400.0 * 0.05 * unit / 50f64.sqrt()) - 1.0).abs() < 1e-12);
                assert!((one.rms_err.unwrap() - one.rms_variance_err / 2.0 / one.rms.unwrap()).abs() < 1e-16);
                assert_eq!(s.rms(0.0, 0.5).unwrap().band, [0.125, 0.5]);
            }
        }
    }

    #[test]
    fn rebinning_changes_no_variance() {
        let power = [150.0, 120.0, 400.0, 200.0, 100.0, 130.0, 90.0];
        let plain = spectrum(&power, 10, &PowerOptions::default()).rms(0.0, 9.0).unwrap();
        for rebin in [Rebin::Linear(3), Rebin::Geometric(0.5)] {
            let r = spectrum(&power, 10, &PowerOptions { rebin, ..PowerOptions::default() }).rms(0.0, 9.0).unwrap();
            assert!((r.rms_variance / plain.rms_variance - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_band_elsewhere_is_an_error_and_powers_of_nothing_have_no_limit() {
        let s = spectrum(&[100.0; 7], 10, &PowerOptions::default());
        assert!(s.rms(5.0, 9.0).unwrap_err().to_string().contains("0.25 to 1.75 Hz"));
        let nothing = spectrum(&[0.0; 7], 10, &PowerOptions::default()).rms(0.0, 9.0).unwrap();
        assert_eq!((nothing.rms, nothing.rms_upper_limit), (None, None));
    }

    /// With the scale's posterior, χ² truncated at the noise: the limit leaves 5 % of it above, however low the powers were.
    #[test]
    fn limits_leave_5_percent_of_the_posterior() {
        for power in [92.0, 100.0, 101.0] {
            // 40 frequencies of 20 segments; noise 100.
            let s = spectrum(&[power; 40], 20, &PowerOptions::default());
            let r = s.rms(0.0, 20.0).unwrap();
            // In units of fractional power: 2P/(T·r²), over 10 Hz.
            let unit = 2.0 / (4.0 * 625.0) * 10.0;
            let highest = r.rms_upper_limit.unwrap().powi(2) / unit + 100.0;
            let dof = 2.0 * 40.0 * 20.0;
            let below = |expected: f64| chi_square::ln_cdf(dof * power / expected, dof);
            assert!(((below(highest) - below(100.0)).exp() - 0.05).abs() < 1e-9, "{power}: {highest}");
            assert_eq!(r.rms.is_some(), power > 100.0);
        }
    }

    /// A variance that is significantly negative is a noise level that does not fit: neither a value nor a limit.
    #[test]
    fn variances_far_below_zero_limit_nothing() {
        let s = spectrum(&[78.0; 40], 20, &PowerOptions::default());
        let r = s.rms(0.0, 20.0).unwrap();
        assert!(r.rms_variance < -4.0 * r.rms_variance_err && r.rms.is_none() && r.rms_upper_limit.is_none(), "{r:?}");
        assert!(r.to_string().contains("whose noise level does not fit"), "{r}");
        assert!(s.meta.record.warnings.iter().any(|w| w.code == "W-NOISE-LEVEL"), "{:?}", s.meta.record.warnings);
    }

    /// Powers that differ inside bins: variance and error are those of the original frequencies, and so are the errors of the table.
    #[test]
    fn errors_do_not_depend_on_the_bins() {
        let power: Vec<f64> = (1..=60).map(|k| 100.0 + if k == 30 { 5000.0 } else { 300.0 / f64::from(k) }).collect();
        let plain = spectrum(&power, 50, &PowerOptions::default());
        let whole = |s: &AveragedPowerSpectrum| s.rms(0.0, 15.125).unwrap();
        for rebin in [Rebin::Linear(7), Rebin::Linear(60), Rebin::Geometric(0.3)] {
            let s = spectrum(&power, 50, &PowerOptions { rebin, ..PowerOptions::default() });
            assert_eq!(whole(&s), whole(&plain), "{rebin:?}");
            // Of a file the bins are known alone: their errors hold the whole.
            let read = AveragedPowerSpectrum { original: None, ..s };
            let (a, b) = (whole(&read), whole(&plain));
            assert!((a.rms_variance / b.rms_variance - 1.0).abs() < 1e-12, "{rebin:?}");
            assert!((a.rms_variance_err / b.rms_variance_err - 1.0).abs() < 1e-12, "{rebin:?}: {a:?} {b:?}");
        }
    }

    /// Powers of an exponential law around `expected`, averaged over `segments`.
    fn scatter(expected: &[f64], segments: u64, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let mut one = || -(((rng.next_u64() >> 11) as f64 + 1.0) / (1u64 << 53) as f64).ln();
        let mean = |e: &f64| e * (0..segments).map(|_| one()).sum::<f64>() / segments as f64;
        expected.iter().map(mean).collect()
    }

    /// Variance, error and limits over many simulated spectra: unbiased, covering as often as said.
    #[test]
    fn errors_cover_68_percent_and_limits_95() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let flat = [100.0; 40];
        let red: Vec<f64> = (1..=40).map(|k| 100.0 + 400.0 / f64::from(k)).collect();
        let weak: Vec<f64> = (1..=40).map(|k| 100.0 + 10.0 / f64::from(k)).collect();
        for (name, expected, noise) in [
            ("noise", &flat[..], NoiseLevel::Poisson),
            ("red", &red[..], NoiseLevel::Poisson),
            ("weak", &weak[..], NoiseLevel::Poisson),
            ("fitted", &weak[..], NoiseLevel::Band(7.6, 11.0)),
        ] {
            let options = PowerOptions { noise, ..PowerOptions::default() };
            let truth = spectrum(expected, 1, &options).rms(0.0, 7.5).unwrap();
            let (runs, mut inside, mut below, mut limits, mut sum, mut error) = (2000, 0, 0, 0, 0.0, 0.0);
            for _ in 0..runs {
                let r = spectrum(&scatter(expected, 20, &mut rng), 20, &options).rms(0.0, 7.5).unwrap();
                sum += r.rms_variance;
                error += r.rms_variance_err;
                inside += u32::from((r.rms_variance - truth.rms_variance).abs() < r.rms_variance_err);
                if let Some(limit) = r.rms_upper_limit {
                    limits += 1;
                    below += u32::from(limit * limit < truth.rms_variance);
                }
            }
            let runs = f64::from(runs);
            let bias = (sum / runs - truth.rms_variance) / (error / runs) * runs.sqrt();
            assert!(bias.abs() < 4.0, "{name}: biased by {bias} standard errors");
            let covered = f64::from(inside) / runs;
            assert!((covered - 0.6827).abs() < 0.035, "{name}: errors cover {covered}");
            assert!(f64::from(below) <= 0.065 * runs, "{name}: {below} limits below the truth");
            assert_eq!(name == "red", limits == 0, "{name}: {limits}");
        }
    }
}
