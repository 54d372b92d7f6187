//! Lomb-Scargle spectra.

use serde::Serialize;

use super::Binning;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::{Bytes, ShortNumber};
use crate::base::warning::{Warning, Warnings};
use crate::data::product::ProductKind;
use crate::data::{Gti, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::each_segment::device;
use crate::engine::lomb_scargle::ExposedSamples;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::{Run, asked};
use crate::io::table_write::written_as_table;
use crate::science::Rebin;
use crate::science::columns::{CROSS_POWERS, POWER_SPECTRUM};
use crate::science::context::SpectrumContext;
use crate::science::cross_powers::CrossPowers;
use crate::science::lomb_scargle::{LombScargleOptions, cross_spectrum, power_spectrum};
use crate::science::power::AveragedPowerSpectrum;

/// Frequencies that take a gigabyte or so.
const MANY_FREQUENCIES: f64 = (1 << 22) as f64;
/// Part by which a frequency may be above another and still be it.
const ROUNDING: f64 = 1e-9;

/// The Lomb-Scargle power spectrum of a light curve with gaps, or of events counted in bins; in f64 on the CPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct LombScargle {
    /// Bin width, s, as for [`Binning`].
    pub dt: Option<f64>,
    /// Normalisation, frequencies, weights.
    #[serde(flatten)]
    pub spectrum: LombScargleOptions,
    /// How frequencies are combined.
    pub rebin: Rebin,
    /// Bins of which a smaller fraction is exposed are missing.
    pub min_fracexp: f64,
}

impl Default for LombScargle {
    fn default() -> LombScargle {
        LombScargle { dt: None, spectrum: LombScargleOptions::default(), rebin: Rebin::None, min_fracexp: 0.9 }
    }
}

impl LombScargle {
    setters! {
        /// Bin width, s.
        dt(f64) => dt;
        /// Normalisation, frequencies, weights.
        spectrum(LombScargleOptions) => spectrum;
        /// How frequencies are combined.
        rebin(Rebin) => rebin;
        /// Bins of which a smaller fraction is exposed are missing.
        min_fracexp(f64) => min_fracexp;
    }

    /// Warns of frequencies that bins of `dt` seconds do not tell from lower ones.
    fn warn_of_aliases(&self, dt: f64, warnings: &mut Warnings) {
        let highest = 0.5 / dt;
        let Some(asked) = self.spectrum.max_freq.filter(|asked| *asked > highest * (1.0 + ROUNDING)) else { return };
        let message = format!(
            "frequencies up to {} Hz are beyond the Nyquist frequency of {} Hz of bins of {} s: above it they are aliases of lower ones",
            ShortNumber(asked),
            ShortNumber(highest),
            ShortNumber(dt)
        );
        let mend = [Mend::field("max_freq"), Mend::field("dt").doing("shorter bins have a higher one")];
        warnings.record(Warning::new("W-NYQUIST", message).mended_by(mend));
    }

    /// What a run would do, of the good times of one series or of both; warns of good time that lies far apart, for which frequencies are as fine and as many
    /// as the time between needs.
    fn planned(&self, of: &[(Gti, f64)], warnings: &mut Warnings) -> PlanReport {
        let exposure = of.iter().map(|(gti, _)| gti.exposure()).sum::<f64>();
        let ends = || of.iter().filter_map(|(gti, _)| gti.ends());
        let first = ends().map(|(first, _)| first.value()).fold(f64::INFINITY, f64::min);
        let last = ends().map(|(_, last)| last.value()).fold(f64::NEG_INFINITY, f64::max);
        let dt = of.iter().map(|(_, dt)| *dt).fold(0.0, f64::max);
        let span = last - first;
        let (frequencies, bytes) = self.spectrum.about(span, dt, exposure / dt);
        if exposure < 0.5 * span && frequencies > MANY_FREQUENCIES {
            let message = format!(
                "{} s of the {} s from the first good time to the last are good: that makes about {} frequencies, which take {} of memory",
                ShortNumber(exposure),
                ShortNumber(span),
                ShortNumber(frequencies.round()),
                Bytes(bytes)
            );
            let mend = [Mend::field("time").doing("takes a part"), Mend::field("max_freq"), Mend::field("dt")];
            warnings.record(Warning::new("W-MOSTLY-EMPTY", message).mended_by(mend));
        }
        self.warn_of_aliases(dt, warnings);
        PlanReport { exposure, ..PlanReport::default() }
    }

    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.min_fracexp) {
            return Err(Error::argument("min_fracexp", self.min_fracexp, "must be between 0 and 1"));
        }
        self.rebin.ranges(1).map(|_| ())
    }
}

