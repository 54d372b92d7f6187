//! Lags, moduli and coherences of a frequency bin, with their errors.
//!
//! With `P1` (subject), `P2` (reference) and `C = conj(F1)·F2` averaged over `m` values (effective segments times frequencies
//! rebinned; [`EffectivePairs`]), and `S = P − noise` the power of the source:
//!
//! ```text
//! |C₀|² = (m|C|² − P1P2)/(m − 1)      the modulus without the bias of few values (Vaughan & Nowak 1997, its bias term iterated)
//! raw coherence        g² = |C₀|²/(P1P2),    error  √(2/m)·g·(1 − g²)          (Bendat & Piersol 2010)
//! intrinsic coherence  c  = |C₀|²/(S1S2),    error  c·√{[2(1 + 1/g²) + (P1/S1)² + (P2/S2)² + 2c − 4P1/S1 − 4P2/S2]/m}
//! phase lag            φ  = arg C,           error  √((1 − g²)/(2g²m))         (Nowak et al. 1999; Ingram 2019)
//! time lag             τ = φ/(2πf), of several frequencies  Σ Im(C_k·e^{−2πi f_k τ}) = 0,   error  √ΣVar Im(C_k·e^{−2πi f_k τ}) / Σ 2πf_k·Re(C_k·e^{−2πi f_k τ})
//! Re C error √((P1P2 + Re² − Im²)/2m),  Im C error √((P1P2 − Re² + Im²)/2m)    (Ingram 2019, doi:10.1093/mnras/stz2409)
//! modulus |C|          error √((P1P2 + |C|²)/2m)                               (the same covariances, along C)
//! ```
//!
//! The time lag of several frequencies is the delay that they have in common: that by which each C_k is turned back so that their sum has no phase left. It
//! is φ/(2πf) with the frequency f that makes the sum, as long as phases differ little; over the mean frequency a constant delay of a red source seen over a
//! wide band would come out at half its value. What moves φ and f together, the scatter of the moduli, is in neither value nor error. The lag is found from φ/(2πf)
//! on, so it is within a turn of the phase at f, and where φ has gone round beyond π, wrong by that turn.
//!
//! A value that cannot be told from noise is NaN: the error of a lag where `g² ≤ 0`, and the intrinsic coherence where the power of the
//! source in either band is below [`SIGNIFICANT`] of its standard errors `P/√m`: a ratio to what may be 0 has no expectation. The modulus of noise alone is not 0 but about `√(P1P2/m)`; the coherences
//! have this bias subtracted.

use std::collections::BTreeMap;

pub use super::norm::SIGNIFICANT;

use super::effective::EffectivePairs;

/// Averages of one bin: powers of the subject and of the reference and their noise, real and imaginary part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BinAverages {
    pub power: [f64; 2],
    pub noise: [f64; 2],
    pub cross: [f64; 2],
}

impl BinAverages {
    /// Of several frequencies.
    pub fn mean(each: &[BinAverages]) -> BinAverages {
        let mean = |of: &dyn Fn(&BinAverages) -> f64| each.iter().map(of).sum::<f64>() / each.len() as f64;
        BinAverages {
            power: [mean(&|a| a.power[0]), mean(&|a| a.power[1])],
            noise: [mean(&|a| a.noise[0]), mean(&|a| a.noise[1])],
            cross: [mean(&|a| a.cross[0]), mean(&|a| a.cross[1])],
        }
    }

    /// With subject and reference exchanged.
    pub fn exchanged(&self) -> BinAverages {
        let ([p1, p2], [n1, n2], [re, im]) = (self.power, self.noise, self.cross);
        BinAverages { power: [p2, p1], noise: [n2, n1], cross: [re, -im] }
    }
}

/// What the values averaged in a bin are worth.
#[derive(Clone, Copy)]
pub(super) struct BinValues {
    /// Values of equal weight with the same scatter.
    pub worth: f64,
    /// Those with the same bias; see [`EffectivePairs::incoherent_values`].
    pub incoherent: f64,
}

impl BinValues {
    /// Values of equal weight.
    pub fn equal(values: f64) -> BinValues {
        BinValues { worth: values, incoherent: values }
    }
}

/// What segments are worth in bins of so many frequencies, each computed once.
pub(super) struct BinsWorth {
    segments: EffectivePairs,
    count: u64,
    known: BTreeMap<u64, BinValues>,
}

impl BinsWorth {
    pub fn new(segments: &EffectivePairs, count: u64) -> BinsWorth {
        BinsWorth { segments: *segments, count, known: BTreeMap::new() }
    }

