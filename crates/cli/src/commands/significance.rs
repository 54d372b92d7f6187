//! What `pds` concludes from a spectrum: rms, limits, detections, and the summary of them.

use serde_json::json;

use super::pds::PdsArgs;
use crate::number::NumberRange;
use eagleray::data::Product;
use eagleray::internal::segment::plan::Resolution;
use eagleray::internal::text::{Fixed, ShortNumber, count};
use eagleray::science::{AveragedPowerSpectrum, DetectionLevel, NoiseLevel, PulsationLimit, pulsed_limit, rms};
use eagleray::{Error, Result};

/// Powers listed as the most significant.
const LISTED_POWERS: usize = 5;
/// Times that unequal rates raise an rms from which on the summary says so.
const UNEVEN: f64 = 1.05;

/// Refuses bands that the spectrum to be will have nothing of.
///
/// # Errors
/// A band of `--noise`, `--rms` or `--pulsed-limit` outside the frequencies of segments of this resolution.
pub(super) fn check_bands(args: &PdsArgs, resolution: Option<Resolution>) -> Result<()> {
    let Some(resolution) = resolution else { return Ok(()) };
    let df = 1.0 / resolution.segment_size;
    let last = eagleray::internal::numerics::fft::frequencies(resolution.n) as f64;
    let check = |field: &str, band: NumberRange, inside: bool| {
        let message = format!("no frequency in it; there are those from {df} to {} Hz, {df} Hz apart", last * df);
        if inside { Ok(()) } else { Err(Error::argument(field, format!("{}:{}", band.lo, band.hi), message)) }
    };
    if let NoiseLevel::Band(lo, hi) = args.noise {
        // The first frequency that is not below the band.
        let first = (1..=last as u64).find(|&k| k as f64 * df >= lo);
        check("noise", NumberRange { lo, hi }, first.is_some_and(|k| (k as f64 * df) < hi))?;
    }
    for (field, band) in [("rms", args.rms), ("pulsed_limit", args.pulsed_limit)] {
        if let Some(band) = band {
            check(field, band, band.hi > 0.5 * df && band.lo < (last + 0.5) * df)?;
        }
    }
    Ok(())
}

/// Records rms and limit of the pulsed fraction, as asked for; bands that the spectrum has only in part are warned of.
///
/// # Errors
/// See [`AveragedPowerSpectrum::rms`] and [`AveragedPowerSpectrum::pulsation`].
pub(super) fn measure(spectrum: &mut AveragedPowerSpectrum, args: &PdsArgs) -> Result<()> {
    if let Some(band) = args.rms {
        let rms = spectrum.rms(band.lo, band.hi)?;
        warn_of_part(spectrum, "W-RMS-BAND", "--rms", band, rms.band);
        spectrum.meta.rms = Some(rms);
    }
    if let Some(band) = args.pulsed_limit {
        let pulsation = spectrum.pulsation(band.lo, band.hi, args.false_alarm())?;
        warn_of_part(spectrum, "W-PULSED-BAND", "--pulsed-limit", band, pulsation.band);
        spectrum.meta.pulsation = Some(pulsation);
    }
    Ok(())
}

fn warn_of_part(
    spectrum: &mut AveragedPowerSpectrum,
    code: &'static str,
    option: &str,
    band: NumberRange,
    has: [f64; 2],
) {
    let [lo, hi] = has;
    // Edges of bins are rounded.
    let slack = 1e-9 * spectrum.meta.df;
    if lo > band.lo + slack || hi < band.hi - slack {
        let message = format!("of {option} {}:{} the spectrum has {lo} to {hi} Hz", band.lo, band.hi);
        spectrum.meta.record.warnings.push(code, message);
    }
}

/// What the probabilities of the most significant powers assume.
fn null_hypothesis(spectrum: &AveragedPowerSpectrum) -> String {
    // As it is meant: 2, not 1.9999999999999998.
    let level = spectrum.null_level();
    let level: f64 = format!("{level:.12e}").parse().unwrap_or(level);
    let noise = if spectrum.meta.dead_time.is_some() { "noise with dead time" } else { "white noise" };
    let (m, effective) = (spectrum.meta.segments as f64, &spectrum.meta.effective);
    let law = match (effective.m_eff == m, effective.m_eff_order3 == effective.m_eff) {
        (true, _) => "averaged powers are chi-square with 2mK degrees of freedom".to_string(),
        (false, true) => {
            format!("averaged powers are chi-square with 2·{}·K degrees of freedom", ShortNumber(effective.m_eff))
        }
        (false, false) => {
            "averaged powers are sums of exponentials weighted by the photons of their segments".to_string()
        }
    };
    let fitted = if spectrum.meta.noise_mean_err > 0.0 { ", over a level that was fitted" } else { "" };
    format!("{noise} of mean {level} ({}); {law}{fitted}", spectrum.meta.norm)
}

/// The metadata and what follows from the powers, as JSON.
pub(super) fn summary_json(spectrum: &AveragedPowerSpectrum, false_alarm: f64) -> serde_json::Value {
    let mut value = spectrum.metadata();
    if let Some(k) = spectrum.peak() {
        value["peak"] =
            json!({ "freq": spectrum.freq[k], "power": spectrum.power[k], "power_err": spectrum.power_err[k] });
    }
    value["frequencies"] = json!(spectrum.len());
    value["significant"] = json!(spectrum.significant(LISTED_POWERS));
    value["detection_level"] = json!({
        "probability": false_alarm, "trials": spectrum.len(), "levels": spectrum.detection_levels(false_alarm),
    });
    value["significant_null"] = json!(null_hypothesis(spectrum));
    value
}

