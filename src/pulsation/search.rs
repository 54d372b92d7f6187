//! Searches: the statistic of every trial of a grid, what stands out, and how probable it is.

use std::f64::consts::LN_10;

use rayon::prelude::*;
use serde::Serialize;

use super::candidates::{self, Candidate};
use super::harmonics::{HarmonicSums, MOST_TRIALS};
use super::trials::{self, Counter};
use super::{Grid, PulseEvents, exposure};
use crate::backend::Backend;
use crate::data::{DeviceRecord, Provenance};
use crate::error::{Error, Result};
use crate::io::product::{Product, column};
use crate::kernels::fold;
use crate::orbit::Timing;
use crate::spectrum::statistics::pulse::{self, Chances, H_HARMONICS, Law, Roots};

/// The statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// `Z²_n`.
    Z2,
    /// Epoch folding: χ² of the profile against its exposure.
    Ef,
    /// The H test.
    H,
}

/// How trials are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// `Fft` for harmonics on the CPU, `Fold` for epoch folding and on a GPU.
    Auto,
    /// Harmonic sums of all frequencies at once, unbinned.
    Fft,
    /// A profile of every trial.
    Fold,
}

/// Options of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchOptions {
    /// Lowest and highest frequency, Hz, at the epoch.
    pub freq: (f64, f64),
    /// Range of the first derivative, Hz/s; 0 alone without.
    pub fdot: Option<(f64, f64)>,
    /// Range of the second derivative, Hz/s².
    pub fddot: Option<(f64, f64)>,
    /// The statistic.
    pub method: Method,
    /// Harmonics of `Z²_n`.
    pub nharm: usize,
    /// Bins of the profiles.
    pub nbin: usize,
    /// Trials to an independent frequency; a default by method without.
    pub oversample: Option<f64>,
    /// How trials are computed.
    pub algorithm: Algorithm,
    /// Candidates listed.
    pub candidates: usize,
    /// Probability of a false alarm that a detection may have.
    pub false_alarm: f64,
}

impl Default for SearchOptions {
    fn default() -> SearchOptions {
        SearchOptions {
            freq: (0.0, 0.0),
            fdot: None,
            fddot: None,
            method: Method::Z2,
            nharm: 2,
            nbin: 64,
            oversample: None,
            algorithm: Algorithm::Auto,
            candidates: 10,
            false_alarm: 0.01,
        }
    }
}

impl SearchOptions {
    /// Trials to an independent frequency: four to one of the highest harmonic, so that no more than 5 % of its power is lost between
    /// them; 20 for H, of whose 20 harmonics the lower ones decide, and 10 for epoch folding.
    pub fn oversampling(&self) -> f64 {
        self.oversample.unwrap_or(match self.method {
            Method::Z2 => 4.0 * self.nharm as f64,
            Method::H => 20.0,
            Method::Ef => 10.0,
        })
    }

    /// Harmonics that the statistic looks at.
    pub(super) fn harmonics(&self) -> usize {
        match self.method {
            Method::Z2 => self.nharm,
            Method::H => H_HARMONICS,
            Method::Ef => (self.nbin / 2).clamp(1, 8),
        }
    }

    /// The statistic of `Z²_1 …`.
    pub(super) fn score(&self, z2: &[f64]) -> f64 {
        match self.method {
            Method::H => pulse::h_of_z2(z2).0,
            Method::Z2 | Method::Ef => z2.last().copied().unwrap_or(0.0),
        }
    }

    fn check(&self) -> Result<()> {
        let refuse = |option: &str, value: usize, message: &str| Err(Error::argument(option, value, message));
        if !(2..=fold::MOST_BINS).contains(&self.nbin) {
            return refuse("--nbin", self.nbin, "must be from 2 to 4096");
        }
        if !(1..=64).contains(&self.nharm) {
            return refuse("--nharm", self.nharm, "must be from 1 to 64");
        }
        let folded = self.algorithm == Algorithm::Fold && self.method != Method::Ef;
        if folded && self.nbin < 2 * self.harmonics() + 1 {
            return refuse("--nbin", self.nbin, "must be more than twice the harmonics of the statistic");
        }
        if self.method == Method::Ef && self.algorithm == Algorithm::Fft {
            return Err(Error::argument(
                "--algorithm",
                "fft",
                "computes no profiles; epoch folding needs --algorithm fold",
            ));
        }
        Ok(())
    }
}

