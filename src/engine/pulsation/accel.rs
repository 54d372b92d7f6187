//! Acceleration searches: frequencies and drifts by matched filters in one Fourier transform of all events, unbinned, with
//! harmonics summed.
//!
//! The statistic of a trial is `Z²_n` of its frequency and derivative, for that of n = 1, 2, 4, 8 which is the least
//! probable, on the same grid as [`super::search()`] of the largest n. It comes from one transform of all events and
//! one filter for each drift ([`crate::science::pulsation::templates`]), so that its cost does not grow with the number
//! of events; the sensitivity that it loses is in `docs/pulsations.md`. Candidates are refined by exact phases.

use rustfft::num_complex::Complex;
use serde::Serialize;

use super::amplitudes::{self, LocalLevels};
use super::candidate::Candidate;
use super::candidates::{self, GridPeaks};
use super::drifting;
use super::refine::{RefinedPeak, TrialAmplitudes, TrialPeak, refine};
use super::relations::Listing;
use super::search_options::SearchOptions;
use super::search_result::MAP_COLUMNS;
use super::template_plan::{
    self, BestTemplate, BestTrial, FILTER_BANK_BYTES, HARMONIC_STAGES, MOST_TRIALS_HELD, TemplatePlan,
    frequencies_a_row,
};
use super::tones::Tones;
use super::window::SourceWindow;
use super::{PulseEvents, SearchMetadata, SearchResult, TrialGrid, profile_counter};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::progress::Progress;
use crate::base::warning::Warning;
use crate::numerics::nonuniform::SearchTransform;
use crate::science::pulsation::templates::FrequencyDrift;
use crate::science::statistics::pulse::{NullDistribution, TrialLaw};

pub use super::search_result::AccelMetadata;

/// Time bins that would have the Fourier bins: four to a cycle of the highest frequency but for more than the first of these, and the second at least.
const MANY_BINS: f64 = (1u64 << 24) as f64;
/// See [`MANY_BINS`].
const LEAST_BINS: f64 = (1u64 << 16) as f64;
/// The most rows of the result.
const MOST_FREQUENCIES: usize = 1 << 24;
/// The largest drift of the highest harmonic, bins.
const MOST_DRIFT: f64 = 16384.0;
/// What noise adds to the amplitude of a side lobe, hardly ever more, and by how much the source's own light curve may raise its power.
const SIDE_LOBE_NOISE: f64 = 3.0;
/// See [`SIDE_LOBE_NOISE`].
const SIDE_LOBE_FACTOR: f64 = 1.5;

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
    let a_row = frequencies_a_row(grid.frequencies, options.nharm);
    if grid.frequencies.div_ceil(a_row) > MOST_FREQUENCIES {
        let message = format!("makes {} trial frequencies; the most is {}", grid.frequencies, MOST_FREQUENCIES * a_row);
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
    // Fourier bins to four times the highest harmonic, and of many to the highest.
    let highest = nharm * (options.freq.1 * events.span + drift);
    let bins = ((8.0 * highest).clamp(LEAST_BINS, MANY_BINS.max(2.0 * highest)) as usize).next_power_of_two();
    let all = bins / 2 + 1;
    let pool = backend.threads();
    // Of each row of the result its best trial and the columns of the product, of each row of derivatives its map; of a stretch of the band the best
    // of each trial and the Fourier bins that its harmonics read, 36 for 32 trials at most.
    let rows = grid.rows.len() as u64;
    let (listed, held) = (grid.frequencies.div_ceil(a_row), grid.frequencies.min(MOST_TRIALS_HELD));
    Footprint::less_by(&["freq", "fdot", "nharm"])
        .and(listed, size_of::<BestTrial>() + 8 * size_of::<f64>())
        .and(rows * MAP_COLUMNS.min(grid.frequencies) as u64, 3 * size_of::<f64>())
        .and(rows, 2 * size_of::<FrequencyDrift>() + size_of::<f64>())
        .and(held, size_of::<BestTemplate>() + 2 * size_of::<Complex<f64>>())
        .and(2 * FILTER_BANK_BYTES, 1)
        .with(SearchTransform::footprint(held.div_ceil(32) * 36, events.times.len()))
        .check("the acceleration search")?;
    let plan = TemplatePlan::new(&events, &grid, options.freq.0, options.nharm);
    let noise = if options.detrend { plan.noise(all, &pool, progress) } else { LocalLevels::default() };
    progress.check()?;
    let (best, map) = plan.run(a_row, &noise, all, &pool, progress)?;
    let found = pool.run(|| conclude(events, options, &grid, &noise, (bins, a_row), (best, map), progress));
    progress.check().map(|()| found)
}