/// The same in words.
pub(super) fn summary(spectrum: &AveragedPowerSpectrum, false_alarm: f64) -> String {
    let meta = &spectrum.meta;
    let mut text = format!(
        "{}{} of {} s ({} of {} s), {:.2} photons each; {} on {}\n",
        count(meta.segments, "segment"),
        worth(meta.effective.m_eff, meta.segments),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        meta.nphots,
        meta.record.device.backend,
        meta.record.device.adapter
    );
    if meta.record.photons.read > 0 {
        text += &format!("photons: {}\n", meta.record.photons);
    }
    if let Some(k) = spectrum.peak() {
        text += &format!(
            "largest power {:.4} ({}) at {:.6} Hz; noise level {:.4}\n",
            spectrum.power[k], meta.norm, spectrum.freq[k], meta.noise_mean
        );
    }
    if let Some(d) = &meta.dead_time {
        let error = if d.err > 0.0 { format!(" ± {:.1e} s (fitted)", d.err) } else { String::new() };
        text += &format!(
            "dead time {:.5e} s{error}, {}, {:.2} counts/s each; rms of slow signals is {:.4} of the source's\n",
            d.seconds, d.model, d.rate, d.rms_factor
        );
    }
    if let Some(rms) = &meta.rms {
        text += &format!("rms from {} to {} Hz: ", rms.band[0], rms.band[1]);
        let mut parts = Vec::new();
        if let (Some(value), Some(error)) = (rms.rms, rms.rms_err) {
            parts.push(format!("{:.3} % ± {:.3} %", 100.0 * value, 100.0 * error));
        }
        if let Some(limit) = rms.rms_upper_limit {
            parts.push(format!("below {:.3} % at {} % confidence", 100.0 * limit, 100.0 * rms::LIMIT_CONFIDENCE));
        }
        if parts.is_empty() {
            parts.push(if rms.rms_variance < 0.0 { "none, the noise level does not fit" } else { "none" }.to_string());
        }
        text += &format!("{} (variance {:.3e} ± {:.1e})\n", parts.join(", "), rms.rms_variance, rms.rms_variance_err);
        let uneven = (meta.segments as f64 / meta.effective.m_eff).sqrt();
        if meta.use_common_mean && meta.variance.is_none() && uneven > UNEVEN {
            text += &format!(
                "segments count in it by the squares of their rates, by the common mean: {uneven:.2} times what it is of a constant fractional rms in \
                 segments that count alike, as with --norm frac --use-common-mean false\n"
            );
        }
    }
    if let Some(pulsed) = &meta.pulsation {
        text += &pulsed_text(pulsed);
    }
    text += &detection_text(spectrum, false_alarm);
    let bins = spectrum.significant(LISTED_POWERS);
    if let Some(first) = bins.first() {
        text += &format!("most significant, {} trials, against {}:\n", first.trials, null_hypothesis(spectrum));
    }
    for bin in bins {
        let averaged = format!("m {}, K {}", bin.m, bin.k);
        text +=
            &format!("  {:.6} Hz  power {:.4}  log10 p {}  ({averaged})\n", bin.freq, bin.power, Fixed(bin.log10_p, 2));
    }
    text
}

/// How many segments of equal weight some are worth, where that is something else.
pub(super) fn worth(m_eff: f64, segments: u64) -> String {
    let less = segments > 0 && (m_eff / segments as f64 - 1.0).abs() >= 0.005;
    if less { format!(" (worth {m_eff:.1} of one rate)") } else { String::new() }
}

fn pulsed_text(p: &PulsationLimit) -> String {
    let percent = 100.0 * pulsed_limit::CONFIDENCE;
    let limit = match p.upper_limit.is_nan() {
        true => "no limit, the noise level does not fit".to_string(),
        false => format!("below {:.3} % at {percent} % confidence, any sinusoid", 100.0 * p.upper_limit),
    };
    let mut text = format!("pulsed fraction from {} to {} Hz: {limit}\n", p.band[0], p.band[1]);
    text += &format!(
        "  largest Leahy power {:.4} at {:.6} Hz, log10 p {} in {} trials\n",
        p.leahy_power,
        p.freq,
        Fixed(p.log10_p, 2),
        p.trials
    );
    if let (Some(value), Some(lo), Some(hi)) = (p.fraction, p.fraction_lo, p.fraction_hi) {
        let [value, lo, hi] = [value, lo, hi].map(|x| 100.0 * x);
        text += &format!("  a detection: pulsed fraction {value:.3} %, 68.27 % between {lo:.3} % and {hi:.3} %\n");
    }
    text + &format!("  {}\n", p.corrections)
}

/// The level of a detection, or its range over bins of different numbers of values.
fn detection_text(spectrum: &AveragedPowerSpectrum, false_alarm: f64) -> String {
    let levels = spectrum.detection_levels(false_alarm);
    let one = |l: &DetectionLevel| format!("{:.4} (m {}, K {})", l.power, l.m, l.k);
    let level = match &levels[..] {
        [] => return String::new(),
        [only] => one(only),
        [first, .., last] => format!("{} to {}", one(first), one(last)),
    };
    format!("detection level, false alarm {} % in {} trials: power {level}\n", 100.0 * false_alarm, spectrum.len())
}
