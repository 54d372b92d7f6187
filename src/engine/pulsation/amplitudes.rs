//! Fourier amplitudes of all events of a search, unbinned, as acceleration searches use them.

use std::f64::consts::LN_2;
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::PulseEvents;
use crate::base::progress::Progress;
use crate::numerics::nonuniform::{PhasedPoint, SearchTransform};

/// Bins of the widest block of which a level is made.
pub const WIDEST_BLOCK: usize = 4096;

/// Seconds from the epoch to the middle of all good time.
pub fn middle(events: &PulseEvents) -> f64 {
    let (start, stop) = ends(events);
    0.5 * (start as f64 + stop as f64) * events.ticks.seconds()
}

/// The first start and the last stop, ticks.
fn ends(events: &PulseEvents) -> (i64, i64) {
    let start = events.gti.iter().map(|gti| gti.0).min().unwrap_or(0);
    (start, events.gti.iter().map(|gti| gti.1).max().unwrap_or(0).max(start + 1))
}

/// The time of an event as a part of the span from its start on, units of 2⁻⁶⁴; within two units.
struct PlaceInSpan {
    start: i64,
    length: u64,
    shift: u32,
    /// `2¹²⁸` over the length times `2^shift`, less `2⁶⁴`.
    reciprocal: u64,
}

impl PlaceInSpan {
    fn new((start, stop): (i64, i64)) -> PlaceInSpan {
        let length = stop.abs_diff(start).max(1);
        let shift = length.leading_zeros();
        let reciprocal = (u128::MAX / u128::from(length << shift)) as u64;
        PlaceInSpan { start, length, shift, reciprocal }
    }

    /// That of `t` ticks. The end is the start of the next span: 0.
    #[inline]
    fn of(&self, t: i64) -> u64 {
        let from = t.saturating_sub(self.start).max(0) as u64;
        let from = from.min(self.length) << self.shift;
        from.wrapping_add(((u128::from(from) * u128::from(self.reciprocal)) >> 64) as u64)
    }
}

/// Frequencies that a transform makes at once at most: ranges that are no farther apart cost no more as one than as two.
const NEAR: usize = 1 << 18;
/// Bins whose amplitudes are held at once to find levels.
const LEVEL_BINS: usize = 1 << 22;

/// `√(2/N)·Σ exp(−2πik·v)` of all events in a range of Fourier bins.
fn sums_of(events: &PulseEvents, bins: Range<usize>, progress: &Progress) -> Vec<Complex<f32>> {
    let place = PlaceInSpan::new(ends(events));
    let weights = events.each_weight();
    let point = |i: usize| {
        // −v cycles from each bin to the next.
        let step = (1u64 << 63).wrapping_sub(place.of(events.times[i]));
        let weight = weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0);
        PhasedPoint { first: step.wrapping_mul(bins.start as u64), step, weight }
    };
    let size = (2.0 / events.sums()[1]).sqrt();
    let scaled = |sum: Complex<f64>| Complex::new((sum.re * size) as f32, (sum.im * size) as f32);
    let transform = SearchTransform::new(bins.len(), events.times.len());
    // Nobody looks at what comes of a run that was cancelled.
    let goes_on = || !progress.is_cancelled();
    let mut amplitudes = transform.sums(events.times.len(), |range, run| run.extend(range.map(point)), scaled, goes_on);
    // The mean is no signal.
    amplitudes.iter_mut().take(usize::from(bins.start == 0)).for_each(|mean| *mean = Complex::default());
    amplitudes
}

/// Fourier amplitudes `√(2/N)·Σ exp(−2πik·v)` of all events, one a Fourier bin `k`; `v` is the time from the middle of
/// the observation in units of its length (the span). `|A|²` of Poisson noise has mean 2. For weighted events they are sums of weights, with
/// `Σw²` in place of `N`. A sum errs by less than [`SEARCH_ERROR`](crate::numerics::nonuniform::SEARCH_ERROR) of `Σw`.
pub struct FourierAmplitudes {
    /// The first bin of each range, and its amplitudes; the ranges are apart, in order.
    ranges: Vec<(usize, Vec<Complex<f32>>)>,
}