    pub fn of(&mut self, frequencies: u64) -> BinValues {
        let (segments, count, k) = (&self.segments, self.count, frequencies as f64);
        let new = || BinValues { worth: segments.m_eff * k, incoherent: segments.incoherent_values(count, k) };
        *self.known.entry(frequencies).or_insert_with(new)
    }
}

/// The time lag of a bin, and what turns the error of its phase lag into that of the time lag; see the [module](self).
#[derive(Clone, Copy)]
pub(super) struct TimeLag {
    pub lag: f64,
    err_of_phase: f64,
}

/// Steps that find a delay, at most: where there is one, four or five are enough.
const DELAY_STEPS: usize = 30;
/// Radians that do not matter.
const DELAY_EXACT: f64 = 1e-9;

impl TimeLag {
    /// Of a phase lag at one frequency.
    pub fn at(freq: f64, phase: f64) -> TimeLag {
        let turn = std::f64::consts::TAU * freq;
        TimeLag { lag: phase / turn, err_of_phase: 1.0 / turn.abs() }
    }

    /// Of averages over segments at several frequencies, in ascending order.
    pub fn of(each: &[BinAverages], freq: impl Fn(usize) -> f64) -> TimeLag {
        let [re, im] = [0, 1].map(|part| each.iter().map(|one| one.cross[part]).sum::<f64>());
        let (phase, modulus) = (im.atan2(re), re.hypot(im));
        let mean = (0..each.len()).map(&freq).sum::<f64>() / each.len() as f64;
        if each.len() == 1 || modulus == 0.0 {
            return TimeLag::at(mean, phase);
        }
        // ΣIm, Σ2πf·Re and the variance of ΣIm, unscaled, of C turned back by a phase at each frequency.
        let sums = |back: &dyn Fn(f64) -> f64| {
            let mut sums = [0.0; 3];
            for (k, one) in each.iter().enumerate() {
                let ([x, y], turn) = (one.cross, std::f64::consts::TAU * freq(k));
                let (sin, cos) = back(turn).sin_cos();
                let (along, across) = (x * cos + y * sin, y * cos - x * sin);
                sums[0] += across;
                sums[1] += turn * along;
                sums[2] += one.power[0] * one.power[1] - along * along + across * across;
            }
            sums
        };
        let [_, slope, across] = sums(&|_| phase);
        let (lowest, highest) = (std::f64::consts::TAU * freq(0), std::f64::consts::TAU * freq(each.len() - 1));
        // The frequency that makes the sum lies in the bin, where noise does not say otherwise.
        let start = phase / (slope / modulus).clamp(lowest, highest);
        // Σ2πf|C|, to which the slope comes where phases are those of one delay; shorter steps than Newton's come there from far off, too.
        let moduli = each.iter().enumerate().map(|(k, one)| freq(k) * one.cross[0].hypot(one.cross[1]));
        let least = 0.5 * std::f64::consts::TAU * moduli.sum::<f64>();
        let (mut lag, mut last) = (start, [0.0, slope, across]);
        for _ in 0..DELAY_STEPS {
            last = sums(&|turn| turn * lag);
            let step = last[0] / last[1].max(least);
            lag += step;
            if (step * least).abs() < DELAY_EXACT * modulus {
                break;
            }
        }
        // Noise has no delay that steps would come to.
        if last[1].is_nan() || last[1] <= 0.0 {
            return TimeLag { lag: start, err_of_phase: modulus / slope.abs() };
        }
        let err = (last[2].max(0.0) / across).sqrt() * modulus / last[1];
        TimeLag { lag, err_of_phase: if err.is_finite() { err } else { modulus / last[1] } }
    }

    /// Of a bin that has its lags with their errors.
    pub fn known(lag: f64, lag_err: f64, phase_err: f64, freq: f64) -> TimeLag {
        let err_of_phase = lag_err / phase_err;
        let at = TimeLag::at(freq, 0.0);
        TimeLag { lag, err_of_phase: if err_of_phase.is_finite() { err_of_phase } else { at.err_of_phase } }
    }