/// The Lomb-Scargle cross spectrum of two light curves, or of events of two files counted in bins, whose bins need not coincide; in f64
/// on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct LombScargleCross {
    /// Bins, normalisation, frequencies, weights and rebinning.
    #[serde(flatten)]
    pub spectrum: LombScargle,
}

impl LombScargleCross {
    /// With these bins, normalisation, frequencies, weights and rebinning.
    pub fn new(spectrum: LombScargle) -> LombScargleCross {
        LombScargleCross { spectrum }
    }
}

written_as_table!(CrossPowers);

#[allow(private_interfaces)]
impl Analysis for LombScargleCross {
    type Product = CrossPowers;
    const NAME: &'static str = "Lomb-Scargle cross spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::EventPair, ObservationKind::LightCurvePair];
    const PRODUCTS: &'static [&'static ProductKind] = &[&CROSS_POWERS];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<CrossPowers> {
        let LombScargle { dt, spectrum, rebin, min_fracexp } = &self.spectrum;
        self.spectrum.check()?;
        let [subject, reference] =
            observation.parts()?.each_ref().map(|part| Binning { dt: *dt }.light_curve(part, run));
        let (subject, reference) = (subject?, reference?);
        self.spectrum.warn_of_aliases(subject.grid.dt.max(reference.grid.dt), &mut run.warnings);
        let reference = reference.in_frame_of(&subject.meta.record)?;
        let zero = subject.grid.origin;
        let of = |light_curve| ExposedSamples::from_light_curve(light_curve, *min_fracexp, zero, run.progress);
        let (one, other) = (of(&subject)?, of(&reference)?);
        let made = &subject.meta.record;
        let inputs = made.inputs.iter().chain(&reference.meta.record.inputs).cloned().collect();
        let (options, warnings, mut photons) = (asked(self), run.take_warnings(), one.photons.clone());
        photons.add(&other.photons);
        let record = Record { device: device(), options, inputs, photons, series: true, warnings, ..made.clone() };
        cross_spectrum(one.series(), other.series(), spectrum, *rebin, run.progress, record)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.spectrum.check()?;
        let binning = Binning { dt: self.spectrum.dt };
        let of = observation.parts()?.each_ref().map(|part| binning.planned(part, run));
        let [subject, reference] = of;
        let exposure = self.spectrum.planned(&[subject?, reference?], &mut run.warnings).exposure / 2.0;
        Ok(PlanReport { exposure, ..PlanReport::default() })
    }

    fn record(product: &CrossPowers) -> &Record {
        &product.meta.record
    }
}

#[allow(private_interfaces)]
impl Analysis for LombScargle {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "Lomb-Scargle spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&POWER_SPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        self.check()?;
        let light_curve = Binning { dt: self.dt }.light_curve(observation, run)?;
        self.warn_of_aliases(light_curve.grid.dt, &mut run.warnings);
        let zero = light_curve.grid.origin;
        let samples = ExposedSamples::from_light_curve(&light_curve, self.min_fracexp, zero, run.progress)?;
        let (options, warnings, photons) = (asked(self), run.take_warnings(), samples.photons.clone());
        let made = light_curve.meta.record.clone();
        let record = Record { device: device(), options, photons, series: true, warnings, ..made };
        let dt = light_curve.grid.dt;
        let context = |n, segment_size| SpectrumContext { n, dt, segment_size, compat_stingray: false, record };
        power_spectrum(samples.series(), &self.spectrum, self.rebin, run.progress, context)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check()?;
        let of = Binning { dt: self.dt }.planned(observation, run)?;
        Ok(self.planned(&[of], &mut run.warnings))
    }

    fn record(product: &AveragedPowerSpectrum) -> &Record {
        &product.meta.record
    }
}
