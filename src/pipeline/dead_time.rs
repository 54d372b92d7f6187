//! The warning that a spectrum's noise level is not Poisson's, because the detectors are known to have dead time.

use super::{Combine, Events};
use crate::io::missions::DetectorDeadTime;
use crate::spectrum::{AveragedPowerSpectrum, DeadTimeKind, DeadTimeModel, NoiseLevel};

/// Distortions of the level below this are left alone.
const SMALL: f64 = 0.01;
/// Standard errors of the mean power by which the level must be off.
const SIGNIFICANT: f64 = 3.0;

/// The detectors of some inputs, where all have the same dead time.
pub(super) fn known(inputs: &[Events], combine: Combine) -> Option<DetectorDeadTime> {
    let first = inputs.first()?.dead_time?;
    let same = inputs.iter().all(|i| i.dead_time == Some(first));
    let merged = if combine == Combine::Merge { inputs.len() } else { 1 };
    same.then_some(DetectorDeadTime { detectors: first.detectors * merged, ..first })
}

/// Warns where Poisson's level is used and is off by more than [`SMALL`] at low frequencies, `1 − (1 − rτ)²`, and on average by
/// more than [`SIGNIFICANT`] standard errors of the spectrum's mean.
pub(super) fn warn(spectrum: &mut AveragedPowerSpectrum, known: Option<DetectorDeadTime>, noise: NoiseLevel) {
    let (Some(known), NoiseLevel::Poisson) = (known, noise) else { return };
    let meta = &mut spectrum.meta;
    let rate = meta.mean / meta.dt / known.detectors as f64;
    // Rates that such detectors cannot record come from elsewhere.
    let Ok(model) = DeadTimeModel::new(rate, known.seconds, DeadTimeKind::NonParalysable) else { return };
    let lowest = 1.0 - model.rms_factor().powi(2);
    if lowest < SMALL {
        return;
    }
    let levels = model.power(meta.dt, meta.n);
    let mean = levels.iter().map(|z| (1.0 - 0.5 * z).abs()).sum::<f64>() / levels.len() as f64;
    if mean * ((meta.m * levels.len() as u64) as f64).sqrt() < SIGNIFICANT {
        return;
    }
    let many = if known.detectors > 1 { format!(" --dead-time-detectors {}", known.detectors) } else { String::new() };
    let message = format!(
        "the detectors are dead for {} s after an event: at {rate:.4} counts/s each that lowers the noise level at low \
         frequencies by {:.2} %, and rms by {:.2} %; --dead-time {}{many} models the level",
        known.seconds,
        100.0 * lowest,
        100.0 * (1.0 - model.rms_factor()),
        known.seconds,
    );
    meta.provenance.warnings.push("W-DEAD-TIME", message);
}