/// What a search says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct SearchMeta {
    /// The statistic.
    pub method: Method,
    /// How trials were computed, `fft` or `fold`.
    pub algorithm: Algorithm,
    /// Harmonics of `Z²_n`.
    pub nharm: usize,
    /// Bins of profiles.
    pub nbin: usize,
    /// Trials to an independent frequency.
    pub oversample: f64,
    /// Trials of the grid.
    pub trials: u64,
    /// Of the band, over the span: `B·T`.
    pub independent_frequencies: f64,
    /// Step of the frequency, Hz, and of its derivatives (0 for none).
    pub df: f64,
    /// See [`SearchMeta::df`].
    pub dfdot: f64,
    /// See [`SearchMeta::df`].
    pub dfddot: f64,
    /// Where frequency and derivatives hold, seconds of the frame.
    pub epoch: f64,
    /// The same as MJD, where the frame has a reference.
    pub epoch_mjd: Option<f64>,
    /// The ephemeris file that times of emission are by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// Events.
    pub nphots: usize,
    /// Good time, s.
    pub exposure: f64,
    /// First start to last stop, s.
    pub span: f64,
    /// What noise reaches in the search with this probability.
    pub detection_probability: f64,
    /// See [`SearchMeta::detection_probability`].
    pub detection_level: f64,
    /// Upper limit (95 %) of the pulsed fraction of a sinusoid at any frequency of the grid (`Z²_n` alone).
    pub pulsed_upper_limit: Option<f64>,
    /// What computed it.
    #[serde(flatten)]
    pub device: DeviceRecord,
    /// What it was made of.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A search: one row a frequency, with the best of its derivatives.
#[derive(Clone, Debug)]
pub struct Search {
    /// Frequencies at the epoch, Hz.
    pub freq: Vec<f64>,
    /// First derivative with the largest statistic, Hz/s.
    pub fdot: Vec<f64>,
    /// Second derivative, Hz/s².
    pub fddot: Vec<f64>,
    /// The statistic.
    pub stat: Vec<f64>,
    /// What stands out, the least probable first.
    pub candidates: Vec<Candidate>,
    /// Largest statistic in each of at most [`MAP`] columns of frequency, row by row; without derivatives empty.
    pub map: Vec<Vec<f64>>,
    /// Rows of the grid: first and second derivative.
    pub rows: Vec<[f64; 2]>,
    /// Chances of noise.
    pub chances: Chances,
    /// All else.
    pub meta: SearchMeta,
}

/// Columns of [`Search::map`].
pub const MAP: usize = 800;
/// Confidence of upper limits.
const CONFIDENCE: f64 = 0.95;
/// Pieces that are worked on together.
const TOGETHER: usize = 8;
/// Events times trials of a piece that is folded.
const FOLDED: usize = 1 << 31;

/// Told how many trials are done, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Tries every frequency of the grid, and refines what stands out.
///
/// # Errors
/// Options without meaning; a grid too large; the device fails.
pub fn search(
    mut events: PulseEvents,
    options: &SearchOptions,
    backend: &mut dyn Backend,
    progress: Progress,
) -> Result<Search> {
    options.check()?;
    let grid = Grid::new(&events, options)?;
    let on_device = backend.shaders().is_some();
    let algorithm = match options.algorithm {
        Algorithm::Auto if options.method == Method::Ef || on_device => Algorithm::Fold,
        Algorithm::Auto => Algorithm::Fft,
        asked => asked,
    };
    let options = SearchOptions { algorithm, ..options.clone() };
    options.check()?;
    let mut best = Best::new(&grid);
    let pieces = pieces(&grid, &events, &options);
    let (mut device, mut done) = (trials::cpu_record(), 0);
    if algorithm == Algorithm::Fold {
        let mut counter = Counter::new(backend);
        for piece in pieces {
            let (first, look) = (grid.spin(piece.row, piece.first), profile_score(&events, &grid, piece, &options));
            let stats = counter.profiles(&events.times, [&first, &grid.step], piece.trials, options.nbin, look)?;
            done += best.add(piece, stats);
            progress(done, grid.trials());
        }
        let (record, failure) = counter.record();
        device = record;
        events.provenance.warnings.extend(backend.take_warnings());
        failure.into_iter().for_each(|message| events.provenance.warnings.push("W-BACKEND-FALLBACK", message));
    } else {
        let pool = backend.pool();
        for pieces in pieces.chunks(TOGETHER) {
            let all = || pieces.par_iter().map(|&piece| stats(&events, &grid, piece, &options)).collect::<Vec<_>>();
            let found = pool.as_ref().map_or_else(all, |pool| pool.install(all));
            done += pieces.iter().zip(found).map(|(&piece, stats)| best.add(piece, stats)).sum::<u64>();
            progress(done, grid.trials());
        }
    }
    Ok(match backend.pool() {
        Some(pool) => pool.install(|| conclude(events, &options, &grid, best, device)),
        None => conclude(events, &options, &grid, best, device),
    })
}