impl FourierAmplitudes {
    /// The amplitudes of the events in these ranges of Fourier bins, over the level of the noise where it is known.
    pub fn new(
        events: &PulseEvents,
        mut bins: Vec<Range<usize>>,
        noise: &LocalLevels,
        progress: &Progress,
    ) -> FourierAmplitudes {
        bins.retain(|range| !range.is_empty());
        bins.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in bins {
            match apart.last_mut().filter(|last| range.start <= last.end + NEAR) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        let one = |range: Range<usize>| {
            let first = range.start;
            let mut amplitudes = sums_of(events, range, progress);
            if !noise.levels.is_empty() {
                let whiten = |(i, a): (usize, &mut Complex<f32>)| *a /= noise.level((first + i) as f64).sqrt() as f32;
                amplitudes.par_iter_mut().enumerate().for_each(whiten);
            }
            (first, amplitudes)
        };
        FourierAmplitudes { ranges: apart.into_iter().map(one).collect() }
    }

    /// `length` amplitudes from bin `from` on, which may be negative; zeros where there are none.
    pub fn stretch(&self, from: i64, length: usize) -> Vec<Complex<f32>> {
        let at = |k: i64| {
            let place = usize::try_from(k.unsigned_abs()).ok()?;
            let behind = self.ranges.partition_point(|(first, _)| *first <= place);
            let (first, amplitudes) = self.ranges.get(behind.checked_sub(1)?)?;
            let found = amplitudes.get(place - first)?;
            Some(if k < 0 { found.conj() } else { *found })
        };
        (from..from + length as i64).map(|k| at(k).unwrap_or_default()).collect()
    }
}

/// The local level of the noise, relative to Poisson's, by frequency; that of Poisson's where none was found.
#[derive(Default)]
pub struct LocalLevels {
    /// Logarithm of the middle of blocks, bins, and the level there.
    levels: Vec<(f64, f64)>,
}

impl LocalLevels {
    /// Medians of blocks of the first `bins` Fourier bins that widen from 16 to [`WIDEST_BLOCK`], over that of Poisson noise, `2·ln 2`; amplitudes of
    /// [`LEVEL_BINS`] are held at once.
    pub fn new(events: &PulseEvents, bins: usize, progress: &Progress) -> LocalLevels {
        LocalLevels::of_pieces(events, bins, LEVEL_BINS, progress)
    }

    fn of_pieces(events: &PulseEvents, bins: usize, held: usize, progress: &Progress) -> LocalLevels {
        let (blocks, mut levels) = (blocks(bins), Vec::new());
        let mut rest = blocks.as_slice();
        while let Some(first) = rest.first().map(|block| block.start) {
            let (now, later) = rest.split_at(rest.partition_point(|block| block.end <= first + held).max(1));
            let end = now.last().map_or(first, |block| block.end);
            let mut powers: Vec<f32> = sums_of(events, first..end, progress).iter().map(|a| a.norm_sqr()).collect();
            // Nobody looks at what comes of a run that was cancelled.
            for block in now.iter().take_while(|_| !progress.is_cancelled()) {
                let width = block.len();
                let (_, median, _) =
                    powers[block.start - first..block.end - first].select_nth_unstable_by(width / 2, f32::total_cmp);
                let middle = block.start as f64 + 0.5 * (width - 1) as f64;
                levels.push((middle.ln(), (f64::from(*median) / (2.0 * LN_2)).max(1e-6)));
            }
            rest = if progress.is_cancelled() { &[] } else { later };
        }
        LocalLevels { levels }
    }