    /// Of the sum of cross spectra that each have theirs; that of `phase` at `freq` where the sum is 0.
    pub fn together(parts: &[([f64; 2], TimeLag)], freq: f64, phase: f64) -> TimeLag {
        let [re, im] = [0, 1].map(|part| parts.iter().map(|(cross, _)| cross[part]).sum::<f64>());
        let square = re * re + im * im;
        if square == 0.0 {
            return TimeLag::at(freq, phase);
        }
        let mean = |of: &dyn Fn(&TimeLag) -> f64| {
            parts.iter().map(|(cross, one)| (cross[0] * re + cross[1] * im) / square * of(one)).sum::<f64>()
        };
        TimeLag { lag: mean(&|one| one.lag), err_of_phase: mean(&|one| one.err_of_phase).abs() }
    }

    /// The standard error, of that of the phase lag.
    pub fn err(&self, phase_err: f64) -> f64 {
        phase_err * self.err_of_phase
    }
}

/// What one bin's averages say; see the [module](self).
#[derive(Clone, Copy)]
pub(super) struct BinEstimates {
    pub err_re: f64,
    pub err_im: f64,
    pub lag_phase: f64,
    pub lag_phase_err: f64,
    pub raw: f64,
    pub raw_err: f64,
    pub intrinsic: f64,
    pub intrinsic_err: f64,
    pub modulus_err: f64,
}

/// A value where it means something.
fn if_meaningful(ok: bool, value: f64) -> f64 {
    if ok { value } else { f64::NAN }
}

/// The power of a source, noise subtracted, can be told from 0: `power` is that with the noise.
fn is_significant(source: f64, power: f64, values: f64) -> bool {
    source > SIGNIFICANT * power / values.sqrt()
}

/// Standard errors of the real and the imaginary part of a cross spectrum of so many values.
pub(super) fn cross_errors([p1, p2]: [f64; 2], [re, im]: [f64; 2], values: f64) -> (f64, f64) {
    let error = |difference: f64| ((p1 * p2 + difference).max(0.0) / (2.0 * values)).sqrt();
    (error(re * re - im * im), error(im * im - re * re))
}

impl BinEstimates {
    /// From averages that are worth so many values of equal weight.
    pub fn new(averages: &BinAverages, values: BinValues) -> BinEstimates {
        let BinValues { worth: values, incoherent } = values;
        let BinAverages { power: [p1, p2], noise, cross: [re, im] } = *averages;
        let [s1, s2] = [p1 - noise[0], p2 - noise[1]];
        let (product, square) = (p1 * p2, re * re + im * im);
        let (err_re, err_im) = cross_errors([p1, p2], [re, im], values);
        // One value is always coherent with itself: its bias cannot be told.
        let unbiased = if_meaningful(incoherent > 1.0, (incoherent * square - product) / (incoherent - 1.0));
        let raw = unbiased / product;
        let both = is_significant(s1, p1, values) && is_significant(s2, p2, values);
        let intrinsic = if_meaningful(both, unbiased / (s1 * s2));
        let (q1, q2) = (p1 / s1, p2 / s2);
        let relative = 2.0 * (1.0 + 1.0 / raw) + q1 * q1 + q2 * q2 + 2.0 * intrinsic - 4.0 * q1 - 4.0 * q2;
        // g² above 1 is chance: such a lag is as sure as can be, and its error not negative.
        let phase_variance = (1.0 - raw).max(0.0) / (2.0 * raw * values);
        BinEstimates {
            err_re,
            err_im,
            lag_phase: im.atan2(re),
            lag_phase_err: if_meaningful(raw > 0.0, phase_variance.sqrt()),
            raw,
            raw_err: if_meaningful(raw > 0.0, (2.0 / values).sqrt() * raw.sqrt() * (1.0 - raw).abs()),
            intrinsic,
            intrinsic_err: if_meaningful(raw > 0.0 && intrinsic > 0.0, intrinsic * (relative.max(0.0) / values).sqrt()),
            modulus_err: ((product + square) / (2.0 * values)).sqrt(),
        }
    }

