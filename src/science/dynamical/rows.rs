//! Sums of single segments to the rows of a dynamical spectrum, as they come.

use std::ops::Range;

use super::axes::{Axes, TimeRebin};
use crate::base::error::{Error, Result};
use crate::base::footprint::{self, Footprint};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
use crate::science::noise::NoiseLevel;
use crate::science::norm::{Norm, NormParameters};
use crate::science::rebin::Rebin;

/// Where a segment lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SegmentPlace {
    /// Start, s of the frame.
    pub start: f64,
    /// Stretch of segments without a gap that it belongs to.
    pub stretch: u64,
    /// Its number in the stretch.
    pub number: u64,
}

/// What is done with each segment.
#[derive(Clone, Debug)]
pub(crate) struct DynamicalSpec {
    /// 1 for power, 2 for cross spectra: the reference first.
    pub series: usize,
    /// Every photon of the subject is one of the reference, too.
    pub inside: bool,
    /// Flux samples, not counts.
    pub flux: bool,
    pub n: usize,
    pub dt: f64,
    pub segment_size: f64,
    pub norm: Norm,
    pub use_common_mean: bool,
    pub rebin: Rebin,
    pub time: TimeRebin,
    /// Background of the reference, or the only series, and of the subject, counts/s.
    pub background: [f64; 2],
    /// Noise levels of the same.
    pub noise: [NoiseLevel; 2],
}

/// One row, while its segments come.
struct DynamicalRow {
    key: (u64, u64),
    /// First start and last end, s.
    start: f64,
    stop: f64,
    /// Sum of the segments' centres since `start`.
    centres: f64,
    segments: u64,
    /// Mean flux (or counts) a bin, summed over segments; by series.
    means: [f64; 2],
    /// Poisson's or the errors' noise power, summed over segments; normalised where segments are by themselves.
    noise: [f64; 2],
    /// Squares of the same.
    noise_squares: [f64; 2],
}

/// Rows as they grow. Of a segment only its rebinned frequencies are kept, added to those of its row.
pub(crate) struct DynamicalRows {
    recipe: DynamicalSpec,
    /// Frequencies of each new bin.
    ranges: Vec<Range<usize>>,
    /// Ends of the time bins in a stretch, in segments, where widths grow.
    ends: Vec<u64>,
    rows: Vec<DynamicalRow>,
    /// rows × blocks × frequencies.
    values: Vec<f64>,
    /// All segments together, without their powers.
    pub total: Sums,
}

/// What became of the rows.
pub(crate) struct FinishedRows {
    pub recipe: DynamicalSpec,
    /// All segments together, without their powers.
    pub total: Sums,
    pub axes: Axes,
    /// One matrix a block (power; or subject, reference, real and imaginary part), rows × frequencies, normalised.
    pub blocks: Vec<Vec<f64>>,
    /// Noise level of each row, by series.
    pub noise: Vec<Vec<f64>>,
    /// Mean counts (or flux) a bin of all segments, and their noise level; by series.
    pub mean: Vec<f64>,
    pub level: Vec<f64>,
}

impl DynamicalRow {
    /// How many segments of equal weight those of the row are worth, by the noise of all series.
    fn m_eff(&self, series: usize) -> f64 {
        let m = self.segments as f64;
        let of = |c: usize| self.noise[c] * self.noise[c] / self.noise_squares[c];
        let of = (0..series).map(of).map(|m_eff| if m_eff.is_finite() && m_eff > 0.0 { m_eff.min(m) } else { m });
        of.fold(1.0, |product, m_eff| product * m_eff.powf(1.0 / series as f64))
    }
}

impl DynamicalSpec {
    /// Blocks of a segment's sums.
    pub fn blocks(&self) -> usize {
        if self.series == 1 { 1 } else { 4 }
    }