    /// Noise level relative to Poisson's at position `place`, in Fourier bins.
    pub fn level(&self, place: f64) -> f64 {
        let x = place.max(1.0).ln();
        let behind = self.levels.partition_point(|(at, _)| *at < x);
        match (behind.checked_sub(1).and_then(|i| self.levels.get(i)), self.levels.get(behind)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
            (Some(one), None) | (None, Some(one)) => one.1,
            (None, None) => 1.0,
        }
    }

    /// [`LocalLevels::level`] at the harmonics 1 to `harmonics` of a position; empty where none was found.
    pub fn at_harmonics(&self, place: f64, harmonics: usize) -> Vec<f64> {
        let all = if self.levels.is_empty() { 0 } else { harmonics };
        (1..=all).map(|h| self.level(h as f64 * place)).collect()
    }
}

/// Blocks of bins from the first on that widen from 16 to [`WIDEST_BLOCK`].
fn blocks(bins: usize) -> Vec<Range<usize>> {
    let (mut first, mut blocks) = (1, Vec::new());
    while let Some(rest) = bins.checked_sub(first).filter(|rest| *rest >= 16) {
        let width = (first / 4).clamp(16, WIDEST_BLOCK);
        // The last block takes what is left.
        let width = if rest < 2 * width { rest } else { width };
        blocks.push(first..first + width);
        first += width;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::base::random::Random;
    use crate::base::time::DoubleDouble;
    use crate::base::warning::Warnings;
    use crate::data::Record;
    use crate::data::phase::Ticks;
    use crate::engine::Weights;
    use crate::numerics::nonuniform::SEARCH_ERROR;

    const LENGTH: i64 = 999_983;

    /// Events in one interval that is not centred on the epoch.
    fn events(times: Vec<i64>, weights: Option<Vec<f64>>) -> PulseEvents {
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(100.0)).unwrap();
        let span = LENGTH as f64 * ticks.seconds();
        let weights = weights.map(|values| Weights::new("W", values, &mut Warnings::default()).unwrap());
        let gti = vec![(100, 100 + LENGTH)];
        let (timing, mjdref, record) = (None, None, Record::default());
        PulseEvents { ticks, times, weights, gti, exposure: span, span, timing, mjdref, record }
    }

    /// The amplitude in a Fourier bin, by definition.
    fn defined(events: &PulseEvents, k: usize) -> Complex<f64> {
        let one = |(i, &t): (usize, &i64)| {
            let turns = k as i128 * i128::from(2 * (t - 100) - LENGTH) % i128::from(2 * LENGTH);
            let angle = -TAU * turns as f64 / (2 * LENGTH) as f64;
            Complex::from_polar(events.each_weight().map_or(1.0, |weights| weights[i]), angle)
        };
        let sum: Complex<f64> = events.times.iter().enumerate().map(one).sum();
        sum * (2.0 / events.sums()[1]).sqrt()
    }

    #[test]
    fn amplitudes_are_those_of_the_definition_to_the_last_bin() {
        let mut random = Random::new(2);
        let anywhere: Vec<i64> = (0..500).map(|_| 100 + (random.bits() % (LENGTH as u64 + 1)) as i64).collect();
        let weights: Vec<f64> = anywhere.iter().map(|_| random.uniform().powi(4)).collect();
        for events in [
            events(anywhere.clone(), None),
            events(anywhere, Some(weights)),
            // Pulses at the frequency of the last bin, of which time bins would leave 0.4 of the power; then all at one time, and at the ends.
            events((0..4096i64).map(|i| 100 + i * LENGTH / 4096).collect(), None),
            events(vec![123_456; 300], None),
            events(vec![100, 100 + LENGTH], None),
        ] {
            let all: f64 = events.each_weight().map_or(events.times.len() as f64, |weights| weights.iter().sum());
            let bound = (SEARCH_ERROR + 2e-7) * all * (2.0 / events.sums()[1]).sqrt();
            for bins in [0..4097, 1000..1001, 3000..4500] {
                let found =
                    FourierAmplitudes::new(&events, vec![bins.clone()], &LocalLevels::default(), &Progress::default());
                let last = bins.end;
                // None at 0, nor where none are asked for.
                for (i, a) in found.stretch(bins.start as i64 - 2, bins.len() + 4).into_iter().enumerate() {
                    let k = bins.start as i64 + i as i64 - 2;
                    let there = k != 0 && (bins.start..last).contains(&(k.unsigned_abs() as usize));
                    let expected = if there { defined(&events, k.unsigned_abs() as usize) } else { Complex::default() };
                    let expected = if k < 0 { expected.conj() } else { expected };
                    let error = (Complex::new(f64::from(a.re), f64::from(a.im)) - expected).norm();
                    assert!(error <= bound, "bin {k} of {bins:?}: {a} {expected} {bound}");
                }
            }
        }
    }

    #[test]
    fn ranges_far_apart_are_those_of_the_definition() {
        let mut random = Random::new(3);
        let events = events((0..500).map(|_| 100 + (random.bits() % (LENGTH as u64 + 1)) as i64).collect(), None);
        let bins = vec![400_000..400_020, 5..30, 20..40, 20_000_000..20_000_010];
        let found = FourierAmplitudes::new(&events, bins, &LocalLevels::default(), &Progress::default());
        let of = |k: usize| found.stretch(k as i64, 1)[0];
        let bound = (SEARCH_ERROR + 2e-7) * 500.0 * (2.0 / events.sums()[1]).sqrt();
        for k in (5..40).chain(400_000..400_020).chain(20_000_000..20_000_010) {
            let (a, expected) = (of(k), defined(&events, k));
            let error = (Complex::new(f64::from(a.re), f64::from(a.im)) - expected).norm();
            assert!(error <= bound, "bin {k}: {a} {expected} {bound}");
        }
        for k in [4, 40, 200_000, 399_999, 400_020, 19_999_999, 20_000_010] {
            assert_eq!(of(k), Complex::default(), "{k}");
        }
    }

    #[test]
    fn levels_do_not_depend_on_how_many_bins_are_held() {
        let mut random = Random::new(4);
        // Red: photons gather at the ends.
        let times = (0..4000).map(|_| 100 + ((random.uniform().powi(2)) * LENGTH as f64) as i64).collect();
        let events = events(times, None);
        for bins in [0, 16, 17, 40, 1000, 30_011] {
            let blocks = blocks(bins);
            assert!(blocks.windows(2).all(|pair| pair[0].end == pair[1].start));
            let ends = blocks.first().zip(blocks.last()).map(|(first, last)| (first.start, last.end));
            assert_eq!(ends, (bins > 16).then_some((1, bins)));
            let of = |held: usize| LocalLevels::of_pieces(&events, bins, held, &Progress::default()).levels;
            let (whole, pieces) = (of(LEVEL_BINS), of(500));
            assert_eq!(whole.len(), pieces.len());
            for (a, b) in whole.iter().zip(&pieces) {
                assert!(a.0 == b.0 && (a.1 / b.1 - 1.0).abs() < 1e-4, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn places_are_parts_of_the_span_within_two_units() {
        let mut random = Random::new(1);
        for length in [1i64, 2, 3, 1 << 20, (1 << 40) + 7, (1 << 62) - 1, 1 << 62] {
            let start = -(length / 2);
            let place = PlaceInSpan::new((start, start + length));
            for i in 0..1000 {
                let from = if i < 2 { i * length } else { (random.bits() % length as u64) as i64 };
                let expected = ((u128::from(from as u64) << 64) / u128::from(length as u64)) as u64;
                let behind = expected.wrapping_sub(place.of(start + from));
                assert!(behind <= 2, "{from} of {length}: {behind}");
            }
            // What is not in the span is at its ends.
            assert_eq!(place.of(i64::MIN), 0);
            assert_eq!(place.of(i64::MAX), place.of(start + length));
        }
    }
}
