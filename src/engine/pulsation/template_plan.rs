//! The trials of an acceleration search in pieces: which Fourier bins each reads, and the filters that evaluate them.
//!
//! **Cost.** A trial takes `Σ h/n` powers of filters (4.5 for 8 harmonics), each some `5·log₂` operations of two transforms of eight times the drift, an addition a harmonic, and a
//! comparison a number of harmonics tried. **Memory** does not grow with the band: a stretch of it has at most [`MOST_TRIALS_HELD`] frequencies (16 bytes each), and the Fourier bins that
//! their harmonics read (at most 36 of 8 bytes for 32 trials); the best of neighbouring frequencies are kept, at most [`MOST_LISTED`] as far as they are not independent.

use std::f64::consts::LN_10;
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::amplitudes::{self, FourierAmplitudes, LocalLevels, WIDEST_BLOCK};
use super::search_result::MAP_COLUMNS;
use super::window::place;
use super::{PulseEvents, TrialGrid};
use crate::backend::WorkerThreads;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::science::pulsation::templates::{FilterBuffers, FrequencyDrift, MatchedFilter, PLACES_A_BIN, half_width};

/// Numbers of harmonics that are summed and tested.
pub const HARMONIC_STAGES: [usize; 4] = [1, 2, 4, 8];
/// Bytes of the filters that are held at once.
pub const FILTER_BANK_BYTES: usize = 64 << 20;
/// The most trial frequencies whose best derivatives are held at once.
pub const MOST_TRIALS_HELD: usize = 1 << 23;
/// Trial frequencies from which neighbours share a row of the result, as far as they are not independent.
const MOST_LISTED: usize = 1 << 22;

/// The best of a frequency.
#[derive(Clone, Copy, Debug, Default)]
pub struct BestTemplate {
    /// `−ln` of the probability of noise in one trial.
    pub score: f32,
    pub stat: f32,
    pub row: u32,
    pub nharm: u32,
}

/// The best of some neighbouring frequencies, and which of all it is.
#[derive(Clone, Copy, Debug)]
pub struct BestTrial {
    pub best: BestTemplate,
    pub trial: usize,
}

/// `−ln` of the probability that χ² of `2n` degrees of freedom exceeds `2x`.
pub fn score(x: f64, n: usize) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..n {
        term *= x / k as f64;
        sum += term;
    }
    x - f64::ln(sum)
}

/// How many neighbouring frequencies share a row of the result: a power of two, at most those of an independent frequency.
pub fn frequencies_a_row(frequencies: usize, nharm: usize) -> usize {
    frequencies.div_ceil(MOST_LISTED).next_power_of_two().min(PLACES_A_BIN * nharm)
}

/// How the trials of the grid lie in the spectrum, and what evaluates them.
pub struct TemplatePlan<'a> {
    events: &'a PulseEvents,
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
    /// Pieces of a stretch of the band, at most.
    together: usize,
    /// Columns of the map.
    columns: usize,
}

