//! The analyses, each a function of a session, an observation, and the options that the modules of `eagleray` gather.

use std::path::PathBuf;

use eagleray::data::histogram::EnergyAxis;
use eagleray::files::ParFile;
use eagleray::pulsation::{AccelOptions, Algorithm, PulseTemplate, SearchOptions, SearchStatistic};
use eagleray::science::cumulant::CumulantOptions;
use eagleray::science::lomb_scargle::{LombScargleMethod, LombScargleOptions};
use eagleray::science::multitaper::TaperOptions;
use eagleray::science::{Band, DeadTimeKind, DeadTimeNoise, DeadTimeValue, EnergyKind, FadOptions, NoiseLevel, Norm};
use eagleray::time::DoubleDouble;
use eagleray::{
    AccelerationSearch, AmplitudeDifference, ArrivalTimes, Binning, BispectrumOfCumulants, BispectrumOfPairs, Counting,
    CrossSpectrum, DynamicalCross, DynamicalSpectrum, EnergyBands, EnergyDependence, Error, Fold, FoldInTime,
    LombScargle, LombScargleCross, Multitaper, PhaseEpoch, PhotonBand, PowerSpectrum, PulseSearch, Segmentation,
    TimeRebin,
};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::convert::{Named, Noise, rebinning};
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
fn segmentation(dt: Option<f64>, segment_size: Option<f64>, compat: Option<&str>) -> PyResult<Segmentation> {
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
    options: PowerOptions,
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
    options: CrossOptions,
) -> PyResult<Product> {
    session.run(py, &options.analysis()?, observation)
}

/// How segments of a dynamical spectrum are averaged.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct TimeOptions {
    rebin_time: Option<usize>,
    rebin_time_log: Option<f64>,
    across_gaps: bool,
}

impl TimeOptions {
    fn time(&self) -> PyResult<TimeRebin> {
        Ok(TimeRebin { rebin: rebinning(self.rebin_time, self.rebin_time_log)?, across_gaps: self.across_gaps })
    }
}

/// The power spectra of all segments against time.
#[pyfunction]
pub fn dynamical_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: PowerOptions,
    time: TimeOptions,
) -> PyResult<Product> {
    let analysis = DynamicalSpectrum::default().spectrum(options.analysis()?).time(time.time()?);
    session.run(py, &analysis, observation)
}

/// The cross spectra of all segments against time.
#[pyfunction]
pub fn dynamical_cross(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: CrossOptions,
    time: TimeOptions,
) -> PyResult<Product> {
    let analysis = DynamicalCross::default().spectrum(options.analysis()?).time(time.time()?);
    session.run(py, &analysis, observation)
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
pub fn fad(py: Python<'_>, session: &Session, observation: &Observation, options: FadGiven) -> PyResult<Product> {
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

/// Options of energy spectra.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct EnergyGiven {
    kind: Named<EnergyKind>,
    /// Edges of the bands, keV or channels; a band ends below the edge that begins the next.
    edges: Vec<f64>,
    channels: bool,
    reference: Option<(f64, f64)>,
    freq: Option<(f64, f64)>,
    norm: Option<Named<Norm>>,
    dt: Option<f64>,
    segment_size: Option<f64>,
}

/// Lags, covariance, rms, excess variance or counts against energy.
#[pyfunction]
pub fn energy_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: EnergyGiven,
) -> PyResult<Product> {
    let last = |edge: f64| if options.channels { edge - 1.0 } else { edge };
    let subjects: Vec<Band> = options.edges.windows(2).map(|pair| Band { lo: pair[0], hi: last(pair[1]) }).collect();
    let (Some(first), Some(end)) = (subjects.first(), subjects.last()) else {
        return Err(exception(Error::argument("energies", options.edges.len(), "two edges at least are needed")));
    };
    let all = Band { lo: first.lo, hi: end.hi };
    let reference = options.reference.map_or(all, |(lo, hi)| Band { lo, hi });
    let bands = EnergyBands { reference, subjects, channels: options.channels };
    let mut made = EnergyDependence::new(options.kind.0, bands);
    made.energy.freq = options.freq.map(|(lo, hi)| [lo, hi]);
    made.energy.fractional = match options.norm.as_ref().map(|norm| norm.0) {
        None => made.energy.fractional,
        Some(Norm::Frac) => true,
        Some(Norm::Abs) => false,
        Some(other) => return Err(exception(Error::argument("norm", other, "must be one of frac, abs"))),
    };
    made.segmentation = segmentation(options.dt, options.segment_size, None)?;
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
        let mut spectrum = LombScargleOptions::default();
        spectrum.norm = self.norm.0;
        (spectrum.min_freq, spectrum.max_freq) = self.freq;
        (spectrum.oversample, spectrum.floating_mean) = (self.oversample, self.floating_mean);
        spectrum.weighted = self.weighted;
        spectrum.method = if self.direct { LombScargleMethod::Direct } else { LombScargleMethod::Fast };
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
    options: LombScargleGiven,
) -> PyResult<Product> {
    session.run(py, &options.analysis()?, observation)
}

