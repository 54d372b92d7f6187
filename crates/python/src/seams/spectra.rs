//! Sums over segments of powers and of cross spectra.

use std::ops::Range;

use eagleray::internal::numerics::fft::frequencies;
use eagleray::internal::sums::run_length;
use numpy::Complex64;

use super::norm::{Level, Own, geometric};
use super::parallel::{Sum, add_to, sum, worth_it};
use super::series::{Filled, Series};
use super::transform::{Work, with};

/// What is wanted beside sums of unnormalised powers.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// Sums of segments that are normalised by themselves.
    pub own: Option<Own>,
    /// The powers of each segment.
    pub rows: bool,
    /// All frequencies, negative ones too.
    pub full: bool,
    /// The powers of both series.
    pub both: bool,
}

/// The photons of one series, and the squares of their mean errors.
#[derive(Clone, Copy, Default)]
pub struct Photons {
    /// Sum over segments.
    pub sum: Complex64,
    /// Sum over the segments with errors.
    pub variance: Option<Complex64>,
}

impl Photons {
    fn of(filled: &Filled) -> Photons {
        Photons { sum: filled.photons, variance: filled.variance }
    }

    fn add(&mut self, after: Photons) {
        self.sum += after.sum;
        self.variance = match (self.variance, after.variance) {
            (Some(a), Some(b)) => Some(a + b),
            (one, other) => one.or(other),
        };
    }
}

/// Values of one kind: their sums, and those of each segment where they are wanted.
#[derive(Default)]
pub struct Spectrum<T> {
    /// Sums over segments.
    pub sum: Vec<T>,
    /// Each segment's.
    pub rows: Vec<Vec<T>>,
}