/// Consecutive frequencies of one row.
#[derive(Clone, Copy)]
struct Piece {
    row: usize,
    first: usize,
    trials: usize,
}

/// The grid in pieces of about a second of work, which progress is told of.
fn pieces(grid: &Grid, events: &PulseEvents, options: &SearchOptions) -> Vec<Piece> {
    let most = match options.algorithm {
        Algorithm::Fold => (FOLDED / events.times.len()).clamp(512, MOST_TRIALS),
        Algorithm::Auto | Algorithm::Fft => MOST_TRIALS,
    };
    // Equal ones, so that they share the tables of their transform.
    let most = grid.frequencies.div_ceil(grid.frequencies.div_ceil(most));
    let of_row = |row: usize| {
        let starts = (0..grid.frequencies).step_by(most);
        starts.map(move |first| Piece { row, first, trials: most.min(grid.frequencies - first) })
    };
    (0..grid.rows.len()).flat_map(of_row).collect()
}

/// The statistics of a piece from harmonic sums.
fn stats(events: &PulseEvents, grid: &Grid, piece: Piece, options: &SearchOptions) -> Vec<f64> {
    let first = grid.spin(piece.row, piece.first);
    let sums = HarmonicSums::new(piece.trials);
    let of_harmonic = |h: usize| sums.powers(&events.times, &first, &grid.step, h as u64 + 1);
    let powers: Vec<Vec<f64>> = (0..options.harmonics()).into_par_iter().map(of_harmonic).collect();
    let one = |j: usize| {
        let powers: Vec<f64> = powers.iter().map(|harmonic| harmonic[j]).collect();
        options.score(&pulse::z2_of_powers(&powers, events.times.len() as f64))
    };
    (0..piece.trials).into_par_iter().map(one).collect()
}

/// What makes the statistic of the profile of each trial of a piece.
fn profile_score<'a>(
    events: &'a PulseEvents,
    grid: &'a Grid,
    piece: Piece,
    options: &'a SearchOptions,
) -> impl Fn(usize, &[u32]) -> f64 + Sync + use<'a> {
    let roots = Roots::new(options.nbin);
    move |j, profile| match options.method {
        Method::Ef => {
            let spin = grid.spin(piece.row, piece.first + j);
            let exposed = exposure::exposure(&spin, &events.ticks, &events.gti, options.nbin);
            pulse::chi_square_of_profile(profile, &exposed).0
        }
        Method::Z2 | Method::H => {
            let powers = pulse::powers_of_profile(profile, options.harmonics(), &roots);
            options.score(&pulse::z2_of_powers(&powers, events.times.len() as f64))
        }
    }
}

/// The best row of each frequency.
struct Best {
    stat: Vec<f64>,
    row: Vec<usize>,
    map: Vec<Vec<f64>>,
}

impl Best {
    fn new(grid: &Grid) -> Best {
        let mapped = if grid.rows.len() > 1 { grid.rows.len() } else { 0 };
        Best {
            stat: vec![f64::NEG_INFINITY; grid.frequencies],
            row: vec![0; grid.frequencies],
            map: vec![vec![0.0; MAP.min(grid.frequencies)]; mapped],
        }
    }

