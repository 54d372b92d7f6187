//! The power spectrum a simulated source is to have.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;

/// One term of the source's variability.
///
/// The rate is `R·x(t)·(1 + Σ f_j·sin(2πν_j(t − TSTART)))`: the noise terms' power spectra add up to that of `x(t)`, which
/// has mean 1, and pulsations multiply it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VariabilityTerm {
    /// A constant rate; photons arrive by Poisson's law alone.
    White,
    /// A sinusoidal pulsation, phase 0 (mean rate, rising) at TSTART.
    ///
    /// Its Leahy power above the noise is `N·f²/2·sinc²(πν·dt)` for `N` photons and a frequency in the middle of a bin (van
    /// der Klis 1989, in "Timing Neutron Stars"); its fractional rms is `f/√2`.
    Pulsar {
        /// Frequency ν, Hz.
        frequency: f64,
        /// Pulsed fraction `f = (max − min)/(max + min)`, 0 to 1.
        pulsed_fraction: f64,
    },
    /// `P(f) ∝ 1/((f − f0)² + (FWHM/2)²)`, fractional rms² its integral from 0 to the Nyquist frequency of the rate series.
    Lorentzian {
        /// Centroid frequency, Hz; 0 for band-limited noise.
        f0: f64,
        /// Full width at half maximum, Hz.
        fwhm: f64,
        /// Fractional rms, 0.1 for 10 %.
        rms: f64,
    },
    /// `P(f) ∝ f^−index`, fractional rms² its integral from `fmin` to `fmax`.
    PowerLaw {
        /// Index, positive for red noise.
        index: f64,
        /// Fractional rms, 0.1 for 10 %.
        rms: f64,
        /// No power below this frequency, Hz. Without it the rms counts from 1/length, and the law goes on below, to the
        /// lowest frequency of the long series, so that power leaks from there as it does from a real source.
        fmin: Option<f64>,
        /// No power above this frequency, Hz; without it, the Nyquist frequency of the rate series.
        fmax: Option<f64>,
    },
}

impl VariabilityTerm {
    /// True for a term that needs a random series of the rate.
    pub fn is_noise(&self) -> bool {
        matches!(self, VariabilityTerm::Lorentzian { .. } | VariabilityTerm::PowerLaw { .. })
    }

    /// What the term is called.
    fn name(&self) -> &'static str {
        match self {
            VariabilityTerm::White => "white",
            VariabilityTerm::Pulsar { .. } => "pulsar",
            VariabilityTerm::Lorentzian { .. } => "lorentzian",
            VariabilityTerm::PowerLaw { .. } => "powerlaw",
        }
    }

    /// Fractional rms of a noise term, 0 for others.
    pub fn noise_rms(&self) -> f64 {
        match *self {
            VariabilityTerm::Lorentzian { rms, .. } | VariabilityTerm::PowerLaw { rms, .. } => rms,
            VariabilityTerm::White | VariabilityTerm::Pulsar { .. } => 0.0,
        }
    }

    /// The frequency in Hz above which the term has little power, where it has such a frequency.
    pub(super) fn highest_frequency(&self) -> Option<f64> {
        match *self {
            VariabilityTerm::Lorentzian { f0, fwhm, .. } => Some(f0 + 2.0 * fwhm),
            VariabilityTerm::PowerLaw { fmax, .. } => fmax,
            VariabilityTerm::White | VariabilityTerm::Pulsar { .. } => None,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let check = |ok: bool, name: &str, value: f64, needs: &str| {
            if ok { Ok(()) } else { Err(Error::argument("model", format!("{name} {value}"), needs)) }
        };
        let above_zero = |x: f64| x.is_finite() && x > 0.0;
        let rms_ok = |rms: f64| {
            check((0.0..=3.0).contains(&rms), "RMS", rms, "the fractional rms must be from 0 to 3 (0.1 is 10 %)")
        };
        match *self {
            VariabilityTerm::White => Ok(()),
            VariabilityTerm::Pulsar { frequency, pulsed_fraction } => {
                check(
                    frequency > 0.0 && frequency <= 1e6,
                    "FREQ",
                    frequency,
                    "the frequency must be above 0 and at most 1e6 Hz",
                )?;
                let fraction_ok = (0.0..=1.0).contains(&pulsed_fraction);
                check(fraction_ok, "PULSED_FRACTION", pulsed_fraction, "the pulsed fraction must be from 0 to 1")
            }
            VariabilityTerm::Lorentzian { f0, fwhm, rms } => {
                check(f0.is_finite() && f0 >= 0.0, "F0", f0, "the centroid frequency must not be below 0 Hz")?;
                check(above_zero(fwhm), "FWHM", fwhm, "the width must be above 0 Hz")?;
                rms_ok(rms)
            }
            VariabilityTerm::PowerLaw { index, rms, fmin, fmax } => {
                check(index.abs() <= 10.0, "INDEX", index, "the index must be from −10 to 10")?;
                rms_ok(rms)?;
                for (name, f) in [("FMIN", fmin), ("FMAX", fmax)] {
                    if let Some(f) = f {
                        check(above_zero(f), name, f, "the frequency must be above 0 Hz")?;
                    }
                }
                match (fmin, fmax) {
                    (Some(lo), Some(hi)) => check(lo < hi, "FMAX", hi, "FMAX must be above FMIN"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// The one-sided power spectrum of `x(t)` on the grid `k·df`, `k = 0 … nyquist`, as variance in each bin: the values add up
/// to the sum of the terms' fractional rms² (and what a power law without `fmin` has below 1/`length`).
pub(super) fn variance_per_bin(terms: &[VariabilityTerm], df: f64, nyquist: usize, length: f64) -> Result<Vec<f64>> {
    let mut total = vec![0.0; nyquist + 1];
    for term in terms.iter().filter(|t| t.noise_rms() > 0.0) {
        // Bins that the rms counts, and the shape in all bins that have power.
        let (counted, from, to, shape): (_, usize, usize, Box<dyn Fn(f64) -> f64>) = match *term {
            VariabilityTerm::Lorentzian { f0, fwhm, .. } => {
                (1, 1, nyquist, Box::new(move |f| 1.0 / ((f - f0).powi(2) + (0.5 * fwhm).powi(2))))
            }
            VariabilityTerm::PowerLaw { index, fmin, fmax, .. } => {
                // Half a unit in the last place must not move a bin that lies on a limit.
                let first = |f: f64| ((f / df * (1.0 - 1e-12)).ceil() as usize).max(1);
                let to = fmax.map_or(nyquist, |f| ((f / df * (1.0 + 1e-12)) as usize).min(nyquist));
                let counted = first(fmin.unwrap_or(1.0 / length));
                (counted, fmin.map_or(1, first), to, Box::new(move |f: f64| f.powf(-index)))
            }
            VariabilityTerm::White | VariabilityTerm::Pulsar { .. } => continue,
        };
        // The Nyquist bin is left out: it has one real amplitude where the others have two.
        let to = to.min(nyquist.saturating_sub(1));
        let sum: f64 = (counted..=to).map(|k| shape(k as f64 * df)).sum();
        if !(sum.is_finite() && sum > 0.0) {
            return Err(Error::argument(
                "model",
                term.name(),
                format!("no frequency of the rate series (up to {} Hz) lies in its range", nyquist as f64 * df),
            )
            .mended_by([Mend::field("dt").doing("smaller")]));
        }
        let scale = term.noise_rms().powi(2) / sum;
        for (k, total) in total.iter_mut().enumerate().take(to + 1).skip(from) {
            *total += scale * shape(k as f64 * df);
        }
    }
    Ok(total)
}