    /// Rows and frequencies at most, of so many segments in so many stretches without a gap.
    pub fn shape(&self, segments: u64, stretches: u64) -> Result<(u64, usize)> {
        let rows = match self.time.rebin {
            Rebin::Geometric(growth) if !(growth.is_finite() && growth > 0.0) => {
                return Err(Error::argument("time.rebin.Geometric", growth, "must be a positive number"));
            }
            Rebin::None => segments,
            Rebin::Linear(by) => (segments / (by as u64).max(1)).saturating_add(stretches).min(segments),
            rebin => {
                (rebin.ranges(segments.min(1 << 24) as usize)?.count() as u64).saturating_mul(stretches).min(segments)
            }
        };
        Ok((rows, self.rebin.ranges(crate::numerics::fft::frequencies(self.n))?.count()))
    }

    /// Memory of these rows and of the product that is made of them: the matrices twice, where they are put in order, and of each row what
    /// is said of it.
    pub fn footprint(&self, segments: u64, stretches: u64) -> Result<Footprint> {
        let (rows, frequencies) = self.shape(segments, stretches)?;
        let cells = rows.saturating_mul(frequencies as u64).saturating_mul(self.blocks() as u64);
        let of_row = size_of::<DynamicalRow>() + 10 * size_of::<f64>();
        Ok(Footprint::less_by(&["rebin", "time.rebin"]).and(cells, 2 * size_of::<f64>()).and(rows, of_row))
    }

    /// What the means of some segments say of each series: the only one; or the reference without the subject, and the subject.
    fn levels(&self, sums: &Sums) -> Vec<NormParameters> {
        let (n, dt, m) = (self.n, self.dt, sums.segments as f64);
        let own = |c: usize| sums.series.get(c).copied().unwrap_or_default();
        (0..self.series)
            .map(|c| {
                let photons = own(c).photons.saturating_sub(if c == 0 && self.inside { own(1).photons } else { 0 });
                let mean = if self.flux { own(c).flux_mean / m } else { photons as f64 / m / n as f64 };
                let variance = (self.flux && own(c).variance > 0.0).then(|| own(c).variance / m);
                NormParameters { n, dt, mean, background: self.background[c] * dt, variance }
            })
            .collect()
    }

    /// What each block is multiplied by, given the levels of the series.
    fn factors(&self, levels: &[NormParameters]) -> Vec<f64> {
        let factor: Vec<f64> = levels.iter().map(|level| self.norm.factor(level)).collect();
        match factor[..] {
            [reference, subject] => {
                let cross = (reference * subject).sqrt();
                vec![subject, reference, cross, cross]
            }
            _ => factor,
        }
    }
}

impl DynamicalRows {
    /// Makes room for so many segments in so many stretches.
    ///
    /// # Errors
    /// Options without meaning; a matrix that no memory holds.
    pub fn new(recipe: DynamicalSpec, segments: u64, stretches: u64) -> Result<DynamicalRows> {
        let (rows, frequencies) = recipe.shape(segments, stretches)?;
        let ends = match recipe.time.rebin {
            rebin @ Rebin::Geometric(_) => {
                // Of flux it is not known how many will come.
                let most = if segments == 0 { 1 << 24 } else { segments.min(1 << 24) };
                rebin.ranges(most as usize)?.map(|range| range.end as u64).collect()
            }
            _ => Vec::new(),
        };
        let known = |level: &NoiseLevel| matches!(level, NoiseLevel::Poisson | NoiseLevel::Value(_) | NoiseLevel::None);
        if !recipe.noise[..recipe.series].iter().all(known) {
            let message = "rows of a dynamical spectrum have Poisson's noise level, a given one, or none";
            return Err(Error::argument("noise", "", message));
        }
        let ranges = recipe.rebin.ranges(crate::numerics::fft::frequencies(recipe.n))?.collect();
        let mut values = Vec::new();
        let cells = usize::try_from(rows).ok().and_then(|rows| rows.checked_mul(frequencies * recipe.blocks()));
        if cells.is_none_or(|cells| !footprint::reserve_exact(&mut values, cells)) {
            let message = format!("rows of {frequencies} frequencies are more than memory holds");
            return Err(Error::argument("segment_size", format!("{rows} rows"), message)
                .mended_by([Mend::field("rebin"), Mend::field("time.rebin")]));
        }
        Ok(DynamicalRows { recipe, ranges, ends, rows: Vec::new(), values, total: Sums::default() })
    }