    /// Takes the statistics of a piece; their number.
    fn add(&mut self, piece: Piece, stats: Vec<f64>) -> u64 {
        let frequencies = self.stat.len();
        let kept = self.stat.iter_mut().zip(&mut self.row).skip(piece.first);
        for ((i, &stat), (best, row)) in stats.iter().enumerate().zip(kept) {
            if stat > *best {
                (*best, *row) = (stat, piece.row);
            }
            let cells = self.map.get_mut(piece.row);
            let columns = cells.as_ref().map_or(1, |cells| cells.len());
            if let Some(cell) = cells.and_then(|cells| cells.get_mut((piece.first + i) * columns / frequencies)) {
                *cell = cell.max(stat);
            }
        }
        stats.len() as u64
    }
}

fn conclude(events: PulseEvents, options: &SearchOptions, grid: &Grid, best: Best, device: DeviceRecord) -> Search {
    let law = match options.method {
        Method::Z2 => Law::Z2(options.nharm),
        Method::H => Law::H,
        Method::Ef => Law::ChiSquare(options.nbin as f64 - 1.0),
    };
    let (frequencies, rows) = (grid.frequencies as f64, grid.rows.len() as f64);
    let band = (frequencies - 1.0) * grid.df;
    let chances = Chances { law, frequencies, band, deviation: events.deviation(), rows };
    let candidates = candidates::find(&events, options, grid, &best.stat, &best.row, &chances);
    let row = |j: usize| grid.rows.get(best.row[j]).copied().unwrap_or_default();
    let largest = best.stat.iter().copied().fold(0.0, f64::max);
    // Between two trials a signal loses the most, in the fundamental.
    let loss = crate::spectrum::statistics::pulsed::binning_loss(0.5 / options.oversampling(), 1.0);
    let limit = || pulse::pulsed_limit(largest, options.nharm, events.times.len() as f64, loss, CONFIDENCE);
    let epoch = events.ticks.reference().value();
    let meta = SearchMeta {
        method: options.method,
        algorithm: options.algorithm,
        nharm: options.nharm,
        nbin: options.nbin,
        oversample: options.oversampling(),
        trials: grid.trials(),
        independent_frequencies: band * events.span,
        df: grid.df,
        dfdot: grid.dfdot,
        dfddot: grid.dfddot,
        epoch,
        epoch_mjd: super::mjd(&events, epoch),
        timing: events.timing.clone(),
        nphots: events.times.len(),
        exposure: events.exposure,
        span: events.span,
        detection_probability: options.false_alarm,
        detection_level: chances.level(options.false_alarm.ln()),
        pulsed_upper_limit: (options.method == Method::Z2).then(limit),
        device,
        provenance: Provenance { options: serde_json::to_value(options).unwrap_or_default(), ..events.provenance },
    };
    Search {
        freq: (0..grid.frequencies).map(|j| grid.spin(0, j).freq(&events.ticks).value()).collect(),
        fdot: (0..grid.frequencies).map(|j| row(j)[0]).collect(),
        fddot: (0..grid.frequencies).map(|j| row(j)[1]).collect(),
        stat: best.stat,
        candidates,
        map: best.map,
        rows: grid.rows.clone(),
        chances,
        meta,
    }
}

impl Search {
    /// Decimal logarithms of the probabilities that noise reaches each statistic anywhere in the search.
    pub fn log10_p(&self) -> Vec<f64> {
        self.stat.par_iter().map(|&stat| self.chances.ln_p(stat) / LN_10).collect()
    }

    /// The metadata with the candidates.
    pub fn summary(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.meta).unwrap_or_default();
        value["candidates"] = serde_json::to_value(&self.candidates).unwrap_or_default();
        value
    }

    /// The search as a table: `freq` `fdot` `stat` `log10_p`, and `fddot` where that was searched.
    pub fn product<'a>(&'a self, log10_p: &'a [f64]) -> Product<'a> {
        let mut columns = vec![
            column("freq", "Hz", &self.freq),
            column("fdot", "Hz s-1", &self.fdot),
            column("stat", "", &self.stat),
            column("log10_p", "", log10_p),
        ];
        if self.meta.dfddot > 0.0 {
            columns.push(column("fddot", "Hz s-2", &self.fddot));
        }
        Product { name: "SEARCH", columns, meta: self.summary() }
    }
}
