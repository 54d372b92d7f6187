//! The pulsed fraction of a sinusoid in a frequency band: its upper limit and, for a detection, its value.
//!
//! In the fractional normalisation, a pulsation of pulsed fraction `a` (`(max − min)/(max + min)` of the source's rate,
//! background subtracted) has above the noise the power
//!
//! ```text
//! P = T·a²/2 · sinc²(πf·dt) · sinc²(π(f − f_k)T)
//! ```
//!
//! (see [`super::statistics::pulsed`]). The loss by bins of `dt` is corrected for: in the estimate at the frequency of
//! the peak, in the limit at the highest frequency of the band, so that it holds for all of it. The offset from the
//! centre `f_k` of the frequency bin is unknown, and averaged over ([`detection::sinusoid_limit`]). Bins of `K`
//! averaged frequencies have the signal in one of them; that its neighbours may have a part makes the limit a little
//! too large.
//!
//! A frequency that drifts by more than `1/T` within a segment loses power that is not corrected for, and frequencies
//! that differ from segment to segment do not add up. Dead time reduces rate and signal; neither is corrected for.

use super::power::AveragedPowerSpectrum;
use super::statistics::{detection, pulsed};
use crate::base::error::{Error, Result};

pub use super::power_bands::PulsationLimit;

/// Standard errors below the noise level from which on the level does not fit.
const DETECTED_SIGMAS: f64 = 3.0;
/// Confidence of upper limits.
pub const CONFIDENCE: f64 = 0.95;
/// What is said of corrections in products.
const CORRECTIONS: &str = "binning and unknown offset in the frequency bin corrected; dead time and drifts are not";
/// Probabilities of exceeding the ends of an interval of one standard deviation.
const ONE_SIGMA_TAIL: f64 = 0.158_655_253_931_457_05;

impl AveragedPowerSpectrum {
    /// The upper limit of the pulsed fraction between `lo` and `hi` Hz, from all bins that overlap the band. If white
    /// noise reaches the most significant power with at most `probability`, trials included, it is a detection, and its
    /// pulsed fraction is given too.
    ///
    /// # Errors
    /// The spectrum has no bin in the band, the rate of the source cannot be told from 0, or there is no noise level to measure powers against.
    pub fn pulsation(&self, lo: f64, hi: f64, probability: f64) -> Result<PulsationLimit> {
        self.check_source("pulsed_limit", [lo, hi])?;
        let refuse = |message| Error::argument("pulsed_limit", format!("{lo}:{hi}"), message);
        let level = self.null_level();
        if !(level > 0.0 && level.is_finite()) {
            return Err(refuse("powers without a noise level of their own have no limit".to_string()));
        }
        let (mut from, mut to, mut trials) = (f64::INFINITY, f64::NEG_INFINITY, 0u64);
        // The largest power of each number of values.
        let mut largest = std::collections::BTreeMap::new();
        for i in 0..self.len() {
            let half = 0.5 * self.width[i];
            let (a, b) = ((self.freq[i] - half).max(lo), (self.freq[i] + half).min(hi));
            if b > a {
                (from, to, trials) = (from.min(a), to.max(b), trials + 1);
                let top = largest.entry(self.m[i]).or_insert(i);
                if self.power[i] > self.power[*top] {
                    *top = i;
                }
            }
        }
        let leahy = |i: usize| 2.0 * self.total_power(i) / self.null_at(i);
        let (test, k) = (self.noise_test(), |i: usize| self.frequencies_of(self.m[i]));
        let average = |i: usize| test.distribution(k(i));
        let chance = |i: usize| test.ln_false_alarm(leahy(i), k(i), trials as f64);
        let Some(peak) = largest.values().copied().min_by(|&a, &b| chance(a).total_cmp(&chance(b))) else {
            let ends = match (self.freq.first(), self.freq.last()) {
                (Some(first), Some(last)) => format!("the spectrum has {first} to {last} Hz"),
                _ => "the spectrum has no frequency".to_string(),
            };
            return Err(refuse(ends));
        };
        // Of a Leahy power at the centre of a frequency, which is one of K in its bin.
        let fraction = |i: usize, signal: f64, loss: f64| {
            let power = 0.5 * signal * self.null_at(i) * self.meta.scale.frac * k(i);
            (2.0 * power * self.meta.df / loss).sqrt()
        };
        let loss = |f: f64| pulsed::binning_loss(f, self.meta.dt);
        let limit = |i: usize| fraction(i, detection::sinusoid_limit_of(leahy(i), &average(i), CONFIDENCE), loss(to));
        // An offset can raise a limit by π/2 at most, so that few bins can have the largest: the others need not be computed.
        let centred =
            |&i: &usize| (i, fraction(i, detection::signal_limit(leahy(i), &average(i), CONFIDENCE), loss(to)));
        let mut candidates: Vec<(usize, f64)> = largest.values().map(centred).collect();
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
        let upper_limit = candidates.iter().fold(0.0, |best: f64, &(i, centred)| {
            if centred * std::f64::consts::FRAC_PI_2 > best { best.max(limit(i)) } else { best }
        });
        // Noise that is well below its level leaves no room for a signal, and says nothing of its limit.
        let (mut excess, mut variance) = (0.0, 0.0);
        for i in 0..self.len() {
            let half = 0.5 * self.width[i];
            if (self.freq[i] + half).min(hi) > (self.freq[i] - half).max(lo) {
                excess += leahy(i) - 2.0;
                variance += (2.0 * self.power_err[i] / self.null_at(i)).powi(2);
            }
        }
        let upper_limit = if excess > -DETECTED_SIGMAS * variance.sqrt() { upper_limit } else { f64::NAN };
        let detected = chance(peak) <= probability.ln();
        let estimate = |confidence: f64| {
            let signal = detection::sinusoid_limit_of(leahy(peak), &average(peak), confidence);
            detected.then(|| fraction(peak, signal, loss(self.freq[peak])))
        };
        Ok(PulsationLimit {
            band: [from, to],
            freq: self.freq[peak],
            leahy_power: leahy(peak),
            log10_p: chance(peak) / std::f64::consts::LN_10,
            trials,
            upper_limit,
            binning_loss: loss(to),
            corrections: CORRECTIONS.into(),
            fraction: estimate(0.5),
            fraction_lo: estimate(ONE_SIGMA_TAIL),
            fraction_hi: estimate(1.0 - ONE_SIGMA_TAIL),
        })
    }
}
