//! The averaged power spectrum: from sums over segments to powers, errors and noise.

use serde::Serialize;

use super::norm::{Level, Norm};
use super::rebin::Rebin;
use crate::data::Balance;
pub use crate::data::InputRecord;
use crate::error::Result;
use crate::sums::Sums;
use crate::warning::Warnings;

/// Below this many values in a bin, symmetric errors of power are misleading.
const FEW_VALUES: u64 = 30;

/// How sums become a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerOptions {
    /// Normalisation.
    pub norm: Norm,
    /// Average raw powers and normalise once by the common mean; otherwise normalise each segment by its own.
    pub use_common_mean: bool,
    /// Rebinning of frequencies.
    pub rebin: Rebin,
    /// Background, counts/s.
    pub background: f64,
    /// Subtract the noise level from the powers.
    pub subtract_noise: bool,
}

impl Default for PowerOptions {
    fn default() -> PowerOptions {
        PowerOptions {
            norm: Norm::Leahy,
            use_common_mean: true,
            rebin: Rebin::None,
            background: 0.0,
            subtract_noise: false,
        }
    }
}

impl PowerOptions {
    /// The exponent of the weights that the sums must carry, `None` for raw sums.
    pub fn weight_exponent(&self) -> Option<u32> {
        Some(self.norm.weight_exponent()).filter(|&p| p > 0 && !self.use_common_mean)
    }
}

/// What a product says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata {
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
    /// Mean photons a segment.
    pub nphots: f64,
    /// Mean counts (or flux) a bin.
    pub mean: f64,
    /// Normalisation.
    pub norm: Norm,
    /// Noise level in that normalisation.
    pub noise: f64,
    /// Reference epoch, MJD: whole days and fraction; absent when the input has none.
    pub mjdref: Option<crate::time::MjdRef>,
    /// Good time intervals used, s.
    pub gti: Vec<[f64; 2]>,
    /// Segments that could not count.
    pub skipped_segments: u64,
    /// Time in the segments averaged, s.
    pub exposure: f64,
    /// Keywords of the input.
    pub telescop: String,
    /// See [`Metadata::telescop`].
    pub instrume: String,
    /// See [`Metadata::telescop`].
    pub object: String,
    /// See [`Metadata::telescop`].
    pub timesys: String,
    /// See [`Metadata::telescop`].
    pub timeref: String,
    /// See [`Metadata::telescop`].
    pub plephem: String,
    /// Times are those of the solar system's barycentre.
    pub barycentred: bool,
    /// Detectors selected; empty: all.
    pub detectors: Vec<i64>,
    /// `cpu` or `gpu`, the adapter and the precision of the transforms.
    pub backend: String,
    /// See [`Metadata::backend`].
    pub adapter: String,
    /// See [`Metadata::backend`].
    pub precision: String,
    /// Version of this program.
    pub eagleray_version: &'static str,
    /// Resolved options.
    pub options: serde_json::Value,
    /// Names and hashes of the inputs.
    pub inputs: Vec<InputRecord>,
    /// Where the photons went.
    pub photons: Balance,
    /// Warnings of the run.
    pub warnings: Warnings,
}

/// An averaged power spectrum; all columns have one length.
#[derive(Clone, Debug)]
pub struct AveragedPowerSpectrum {
    /// Frequency, Hz: the mean of the averaged bins' centres.
    pub freq: Vec<f64>,
    /// Width of the bin, Hz.
    pub df: Vec<f64>,
    /// Power in the normalisation of the metadata.
    pub power: Vec<f64>,
    /// Its standard error, `P/√(mK)`.
    pub power_err: Vec<f64>,
    /// `|F|²` averaged.
    pub unnorm_power: Vec<f64>,
    /// Noise level.
    pub noise: Vec<f64>,
    /// Values averaged in the bin, `m·K`.
    pub m: Vec<u64>,
    /// All else.
    pub meta: Metadata,
}

/// What the pipeline knows beside the sums.
pub(crate) struct Context {
    pub n: usize,
    pub dt: f64,
    pub segment_size: f64,
    /// The rest of the metadata, filled by who read the input.
    pub meta: Metadata,
}