    /// Of a bin of several frequencies, of their averages over segments and of their mean. Where powers or lags differ between
    /// them, the errors of sums are those of the terms.
    pub fn of_frequencies(each: &[BinAverages], mean: &BinAverages, values: BinValues) -> BinEstimates {
        let count = each.len() as f64;
        let of_mean = BinEstimates::new(mean, values);
        if each.len() == 1 {
            return of_mean;
        }
        let unit = 1.0 / (2.0 * values.worth * count);
        let [re, im] = mean.cross;
        let (cos, sin) = if re == 0.0 && im == 0.0 { (1.0, 0.0) } else { (re / re.hypot(im), im / re.hypot(im)) };
        // ΣP1P2, and the real parts of ΣC² and of ΣC² in the direction of the sum.
        let (mut products, mut square, mut along) = (0.0, 0.0, 0.0);
        for BinAverages { power: [p1, p2], cross: [x, y], .. } in each {
            let (u, v) = (x * cos + y * sin, y * cos - x * sin);
            products += p1 * p2;
            square += x * x - y * y;
            along += u * u - v * v;
        }
        let error = |variance: f64| (variance.max(0.0) * unit).sqrt();
        let across_of_mean = mean.power[0] * mean.power[1] - re * re - im * im;
        let uneven = (products - along).max(0.0) / count / across_of_mean;
        BinEstimates {
            err_re: error(products + square),
            err_im: error(products - square),
            modulus_err: error(products + along),
            lag_phase_err: of_mean.lag_phase_err * if across_of_mean > 0.0 { uneven.sqrt() } else { 1.0 },
            ..of_mean
        }
    }

    /// The rules of Stingray 2.3.2, from averages that no weights went into: a bias term for coherence 1, none above 500 values, and
    /// no coherence below 0; the error of the raw coherence is at least `1/m`, that of the modulus `√(P1P2/m)`.
    pub fn from_stingray_rules(averages: &BinAverages, values: f64) -> BinEstimates {
        let BinAverages { power: [p1, p2], noise: [n1, n2], cross: [re, im] } = *averages;
        let ours = BinEstimates::new(averages, BinValues::equal(values));
        let [s1, s2] = [p1 - n1, p2 - n2];
        let product = p1 * p2;
        let bias = if values > 500.0 { 0.0 } else { (product - s1 * s2) / values };
        let excess = re * re + im * im - bias;
        let raw = excess.max(0.0) / product;
        let high = |p: f64, noise: f64| p - noise > 3.0 * noise / values.sqrt();
        let intrinsic = if_meaningful(high(p1, n1) && high(p2, n2), excess.max(0.0) / (s1 * s2));
        let relative = 2.0 * bias * bias * values / (excess - bias).powi(2)
            + (n1 / s1).powi(2)
            + (n2 / s2).powi(2)
            + 2.0 * (1.0 - intrinsic).powi(2) / intrinsic.powi(3);
        let raw_err = (2.0 / values).sqrt() * raw.sqrt() * (1.0 - raw);
        BinEstimates {
            lag_phase_err: ((1.0 - raw) / (2.0 * raw * values)).sqrt(),
            raw,
            raw_err: if raw_err >= 1.0 / values { raw_err } else { 1.0 / values },
            intrinsic,
            intrinsic_err: if_meaningful(excess >= 0.0, intrinsic * (relative / values).sqrt()),
            modulus_err: (product / values).sqrt(),
            ..ours
        }
    }

