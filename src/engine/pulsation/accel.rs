//! Acceleration searches: frequencies and drifts by matched filters in one Fourier transform of all events, unbinned, with
//! harmonics summed.
//!
//! The statistic of a trial is `Z²_n` of its frequency and derivative, for that of n = 1, 2, 4, 8 which is the least
//! probable, on the same grid as [`super::search()`] of the largest n. It comes from one transform of all events and
//! one filter for each drift ([`crate::science::pulsation::templates`]), so that its cost does not grow with the number
//! of events; the sensitivity that it loses is in `docs/pulsations.md`. Candidates are refined by exact phases.

use std::f64::consts::LN_10;
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::Serialize;

use super::amplitudes::{self, FourierAmplitudes};
use super::candidate::Candidate;
use super::candidates;
use super::refine::{RefinedPeak, TrialPeak, refine};
use super::relations::{self, Listing, SIDE_LOBE_FACTOR, SIDE_LOBE_NOISE};
use super::search_options::SearchOptions;
use super::search_result::MAP_COLUMNS;
use super::window::{SourceWindow, place};
use super::{PulseEvents, SearchMetadata, SearchResult, TrialGrid, profile_counter};
use crate::backend::{Backend, WorkerThreads};
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::progress::Progress;
use crate::numerics::nonuniform::SearchTransform;
use crate::science::pulsation::templates::{FilterBuffers, FrequencyDrift, MatchedFilter, PLACES_A_BIN, half_width};
use crate::science::statistics::pulse::{NullDistribution, TrialLaw};

pub use super::search_result::AccelMetadata;

/// Numbers of harmonics that are summed and tested.
pub const HARMONIC_STAGES: [usize; 4] = [1, 2, 4, 8];
/// The most time bins that would have the Fourier bins, and the least.
const MOST_BINS: f64 = (1u64 << 24) as f64;
/// See [`MOST_BINS`].
const LEAST_BINS: f64 = (1u64 << 16) as f64;
/// The most trial frequencies, of 16 bytes each.
const MOST_FREQUENCIES: usize = 1 << 26;
/// The largest drift of the highest harmonic, bins.
const MOST_DRIFT: f64 = 16384.0;
/// Bytes of the filters that are held at once.
const FILTER_BANK_BYTES: usize = 64 << 20;
/// What a trial keeps of a peak between trials, at least: peaks whose refined statistic may reach the detection level are looked at.
const LEAST_PEAK_KEPT: f64 = 0.7;

/// Options of an acceleration search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccelOptions {
    /// Lowest and highest frequency at the epoch, Hz.
    pub freq: (f64, f64),
    /// Range of the first frequency derivative, Hz/s.
    pub fdot: (f64, f64),
    /// Range of the second frequency derivative, Hz/s²; 0 to 0 for none.
    pub fddot: (f64, f64),
    /// Largest number of harmonics summed: 1, 2, 4 or 8. Smaller ones of these are tried, too.
    pub nharm: usize,
    /// Divide powers by the local noise level, for sources with red noise.
    pub detrend: bool,
    /// Number of candidates to list.
    pub candidates: usize,
    /// False-alarm probability over the whole search that makes a detection.
    pub false_alarm: f64,
}

impl Default for AccelOptions {
    fn default() -> AccelOptions {
        let none = (0.0, 0.0);
        AccelOptions {
            freq: none,
            fdot: none,
            fddot: none,
            nharm: 4,
            detrend: false,
            candidates: 10,
            false_alarm: 0.01,
        }
    }
}

impl AccelOptions {
    /// The search of `nharm` harmonics on the same grid.
    fn search(&self, nharm: usize) -> SearchOptions {
        let asked = |range: (f64, f64)| Some(range).filter(|(lo, hi)| !(*lo == 0.0 && *hi == 0.0));
        let (fdot, fddot) = (asked(self.fdot), asked(self.fddot));
        let (candidates, false_alarm) = (self.candidates, self.false_alarm);
        SearchOptions { freq: self.freq, fdot, fddot, nharm, candidates, false_alarm, ..SearchOptions::default() }
    }