impl<'a> TemplatePlan<'a> {
    pub fn new(events: &'a PulseEvents, grid: &'a TrialGrid, freq: f64, nharm: usize) -> TemplatePlan<'a> {
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
        let together = (MOST_TRIALS_HELD / piece).max(1);
        TemplatePlan { events, grid, nharm, starts, drifts, lowest, filters, piece, together, columns }
    }

    /// The first bin that a piece reads of harmonic `h`, with that filter. Pieces begin at whole bins of every harmonic behind the first trial.
    fn begin(&self, piece: usize, h: usize, filter: &MatchedFilter) -> i64 {
        let before = piece * self.piece * h / (PLACES_A_BIN * self.nharm);
        (h as f64 * self.lowest).floor() as i64 + before as i64 - filter.half() as i64
    }

    /// The bins of a spectrum up to bin `all` that some pieces read, harmonic by harmonic. Those before 0 are mirrored.
    fn bins(&self, pieces: &Range<usize>, all: usize) -> Vec<Range<usize>> {
        let of = |(h, filter): (usize, &MatchedFilter)| {
            let first = self.begin(pieces.start, h, filter);
            let end = self.begin(pieces.end - 1, h, filter) + filter.length() as i64;
            first.max(0) as usize..(end.max(1 - first).max(0) as usize).min(all)
        };
        (1..).zip(&self.filters).map(of).collect()
    }

    /// The local levels of the noise in the bins up to bin `all` that the search reads, with as many behind as levels are made of.
    pub fn noise(&self, all: usize, pool: &WorkerThreads, progress: &Progress) -> LocalLevels {
        let pieces = 0..self.grid.frequencies.div_ceil(self.piece);
        let end = self.bins(&pieces, all).iter().map(|bins| bins.end).max().unwrap_or(0);
        pool.run(|| LocalLevels::new(self.events, (end + 4 * WIDEST_BLOCK).min(all), progress))
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

    /// The trials of a piece of so many in each column of the map.
    fn cells(&self, place: usize, trials: usize) -> Vec<Range<usize>> {
        let (first, frequencies) = (place * self.piece, self.grid.frequencies);
        let column = |j: usize| (first + j) * self.columns / frequencies;
        let begin = |column: usize| (column * frequencies).div_ceil(self.columns).clamp(first, first + trials) - first;
        (column(0)..=column(trials - 1)).map(|column| begin(column)..begin(column + 1)).collect()
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
        let (columns, nharm) = (self.cells(place, best.len()), self.nharm);
        let (mut work, mut powers, mut sums) = (FilterBuffers::default(), Vec::new(), vec![0f32; best.len()]);
        let mut cells = Vec::with_capacity(bank.len());
        for (row, templates) in (first..).zip(bank) {
            if progress.is_cancelled() {
                break;
            }
            sums.fill(0.0);
            let mut seen = vec![0f32; columns.len()];
            for (i, filter) in self.filters.iter().enumerate() {
                let h = i + 1;
                filter.powers(&stretches[i], &templates[i], &mut work, &mut powers);
                let shift = (from(h, self.starts[row]) - from(h, self.lowest)) as usize;
                // Trials of nharm steps are h quarters of a bin of this harmonic apart; each takes the nearest place.
                let nearest: Vec<usize> = (0..nharm).map(|j| (2 * h * j + nharm) / (2 * nharm)).collect();
                let places = powers.get(PLACES_A_BIN * shift..).unwrap_or_default();
                for (step, sums) in sums.chunks_mut(nharm).enumerate() {
                    let near = places.get(step * h..=step * h + h).unwrap_or_default();
                    for (sum, &place) in sums.iter_mut().zip(&nearest) {
                        *sum += near.get(place).copied().unwrap_or(0.0);
                    }
                }
                if HARMONIC_STAGES.contains(&h) {
                    for (trials, cell) in columns.iter().zip(&mut seen) {
                        for (sum, best) in sums[trials.clone()].iter().zip(&mut best[trials.clone()]) {
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
            }
            cells.push(seen);
        }
        cells
    }

    /// Tries every row at the frequencies of a stretch of the band; the best of each frequency.
    fn stretch(
        &self,
        pieces: Range<usize>,
        spectrum: &FourierAmplitudes,
        map: &mut [Vec<f64>],
        pool: &WorkerThreads,
        progress: &Progress,
    ) -> Result<Vec<BestTemplate>> {
        let end = (pieces.end * self.piece).min(self.grid.frequencies);
        let mut best = vec![BestTemplate::default(); end - pieces.start * self.piece];
        let bytes: usize =
            self.filters.iter().map(|filter| PLACES_A_BIN * filter.length() * size_of::<Complex<f32>>()).sum();
        let rows: Vec<usize> = (0..self.grid.rows.len()).collect();
        // One row first, then more and more: what they take tells what all will, before long.
        let (mut rest, mut together) = (rows.as_slice(), 1);
        while !rest.is_empty() {
            let (rows, behind) = rest.split_at(together.min(rest.len()));
            (rest, together) = (behind, (2 * together).min(FILTER_BANK_BYTES / bytes).max(1));
            let found: Vec<_> = pool.run(|| {
                // Nobody looks at what comes of a run that was cancelled.
                let templates = |&row: &usize| if progress.is_cancelled() { Vec::new() } else { self.templates(row) };
                let bank: Vec<_> = rows.par_iter().map(templates).collect();
                let evaluate = |(i, best): (usize, &mut [BestTemplate])| {
                    self.evaluate(spectrum, rows[0], &bank, pieces.start + i, best, progress)
                };
                best.par_chunks_mut(self.piece).enumerate().map(evaluate).collect()
            });
            for (place, cells) in pieces.clone().zip(&found) {
                let from = place * self.piece * self.columns / self.grid.frequencies;
                for (row, cells) in rows.iter().zip(cells) {
                    for (kept, cell) in map[*row].iter_mut().skip(from).zip(cells) {
                        *kept = f64::max(*kept, f64::from(*cell) / LN_10);
                    }
                }
            }
            progress.advance((rows.len() * best.len()) as u64)?;
        }
        Ok(best)
    }

    /// Tries every row, one stretch of the band after the other; the best of every `a_row` frequencies, and the map. Amplitudes are those of the bins up
    /// to bin `all`, over the level of the noise.
    pub fn run(
        &self,
        a_row: usize,
        noise: &LocalLevels,
        all: usize,
        pool: &WorkerThreads,
        progress: &Progress,
    ) -> Result<(Vec<BestTrial>, Vec<Vec<f64>>)> {
        let pieces = self.grid.frequencies.div_ceil(self.piece);
        let mut map = vec![vec![0.0; self.columns]; self.grid.rows.len()];
        let mut kept = Vec::with_capacity(self.grid.frequencies.div_ceil(a_row));
        progress.begin(self.grid.trials());
        for first in (0..pieces).step_by(self.together) {
            let pieces = first..pieces.min(first + self.together);
            let bins = self.bins(&pieces, all);
            let spectrum = pool.run(|| FourierAmplitudes::new(self.events, bins, noise, progress));
            progress.check()?;
            let trials = first * self.piece;
            let best = self.stretch(pieces, &spectrum, &mut map, pool, progress)?;
            // Pieces are whole numbers of rows.
            for (i, best) in best.chunks(a_row).enumerate() {
                let descending = |&(j, one): &(usize, &BestTemplate), &(k, other): &(usize, &BestTemplate)| {
                    one.score.total_cmp(&other.score).then(k.cmp(&j))
                };
                let largest = best.iter().enumerate().max_by(descending);
                kept.extend(largest.map(|(j, best)| BestTrial { best: *best, trial: trials + i * a_row + j }));
            }
        }
        Ok((kept, map))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::backend::DeviceChoice;
    use crate::base::random::Random;
    use crate::base::warning::Warnings;
    use crate::data::Gti;
    use crate::engine::pulsation::SearchOptions;
    use crate::engine::{CHUNK_EVENTS, Combine, Events};

    fn events() -> PulseEvents {
        let (mut random, mut warnings) = (Random::new(5), Warnings::default());
        let mut times: Vec<f64> = (0..3000).map(|_| 500.0 * random.uniform()).collect();
        times.sort_by(f64::total_cmp);
        let inputs = vec![Events::from_slice(&times, Gti::from_seconds(&[(0.0, 500.0)]).unwrap(), &mut warnings)];
        PulseEvents::read(inputs, Combine::Average, None, CHUNK_EVENTS, warnings, &Progress::default()).unwrap()
    }

    #[test]
    fn stretches_and_shared_rows_are_parts_of_the_whole() {
        let (events, nharm) = (events(), 4);
        let asked = SearchOptions { freq: (1.0, 31.0), fdot: Some((-4e-6, 4e-6)), nharm, ..SearchOptions::default() };
        let grid = TrialGrid::new(&events, &asked).unwrap();
        assert!(grid.rows.len() > 2, "{:?}", grid.rows);
        let choice = DeviceChoice::Cpu { threads: NonZeroUsize::new(2) };
        let pool = crate::backend::open(&choice, &mut Warnings::default()).unwrap().threads();
        let plan =
            |together: usize| TemplatePlan { together, ..TemplatePlan::new(&events, &grid, asked.freq.0, nharm) };
        for noise in [LocalLevels::default(), plan(100).noise(1 << 18, &pool, &Progress::default())] {
            let run = |together: usize, a_row: usize| {
                let progress = Progress::default();
                let found = plan(together).run(a_row, &noise, 1 << 18, &pool, &progress).unwrap();
                assert_eq!(progress.state(), (grid.trials(), grid.trials()));
                found
            };
            let (whole, map) = run(usize::MAX >> 32, 1);
            assert!(grid.frequencies.div_ceil(plan(1).piece) > 10 && whole.len() == grid.frequencies);
            let (parts, map_of_parts) = run(3, 1);
            // Sums of other transforms differ by their rounding; of equal scores either is the best.
            for (a, b) in whole.iter().zip(&parts) {
                assert!(a.trial == b.trial && (a.best.score - b.best.score).abs() < 2e-3, "{a:?} {b:?}");
            }
            for (a, b) in map.iter().flatten().zip(map_of_parts.iter().flatten()) {
                assert!((a - b).abs() < 1e-3, "{a} {b}");
            }
            let (shared, map_of_shared) = run(3, 8);
            assert_eq!(map_of_shared, map_of_parts);
            assert_eq!(shared.len(), parts.len().div_ceil(8));
            for (row, all) in shared.iter().zip(parts.chunks(8)) {
                let largest = all.iter().map(|one| one.best.score).fold(0f32, f32::max);
                let own = all.iter().find(|one| one.trial == row.trial).unwrap();
                assert!(row.best.score == largest && own.best.score == largest, "{row:?}");
            }
        }
    }

    #[test]
    fn neighbours_share_a_row_as_far_as_they_are_not_independent() {
        for (frequencies, nharm, expected) in [
            (1, 8, 1),
            (1 << 22, 8, 1),
            ((1 << 22) + 1, 8, 2),
            // 716 Hz in 10 ks, of eight harmonics: 32 to an independent frequency.
            (229_120_000, 8, 32),
            (229_120_000, 1, 4),
        ] {
            assert_eq!(frequencies_a_row(frequencies, nharm), expected, "{frequencies} {nharm}");
        }
    }
}
