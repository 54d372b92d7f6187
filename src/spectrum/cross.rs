//! The averaged cross spectrum: from sums over segments to lags and coherence, with errors.
//!
//! With `P1` (subject), `P2` (reference) and `C = conj(F1)·F2` averaged over `m` values (segments times frequencies rebinned), and
//! `S = P − noise` the power of the source:
//!
//! ```text
//! |C₀|² = (m|C|² − P1P2)/(m − 1)      the modulus without the bias of few values (Vaughan & Nowak 1997, its bias term iterated)
//! raw coherence        g² = |C₀|²/(P1P2),    error  √(2/m)·g·(1 − g²)          (Bendat & Piersol 2010)
//! intrinsic coherence  c  = |C₀|²/(S1S2),    error  c·√{[2(1 + 1/g²) + (P1/S1)² + (P2/S2)² + 2c − 4P1/S1 − 4P2/S2]/m}
//! phase lag            φ  = arg C,           error  √((1 − g²)/(2g²m))         (Nowak et al. 1999; Ingram 2019)
//! time lag             φ/(2πf)
//! Re C error √((P1P2 + Re² − Im²)/2m),  Im C error √((P1P2 − Re² + Im²)/2m)    (Ingram 2019, doi:10.1093/mnras/stz2409)
//! ```
//!
//! Everything is derived after averaging and rebinning: neither lags nor coherence are averaged. What cannot be told from noise is
//! NaN: the error of a lag where `g² ≤ 0`, the intrinsic coherence where a source's power is not positive.

use serde::Serialize;

use super::norm::{Level, Norm};
use super::rebin::Rebin;
use crate::data::{DeviceRecord, Provenance};
use crate::error::{Error, Result};
use crate::sums::Sums;
use crate::text::Short;

/// Below this many values in a bin, errors are misleading.
const FEW_VALUES: u64 = 30;

/// How sums become a cross spectrum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossOptions {
    /// Normalisation; that of the cross spectrum is the geometric mean of both channels'.
    pub norm: Norm,
    /// Rebinning of frequencies.
    pub rebin: Rebin,
    /// Background of the subject and of the reference, counts/s.
    pub background: [f64; 2],
}

impl Default for CrossOptions {
    fn default() -> CrossOptions {
        CrossOptions { norm: Norm::Leahy, rebin: Rebin::None, background: [0.0; 2] }
    }
}

/// What a cross spectrum says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct CrossMetadata {
    /// Bins in a segment.
    pub n: usize,
    /// Segments averaged.
    pub m: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean photons a segment of the subject.
    pub nphots1: f64,
    /// Mean photons a segment of the reference, without those of a subject inside it.
    pub nphots2: f64,
    /// Mean counts a bin of the subject.
    pub mean1: f64,
    /// Mean counts a bin of the reference, likewise.
    pub mean2: f64,
    /// Normalisation.
    pub norm: Norm,
    /// Poisson noise of the subject's power.
    pub noise1: f64,
    /// Poisson noise of the reference's power.
    pub noise2: f64,
    /// The subject's photons were taken out of the reference.
    pub subject_inside_reference: bool,
    /// What the sign of a lag means.
    pub lag_sign: &'static str,
    /// Segments that could not count.
    pub skipped_segments: u64,
    /// Time in the segments averaged, s.
    pub exposure: f64,
    /// What computed the sums.
    #[serde(flatten)]
    pub device: DeviceRecord,
    /// What it was made of.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// What the sign of a lag means.
pub const LAG_SIGN: &str = "positive: the subject is late";

/// What the pipeline knows beside the sums.
pub(crate) struct CrossContext {
    pub n: usize,
    pub dt: f64,
    pub segment_size: f64,
    pub inside: bool,
    pub device: DeviceRecord,
    pub provenance: Provenance,
}

/// An averaged cross spectrum; all columns have one length.
#[derive(Clone, Debug)]
pub struct AveragedCrossSpectrum {
    /// Frequency, Hz: the mean of the averaged bins' centres.
    pub freq: Vec<f64>,
    /// Width of the bin, Hz.
    pub df: Vec<f64>,
    /// Values averaged in the bin.
    pub m: Vec<u64>,
    /// Real part of `conj(F_subject)·F_reference`, normalised.
    pub cross_re: Vec<f64>,
    /// Its imaginary part.
    pub cross_im: Vec<f64>,
    /// Standard error of the real part.
    pub cross_err_re: Vec<f64>,
    /// Standard error of the imaginary part.
    pub cross_err_im: Vec<f64>,
    /// Power of the subject.
    pub power1: Vec<f64>,
    /// Power of the reference.
    pub power2: Vec<f64>,
    /// Noise level of the subject.
    pub noise1: Vec<f64>,
    /// Noise level of the reference.
    pub noise2: Vec<f64>,
    /// Phase lag of the subject, rad, −π to π.
    pub phase_lag: Vec<f64>,
    /// Its standard error.
    pub phase_lag_err: Vec<f64>,
    /// Time lag of the subject, s.
    pub time_lag: Vec<f64>,
    /// Its standard error.
    pub time_lag_err: Vec<f64>,
    /// Coherence with noise.
    pub raw_coherence: Vec<f64>,
    /// Its standard error.
    pub raw_coherence_err: Vec<f64>,
    /// Coherence of the source alone.
    pub intrinsic_coherence: Vec<f64>,
    /// Its standard error.
    pub intrinsic_coherence_err: Vec<f64>,
    /// All else.
    pub meta: CrossMetadata,
}

