//! Lomb-Scargle spectra of light curves with gaps, in f64 on the CPU.

use super::each_segment::device;
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::data::{EventBalance, LightCurve, Record};
use crate::science::context::SpectrumContext;
use crate::science::cross_powers::CrossPowers;
use crate::science::lomb_scargle::{self, LombScargleOptions, UnevenSeries};
use crate::science::power::AveragedPowerSpectrum;
use crate::science::rebin::Rebin;

/// The bins of a light curve that are exposed enough, as samples since `zero`, the place of a bin on the grid.
struct ExposedSamples {
    time: Vec<f64>,
    value: Vec<f64>,
    error: Vec<f64>,
}

impl ExposedSamples {
    fn from_light_curve(
        light_curve: &LightCurve,
        min_fracexp: f64,
        zero: crate::base::time::DoubleDouble,
    ) -> ExposedSamples {
        let dt = light_curve.grid.dt;
        let good: Vec<usize> = light_curve.stretches(min_fracexp).into_iter().flatten().collect();
        let errors_known = !light_curve.counted && good.iter().all(|&i| light_curve.rate_err[i].is_finite());
        // Differences of double-doubles: f64 of mission seconds would lose digits of phase.
        let offset = (light_curve.grid.origin - zero).value();
        ExposedSamples {
            time: good.iter().map(|&i| offset + (light_curve.bin[i] as f64 + 0.5) * dt).collect(),
            value: good.iter().map(|&i| light_curve.rate[i] * dt).collect(),
            error: if errors_known { good.iter().map(|&i| light_curve.rate_err[i] * dt).collect() } else { Vec::new() },
        }
    }

    fn samples(&self, dt: f64) -> UnevenSeries<'_> {
        UnevenSeries { time: &self.time, value: &self.value, error: &self.error, dt }
    }
}

/// The Lomb-Scargle power spectrum of a light curve, from all bins of which at least the fraction `min_fracexp` is
/// exposed. The light curve may have gaps; it is not cut into segments.
///
/// # Errors
/// Fewer than 4 bins, weights without errors, frequencies out of range, or a mean of zero if the normalisation divides
/// by it.
pub fn lomb_scargle(
    light_curve: &LightCurve,
    options: &LombScargleOptions,
    rebin: Rebin,
    min_fracexp: f64,
    warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let dt = light_curve.grid.dt;
    let bins = ExposedSamples::from_light_curve(light_curve, min_fracexp, light_curve.grid.origin);
    let asked = serde_json::json!({ "lomb_scargle": options, "rebin": rebin, "min_fracexp": min_fracexp });
    let record = Record {
        device: device(),
        options: asked,
        photons: EventBalance::default(),
        warnings,
        ..light_curve.meta.record.clone()
    };
    lomb_scargle::power_spectrum(bins.samples(dt), options, rebin, |n, span| SpectrumContext {
        n,
        dt,
        segment_size: span,
        record,
    })
}

/// The Lomb-Scargle cross spectrum of two light curves in one frame. Their bins need not coincide.
///
/// # Errors
/// See [`lomb_scargle()`].
pub fn lomb_scargle_cross(
    subject: &LightCurve,
    reference: &LightCurve,
    options: &LombScargleOptions,
    rebin: Rebin,
    min_fracexp: f64,
    warnings: Warnings,
) -> Result<CrossPowers> {
    let zero = subject.grid.origin;
    let (one, other) = (
        ExposedSamples::from_light_curve(subject, min_fracexp, zero),
        ExposedSamples::from_light_curve(reference, min_fracexp, zero),
    );
    let (one, other) = (one.samples(subject.grid.dt), other.samples(reference.grid.dt));
    let made = &subject.meta.record;
    let record = Record {
        device: device(),
        options: serde_json::to_value(options).unwrap_or_default(),
        inputs: made.inputs.iter().chain(&reference.meta.record.inputs).cloned().collect(),
        warnings,
        ..made.clone()
    };
    lomb_scargle::cross_spectrum(one, other, options, rebin, record)
}