impl<T: Copy + std::ops::AddAssign + Default> Spectrum<T> {
    fn take(&mut self, values: impl ExactSizeIterator<Item = T>, rows: bool) {
        if rows {
            let row: Vec<T> = values.collect();
            self.sum.resize(row.len(), T::default());
            add_to(&mut self.sum, &row);
            self.rows.push(row);
        } else {
            self.sum.resize(values.len(), T::default());
            self.sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }

    fn add(&mut self, after: Spectrum<T>) {
        if self.sum.is_empty() {
            self.sum = after.sum;
        } else {
            add_to(&mut self.sum, &after.sum);
        }
        self.rows.extend(after.rows);
    }
}

/// Sums over the segments of one series.
#[derive(Default)]
pub struct PowerSums {
    /// Segments that count.
    pub segments: u64,
    /// What they hold.
    pub photons: Photons,
    /// Powers.
    pub power: Spectrum<f64>,
    /// Powers of segments that are normalised by themselves.
    pub own: Spectrum<Complex64>,
    /// A segment could not be normalised.
    pub impossible: bool,
}

impl Sum for PowerSums {
    fn add(&mut self, after: PowerSums) {
        self.segments += after.segments;
        self.photons.add(after.photons);
        self.power.add(after.power);
        self.own.add(after.own);
        self.impossible |= after.impossible;
    }
}

/// About so many nanoseconds for transforms of some segments.
pub fn cost(segments: usize, n: usize, events: usize) -> f64 {
    segments as f64 * n as f64 * (2.0 + 0.5 * (n as f64).max(2.0).log2()) + 3.0 * events as f64
}

/// Powers of a series, summed over segments.
pub fn power(series: &Series<'_>, wanted: Wanted) -> Option<PowerSums> {
    let n = series.n();
    let parallel = worth_it(cost(series.len(), n, series.events()));
    let piece = |segments: Range<usize>| {
        with(n, |[work]: [&mut Work; 1]| {
            let mut sums = PowerSums::default();
            segments.for_each(|i| power_of(series, i, work, wanted, &mut sums));
            (sums.segments > 0).then_some(sums)
        })
    };
    sum(0..series.len(), run_length(n) as usize, parallel, &piece)
}

fn power_of(series: &Series<'_>, i: usize, work: &mut Work, wanted: Wanted, sums: &mut PowerSums) {
    let Some(filled) = work.transform(series, i) else { return };
    let n = series.n();
    sums.segments += 1;
    sums.photons.add(Photons::of(&filled));
    let square = |z: &Complex64| z.re * z.re + z.im * z.im;
    let complex: Vec<Complex64>;
    let positive = match work.positive() {
        Some(positive) => positive,
        None => {
            complex = (1..=frequencies(n)).map(|k| work.amplitude(k)).collect();
            &complex
        }
    };
    sums.power.take(positive.iter().map(square), wanted.rows);
    if let Some(own) = wanted.own {
        let level = Level { photons: filled.photons, variance: filled.variance };
        sums.impossible |= own.impossible(level);
        let factor = own.factor(level, n);
        sums.own.take(positive.iter().map(|z| own.power(square(z).into(), factor)), wanted.rows);
    }
}

/// Sums over the segments of two series.
#[derive(Default)]
pub struct CrossSums {
    /// Segments that count in both.
    pub segments: u64,
    /// What they hold.
    pub photons: [Photons; 2],
    /// `conj(F₁)·F₂`.
    pub cross: Spectrum<Complex64>,
    /// The same of segments that are normalised by themselves.
    pub own: Spectrum<Complex64>,
    /// Powers of both series.
    pub powers: [Spectrum<f64>; 2],
    /// The same of segments that are normalised by themselves.
    pub own_powers: [Spectrum<Complex64>; 2],
    /// A segment could not be normalised.
    pub impossible: bool,
}

impl Sum for CrossSums {
    fn add(&mut self, after: CrossSums) {
        self.segments += after.segments;
        self.cross.add(after.cross);
        self.own.add(after.own);
        self.photons.iter_mut().zip(after.photons).for_each(|(sum, more)| sum.add(more));
        self.powers.iter_mut().zip(after.powers).for_each(|(sum, more)| sum.add(more));
        self.own_powers.iter_mut().zip(after.own_powers).for_each(|(sum, more)| sum.add(more));
        self.impossible |= after.impossible;
    }
}

/// Cross spectra of two series, summed over segments.
pub fn cross(series: [&Series<'_>; 2], wanted: Wanted) -> Option<CrossSums> {
    let n = series[0].n();
    let segments = series[0].len().min(series[1].len());
    let events = series[0].events() + series[1].events();
    let parallel = worth_it(cost(2 * segments, n, events));
    let piece = |segments: Range<usize>| {
        with(n, |mut work: [&mut Work; 2]| {
            let mut sums = CrossSums::default();
            segments.for_each(|i| cross_of(series, i, &mut work, wanted, &mut sums));
            (sums.segments > 0).then_some(sums)
        })
    };
    sum(0..segments, run_length(n) as usize, parallel, &piece)
}

/// `conj(a)·b`.
pub fn product(a: &Complex64, b: &Complex64) -> Complex64 {
    Complex64::new(a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re)
}

fn cross_of(series: [&Series<'_>; 2], i: usize, work: &mut [&mut Work; 2], wanted: Wanted, sums: &mut CrossSums) {
    let n = series[0].n();
    let Some(first) = work[0].transform(series[0], i) else { return };
    let Some(second) = work[1].transform(series[1], i) else { return };
    let mut filled = [first, second];
    // The errors of one alone say nothing of both.
    if filled.iter().any(|one| one.variance.is_none()) {
        filled.iter_mut().for_each(|one| one.variance = None);
    }
    sums.segments += 1;
    sums.photons.iter_mut().zip(&filled).for_each(|(sum, one)| sum.add(Photons::of(one)));
    let made: Vec<Vec<Complex64>>;
    let [a, b] = match (work[0].positive(), work[1].positive()) {
        (Some(a), Some(b)) if !wanted.full => [a, b],
        _ => {
            let all = |work: &&mut Work| match wanted.full {
                true => (0..n).map(|k| work.amplitude(k)).collect(),
                false => (1..=frequencies(n)).map(|k| work.amplitude(k)).collect(),
            };
            made = work.iter().map(all).collect();
            [made[0].as_slice(), made[1].as_slice()]
        }
    };
    sums.cross.take(a.iter().zip(b).map(|(a, b)| product(a, b)), wanted.rows);
    let square = |z: &Complex64| z.re * z.re + z.im * z.im;
    if wanted.both {
        sums.powers.iter_mut().zip([a, b]).for_each(|(sum, one)| sum.take(one.iter().map(square), false));
    }
    let Some(own) = wanted.own else { return };
    let levels = filled.map(|one| Level { photons: one.photons, variance: one.variance });
    let variance = levels[0].variance.zip(levels[1].variance).map(|(a, b)| geometric(a, b));
    let level = Level { photons: geometric(levels[0].photons, levels[1].photons), variance };
    sums.impossible |= own.impossible(level);
    let factor = own.factor(level, n);
    sums.own.take(a.iter().zip(b).map(|(a, b)| own.power(product(a, b), factor)), wanted.rows);
    if wanted.both {
        for ((sum, one), level) in sums.own_powers.iter_mut().zip([a, b]).zip(levels) {
            sums.impossible |= own.impossible(level);
            let factor = own.factor(level, n);
            sum.take(one.iter().map(|z| own.power(square(z).into(), factor)), false);
        }
    }
}