    /// The largest drift of the fundamental over so many seconds, whose middle is so far from the epoch.
    fn most(&self, span: f64, middle: f64) -> FrequencyDrift {
        let most = |(lo, hi): (f64, f64)| f64::max(lo.abs(), hi.abs());
        let (fdot, fddot) = (most(self.fdot), most(self.fddot));
        FrequencyDrift { z: (fdot + fddot * middle.abs()) * span * span, w: fddot * span.powi(3) }
    }
}

/// The best of a frequency.
#[derive(Clone, Copy, Default)]
struct BestTemplate {
    /// `−ln` of the probability of noise in one trial.
    score: f32,
    stat: f32,
    row: u32,
    nharm: u32,
}

/// `−ln` of the probability that χ² of `2n` degrees of freedom exceeds `2x`.
fn score(x: f64, n: usize) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..n {
        term *= x / k as f64;
        sum += term;
    }
    x - f64::ln(sum)
}

/// How the trials of the grid lie in the spectrum, and what evaluates them.
struct TemplatePlan<'a> {
    grid: &'a TrialGrid,
    /// Harmonics, and the frequency (cycles over the span, at its middle) of the first trial of each row.
    nharm: usize,
    starts: Vec<f64>,
    /// Drift of the fundamental of each row.
    drifts: Vec<FrequencyDrift>,
    lowest: f64,
    filters: Vec<MatchedFilter>,
    /// Trials worked on together: a multiple of `PLACES_A_BIN·nharm`.
    piece: usize,
    /// Columns of the map.
    columns: usize,
}

