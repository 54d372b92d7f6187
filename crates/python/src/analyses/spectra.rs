//! Power and cross spectra of all kinds, and bispectra.

use eagleray::science::cumulant::CumulantOptions;
use eagleray::science::lomb_scargle::{LombScargleMethod, LombScargleOptions};
use eagleray::science::multitaper::TaperOptions;
use eagleray::science::{DeadTimeKind, DeadTimeNoise, DeadTimeValue, FadOptions, NoiseLevel, Norm};
use eagleray::{
    AmplitudeDifference, BispectrumOfCumulants, BispectrumOfPairs, CrossSpectrum, Error, LombScargle, LombScargleCross,
    Multitaper, PhotonBand, PowerSpectrum, Segmentation,
};
use pyo3::prelude::*;

use crate::convert::{Named, Noise, Options, rebinning};
use crate::errors::exception;
use crate::observation::Observation;
use crate::product::Product;
use crate::session::Session;

/// From events or flux to averaged powers.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct PowerOptions {
    dt: Option<f64>,
    segment_size: Option<f64>,
    norm: Named<Norm>,
    use_common_mean: bool,
    rebin: Option<usize>,
    rebin_log: Option<f64>,
    background: f64,
    noise: Noise,
    subtract_noise: bool,
    min_fracexp: f64,
    compat: Option<String>,
    dead_time: Option<DeadTime>,
    intervals: bool,
    probabilities: bool,
}

/// Dead time of the detectors in the noise level.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct DeadTime {
    seconds: Option<f64>,
    fit: Option<(f64, f64)>,
    paralysable: bool,
    detectors: usize,
    rate: Option<f64>,
}

impl DeadTime {
    fn noise(&self) -> NoiseLevel {
        let dead_time = match (self.seconds, self.fit) {
            (_, Some((lo, hi))) => DeadTimeValue::Fit(lo, hi),
            (seconds, None) => DeadTimeValue::Seconds(seconds.unwrap_or(0.0)),
        };
        let kind = if self.paralysable { DeadTimeKind::Paralysable } else { DeadTimeKind::NonParalysable };
        NoiseLevel::DeadTime(DeadTimeNoise { dead_time, kind, detectors: self.detectors, rate: self.rate })
    }
}

/// Probability within one standard deviation of a normal distribution.
const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;

/// How time is cut, by the library's rules or the peer's.
pub(super) fn segmentation(dt: Option<f64>, segment_size: Option<f64>, compat: Option<&str>) -> PyResult<Segmentation> {
    let mut made = Segmentation::default();
    (made.dt, made.segment_size) = (dt, segment_size);
    made.compat_stingray = match compat {
        None => false,
        Some("stingray") => true,
        Some(other) => return Err(exception(Error::argument("compat", other, "must be 'stingray', or None"))),
    };
    Ok(made)
}

impl PowerOptions {
    /// The analysis with these options.
    pub fn analysis(&self) -> PyResult<PowerSpectrum> {
        let mut made = PowerSpectrum::default()
            .norm(self.norm.0)
            .use_common_mean(self.use_common_mean)
            .rebin(rebinning(self.rebin, self.rebin_log)?)
            .background(self.background)
            .noise(self.dead_time.as_ref().map_or(self.noise.0, DeadTime::noise))
            .subtract_noise(self.subtract_noise)
            .min_fracexp(self.min_fracexp);
        made.segmentation = segmentation(self.dt, self.segment_size, self.compat.as_deref())?;
        Ok(made)
    }

    /// A spectrum with the columns that are asked for.
    pub fn finish(&self, mut made: eagleray::science::AveragedPowerSpectrum) -> Product {
        if self.intervals {
            made.add_intervals(ONE_SIGMA);
        }
        if self.probabilities {
            made.add_probabilities();
        }
        Product::new(made)
    }
}

/// The averaged power spectrum.
#[pyfunction]
pub fn power_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<PowerOptions>,
) -> PyResult<Product> {
    let analysis = options.analysis()?;
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok(options.finish(made))
}

/// Options of cross spectra.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct CrossOptions {
    subject: Option<(f64, f64)>,
    reference: Option<(f64, f64)>,
    channels: bool,
    dt: Option<f64>,
    segment_size: Option<f64>,
    norm: Named<Norm>,
    use_common_mean: bool,
    rebin: Option<usize>,
    rebin_log: Option<f64>,
    background: (f64, f64),
    noise: (Noise, Noise),
    fullspec: bool,
    min_fracexp: f64,
    compat: Option<String>,
}

/// The bands of subject and reference.
fn bands(
    subject: Option<(f64, f64)>,
    reference: Option<(f64, f64)>,
    channels: bool,
) -> PyResult<Option<[PhotonBand; 2]>> {
    let band = |(lo, hi)| if channels { PhotonBand::Channels(lo, hi) } else { PhotonBand::Energy(lo, hi) };
    match (subject, reference) {
        (Some(subject), Some(reference)) => Ok(Some([band(subject), band(reference)])),
        (None, None) => Ok(None),
        _ => Err(exception(Error::argument(
            "subject",
            "",
            "subject and ref are bands of the same events: give both, or none",
        ))),
    }
}