fn conclude(
    mut events: PulseEvents,
    options: &AccelOptions,
    grid: &TrialGrid,
    noise: &LocalLevels,
    (bins, a_row): (usize, usize),
    (best, map): (Vec<BestTrial>, Vec<Vec<f64>>),
    progress: &Progress,
) -> SearchResult {
    let tried: Vec<usize> = HARMONIC_STAGES.into_iter().filter(|&n| n <= options.nharm).collect();
    let of_stage = |&n: &usize| {
        let mut chances = grid.null_distribution(&events, TrialLaw::Z2(n));
        chances.planes *= tried.len() as f64;
        chances
    };
    let chances: Vec<NullDistribution> = tried.iter().map(of_stage).collect();
    let levels: Vec<f64> = chances.iter().map(|chances| chances.level(options.false_alarm.ln())).collect();
    let found =
        AccelCandidates { events: &events, options, grid, noise, a_row, chances: &chances, levels: &levels, progress };
    let (candidates, told) = found.candidates(&best);
    let row = |one: &BestTrial| grid.rows.get(one.best.row as usize).copied().unwrap_or_default();
    let most = options.most(events.span, amplitudes::middle(&events));
    let templates = AccelMetadata {
        drift: most.z,
        jerk: most.w,
        bins,
        dt: events.span / bins as f64,
        detrended: options.detrend,
        frequencies_a_row: a_row,
        harmonics: tried.clone(),
        detection_levels: levels.clone(),
    };
    let asked = serde_json::to_value(options).unwrap_or_default();
    let band = (grid.frequencies as f64 - 1.0) * grid.df;
    let numbers = (grid.trials(), band, [grid.df, grid.dfdot, grid.dfddot]);
    let level = levels.last().copied().unwrap_or(0.0);
    let made = ("templates", asked, profile_counter::cpu_record());
    told.into_iter().for_each(|warning| events.record.warnings.record(warning));
    let meta = SearchMetadata::new(&events, &options.search(options.nharm), made, numbers, level);
    let meta = SearchMetadata { templates: Some(templates), ..meta };
    SearchResult {
        freq: best.iter().map(|one| grid.spin(0, one.trial).freq(&events.ticks).value()).collect(),
        fdot: best.iter().map(|one| row(one)[0]).collect(),
        fddot: best.iter().map(|one| row(one)[1]).collect(),
        stat: best.iter().map(|one| f64::from(one.best.stat)).collect(),
        laws: Some(("nharm", best.iter().map(|one| u64::from(one.best.nharm.max(1))).collect())),
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
    noise: &'a LocalLevels,
    /// Trial frequencies of which the best is at hand.
    a_row: usize,
    /// Chances and detection level of each of the numbers of harmonics tried.
    chances: &'a [NullDistribution],
    levels: &'a [f64],
    progress: &'a Progress,
}

impl AccelCandidates<'_> {
    /// The peaks that may reach the detection level when refined, and do; at least one.
    fn candidates(&self, best: &[BestTrial]) -> (Vec<Candidate>, Vec<Warning>) {
        let most = candidates::REFINED_A_CANDIDATE.saturating_mul(self.options.candidates.max(1));
        let window = SourceWindow::new(self.events);
        let trial = |j: usize| {
            let BestTrial { best: one, trial: place } = best.get(j)?;
            let nharm = one.nharm.max(1) as usize;
            let peak = TrialPeak::from_grid(self.grid, *place, one.row as usize, f64::from(one.stat));
            let freq = peak.start.freq(&self.events.ticks).value();
            Some((peak, nharm, self.noise.at_harmonics(freq * self.events.span, nharm)))
        };
        let refined = |j: usize| {
            let (peak, nharm, noise) = trial(j)?;
            Some(refine(self.events, &self.options.search(nharm), peak, self.chances_of(nharm)?, &noise, self.progress))
        };
        let at = |j: usize| self.grid.spin(0, j * self.a_row).freq(&self.events.ticks).value();
        let step = self.grid.df * self.events.span * self.a_row as f64;
        let left = |j: usize, tones: &Tones| {
            let (peak, nharm, noise) = trial(j)?;
            let there =
                TrialAmplitudes::of_trial(self.events, &self.options.search(nharm), &peak, &noise, self.progress);
            let left = there.z2_without(&tones.predict(there.rates, nharm));
            let stat = left.last().copied()?;
            self.worth(nharm, stat).then(|| template_plan::score(0.5 * stat, nharm))
        };
        let asked = Listing {
            band: self.options.freq,
            most: self.options.candidates,
            level: self.options.false_alarm.log10(),
            width: 1.0,
            squares: self.events.sums()[1],
            ln_p: &|peak, left| {
                let (nharm, stat) = (peak.candidate.nharm, left.last().copied().unwrap_or(0.0));
                self.chances_of(nharm).map_or(0.0, |chances| chances.ln_p(stat))
            },
            again: &|freq| {
                candidates::largest_near(best, freq, at, step, |one| f64::from(one.best.score)).and_then(refined)
            },
            drifting: &|one, tones| {
                let asked = self.options.search(one.nharm);
                let trial = drifting::trial(self.events, &asked, &window, one, self.grid.ranges, tones, self.progress)?;
                let noise = self.noise.at_harmonics(one.freq * self.events.span, one.nharm);
                Some(refine(self.events, &asked, trial, self.chances_of(one.nharm)?, &noise, self.progress))
            },
        };
        let order = |a: &RefinedPeak, b: &RefinedPeak| {
            let (a, b) = (&a.candidate, &b.candidate);
            a.log10_p.total_cmp(&b.log10_p).then(b.stat.total_cmp(&a.stat))
        };
        candidates::listed(self.peaks(best, most, &window), &window, &asked, &refined, &left, &order)
    }

    fn chances_of(&self, nharm: usize) -> Option<&NullDistribution> {
        self.chances.iter().find(|chances| chances.law == TrialLaw::Z2(nharm))
    }

    /// Whether a statistic of so many harmonics may reach the detection level between trials.
    fn worth(&self, nharm: usize, stat: f64) -> bool {
        let mut levels = self.chances.iter().zip(self.levels);
        levels.any(|(chances, level)| chances.law == TrialLaw::Z2(nharm) && stat >= candidates::LEAST_PEAK_KEPT * level)
    }

    /// The largest of the grid, and those that are near them or that a larger one explains.
    fn peaks(&self, best: &[BestTrial], most: usize, window: &SourceWindow) -> GridPeaks {
        let score = |j: usize| best.get(j).map_or(f32::MIN, |one| one.best.score);
        let above = |j: usize| score(j) >= score(j.wrapping_sub(1)) && score(j) >= score(j + 1);
        let mut peaks: Vec<usize> = (0..best.len()).filter(|&j| above(j)).collect();
        let descending = |a: &usize, b: &usize| score(*b).total_cmp(&score(*a)).then(a.cmp(b));
        let looked_at = candidates::PEAKS_A_CANDIDATE.saturating_mul(most);
        if peaks.len() > looked_at {
            peaks.select_nth_unstable_by(looked_at, descending);
            peaks.truncate(looked_at);
        }
        peaks.sort_by(descending);
        let rates = |j: usize| {
            let one = best.get(j);
            let row = one.and_then(|one| self.grid.rows.get(one.best.row as usize)).copied().unwrap_or_default();
            [self.grid.spin(0, one.map_or(0, |one| one.trial)).freq(&self.events.ticks).value(), row[0], row[1]]
        };
        let apart = |j: usize, strong: usize| {
            let (one, other) = (rates(j), rates(strong));
            let apart: [f64; 3] = std::array::from_fn(|i| one[i] - other[i]);
            (apart, window.place(apart))
        };
        let near = |j: usize, strong: usize| {
            let (_, (r, drift)) = apart(j, strong);
            r.abs() < 1.5 && drift.z.abs() < 4.0 && drift.w.abs() < 30.0
        };
        let stat = |j: usize| best.get(j).map_or(0.0, |one| f64::from(one.best.stat));
        // What the strong one has there, in any of its harmonics, and the amplitude that noise adds.
        let lobe = |j: usize, strong: usize| {
            let (apart, _) = apart(j, strong);
            let part = |h: usize| window.part(apart.map(|rate| h as f64 * rate));
            let part = (1..=self.options.nharm).map(part).fold(0.0, f64::max);
            stat(j).sqrt() < (SIDE_LOBE_FACTOR * stat(strong) * part).sqrt() + SIDE_LOBE_NOISE
        };
        let mut found = GridPeaks { kept: Vec::new(), rest: Vec::new() };
        for j in peaks {
            let Some(BestTrial { best: one, .. }) = best.get(j) else { continue };
            let worth = self.worth(one.nharm as usize, f64::from(one.stat));
            if !(found.kept.is_empty() || worth) || found.kept.iter().any(|&strong| near(j, strong)) {
                continue;
            }
            if found.kept.len() < most && !found.kept.iter().any(|&strong| lobe(j, strong)) {
                found.kept.push(j);
            } else if found.rest.len() < candidates::MOST_LEFT_OVER.saturating_mul(most)
                && !found.rest.iter().any(|&strong| near(j, strong))
            {
                found.rest.push(j);
            }
        }
        found
    }
}
