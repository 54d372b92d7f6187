//! Power and cross spectra against time.

use serde::Serialize;

use super::{CrossSpectrum, PowerSpectrum};
use crate::base::error::Result;
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::cross_bands::{self, BandOverlap};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{
    DynamicalCrossOptions, DynamicalOptions, dynamical_cross_spectrum_of_events,
    dynamical_cross_spectrum_of_light_curves, dynamical_spectrum_of_events, dynamical_spectrum_of_light_curve,
};
use crate::science::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};

/// The power spectra of all segments against time; the whole matrix is in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DynamicalSpectrum {
    /// Segments, normalisation and rebinning. The noise level cannot be fitted.
    #[serde(flatten)]
    pub spectrum: PowerSpectrum,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// The cross spectra of all segments against time; the whole matrix is in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DynamicalCross {
    /// Bands, segments, normalisation and rebinning. The noise levels cannot be fitted.
    #[serde(flatten)]
    pub spectrum: CrossSpectrum,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

impl DynamicalSpectrum {
    setters! {
        /// Segments, normalisation and rebinning.
        spectrum(PowerSpectrum) => spectrum;
        /// How many segments are averaged into a row.
        time(TimeRebin) => time;
    }

    fn options(&self, observation: &Observation, run: &Run) -> DynamicalOptions {
        DynamicalOptions { spectrum: self.spectrum.of_events(observation, run), time: self.time }
    }

    /// Rows and frequencies of the matrix, at most.
    ///
    /// # Errors
    /// See [`PowerSpectrum`].
    fn plan_rows(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurve {
            let report = self.spectrum.plan_segments(observation, run)?;
            let columns = self.spectrum.power.rebin.ranges(report.frequencies)?.count();
            return Ok(PlanReport { matrix: Some((report.segments, columns)), ..report });
        }
        let inputs = observation.events(&mut run.warnings)?;
        let options = self.options(observation, run);
        let plan = options.plan(&inputs, &mut run.warnings)?;
        let matrix = Some(options.shape(&plan)?);
        Ok(PlanReport { matrix, ..PlanReport::of_events(&plan, &inputs, run)? })
    }
}

impl DynamicalCross {
    setters! {
        /// Bands, segments, normalisation and rebinning.
        spectrum(CrossSpectrum) => spectrum;
        /// How many segments are averaged into a row.
        time(TimeRebin) => time;
    }
}

#[allow(private_interfaces)]
impl Analysis for DynamicalSpectrum {
    type Product = DynamicalPowerSpectrum;
    const NAME: &'static str = "dynamical power spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<DynamicalPowerSpectrum> {
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?.coarser(self.spectrum.segmentation.dt)?;
            let (options, warnings) = (self.spectrum.of_light_curve(), run.take_warnings());
            return dynamical_spectrum_of_light_curve(
                &light_curve,
                &options,
                self.time,
                run.device,
                warnings,
                run.progress,
            );
        }
        let inputs = observation.events(&mut run.warnings)?;
        let (options, warnings) = (self.options(observation, run), run.take_warnings());
        dynamical_spectrum_of_events(inputs, &options, run.device, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.plan_rows(observation, run)
    }

    fn record(product: &DynamicalPowerSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

#[allow(private_interfaces)]
impl Analysis for DynamicalCross {
    type Product = DynamicalCrossSpectrum;
    const NAME: &'static str = "dynamical cross spectrum";
    const KINDS: &'static [ObservationKind] = CrossSpectrum::KINDS;

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<DynamicalCrossSpectrum> {
        if observation.kind() == ObservationKind::LightCurvePair {
            let [subject, reference] = self.spectrum.light_curves(observation)?;
            let (options, warnings) = (self.spectrum.of_light_curves(), run.take_warnings());
            let (time, device, progress) = (self.time, &mut *run.device, run.progress);
            return dynamical_cross_spectrum_of_light_curves(
                &subject, &reference, &options, time, device, warnings, progress,
            );
        }
        let (pairs, overlap) = cross_bands::pairs(observation, self.spectrum.bands, &mut run.warnings)?;
        let options = DynamicalCrossOptions { spectrum: self.spectrum.of_events(run), time: self.time };
        let (inside, warnings) = (overlap != BandOverlap::None, run.take_warnings());
        let made = dynamical_cross_spectrum_of_events(pairs, inside, &options, run.device, warnings, run.progress)?;
        Ok(if overlap == BandOverlap::ReferenceInside { made.exchanged() } else { made })
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.spectrum.plan(observation, run)
    }

    fn record(product: &DynamicalCrossSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}
