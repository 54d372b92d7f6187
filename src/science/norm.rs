//! Normalisations of power and their noise levels.
//!
//! `μ = N/n` counts a bin, `b` background counts a bin, `r, r_b` the rates, `σ²` the mean squared error of a bin:
//!
//! | norm | power | Poisson noise | noise of a series with errors σ |
//! |---|---|---|---|
//! | `none` | P | N | nσ² |
//! | `leahy` | 2P/N (with errors 2P/(σ²n)) | 2 | 2 |
//! | `frac` | 2P·dt/((μ−b)²n) | 2r/(r−r_b)² | 2σ²dt/(μ−b)² |
//! | `abs` | 2P/(n·dt) | 2r | 2σ²/dt |
//!
//! Sources: Leahy et al. 1983 (doi:10.1086/160766); Belloni & Hasinger 1990; Miyamoto et al. 1991; Vaughan et al. 2003
//! (doi:10.1046/j.1365-2966.2003.07042.x).

use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;

/// Standard errors that a value must be above 0 for a ratio to it to be a value: a ratio to what may be 0 has no expectation.
pub const SIGNIFICANT: f64 = 3.0;

/// Normalisation of a power spectrum. With `P = |F|²` of segments of `n` bins of `dt` seconds with `N` photons; the
/// table in the [module](self) has all formulas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Leahy's: `2P/N`; no unit; Poisson noise is 2.
    #[default]
    Leahy,
    /// Fractional: (rms/mean)²/Hz, with the background subtracted from the mean.
    Frac,
    /// Absolute: `2P/(n·dt)`; rms² in (counts/s)²/Hz; Poisson noise is twice the rate.
    Abs,
    /// `P = |F|²` itself; Poisson noise is `N`.
    None,
}

choice!(Norm, "norm": Leahy = "leahy", Frac = "frac", Abs = "abs", None = "none");

/// The numbers that a normalisation depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormParameters {
    /// Number of bins in a segment.
    pub n: usize,
    /// Bin width, s.
    pub dt: f64,
    /// Mean counts a bin, μ.
    pub mean: f64,
    /// Mean background counts a bin, b.
    pub background: f64,
    /// Mean squared error of a bin, σ²; `None` for Poisson counts.
    pub variance: Option<f64>,
}

impl NormParameters {
    /// Standard error of the mean of `bins` bins. `power` is the mean raw power `|F|²` of a series whose noise may be any: without
    /// errors of its own, it has the scatter `P/n` of that. As that may be the source's, a [`SIGNIFICANT`]th part is taken, so that a mean
    /// must be above one whole error. Of photons (`None`) what matters is the error of the background in them.
    pub(crate) fn mean_err(&self, bins: f64, power: Option<f64>) -> f64 {
        let of_bin = power.map_or(self.background, |power| power / self.n as f64 / SIGNIFICANT.powi(2));
        (self.variance.unwrap_or(of_bin) / bins).sqrt()
    }
}