impl Metadata {
    /// Metadata of an input that says nothing of itself.
    pub(crate) fn unknown() -> Metadata {
        Metadata {
            n: 0,
            m: 0,
            dt: 0.0,
            df: 0.0,
            segment_size: 0.0,
            nphots: 0.0,
            mean: 0.0,
            norm: Norm::None,
            noise: 0.0,
            mjdref: None,
            gti: Vec::new(),
            skipped_segments: 0,
            exposure: 0.0,
            telescop: String::new(),
            instrume: String::new(),
            object: String::new(),
            timesys: String::new(),
            timeref: String::new(),
            plephem: String::new(),
            barycentred: false,
            detectors: Vec::new(),
            backend: String::new(),
            adapter: String::new(),
            precision: String::new(),
            eagleray_version: env!("CARGO_PKG_VERSION"),
            options: serde_json::Value::Null,
            inputs: Vec::new(),
            photons: Balance::default(),
            warnings: Warnings::default(),
        }
    }
}

impl AveragedPowerSpectrum {
    /// Sums to spectrum. `sums` must hold at least one segment; `flux` tells flux samples from counts.
    pub(crate) fn new(
        sums: &Sums,
        flux: bool,
        options: &PowerOptions,
        context: Context,
    ) -> Result<AveragedPowerSpectrum> {
        let Context { n, dt, segment_size, mut meta } = context;
        let m = sums.segments as f64;
        let mean = if flux { sums.flux_mean / m } else { sums.photons as f64 / m / n as f64 };
        let variance = (flux && sums.variance > 0.0).then(|| sums.variance / m);
        let level = Level { n, dt, mean, background: options.background * dt, variance };
        let noise = options.norm.noise(&level);
        let count = crate::kernels::power::frequencies(n);
        let (raw, weighted) = sums.power.split_at(count);
        let normalised: Vec<f64> = match options.weight_exponent().filter(|_| !flux) {
            Some(_) => {
                let factor = options.norm.weighted_factor(n, dt);
                weighted.iter().map(|p| p / m * factor).collect()
            }
            None => {
                let factor = options.norm.factor(&level);
                raw.iter().map(|p| p / m * factor).collect()
            }
        };
        let subtracted = if options.subtract_noise { noise } else { 0.0 };
        let mut spectrum = AveragedPowerSpectrum {
            freq: Vec::new(),
            df: Vec::new(),
            power: Vec::new(),
            power_err: Vec::new(),
            unnorm_power: Vec::new(),
            noise: Vec::new(),
            m: Vec::new(),
            meta: Metadata::unknown(),
        };
        let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        for range in options.rebin.ranges(count)? {
            let values = sums.segments * range.len() as u64;
            // Original bin `k` stands at place `k − 1`.
            let centre = (range.start + range.end + 1) as f64 / 2.0;
            let power = average(&normalised[range.clone()]);
            spectrum.freq.push(centre / segment_size);
            spectrum.df.push(range.len() as f64 / segment_size);
            spectrum.power.push(power - subtracted);
            spectrum.power_err.push(power / (values as f64).sqrt());
            spectrum.unnorm_power.push(average(&raw[range]) / m);
            spectrum.noise.push(noise);
            spectrum.m.push(values);
        }
        let few = spectrum.m.iter().filter(|&&values| values < FEW_VALUES).count() as u64;
        if few > 0 {
            let message = format!("{few} bins average fewer than {FEW_VALUES} values: their errors are not Gaussian");
            meta.warnings.push("W-FEW-VALUES", message);
        }
        meta.n = n;
        meta.m = sums.segments;
        meta.dt = dt;
        meta.df = 1.0 / segment_size;
        meta.segment_size = segment_size;
        meta.nphots = mean * n as f64;
        meta.mean = mean;
        meta.norm = options.norm;
        meta.noise = noise;
        meta.skipped_segments = sums.skipped;
        meta.exposure = m * segment_size;
        spectrum.meta = meta;
        Ok(spectrum)
    }

    /// Number of frequencies.
    pub fn len(&self) -> usize {
        self.freq.len()
    }

    /// True without any frequency.
    pub fn is_empty(&self) -> bool {
        self.freq.is_empty()
    }

    /// Place of the largest power.
    pub fn peak(&self) -> Option<usize> {
        (0..self.len()).max_by(|&a, &b| self.power[a].total_cmp(&self.power[b]))
    }
}