    /// Forgets all segments, and keeps the room for them.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.values.clear();
        self.total = Sums::default();
    }

    /// Adds a segment to its row; one that has nothing to be normalised by counts as skipped. Powers that are zero need not be there.
    pub fn add(&mut self, place: SegmentPlace, mut sums: Sums) {
        let levels = self.recipe.levels(&sums);
        let mut factors = self.recipe.factors(&levels);
        let common = self.recipe.use_common_mean;
        let refused =
            |level: &NormParameters| self.recipe.norm.refusal(level, level.mean_err(level.n as f64, None)).is_some();
        // What is refused is told at length, so nobody asks where the mean is common.
        let usable = common || !levels.iter().any(refused);
        let power = std::mem::take(&mut sums.power);
        let mut counted = sums;
        if counted.segments > 0 && !common && !usable {
            // A subject's photons inside the reference are the reference's.
            let series = if self.recipe.inside { 1 } else { self.recipe.series };
            let photons = counted.series[..series].iter().map(|c| c.photons).sum::<u64>() + counted.photons_dropped;
            counted = Sums { skipped: 1, photons_skipped: photons, ..Sums::default() };
        } else if counted.segments > 0 {
            if common {
                factors.fill(1.0);
            }
            self.open(place);
            let recipe = &self.recipe;
            if let Some(row) = self.rows.last_mut() {
                row.stop = place.start + recipe.segment_size;
                row.centres += place.start - row.start + recipe.segment_size / 2.0;
                row.segments += 1;
                for (c, level) in levels.iter().enumerate() {
                    row.means[c] += level.mean;
                    let factor = if common { 1.0 } else { recipe.norm.factor(level) };
                    let noise = level.variance.unwrap_or(level.mean.max(0.0)) * recipe.n as f64 * factor;
                    row.noise[c] += noise;
                    // Of photons N(N − 1): their scatter is in that of the powers.
                    let chance = if recipe.flux || !common { 0.0 } else { 1.0 };
                    row.noise_squares[c] += noise * (noise - chance).max(0.0);
                }
            }
            let (count, full) = (self.ranges.len(), power.len() / factors.len());
            let from = self.values.len() - count * factors.len();
            let into = self.values[from..].chunks_mut(count.max(1));
            for ((into, block), factor) in into.zip(power.chunks(full.max(1))).zip(factors) {
                for (value, range) in into.iter_mut().zip(&self.ranges) {
                    *value += block[range.clone()].iter().sum::<f64>() / range.len() as f64 * factor;
                }
            }
        }
        self.total = std::mem::take(&mut self.total).add(counted);
    }

    /// Makes the last row that of a segment.
    fn open(&mut self, place: SegmentPlace) {
        let bin = match self.recipe.time.rebin {
            Rebin::None => place.number,
            Rebin::Linear(by) => place.number / by as u64,
            Rebin::Geometric(_) => self.ends.partition_point(|&end| end <= place.number) as u64,
        };
        let key = (place.stretch, bin);
        if self.rows.last().is_none_or(|row| row.key != key) {
            let (start, stop) = (place.start, place.start);
            self.rows.push(DynamicalRow {
                key,
                start,
                stop,
                centres: 0.0,
                segments: 0,
                means: [0.0; 2],
                noise: [0.0; 2],
                noise_squares: [0.0; 2],
            });
            let cells = self.ranges.len() * self.recipe.blocks();
            self.values.resize(self.values.len() + cells, 0.0);
        }
    }

    /// Normalises and orders the rows by time; at least one segment must have come.
    ///
    /// # Errors
    /// A background that is not below the mean; a normalisation by a mean that cannot be told from 0.
    pub fn finish(self) -> Result<FinishedRows> {
        let DynamicalRows { recipe, ranges, mut rows, values, total, .. } = self;
        let levels = recipe.levels(&total);
        for level in &levels {
            let background = level.background / recipe.dt;
            if background != 0.0 && !(background > 0.0 && level.background < level.mean) {
                let rate = ShortNumber(level.mean / recipe.dt);
                let message = format!("must not be negative, and below the mean rate of {rate} counts/s");
                return Err(Error::argument("background", background, message));
            }
        }
        if recipe.use_common_mean {
            // Blocks are those of the subject and of the reference, levels those of the reference and of the subject.
            let (count, blocks) = (ranges.len(), recipe.blocks());
            for (c, level) in levels.iter().enumerate() {
                let block = if blocks == 1 { 0 } else { 1 - c };
                let rows = values.chunks(count.max(1)).skip(block).step_by(blocks);
                let of_row = |row: &[f64]| row.iter().zip(&ranges).map(|(p, r)| p * r.len() as f64).sum::<f64>();
                let width = ranges.iter().map(|r| r.len() as f64).sum::<f64>() * total.segments as f64;
                let power = recipe.flux.then(|| rows.map(of_row).sum::<f64>() / width);
                recipe.norm.check(level, level.mean_err(level.n as f64 * total.segments as f64, power))?;
            }
        }
        let common = |factor: f64| if recipe.use_common_mean { factor } else { 1.0 };
        let factors: Vec<f64> = recipe.factors(&levels).into_iter().map(common).collect();
        let of_channel: Vec<f64> = levels.iter().map(|level| common(recipe.norm.factor(level))).collect();
        let (count, blocks) = (ranges.len(), recipe.blocks());
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| rows[a].start.total_cmp(&rows[b].start));
        let in_order = order.is_sorted();
        let mut matrices: Vec<Vec<f64>> = if blocks == 1 && in_order {
            vec![values]
        } else {
            let matrix = |block: usize| {
                let row = |&r: &usize| &values[(r * blocks + block) * count..(r * blocks + block + 1) * count];
                order.iter().flat_map(row).copied().collect()
            };
            (0..blocks).map(matrix).collect()
        };
        rows.sort_by(|a, b| a.start.total_cmp(&b.start));
        for (matrix, factor) in matrices.iter_mut().zip(&factors) {
            for (values, row) in matrix.chunks_mut(count.max(1)).zip(&rows) {
                values.iter_mut().for_each(|value| *value = *value / row.segments as f64 * factor);
            }
        }
        let level = |c: usize, poisson: f64| match recipe.noise[c] {
            NoiseLevel::Value(level) => level,
            NoiseLevel::None => 0.0,
            _ => poisson,
        };
        let series = 0..recipe.series;
        let noise: Vec<Vec<f64>> = series
            .map(|c| rows.iter().map(|row| level(c, row.noise[c] / row.segments as f64 * of_channel[c])).collect())
            .collect();
        let df = 1.0 / recipe.segment_size;
        let axes = Axes {
            time: rows.iter().map(|row| row.start + row.centres / row.segments as f64).collect(),
            start: rows.iter().map(|row| row.start).collect(),
            stop: rows.iter().map(|row| row.stop).collect(),
            segments: rows.iter().map(|row| row.segments).collect(),
            m_eff: rows.iter().map(|row| row.m_eff(recipe.series)).collect(),
            rate: rows.iter().map(|row| row.means.iter().sum::<f64>() / row.segments as f64 / recipe.dt).collect(),
            // Original bin `k` stands at place `k − 1`.
            freq: ranges.iter().map(|r| (r.start + r.end + 1) as f64 / 2.0 * df).collect(),
            width: ranges.iter().map(|r| r.len() as f64 * df).collect(),
            frequencies: ranges.iter().map(|r| r.len() as u64).collect(),
        };
        // The mean of a constant is that constant, to the last bit.
        let mean_of =
            |l: &Vec<f64>| l.first().map_or(0.0, |f| f + l.iter().map(|x| x - f).sum::<f64>() / l.len() as f64);
        let level = noise.iter().map(mean_of).collect();
        let mean = levels.iter().map(|level| level.mean).collect();
        Ok(FinishedRows { recipe, total, axes, blocks: matrices, noise, mean, level })
    }
}
