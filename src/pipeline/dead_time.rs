//! The warning that a spectrum's noise level is not Poisson's, because the detectors are known to have dead time.

use super::{Combine, Events};
use crate::io::missions::DetectorDeadTime;
use crate::spectrum::{AveragedCrossSpectrum, AveragedPowerSpectrum, DeadTimeKind, DeadTimeModel, NoiseLevel};

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

/// Warns of a power spectrum whose level is Poisson's where that is off.
pub(super) fn warn(spectrum: &mut AveragedPowerSpectrum, known: Option<DetectorDeadTime>, noise: NoiseLevel) {
    let meta = &mut spectrum.meta;
    if let (Some(known), NoiseLevel::Poisson) = (known, noise)
        && let Some(message) = distortion(known, meta.mean, meta.dt, meta.n, meta.m)
    {
        meta.provenance.warnings.push("W-DEAD-TIME", message);
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
            && let Some(message) = distortion(known, mean, meta.dt, meta.n, meta.m)
        {
            meta.provenance.warnings.push("W-DEAD-TIME", message.replacen("the detectors", who, 1));
        }
    }
}

/// What to say where Poisson's level is off by more than [`SMALL`] at low frequencies, `1 − (1 − rτ)²`, and on average by more than
/// [`SIGNIFICANT`] standard errors of the mean power of `m` segments of `n` bins of `dt` seconds with `mean` counts each.
fn distortion(known: DetectorDeadTime, mean: f64, dt: f64, n: usize, m: u64) -> Option<String> {
    let rate = mean / dt / known.detectors as f64;
    // Rates that such detectors cannot record come from elsewhere.
    let model = DeadTimeModel::new(rate, known.seconds, DeadTimeKind::NonParalysable).ok()?;
    let lowest = 1.0 - model.rms_factor().powi(2);
    if lowest < SMALL {
        return None;
    }
    let levels = model.power(dt, n);
    let off = levels.iter().map(|z| (1.0 - 0.5 * z).abs()).sum::<f64>() / levels.len() as f64;
    if off * ((m * levels.len() as u64) as f64).sqrt() < SIGNIFICANT {
        return None;
    }
    let many = if known.detectors > 1 { format!(" --dead-time-detectors {}", known.detectors) } else { String::new() };
    Some(format!(
        "the detectors are dead for {} s after an event: at {rate:.4} counts/s each that lowers the noise level at low \
         frequencies by {:.2} %, and rms by {:.2} %; --dead-time {}{many} models the level",
        known.seconds,
        100.0 * lowest,
        100.0 * (1.0 - model.rms_factor()),
        known.seconds,
    ))
}