impl CrossOptions {
    /// The analysis with these options.
    pub fn analysis(&self) -> PyResult<CrossSpectrum> {
        let mut made = CrossSpectrum::default()
            .norm(self.norm.0)
            .use_common_mean(self.use_common_mean)
            .rebin(rebinning(self.rebin, self.rebin_log)?)
            .background([self.background.0, self.background.1])
            .noise([self.noise.0.0, self.noise.1.0])
            .fullspec(self.fullspec)
            .min_fracexp(self.min_fracexp);
        made.bands = bands(self.subject, self.reference, self.channels)?;
        made.segmentation = segmentation(self.dt, self.segment_size, self.compat.as_deref())?;
        Ok(made)
    }
}

/// The averaged cross spectrum.
#[pyfunction]
pub fn cross_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<CrossOptions>,
) -> PyResult<Product> {
    session.run(py, &options.analysis()?, observation)
}

/// Options of spectra corrected by the difference of Fourier amplitudes.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FadGiven {
    reference: Option<(f64, f64)>,
    subject: Option<(f64, f64)>,
    channels: bool,
    dt: Option<f64>,
    segment_size: Option<f64>,
    norm: Named<Norm>,
    rebin: Option<usize>,
    rebin_log: Option<f64>,
    smoothing: f64,
    compat: Option<String>,
}

/// Spectra of two detectors corrected for dead time.
#[pyfunction]
pub fn fad(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<FadGiven>,
) -> PyResult<Product> {
    let segmentation = segmentation(options.dt, options.segment_size, options.compat.as_deref())?;
    let mut made = AmplitudeDifference::default().fad(FadOptions {
        norm: options.norm.0,
        rebin: rebinning(options.rebin, options.rebin_log)?,
        smoothing: options.smoothing,
        compat_stingray: segmentation.compat_stingray,
    });
    made.bands = bands(options.subject, options.reference, options.channels)?;
    made.segmentation = segmentation;
    session.run(py, &made, observation)
}

/// Options of Lomb-Scargle spectra.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct LombScargleGiven {
    dt: Option<f64>,
    norm: Named<Norm>,
    freq: (Option<f64>, Option<f64>),
    oversample: f64,
    floating_mean: bool,
    weighted: bool,
    direct: bool,
    rebin: Option<usize>,
    rebin_log: Option<f64>,
    min_fracexp: f64,
}

impl LombScargleGiven {
    fn analysis(&self) -> PyResult<LombScargle> {
        let (min_freq, max_freq) = self.freq;
        let spectrum = LombScargleOptions {
            norm: self.norm.0,
            min_freq,
            max_freq,
            oversample: self.oversample,
            floating_mean: self.floating_mean,
            weighted: self.weighted,
            method: if self.direct { LombScargleMethod::Direct } else { LombScargleMethod::Fast },
        };
        let mut made = LombScargle::default()
            .spectrum(spectrum)
            .rebin(rebinning(self.rebin, self.rebin_log)?)
            .min_fracexp(self.min_fracexp);
        made.dt = self.dt;
        Ok(made)
    }
}

/// The Lomb-Scargle power spectrum.
#[pyfunction]
pub fn lomb_scargle(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<LombScargleGiven>,
) -> PyResult<Product> {
    session.run(py, &options.analysis()?, observation)
}

/// The Lomb-Scargle cross spectrum.
#[pyfunction]
pub fn lomb_scargle_cross(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<LombScargleGiven>,
) -> PyResult<Product> {
    session.run(py, &LombScargleCross::new(options.analysis()?), observation)
}

/// Options of the tapers.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct TapersGiven {
    nw: f64,
    tapers: Option<usize>,
    adaptive: bool,
    jackknife: bool,
}

/// The multitaper power spectrum.
#[pyfunction]
pub fn multitaper(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<PowerOptions>,
    tapers: Options<TapersGiven>,
) -> PyResult<Product> {
    let mut taper = TaperOptions::default();
    (taper.half_bandwidth, taper.tapers) = (tapers.nw, tapers.tapers);
    (taper.adaptive, taper.jackknife) = (tapers.adaptive, tapers.jackknife);
    let analysis = Multitaper::default().spectrum(options.analysis()?).tapers(taper);
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok(options.finish(made))
}

/// The bispectrum at pairs of frequencies.
#[pyfunction]
pub fn bispectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    dt: Option<f64>,
    segment_size: Option<f64>,
    max_freq: Option<f64>,
) -> PyResult<Product> {
    let mut made = BispectrumOfPairs::default();
    (made.segmentation, made.max_freq) = (segmentation(dt, segment_size, None)?, max_freq);
    session.run(py, &made, observation)
}

/// Options of the bispectrum of cumulants.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct CumulantGiven {
    dt: Option<f64>,
    segment_size: Option<f64>,
    max_lag: Option<usize>,
    window: Option<String>,
    unbiased: bool,
    max_freq: Option<f64>,
    compat: Option<String>,
}

/// The bispectrum of third-order cumulants.
#[pyfunction]
pub fn cumulant_bispectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<CumulantGiven>,
) -> PyResult<Product> {
    let window = options.window.as_deref().map(str::parse).transpose().map_err(exception)?;
    let mut cumulant = CumulantOptions::default();
    (cumulant.max_lag, cumulant.window) = (options.max_lag, window);
    (cumulant.unbiased, cumulant.max_freq) = (options.unbiased, options.max_freq);
    let mut made = BispectrumOfCumulants::default().cumulant(cumulant);
    made.segmentation = segmentation(options.dt, options.segment_size, options.compat.as_deref())?;
    session.run(py, &made, observation)
}