/// The Lomb-Scargle cross spectrum.
#[pyfunction]
pub fn lomb_scargle_cross(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: LombScargleGiven,
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
    options: PowerOptions,
    tapers: TapersGiven,
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
    options: CumulantGiven,
) -> PyResult<Product> {
    let window = options.window.as_deref().map(str::parse).transpose().map_err(exception)?;
    let mut cumulant = CumulantOptions::default();
    (cumulant.max_lag, cumulant.window) = (options.max_lag, window);
    (cumulant.unbiased, cumulant.max_freq) = (options.unbiased, options.max_freq);
    let mut made = BispectrumOfCumulants::default().cumulant(cumulant);
    made.segmentation = segmentation(options.dt, options.segment_size, options.compat.as_deref())?;
    session.run(py, &made, observation)
}

/// The light curve.
#[pyfunction]
pub fn light_curve(py: Python<'_>, session: &Session, observation: &Observation, dt: Option<f64>) -> PyResult<Product> {
    let mut made = Binning::default();
    made.dt = dt;
    session.run(py, &made, observation)
}

/// Counts in bins of time, and of energy or channel.
#[pyfunction]
pub fn bin(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    times: PyReadonlyArray1<f64>,
    energies: Option<Vec<f64>>,
    channels: bool,
) -> PyResult<Product> {
    let mut made = Counting::new(times.as_array().to_vec());
    if let Some(edges) = energies {
        made = made.energies(edges).axis(if channels { EnergyAxis::Channel } else { EnergyAxis::Energy });
    }
    session.run(py, &made, observation)
}

/// The ephemeris of a file, where one is given.
fn ephemeris(py: Python<'_>, par: Option<&PathBuf>) -> PyResult<Option<ParFile>> {
    let Some(path) = par else { return Ok(None) };
    py.detach(|| ParFile::read(path)).map(Some).map_err(exception)
}

/// Options of a search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SearchGiven {
    freq: Option<(f64, f64)>,
    fdot: Option<(f64, f64)>,
    fddot: Option<(f64, f64)>,
    par: Option<PathBuf>,
    method: Named<SearchStatistic>,
    nharm: usize,
    nbin: usize,
    oversample: Option<f64>,
    algorithm: Named<Algorithm>,
    candidates: usize,
    detection_level: f64,
    dt: Option<f64>,
    min_fracexp: Option<f64>,
}

/// A search for a periodic signal.
#[pyfunction]
pub fn search(py: Python<'_>, session: &Session, observation: &Observation, options: SearchGiven) -> PyResult<Product> {
    let mut made = PulseSearch::default().search(SearchOptions {
        freq: options.freq.unwrap_or_default(),
        fdot: options.fdot,
        fddot: options.fddot,
        method: options.method.0,
        nharm: options.nharm,
        nbin: options.nbin,
        oversample: options.oversample,
        algorithm: options.algorithm.0,
        candidates: options.candidates,
        false_alarm: options.detection_level,
    });
    made.ephemeris = ephemeris(py, options.par.as_ref())?;
    (made.dt, made.min_fracexp) = (options.dt, options.min_fracexp);
    session.run(py, &made, observation)
}