/// What one bin's averages say; see the [module](self).
struct Derived {
    err_re: f64,
    err_im: f64,
    phase_lag: f64,
    phase_lag_err: f64,
    raw: f64,
    raw_err: f64,
    intrinsic: f64,
    intrinsic_err: f64,
}

fn derive(re: f64, im: f64, power: [f64; 2], noise: [f64; 2], values: f64) -> Derived {
    let [p1, p2] = power;
    let [s1, s2] = [p1 - noise[0], p2 - noise[1]];
    let product = p1 * p2;
    // One value is always coherent with itself: its bias cannot be told.
    let unbiased = if values > 1.0 { (values * (re * re + im * im) - product) / (values - 1.0) } else { f64::NAN };
    let raw = unbiased / product;
    let fit = |ok: bool, value: f64| if ok { value } else { f64::NAN };
    let intrinsic = fit(s1 > 0.0 && s2 > 0.0, unbiased / (s1 * s2));
    let (q1, q2) = (p1 / s1, p2 / s2);
    let relative = 2.0 * (1.0 + 1.0 / raw) + q1 * q1 + q2 * q2 + 2.0 * intrinsic - 4.0 * q1 - 4.0 * q2;
    // g² above 1 is chance: such a lag is as sure as can be, and its error not negative.
    let phase_variance = (1.0 - raw).max(0.0) / (2.0 * raw * values);
    Derived {
        err_re: ((product + re * re - im * im).max(0.0) / (2.0 * values)).sqrt(),
        err_im: ((product - re * re + im * im).max(0.0) / (2.0 * values)).sqrt(),
        phase_lag: im.atan2(re),
        phase_lag_err: fit(raw > 0.0, phase_variance.sqrt()),
        raw,
        raw_err: fit(raw > 0.0, (2.0 / values).sqrt() * raw.sqrt() * (1.0 - raw).abs()),
        intrinsic,
        intrinsic_err: fit(raw > 0.0 && intrinsic > 0.0, intrinsic * (relative.max(0.0) / values).sqrt()),
    }
}

impl AveragedCrossSpectrum {
    /// Sums to spectrum; `sums` must hold at least one segment.
    pub(crate) fn new(sums: &Sums, options: &CrossOptions, context: CrossContext) -> Result<AveragedCrossSpectrum> {
        let CrossContext { n, dt, segment_size, inside, device, provenance } = context;
        let m = sums.segments as f64;
        let photons = |channel: usize| sums.channels.get(channel).map_or(0, |c| c.photons) as f64;
        let subject = photons(1);
        let reference = photons(0) - if inside { subject } else { 0.0 };
        let mut levels = Vec::new();
        for (photons, background) in [subject, reference].into_iter().zip(options.background) {
            let mean = photons / m / n as f64;
            if background != 0.0 && !(background > 0.0 && background * dt < mean) {
                let message = format!("must not be negative, and below the mean rate of {} counts/s", Short(mean / dt));
                return Err(Error::argument("--background", background, message));
            }
            levels.push(Level { n, dt, mean, background: background * dt, variance: None });
        }
        if levels.iter().any(|level| level.mean <= 0.0) {
            let message = "has no photon of its own beside the subject's";
            return Err(Error::argument("--ref", "band", message));
        }
        let norm = options.norm;
        let factors = [norm.factor(&levels[0]), norm.factor(&levels[1])];
        let cross_factor = (factors[0] * factors[1]).sqrt();
        let noise = [norm.noise(&levels[0]), norm.noise(&levels[1])];
        let mut spectrum = AveragedCrossSpectrum {
            freq: vec![],
            df: vec![],
            m: vec![],
            cross_re: vec![],
            cross_im: vec![],
            cross_err_re: vec![],
            cross_err_im: vec![],
            power1: vec![],
            power2: vec![],
            noise1: vec![],
            noise2: vec![],
            phase_lag: vec![],
            phase_lag_err: vec![],
            time_lag: vec![],
            time_lag_err: vec![],
            raw_coherence: vec![],
            raw_coherence_err: vec![],
            intrinsic_coherence: vec![],
            intrinsic_coherence_err: vec![],
            meta: CrossMetadata {
                n,
                m: sums.segments,
                dt,
                df: 1.0 / segment_size,
                segment_size,
                nphots1: levels[0].mean * n as f64,
                nphots2: levels[1].mean * n as f64,
                mean1: levels[0].mean,
                mean2: levels[1].mean,
                norm,
                noise1: noise[0],
                noise2: noise[1],
                subject_inside_reference: inside,
                lag_sign: LAG_SIGN,
                skipped_segments: sums.skipped,
                exposure: m * segment_size,
                device,
                provenance,
            },
        };
        let count = crate::kernels::power::frequencies(n);
        for range in options.rebin.ranges(count)? {
            let values = sums.segments * range.len() as u64;
            let average = |block: usize, factor: f64| {
                let from = block * count;
                let sum: f64 = sums.power[from + range.start..from + range.end].iter().sum();
                sum / m / range.len() as f64 * factor
            };
            let power = [average(0, factors[0]), average(1, factors[1])];
            let (re, im) = (average(2, cross_factor), average(3, cross_factor));
            // Original bin `k` stands at place `k − 1`.
            let freq = (range.start + range.end + 1) as f64 / 2.0 / segment_size;
            spectrum.push(freq, range.len() as f64 / segment_size, values, [re, im], power, noise);
        }
        let few = spectrum.m.iter().filter(|&&values| values < FEW_VALUES).count() as u64;
        if few > 0 {
            let message = format!("{few} bins average fewer than {FEW_VALUES} values: their errors are not Gaussian");
            spectrum.meta.provenance.warnings.push("W-FEW-VALUES", message);
        }
        Ok(spectrum)
    }