    /// Of amplitudes that are real numbers: a product that has a sign, and no more.
    pub fn from_real_amplitudes(averages: &BinAverages) -> BinEstimates {
        BinEstimates {
            err_re: f64::NAN,
            err_im: f64::NAN,
            lag_phase: averages.cross[1].atan2(averages.cross[0]),
            lag_phase_err: f64::NAN,
            raw: f64::NAN,
            raw_err: f64::NAN,
            intrinsic: f64::NAN,
            intrinsic_err: f64::NAN,
            modulus_err: f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use rustfft::num_complex::Complex;

    use super::*;

    /// A complex normal number of mean modulus squared 1.
    fn normal(rng: &mut ChaCha8Rng) -> Complex<f64> {
        let mut uniform = || ((rng.next_u64() >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        Complex::from_polar((-uniform().ln()).sqrt(), std::f64::consts::TAU * uniform())
    }

    /// A source of powers `s`, coherence `c` and phase lag `lag` of the subject, seen with noise of power 2: the cross spectrum of
    /// `m` values and what follows.
    fn observe(s: [f64; 2], c: f64, lag: f64, m: u32, rng: &mut ChaCha8Rng) -> (Complex<f64>, BinEstimates) {
        let (mut power, mut cross) = ([0.0; 2], Complex::new(0.0, 0.0));
        for _ in 0..m {
            let (common, own) = (normal(rng), normal(rng));
            let reference = common * s[1].sqrt() + normal(rng) * 2f64.sqrt();
            // A late subject: its phase is less than the reference's.
            let late = Complex::from_polar(1.0, -lag);
            let subject = (common * c.sqrt() + own * (1.0 - c).sqrt()) * late * s[0].sqrt() + normal(rng) * 2f64.sqrt();
            power[0] += subject.norm_sqr() / f64::from(m);
            power[1] += reference.norm_sqr() / f64::from(m);
            cross += subject.conj() * reference / f64::from(m);
        }
        let averages = BinAverages { power, noise: [2.0; 2], cross: [cross.re, cross.im] };
        (cross, BinEstimates::new(&averages, BinValues::equal(f64::from(m))))
    }

    /// Values unbiased and errors that cover 68 %, over strong and weak, coherent and incoherent sources.
    #[test]
    fn lags_and_coherences_are_right_and_their_errors_cover() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for (s, c, lag, m) in [
            ([20.0, 10.0], 0.9, 0.4f64, 400),
            ([2.0, 4.0], 0.6, -1.0, 1000),
            ([2.0, 2.0], 0.95, 2.5, 2000),
            ([50.0, 80.0], 0.3, 0.0, 300),
            ([0.5, 0.7], 0.9, 0.2, 20_000),
        ] {
            let raw = c * s[0] * s[1] / ((s[0] + 2.0) * (s[1] + 2.0));
            let modulus = f64::sqrt(c * s[0] * s[1]);
            let truth = [modulus * lag.cos(), modulus * lag.sin(), lag, raw, c, modulus];
            let runs = 1000;
            let (mut sum, mut inside, mut errors) = ([0.0; 6], [0; 6], [0.0; 6]);
            for _ in 0..runs {
                let (cross, d) = observe(s, c, lag, m, &mut rng);
                let got = [
                    (cross.re, d.err_re),
                    (cross.im, d.err_im),
                    (d.lag_phase, d.lag_phase_err),
                    (d.raw, d.raw_err),
                    (d.intrinsic, d.intrinsic_err),
                    (cross.norm(), d.modulus_err),
                ];
                for (i, (value, error)) in got.into_iter().enumerate() {
                    sum[i] += value;
                    errors[i] += error;
                    inside[i] += u32::from((value - truth[i]).abs() < error);
                }
            }
            let names = ["re", "im", "phase lag", "raw coherence", "intrinsic coherence", "modulus"];
            for (i, what) in names.into_iter().enumerate() {
                let (mean, error) = (sum[i] / f64::from(runs), errors[i] / f64::from(runs));
                let bias = (mean - truth[i]) / error;
                let covered = f64::from(inside[i]) / f64::from(runs);
                assert!(bias.abs() < 0.2, "{what} of {s:?}, {c}, {lag}: {mean} ± {error} instead of {}", truth[i]);
                assert!((covered - 0.683).abs() < 0.05, "{what} of {s:?}, {c}, {lag}: errors cover {covered}");
            }
        }
    }

    /// Noise alone, and a weak source in one band: what values there are lie near 0 and 1, never thousands away.
    #[test]
    fn ratios_to_noise_are_no_coherences() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for s in [[0.0, 0.0], [20.0, 0.0], [0.1, 0.1]] {
            let values = (0..4000).map(|_| observe(s, 1.0, 0.0, 54, &mut rng).1.intrinsic);
            let values: Vec<f64> = values.filter(|c| !c.is_nan()).collect();
            assert!(values.len() < 80 && values.iter().all(|c| c.abs() < 10.0), "{s:?}: {} {values:?}", values.len());
        }
    }

    #[test]
    fn what_noise_hides_is_not_a_number() {
        let d = BinEstimates::new(
            &BinAverages { power: [2.0, 3.0], noise: [2.0; 2], cross: [0.1; 2] },
            BinValues::equal(50.0),
        );
        assert!(d.lag_phase_err.is_nan() && d.intrinsic.is_nan() && d.intrinsic_err.is_nan());
        // 100 values of 2.6: 0.6 above the noise is 2.3 errors; of 1000 values it is more than 7.
        let weak = BinAverages { power: [2.6, 9.0], noise: [2.0; 2], cross: [1.5, 0.0] };
        let [few, many] = [100.0, 1000.0].map(|values| BinEstimates::new(&weak, BinValues::equal(values)));
        assert!(few.intrinsic.is_nan() && few.intrinsic_err.is_nan() && few.raw > 0.0);
        assert!(many.intrinsic > 0.4 && many.intrinsic_err > 0.0);
        let one = BinEstimates::new(
            &BinAverages { power: [2.0, 5.0], noise: [2.0; 2], cross: [3.0, 1.0] },
            BinValues::equal(1.0),
        );
        assert!(one.raw.is_nan() && one.lag_phase == 1f64.atan2(3.0));
    }
}