/// Options of an acceleration search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct AccelGiven {
    freq: (f64, f64),
    fdot: (f64, f64),
    fddot: (f64, f64),
    par: Option<PathBuf>,
    nharm: usize,
    detrend: bool,
    candidates: usize,
    detection_level: f64,
}

/// An acceleration search.
#[pyfunction]
pub fn accel(py: Python<'_>, session: &Session, observation: &Observation, options: AccelGiven) -> PyResult<Product> {
    let mut made = AccelerationSearch::default();
    made.search = AccelOptions {
        freq: options.freq,
        fdot: options.fdot,
        fddot: options.fddot,
        nharm: options.nharm,
        detrend: options.detrend,
        candidates: options.candidates,
        false_alarm: options.detection_level,
    };
    made.ephemeris = ephemeris(py, options.par.as_ref())?;
    session.run(py, &made, observation)
}

/// Options of a fold.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FoldGiven {
    /// The frequency as the sum of two numbers.
    f: Option<(f64, f64)>,
    fdot: f64,
    fddot: f64,
    /// The epoch as the sum of two numbers: MJD, or seconds of the frame.
    epoch: Option<(f64, f64)>,
    epoch_in_seconds: bool,
    par: Option<PathBuf>,
    nbin: usize,
    nharm: usize,
    background: f64,
}

impl FoldGiven {
    fn analysis(&self, py: Python<'_>) -> PyResult<Fold> {
        let sum = |(hi, lo): (f64, f64)| DoubleDouble::sum(hi, lo);
        let mut made = Fold::new(0.0)
            .freq(self.f.map(sum).unwrap_or_default())
            .fdot(self.fdot)
            .fddot(self.fddot)
            .nbin(self.nbin)
            .nharm(self.nharm)
            .background(self.background);
        made.epoch = self.epoch.map(|epoch| match self.epoch_in_seconds {
            true => PhaseEpoch::Seconds(sum(epoch)),
            false => PhaseEpoch::Mjd(sum(epoch)),
        });
        made.ephemeris = ephemeris(py, self.par.as_ref())?;
        Ok(made)
    }
}

/// The pulse profile at a known frequency or by an ephemeris.
#[pyfunction]
pub fn fold(py: Python<'_>, session: &Session, observation: &Observation, options: FoldGiven) -> PyResult<Product> {
    session.run(py, &options.analysis(py)?, observation)
}

/// Rates by time and phase: edges of the intervals, s from the epoch, and the rates of each.
#[pyfunction]
pub fn phaseogram<'py>(
    py: Python<'py>,
    session: &Session,
    observation: &Observation,
    options: FoldGiven,
    rows: usize,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>)> {
    let analysis = FoldInTime::new(options.analysis(py)?, rows);
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok((made.time.into_pyarray(py), PyArray2::from_vec2(py, &made.rate)?))
}

/// Times of arrival in intervals of some length, as JSON, and as a file of tempo2. The template is a file, a sinusoid, or the profile of all events.
#[pyfunction]
pub fn toas(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: FoldGiven,
    length: f64,
    template: Option<PathBuf>,
) -> PyResult<(String, String)> {
    let mut analysis = ArrivalTimes::new(options.analysis(py)?, length);
    analysis.template = match &template {
        Some(name) if name.as_os_str() == "sinusoid" => Some(PulseTemplate::sinusoid(options.nbin)),
        Some(path) => Some(PulseTemplate::read(path).map_err(exception)?),
        None => None,
    };
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok((serde_json::json!(made).to_string(), made.tim()))
}