    fn push(&mut self, freq: f64, df: f64, values: u64, cross: [f64; 2], power: [f64; 2], noise: [f64; 2]) {
        let [re, im] = cross;
        let d = derive(re, im, power, noise, values as f64);
        let turn = std::f64::consts::TAU * freq;
        self.freq.push(freq);
        self.df.push(df);
        self.m.push(values);
        self.cross_re.push(re);
        self.cross_im.push(im);
        self.cross_err_re.push(d.err_re);
        self.cross_err_im.push(d.err_im);
        self.power1.push(power[0]);
        self.power2.push(power[1]);
        self.noise1.push(noise[0]);
        self.noise2.push(noise[1]);
        self.phase_lag.push(d.phase_lag);
        self.phase_lag_err.push(d.phase_lag_err);
        self.time_lag.push(d.phase_lag / turn);
        self.time_lag_err.push(d.phase_lag_err / turn);
        self.raw_coherence.push(d.raw);
        self.raw_coherence_err.push(d.raw_err);
        self.intrinsic_coherence.push(d.intrinsic);
        self.intrinsic_coherence_err.push(d.intrinsic_err);
    }

    /// Number of frequencies.
    pub fn len(&self) -> usize {
        self.freq.len()
    }

    /// True without any frequency.
    pub fn is_empty(&self) -> bool {
        self.freq.is_empty()
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
    fn observe(s: [f64; 2], c: f64, lag: f64, m: u32, rng: &mut ChaCha8Rng) -> (Complex<f64>, Derived) {
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
        (cross, derive(cross.re, cross.im, power, [2.0, 2.0], f64::from(m)))
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
            let truth = [modulus * lag.cos(), modulus * lag.sin(), lag, raw, c];
            let runs = 1000;
            let (mut sum, mut inside, mut errors) = ([0.0; 5], [0; 5], [0.0; 5]);
            for _ in 0..runs {
                let (cross, d) = observe(s, c, lag, m, &mut rng);
                let got = [
                    (cross.re, d.err_re),
                    (cross.im, d.err_im),
                    (d.phase_lag, d.phase_lag_err),
                    (d.raw, d.raw_err),
                    (d.intrinsic, d.intrinsic_err),
                ];
                for (i, (value, error)) in got.into_iter().enumerate() {
                    sum[i] += value;
                    errors[i] += error;
                    inside[i] += u32::from((value - truth[i]).abs() < error);
                }
            }
            for (i, what) in ["re", "im", "phase lag", "raw coherence", "intrinsic coherence"].into_iter().enumerate() {
                let (mean, error) = (sum[i] / f64::from(runs), errors[i] / f64::from(runs));
                let bias = (mean - truth[i]) / error;
                let covered = f64::from(inside[i]) / f64::from(runs);
                assert!(bias.abs() < 0.2, "{what} of {s:?}, {c}, {lag}: {mean} ± {error} instead of {}", truth[i]);
                assert!((covered - 0.683).abs() < 0.05, "{what} of {s:?}, {c}, {lag}: errors cover {covered}");
            }
        }
    }

    #[test]
    fn what_noise_hides_is_not_a_number() {
        let d = derive(0.1, 0.1, [2.0, 3.0], [2.0, 2.0], 50.0);
        assert!(d.phase_lag_err.is_nan() && d.intrinsic.is_nan() && d.intrinsic_err.is_nan());
        let one = derive(3.0, 1.0, [2.0, 5.0], [2.0, 2.0], 1.0);
        assert!(one.raw.is_nan() && one.phase_lag == 1f64.atan2(3.0));
    }
}