impl<'a> TemplatePlan<'a> {
    fn new(events: &PulseEvents, grid: &'a TrialGrid, freq: f64, nharm: usize) -> TemplatePlan<'a> {
        let middle = amplitudes::middle(events);
        let in_bins = |[fdot, fddot]: [f64; 2]| place([freq, fdot, fddot], events.span, middle);
        let (starts, drifts): (Vec<f64>, Vec<FrequencyDrift>) = grid.rows.iter().map(|&row| in_bins(row)).unzip();
        let bounds = |values: &[f64]| values.iter().fold((f64::MAX, f64::MIN), |(lo, hi), &x| (lo.min(x), hi.max(x)));
        let (lowest, highest) = bounds(&starts);
        let most =
            |of: fn(&FrequencyDrift) -> f64| drifts.iter().fold(0.0, |most: f64, drift| most.max(of(drift).abs()));
        let most = FrequencyDrift { z: most(|drift| drift.z), w: most(|drift| drift.w) };
        let half = half_width(most.of_harmonic(nharm as f64));
        let unit = PLACES_A_BIN * nharm;
        // The filter of the highest harmonic should not be most of what is transformed.
        let wanted = (8 * half).next_power_of_two().max(2048);
        let shifts = |h: usize| (h as f64 * (highest - lowest)).ceil() as usize + 2;
        let bins = wanted.saturating_sub(2 * half + 2 + shifts(nharm)).max(wanted / 2);
        let piece = (bins / nharm).max(1).min(grid.frequencies.div_ceil(unit)) * unit;
        let filter = |h: usize| MatchedFilter::new(most.of_harmonic(h as f64), piece * h / unit + 1 + shifts(h));
        let columns = MAP_COLUMNS.min(grid.frequencies);
        let filters = (1..=nharm).map(filter).collect();
        TemplatePlan { grid, nharm, starts, drifts, lowest, filters, piece, columns }
    }

    /// The first bin that a piece reads of harmonic `h`, with that filter. Pieces begin at whole bins of every harmonic behind the first trial.
    fn begin(&self, piece: usize, h: usize, filter: &MatchedFilter) -> i64 {
        let before = piece * self.piece * h / (PLACES_A_BIN * self.nharm);
        (h as f64 * self.lowest).floor() as i64 + before as i64 - filter.half() as i64
    }

    /// The bins that are read of a spectrum, in which those before 0 are mirrored.
    fn bins(&self) -> Range<usize> {
        let last = self.grid.frequencies.div_ceil(self.piece) - 1;
        let each = || (1..).zip(&self.filters);
        let first = each().map(|(h, filter)| self.begin(0, h, filter)).min().unwrap_or(0);
        let end = each().map(|(h, filter)| self.begin(last, h, filter) + filter.length() as i64).max().unwrap_or(0);
        first.max(0) as usize..end.max(1 - first).max(0) as usize
    }

    /// The filters of a row, one harmonic after the other.
    fn templates(&self, row: usize) -> Vec<Vec<Complex<f32>>> {
        let (start, drift) = (self.starts[row], self.drifts[row]);
        let of = |(i, filter): (usize, &MatchedFilter)| {
            let h = (i + 1) as f64;
            filter.templates(drift.of_harmonic(h), (h * start) - (h * start).floor())
        };
        self.filters.iter().enumerate().map(of).collect()
    }

    /// Evaluates the rows from `first` on, whose templates are `bank`, at the trials of a piece; the largest score in each
    /// column of the map, row by row.
    fn evaluate(
        &self,
        spectrum: &FourierAmplitudes,
        first: usize,
        bank: &[Vec<Vec<Complex<f32>>>],
        place: usize,
        best: &mut [BestTemplate],
        progress: &Progress,
    ) -> Vec<Vec<f32>> {
        let from = |h: usize, start: f64| (h as f64 * start).floor() as i64;
        let stretch = |(h, filter): (usize, &MatchedFilter)| {
            filter.stretch(spectrum.stretch(self.begin(place, h, filter), filter.length()))
        };
        let stretches: Vec<Vec<Complex<f32>>> = (1..).zip(&self.filters).map(stretch).collect();
        let column = |j: usize| (place * self.piece + j) * self.columns / self.grid.frequencies;
        let (mut work, mut powers, mut sums) = (FilterBuffers::default(), Vec::new(), vec![0f32; best.len()]);
        let mut cells = Vec::with_capacity(bank.len());
        for (row, templates) in (first..).zip(bank) {
            if progress.is_cancelled() {
                break;
            }
            sums.fill(0.0);
            let mut seen = vec![0f32; column(best.len() - 1) - column(0) + 1];
            for (i, filter) in self.filters.iter().enumerate() {
                let h = i + 1;
                filter.powers(&stretches[i], &templates[i], &mut work, &mut powers);
                let shift = (from(h, self.starts[row]) - from(h, self.lowest)) as usize;
                for (j, sum) in sums.iter_mut().enumerate() {
                    // The nearest place to h·j/(PLACES·nharm) bins.
                    let nearest = (2 * h * j + self.nharm) / (2 * self.nharm);
                    let at = (nearest % PLACES_A_BIN) * filter.length() + shift + nearest / PLACES_A_BIN;
                    *sum += powers.get(at).copied().unwrap_or(0.0);
                }
                if HARMONIC_STAGES.contains(&h) {
                    for (j, (sum, best)) in sums.iter().zip(&mut *best).enumerate() {
                        let cell = &mut seen[column(j) - column(0)];
                        // Half the statistic is above the score: most trials end here.
                        if 0.5 * sum > best.score.min(*cell) {
                            let score = score(f64::from(0.5 * sum), h) as f32;
                            *cell = cell.max(score);
                            if score > best.score {
                                *best = BestTemplate { score, stat: *sum, row: row as u32, nharm: h as u32 };
                            }
                        }
                    }
                }
            }
            cells.push(seen);
        }
        cells
    }

    /// Tries every row; the best of each frequency, and the map.
    fn run(
        &self,
        spectrum: &FourierAmplitudes,
        pool: &WorkerThreads,
        progress: &Progress,
    ) -> Result<(Vec<BestTemplate>, Vec<Vec<f64>>)> {
        let mut best = vec![BestTemplate::default(); self.grid.frequencies];
        let mut map = vec![vec![0.0; self.columns]; self.grid.rows.len()];
        let bytes: usize =
            self.filters.iter().map(|filter| PLACES_A_BIN * filter.length() * size_of::<Complex<f32>>()).sum();
        let rows: Vec<usize> = (0..self.grid.rows.len()).collect();
        // One row first, then more and more: what they take tells what all will, before long.
        let (mut rest, mut together) = (rows.as_slice(), 1);
        progress.begin(self.grid.trials());
        while !rest.is_empty() {
            let (rows, behind) = rest.split_at(together.min(rest.len()));
            (rest, together) = (behind, (2 * together).min(FILTER_BANK_BYTES / bytes).max(1));
            let pieces: Vec<_> = pool.run(|| {
                let bank: Vec<_> = rows.par_iter().map(|&row| self.templates(row)).collect();
                let evaluate = |(place, best): (usize, &mut [BestTemplate])| {
                    self.evaluate(spectrum, rows[0], &bank, place, best, progress)
                };
                best.par_chunks_mut(self.piece).enumerate().map(evaluate).collect()
            });
            for (place, cells) in pieces.iter().enumerate() {
                let from = place * self.piece * self.columns / self.grid.frequencies;
                for (row, cells) in rows.iter().zip(cells) {
                    for (kept, cell) in map[*row].iter_mut().skip(from).zip(cells) {
                        *kept = f64::max(*kept, f64::from(*cell) / LN_10);
                    }
                }
            }
            progress.advance(rows.len() as u64 * self.grid.frequencies as u64)?;
        }
        Ok((best, map))
    }
}

/// An acceleration search: matched filters in one Fourier transform of all events (Ransom et al. 2002,
/// doi:10.1086/342285), harmonics summed; finds signals whose frequency drifts. The map of the result is `−log₁₀` of
/// the probability of noise in one trial.
///
/// # Errors
/// A range of frequencies or derivatives that is empty or out of bounds, a number of harmonics other than 1, 2, 4 or 8,
/// or a grid or series that is too large.
pub fn accel(
    events: PulseEvents,
    options: &AccelOptions,
    backend: &mut dyn Backend,
    progress: &Progress,
) -> Result<SearchResult> {
    if !HARMONIC_STAGES.contains(&options.nharm) {
        return Err(Error::argument("nharm", options.nharm, "must be 1, 2, 4 or 8"));
    }
    let grid = TrialGrid::new(&events, &options.search(options.nharm))?;
    let text = |(lo, hi): (f64, f64)| format!("{lo}:{hi}");
    if grid.frequencies > MOST_FREQUENCIES {
        let message = format!("makes {} trial frequencies; the most is {MOST_FREQUENCIES}", grid.frequencies);
        return Err(Error::argument("freq", text(options.freq), message));
    }
    let nharm = options.nharm as f64;
    let most = options.most(events.span, amplitudes::middle(&events));
    // A drift that changes by w is by w/8 bins off at the ends, one by z by z/2.
    let drift = most.z + 0.25 * most.w;
    if nharm * drift > MOST_DRIFT {
        let message = format!(
            "drifts by {} bins of {} Hz in the highest harmonic; the most is {MOST_DRIFT}",
            nharm * drift,
            1.0 / events.span
        );
        return Err(match most.z > 0.25 * most.w {
            true => Error::argument("fdot", text(options.fdot), message),
            false => Error::argument("fddot", text(options.fddot), message),
        });
    }
    // Fourier bins to four times the highest harmonic, where there can be so many.
    let highest = nharm * (options.freq.1 * events.span + drift);
    if 2.0 * highest > MOST_BINS {
        let most = (0.5 * MOST_BINS / nharm - drift) / events.span;
        let message = format!("with {} harmonics the highest of 2^24 bins is {most} Hz", options.nharm);
        return Err(Error::argument("freq", text(options.freq), message));
    }
    let bins = (8.0 * highest).clamp(LEAST_BINS, MOST_BINS) as usize;
    let bins = bins.next_power_of_two();
    let pool = backend.threads();
    // Of each frequency its best template and the columns of the product, of each row its map, of each Fourier bin its amplitude.
    let rows = grid.rows.len() as u64;
    let mapped = rows * MAP_COLUMNS.min(grid.frequencies) as u64;
    Footprint::less_by(&["freq", "fdot", "nharm"])
        .and(grid.frequencies, size_of::<BestTemplate>() + 8 * size_of::<f64>())
        .and(mapped, 3 * size_of::<f64>())
        .and(rows, 2 * size_of::<FrequencyDrift>() + size_of::<f64>())
        .and(bins, 3 * size_of::<Complex<f64>>())
        .and(2 * FILTER_BANK_BYTES, 1)
        .with(SearchTransform::footprint(bins / 2 + 1, events.times.len()))
        .check("the acceleration search")?;
    let plan = TemplatePlan::new(&events, &grid, options.freq.0, options.nharm);
    let spectrum = pool.run(|| FourierAmplitudes::new(&events, plan.bins(), bins / 2 + 1, options.detrend, progress));
    progress.check()?;
    let (best, map) = plan.run(&spectrum, &pool, progress)?;
    Ok(pool.run(|| conclude(events, options, &grid, &spectrum, bins, best, map)))
}

fn conclude(
    events: PulseEvents,
    options: &AccelOptions,
    grid: &TrialGrid,
    spectrum: &FourierAmplitudes,
    bins: usize,
    best: Vec<BestTemplate>,
    map: Vec<Vec<f64>>,
) -> SearchResult {
    let tried: Vec<usize> = HARMONIC_STAGES.into_iter().filter(|&n| n <= options.nharm).collect();
    let of_stage = |&n: &usize| {
        let mut chances = grid.null_distribution(&events, TrialLaw::Z2(n));
        chances.planes *= tried.len() as f64;
        chances
    };
    let chances: Vec<NullDistribution> = tried.iter().map(of_stage).collect();
    let levels: Vec<f64> = chances.iter().map(|chances| chances.level(options.false_alarm.ln())).collect();
    let found = AccelCandidates { events: &events, options, grid, spectrum, chances: &chances, levels: &levels };
    let candidates = found.candidates(&best);
    let row = |one: &BestTemplate| grid.rows.get(one.row as usize).copied().unwrap_or_default();
    let most = options.most(events.span, spectrum.middle);
    let templates = AccelMetadata {
        drift: most.z,
        jerk: most.w,
        bins,
        dt: events.span / bins as f64,
        detrended: options.detrend,
        harmonics: tried.clone(),
        detection_levels: levels.clone(),
    };
    let asked = serde_json::to_value(options).unwrap_or_default();
    let band = (grid.frequencies as f64 - 1.0) * grid.df;
    let numbers = (grid.trials(), band, [grid.df, grid.dfdot, grid.dfddot]);
    let level = levels.last().copied().unwrap_or(0.0);
    let made = ("templates", asked, profile_counter::cpu_record());
    let meta = SearchMetadata::new(&events, &options.search(options.nharm), made, numbers, level);
    let meta = SearchMetadata { templates: Some(templates), ..meta };
    SearchResult {
        freq: (0..grid.frequencies).map(|j| grid.spin(0, j).freq(&events.ticks).value()).collect(),
        fdot: best.iter().map(|one| row(one)[0]).collect(),
        fddot: best.iter().map(|one| row(one)[1]).collect(),
        stat: best.iter().map(|one| f64::from(one.stat)).collect(),
        laws: Some(("nharm", best.iter().map(|one| u64::from(one.nharm.max(1))).collect())),
        candidates,
        map,
        rows: grid.rows.clone(),
        ln_p: Vec::new(),
        read_log10_p: Vec::new(),
        null_distributions: tried.iter().map(|&n| n as u64).zip(chances).collect(),
        meta,
    }
}

/// What candidates are made of.
struct AccelCandidates<'a> {
    events: &'a PulseEvents,
    options: &'a AccelOptions,
    grid: &'a TrialGrid,
    spectrum: &'a FourierAmplitudes,
    /// Chances and detection level of each of the numbers of harmonics tried.
    chances: &'a [NullDistribution],
    levels: &'a [f64],
}

