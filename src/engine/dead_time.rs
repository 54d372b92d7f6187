//! The warning that a spectrum's noise level is not Poisson's, because the detectors are known to have dead time.

use super::combine::Combine;
use super::time_source::Events;
use crate::base::mend::Mend;
use crate::base::warning::Warning;
use crate::missions::DetectorDeadTime;
use crate::science::{
    AveragedCrossSpectrum, AveragedPowerSpectrum, DeadTimeKind, DeadTimeModel, EnergySpectrum, NoiseLevel,
};

/// Distortions of the level below this are left alone.
const SMALL_DISTORTION: f64 = 0.01;
/// Standard errors of the mean power by which the level must be off.
const SIGNIFICANT_SIGMAS: f64 = 3.0;

/// The detectors of some inputs, where all have the same dead time.
pub(super) fn common_dead_time(inputs: &[Events], combine: Combine) -> Option<DetectorDeadTime> {
    let first = inputs.first()?.dead_time?;
    let same = inputs.iter().all(|i| i.dead_time == Some(first));
    let merged = if combine == Combine::Merge { inputs.len() } else { 1 };
    same.then_some(DetectorDeadTime { detectors: first.detectors * merged, ..first })
}

/// Warns of a power spectrum whose level is Poisson's where that is off.
pub(super) fn warn(spectrum: &mut AveragedPowerSpectrum, known: Option<DetectorDeadTime>, noise: NoiseLevel) {
    let meta = &mut spectrum.meta;
    if let (Some(known), NoiseLevel::Poisson) = (known, noise)
        && let Some(distortion) =
            Distortion::new(known, meta.mean / meta.dt, 1.0, [meta.dt, meta.n as f64, meta.segments as f64])
    {
        let warning = Warning::new("W-DEAD-TIME", distortion.said("the detectors"));
        meta.record.warnings.record(warning.mended_by([distortion.remedy()]));
    }
}

/// Warns of the powers of a cross spectrum, those of the subject first.
pub(super) fn warn_of_channels(
    spectrum: &mut AveragedCrossSpectrum,
    known: [Option<DetectorDeadTime>; 2],
    noise: [NoiseLevel; 2],
) {
    let meta = &mut spectrum.meta;
    let channels = [("the subject's detectors", meta.mean1), ("the reference's detectors", meta.mean2)];
    for (((who, mean), known), noise) in channels.into_iter().zip(known).zip(noise) {
        if let (Some(known), NoiseLevel::Poisson) = (known, noise)
            && let Some(distortion) =
                Distortion::new(known, mean / meta.dt, 1.0, [meta.dt, meta.n as f64, meta.segments as f64])
        {
            let warning = Warning::new("W-DEAD-TIME", distortion.said(who));
            meta.record.warnings.record(warning.mended_by([distortion.remedy()]));
        }
    }
}

/// Warns of an energy spectrum: the photons of all its bands make the detectors dead, and each band has its share of what follows,
/// `N_b/N` of the level's distortion. Photons of two bands are never closer than the dead time either.
pub(super) fn warn_of_bands(spectrum: &mut EnergySpectrum, known: Option<DetectorDeadTime>) {
    let meta = &mut spectrum.meta;
    let (Some(known), Some(s)) = (known, meta.averaged) else { return };
    let all = meta.record.photons.used as f64;
    let largest = spectrum.counts.iter().map(|c| *c as f64).fold(meta.nphots * s.segments as f64, f64::max);
    let rate = all / (s.segments as f64 * s.segment_size);
    if let Some(distortion) =
        Distortion::new(known, rate, (largest / all).min(1.0), [s.dt, s.n as f64, s.segments as f64])
    {
        let message = format!(
            "{}, in the band with most photons; it makes the photons of different bands avoid each other, too: a negative real \
             part in their cross spectra. Neither is corrected here; a cross spectrum of two detectors, one for the bands and one for the reference, \
             has no dead time in common",
            distortion.said("the detectors")
        );
        meta.record.warnings.push("W-DEAD-TIME", message);
    }
}

/// How far Poisson's level is off.
struct Distortion {
    known: DetectorDeadTime,
    /// Counts/s of one detector.
    rate: f64,
    /// By which part the level is too high at low frequencies, `share·(1 − (1 − rτ)²)`.
    level: f64,
    /// By which part dead time lowers rms there.
    rms: f64,
}

impl Distortion {
    /// Of a share of the events that detectors record at `rate` counts/s together, in spectra of so many bins of `dt` seconds and so
    /// many segments: where it is more than [`SMALL_DISTORTION`] at low frequencies, and on average more than [`SIGNIFICANT_SIGMAS`] standard errors of
    /// the mean power.
    fn new(known: DetectorDeadTime, rate: f64, share: f64, [dt, n, m]: [f64; 3]) -> Option<Distortion> {
        let rate = rate / known.detectors as f64;
        // Rates that such detectors cannot record come from elsewhere.
        let model = DeadTimeModel::new(rate, known.seconds, DeadTimeKind::NonParalysable).ok()?;
        let level = share * (1.0 - model.rms_factor().powi(2));
        if level < SMALL_DISTORTION {
            return None;
        }
        let levels = model.power(dt, n as usize);
        let off = share * levels.iter().map(|z| (1.0 - 0.5 * z).abs()).sum::<f64>() / levels.len() as f64;
        let errors = off * (m * levels.len() as f64).sqrt();
        (errors >= SIGNIFICANT_SIGMAS).then(|| Distortion { known, rate, level, rms: 1.0 - model.rms_factor() })
    }

    fn said(&self, who: &str) -> String {
        format!(
            "{who} are dead for {} s after an event: at {:.4} counts/s each that lowers the noise level at low frequencies by \
             {:.2} %, and rms by {:.2} %",
            self.known.seconds,
            self.rate,
            100.0 * self.level,
            100.0 * self.rms,
        )
    }

    /// The model of the level.
    fn remedy(&self) -> Mend {
        let DetectorDeadTime { seconds, detectors } = self.known;
        let mend = Mend::set("dead_time", seconds);
        let mend = if detectors > 1 { mend.and("dead_time.detectors", detectors) } else { mend };
        mend.doing("models the level")
    }
}
