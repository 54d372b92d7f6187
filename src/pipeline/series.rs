//! The averaged power spectrum of a light curve.

use super::flux::{FluxOptions, FluxSegment, spectrum_of_flux};
use crate::backend::Backend;
use crate::data::{Balance, Gti, LightCurve, Provenance};
use crate::error::{Error, Result};
use crate::segment::plan::{Resolution, ResolutionRequest, no_segments};
use crate::spectrum::power::{AveragedPowerSpectrum, PowerOptions};
use crate::time::Dd;
use crate::warning::Warnings;

/// Options of a spectrum of a light curve.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SeriesOptions {
    /// Segment length, s; chosen when left out.
    pub segment_size: Option<f64>,
    /// Bins with less of their time exposed are as good as missing.
    pub min_fracexp: f64,
    /// From sums to spectrum; the mean is always common.
    #[serde(flatten)]
    pub power: PowerOptions,
}

impl Default for SeriesOptions {
    fn default() -> SeriesOptions {
        SeriesOptions { segment_size: None, min_fracexp: 0.9, power: PowerOptions::default() }
    }
}

/// The segments of a light curve: in each stretch of usable bins ([`LightCurve::stretches`]), as many of `n` bins as fit,
/// from its start on.
pub struct SeriesPlan {
    /// Bins and length of a segment.
    pub resolution: Resolution,
    /// First row of each segment.
    pub starts: Vec<usize>,
    /// The stretches as intervals, seconds of the frame.
    pub gti: Gti,
}

impl SeriesPlan {
    /// Plans the segments.
    ///
    /// # Errors
    /// Options without meaning; no stretch long enough.
    pub fn new(series: &LightCurve, options: &SeriesOptions, warnings: &mut Warnings) -> Result<SeriesPlan> {
        if !(0.0..=1.0).contains(&options.min_fracexp) {
            return Err(Error::argument("--min-fracexp", options.min_fracexp, "must be between 0 and 1"));
        }
        let stretches = series.stretches(options.min_fracexp);
        let spans: Vec<(Dd, Dd)> = stretches.iter().map(|rows| series.span(rows)).collect();
        let gti = Gti::of_sorted(&spans);
        let gtis = [&gti];
        let request = ResolutionRequest {
            dt: Some(series.grid.dt),
            segment_size: options.segment_size,
            timedel: 0.0,
            barycentred: false,
            gtis: &gtis,
            compat_stingray: false,
        };
        let resolution = Resolution::choose(&request, warnings)?;
        let n = resolution.n;
        let starts: Vec<usize> =
            stretches.iter().flat_map(|rows| (0..rows.len() / n).map(move |k| rows.start + k * n)).collect();
        if starts.is_empty() {
            return Err(no_segments(&gtis, &resolution));
        }
        Ok(SeriesPlan { resolution, starts, gti })
    }

    /// The segments of the light curve that was planned: counts over exposure, or rates with their errors.
    pub(super) fn segments<'a>(&'a self, series: &'a LightCurve) -> impl Iterator<Item = FluxSegment> + 'a {
        let errors_known = !series.counted && series.rate_err.iter().all(|e| e.is_finite());
        self.starts.iter().map(move |&from| {
            let rows = from..from + self.resolution.n;
            let values = match series.counted {
                true => rows.clone().map(|i| series.counts[i] / series.fracexp[i]).collect(),
                false => series.rate[rows.clone()].to_vec(),
            };
            FluxSegment { values, errors: if errors_known { series.rate_err[rows].to_vec() } else { Vec::new() } }
        })
    }
}

/// The averaged power spectrum of a light curve, whole bins only; bins that are missing, not finite or exposed too little
/// split it.
///
/// Counts are divided by their exposure and have the noise of counting; rates and the errors that came with them are
/// multiplied by `dt`, and the errors are the noise.
///
/// # Errors
/// See [`SeriesPlan::new`] and [`spectrum_of_flux`].
pub fn spectrum_of_light_curve(
    series: &LightCurve,
    options: &SeriesOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let plan = SeriesPlan::new(series, options, &mut warnings)?;
    let flux = FluxOptions { dt: series.grid.dt, rates: !series.counted, power: options.power.clone() };
    let mut spectrum = spectrum_of_flux(plan.segments(series), &flux, backend, warnings)?;
    let warnings = std::mem::take(&mut spectrum.meta.provenance.warnings);
    spectrum.meta.provenance = Provenance {
        gti: plan.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect(),
        options: serde_json::to_value(options).unwrap_or_default(),
        // A product accounts for photons where it read them.
        photons: Balance::default(),
        warnings,
        ..series.meta.provenance.clone()
    };
    Ok(spectrum)
}