impl AccelCandidates<'_> {
    /// The peaks that may reach the detection level when refined, and do; at least one. Those are left out that a stronger one explains.
    fn candidates(&self, best: &[BestTemplate]) -> Vec<Candidate> {
        let score = |j: usize| best.get(j).map_or(f32::MIN, |one| one.score);
        let above = |j: usize| score(j) >= score(j.wrapping_sub(1)) && score(j) >= score(j + 1);
        let mut peaks: Vec<usize> = (0..best.len()).filter(|&j| above(j)).collect();
        let descending = |a: &usize, b: &usize| score(*b).total_cmp(&score(*a)).then(a.cmp(b));
        let most = self.options.candidates.max(1);
        let looked_at = candidates::PEAKS_A_CANDIDATE.saturating_mul(most);
        if peaks.len() > looked_at {
            peaks.select_nth_unstable_by(looked_at, descending);
            peaks.truncate(looked_at);
        }
        peaks.sort_by(descending);
        let span = self.events.span;
        let window = SourceWindow::new(self.events);
        let lobe = |(one, stat): ([f64; 3], f64), (other, strong): ([f64; 3], f64)| {
            let (r, drift) = window.place(std::array::from_fn(|i| one[i] - other[i]));
            // What the strong one has there, in any of its harmonics, and the amplitude that noise adds.
            let part = |h: usize| window.part(h as f64 * r, drift.of_harmonic(h as f64));
            let part = (1..=self.options.nharm).map(part).fold(0.0, f64::max);
            let near = r.abs() < 1.5 && drift.z.abs() < 4.0 && drift.w.abs() < 30.0;
            near || stat.sqrt() < (SIDE_LOBE_FACTOR * strong * part).sqrt() + SIDE_LOBE_NOISE
        };
        let trial = |j: usize| {
            let row = best.get(j).and_then(|one| self.grid.rows.get(one.row as usize)).copied().unwrap_or_default();
            let freq = self.grid.spin(0, j).freq(&self.events.ticks).value();
            ([freq, row[0], row[1]], best.get(j).map_or(0.0, |one| f64::from(one.stat)))
        };
        let mut kept: Vec<usize> = Vec::new();
        for j in peaks {
            let Some(one) = best.get(j) else { continue };
            let worth = self.chances.iter().zip(self.levels).any(|(chances, level)| {
                chances.law == TrialLaw::Z2(one.nharm as usize) && f64::from(one.stat) >= LEAST_PEAK_KEPT * level
            });
            if (kept.is_empty() || worth) && !kept.iter().any(|&strong| lobe(trial(j), trial(strong))) {
                kept.push(j);
            }
        }
        let refined = |j: usize| {
            let one = best.get(j)?;
            let nharm = one.nharm.max(1) as usize;
            let chances = self.chances.iter().find(|chances| chances.law == TrialLaw::Z2(nharm))?;
            let noise = self.spectrum.levels(trial(j).0[0] * span, nharm);
            let peak = TrialPeak::from_grid(self.grid, j, one.row as usize, f64::from(one.stat));
            Some(refine(self.events, &self.options.search(nharm), peak, chances, &noise))
        };
        let mut found: Vec<RefinedPeak> = kept.par_iter().filter_map(|&j| refined(j)).collect();
        found.sort_by(|a, b| {
            let (a, b) = (&a.candidate, &b.candidate);
            a.log10_p.total_cmp(&b.log10_p).then(b.stat.total_cmp(&a.stat))
        });
        let mut listed: Vec<RefinedPeak> = Vec::new();
        let limit = self.options.false_alarm.log10();
        for one in found {
            let found = |peak: &RefinedPeak| {
                let c = &peak.candidate;
                ([c.freq, c.fdot, c.fddot], c.stat)
            };
            let detected = listed.is_empty() || one.candidate.log10_p <= limit;
            if listed.len() < most && detected && !listed.iter().any(|strong| lobe(found(&one), found(strong))) {
                listed.push(one);
            }
        }
        let at = |j: usize| self.grid.spin(0, j).freq(&self.events.ticks).value();
        let step = self.grid.df * span;
        let again =
            |freq: f64| candidates::largest_near(best, freq, at, step, |one| f64::from(one.score)).and_then(refined);
        let asked =
            Listing { band: self.options.freq, most, level: limit, width: 1.0, trials: self.grid.trials() as f64 };
        relations::list(listed, &window, &asked, &again)
    }
}