impl Norm {
    /// Unit of powers, in the notation of the FITS standard; empty for pure numbers.
    pub fn unit(self) -> &'static str {
        match self {
            Norm::Frac => "Hz-1",
            Norm::Abs => "ct2 s-2 Hz-1",
            Norm::Leahy | Norm::None => "",
        }
    }

    /// Factor that turns raw power `|F|²` into power of this normalisation.
    pub fn factor(self, level: &NormParameters) -> f64 {
        let n = level.n as f64;
        let source = level.mean - level.background;
        match self {
            Norm::None => 1.0,
            Norm::Leahy => 2.0 / (level.variance.unwrap_or(level.mean) * n),
            Norm::Frac => 2.0 * level.dt / (source * source * n),
            Norm::Abs => 2.0 / (n * level.dt),
        }
    }

    /// Poisson noise level in this normalisation, or the level that follows from the errors `σ`: the table in the
    /// [module](self). Without errors a mean below 0 is none of counts: its level is 0.
    pub fn noise(self, level: &NormParameters) -> f64 {
        // The variance of a bin of Poisson counts is its mean; its unnormalised noise power is n of them.
        level.variance.unwrap_or(level.mean.max(0.0)) * level.n as f64 * self.factor(level)
    }

    /// Why powers cannot have this normalisation: it divides by a mean that is not above 0 by [`SIGNIFICANT`] of its standard
    /// errors, `err`, counts a bin.
    pub(crate) fn refusal(self, level: &NormParameters, err: f64) -> Option<String> {
        let mean = match self {
            Norm::Frac => level.mean - level.background,
            Norm::Leahy if level.variance.is_none() => level.mean,
            _ => return None,
        };
        let usable = mean > SIGNIFICANT * err && self.factor(level).is_finite();
        (!usable).then(|| {
            let (mean, err) = (ShortNumber(mean), ShortNumber(err));
            format!(
                "the mean of the source, {mean} ± {err} counts a bin, cannot be told from 0, and this divides by it"
            )
        })
    }

    /// Checks that powers can have this normalisation.
    ///
    /// # Errors
    /// [`Norm::refusal`], with the normalisations that mend it.
    pub(crate) fn check(self, level: &NormParameters, err: f64) -> Result<()> {
        let Some(message) = self.refusal(level, err) else { return Ok(()) };
        let others = [Norm::Leahy, Norm::Abs].into_iter().filter(|norm| norm.refusal(level, err).is_none());
        Err(Error::argument("norm", self, message).mended_by(others.map(|norm| Mend::set("norm", norm))))
    }

    /// Exponent `p` of the weights `N^−p` that normalise each segment by its own photons; 0 if no weights are needed.
    pub fn weight_exponent(self) -> u32 {
        match self {
            Norm::Leahy => 1,
            Norm::Frac => 2,
            Norm::Abs | Norm::None => 0,
        }
    }

    /// Factor that turns a sum of powers weighted by `N^−p` into power of this normalisation.
    pub fn weighted_factor(self, n: usize, dt: f64) -> f64 {
        // With N in place of μ·n: the factor of a segment of one photon.
        self.factor(&NormParameters { n, dt, mean: 1.0 / n as f64, background: 0.0, variance: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_levels_are_those_of_the_table() {
        let (n, dt, mean, background) = (1024, 0.25, 3.0, 0.5);
        let poisson = NormParameters { n, dt, mean, background, variance: None };
        let (r, rb) = (mean / dt, background / dt);
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-14, "{a} {b}");
        close(Norm::None.noise(&poisson), mean * n as f64);
        close(Norm::Leahy.noise(&poisson), 2.0);
        close(Norm::Frac.noise(&poisson), 2.0 * r / (r - rb).powi(2));
        close(Norm::Abs.noise(&poisson), 2.0 * r);
        let variance = 0.7;
        let series = NormParameters { variance: Some(variance), ..poisson };
        close(Norm::None.noise(&series), n as f64 * variance);
        close(Norm::Leahy.noise(&series), 2.0);
        close(Norm::Frac.noise(&series), 2.0 * variance * dt / (mean - background).powi(2));
        close(Norm::Abs.noise(&series), 2.0 * variance / dt);
    }

    #[test]
    fn means_that_may_be_0_divide_nothing() {
        let level =
            |mean: f64, background: f64, variance| NormParameters { n: 100, dt: 0.5, mean, background, variance };
        let mends = |norm: Norm, level: NormParameters, err: f64| match norm.check(&level, err) {
            Ok(()) => "ok".to_string(),
            Err(e) => e.to_string(),
        };
        for (norm, level, err, says) in [
            (Norm::Frac, level(1.0, 0.0, Some(4.0)), 0.5, "norm = leahy, norm = abs"),
            (Norm::Frac, level(-1.0, 0.0, Some(4.0)), 0.01, "norm = leahy, norm = abs"),
            (Norm::Frac, level(1.0, 0.9, None), 0.05, "norm = leahy, norm = abs"),
            (Norm::Frac, level(1e-17, 0.0, None), 0.01, "mends it: norm = abs"),
            (Norm::Leahy, level(-1.0, 0.0, None), 0.01, "mends it: norm = abs"),
            (Norm::Leahy, level(0.0, 0.0, None), 0.0, "mends it: norm = abs"),
            (Norm::Leahy, level(-1.0, 0.0, Some(4.0)), 0.1, "ok"),
            (Norm::Frac, level(1.0, 0.5, Some(4.0)), 0.1, "ok"),
            (Norm::Abs, level(-1.0, 0.0, None), 1.0, "ok"),
            (Norm::None, level(-1.0, 0.0, None), 1.0, "ok"),
        ] {
            let said = mends(norm, level, err);
            assert!(said.contains(says), "{norm} {level:?} ± {err}: {said}");
        }
        assert_eq!(Norm::Abs.noise(&level(-1.0, 0.0, None)), 0.0);
        assert_eq!(level(2.0, 0.0, Some(4.0)).mean_err(400.0, Some(900.0)), 0.1);
        assert!((level(2.0, 0.0, None).mean_err(900.0, Some(900.0)) - 0.1 / 3.0).abs() < 1e-15);
        assert_eq!([level(2.0, 1.0, None), level(2.0, 0.0, None)].map(|level| level.mean_err(100.0, None)), [0.1, 0.0]);
    }

    #[test]
    fn weighted_factors_normalise_a_segment_by_its_own_photons() {
        let (n, dt, photons) = (100, 0.5, 370.0);
        let level = NormParameters { n, dt, mean: photons / 100.0, background: 0.0, variance: None };
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            let weighted = norm.weighted_factor(n, dt) * photons.powi(-(norm.weight_exponent() as i32));
            assert!((weighted / norm.factor(&level) - 1.0).abs() < 1e-14, "{norm}");
        }
    }
}
