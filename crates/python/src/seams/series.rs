//! Series of segments, as Stingray's functions are given them: times that are binned, or values of flux, perhaps complex, perhaps with
//! errors.

use eagleray::internal::kernels::bin_events::{LastEventTable, add_sorted, bin_of};
use eagleray::time::DoubleDouble;
use numpy::Complex64;

use super::parallel::total;

/// Times in seconds, each as a number and what its rounding left, where there is such.
#[derive(Clone, Copy)]
pub struct Times<'a> {
    /// The times.
    pub high: &'a [f64],
    /// What is to be added to them.
    pub low: Option<&'a [f64]>,
}

impl Times<'_> {
    /// The time of an event.
    pub fn at(&self, i: usize) -> (f64, f64) {
        (self.high[i], self.low.map_or(0.0, |low| low[i]))
    }

    /// Whether they ascend.
    pub fn ascend(&self) -> bool {
        match self.low {
            None => self.high.is_sorted(),
            Some(_) => (1..self.high.len()).all(|i| self.at(i - 1) <= self.at(i)),
        }
    }

    /// For each edge the first event that is not before it. Edges are looked for in ascending order, each from the place of the one
    /// before, as numpy does it; once; so times in disorder have the same places.
    pub fn places(&self, edges: &[(f64, f64)]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..edges.len()).collect();
        order.sort_by(|&a, &b| edges[a].partial_cmp(&edges[b]).unwrap_or(std::cmp::Ordering::Equal));
        let (mut places, mut from) = (vec![0; edges.len()], 0);
        let mut before = None;
        for edge in order {
            if before.replace(edges[edge]) == Some(edges[edge]) {
                places[edge] = from;
                continue;
            }
            let mut to = self.high.len();
            while from < to {
                let middle = from + (to - from) / 2;
                if self.at(middle) < edges[edge] {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            places[edge] = from;
        }
        places
    }

    /// Adds the events of a stretch to the bins of a segment; how many were in one.
    pub fn count(
        &self,
        (first, end): (usize, usize),
        start: DoubleDouble,
        delta: f64,
        counts: &mut [f64],
        last: &mut LastEventTable,
    ) -> u64 {
        let times = &self.high[first..end];
        if self.low.is_none() && times.is_sorted() {
            return times.len() as u64 - add_sorted(times, start, delta, counts, last);
        }
        let mut inside = 0;
        for i in first..end {
            if let Some(bin) = self.bin(i, start, delta, counts.len()) {
                counts[bin] += 1.0;
                inside += 1;
            }
        }
        inside
    }

    /// The bin of an event.
    pub fn bin(&self, i: usize, start: DoubleDouble, delta: f64, n: usize) -> Option<usize> {
        match self.low {
            None => bin_of(self.high[i], start, delta, n),
            Some(low) => {
                let since = (self.high[i] - start.hi) + (low[i] - start.lo);
                let x = since * delta;
                (x >= 0.0 && x < n as f64).then_some(x as usize)
            }
        }
    }
}

/// A segment of events: those from `first` on, before `end`, after a start.
#[derive(Clone, Copy)]
pub struct Cut {
    /// Where it begins.
    pub start: DoubleDouble,
    /// Its first event.
    pub first: usize,
    /// The event after its last one.
    pub end: usize,
}

/// Cuts times into segments of `[start, stop)`.
pub fn cuts(times: &Times<'_>, starts: &[(f64, f64)], stops: &[(f64, f64)]) -> Vec<Cut> {
    let places = times.places(&[starts, stops].concat());
    let (first, end) = places.split_at(starts.len());
    let made = starts.iter().zip(first.iter().zip(end));
    made.map(|(&(hi, lo), (&first, &end))| Cut { start: DoubleDouble { hi, lo }, first, end }).collect()
}

/// Real or complex values.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    /// Real ones.
    Real(&'a [f64]),
    /// Complex ones.
    Complex(&'a [Complex64]),
}

impl<'a> Values<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Real(values) => values.len(),
            Values::Complex(values) => values.len(),
        }
    }

    /// Those from `first` on, before `end`, as far as there are any.
    pub fn cut(&self, first: usize, end: usize) -> Values<'a> {
        let end = end.min(self.len());
        let first = first.min(end);
        match self {
            Values::Real(values) => Values::Real(&values[first..end]),
            Values::Complex(values) => Values::Complex(&values[first..end]),
        }
    }

    /// Their sum.
    pub fn total(&self) -> Complex64 {
        match self {
            Values::Real(values) => total(values).into(),
            Values::Complex(values) => {
                let part = |of: fn(&Complex64) -> f64| total(&values.iter().map(of).collect::<Vec<_>>());
                Complex64::new(part(|z| z.re), part(|z| z.im))
            }
        }
    }

    /// Whether all are zero.
    pub fn all_zero(&self) -> bool {
        match self {
            Values::Real(values) => values.iter().all(|x| *x == 0.0),
            Values::Complex(values) => values.iter().all(|z| z.re == 0.0 && z.im == 0.0),
        }
    }
}

/// A segment of flux.
#[derive(Clone, Copy)]
pub struct Flux<'a> {
    /// A value a bin.
    pub values: Values<'a>,
    /// Their errors; a segment with errors counts even where all values are zero.
    pub errors: Option<Values<'a>>,
}

/// What is known of a segment that counts.
pub struct Filled {
    /// The sum of its values.
    pub photons: Complex64,
    /// The square of the mean error.
    pub variance: Option<Complex64>,
}

/// A series of segments of `n` bins.
pub enum Series<'a> {
    /// Events that are binned.
    Events { times: Times<'a>, cuts: Vec<Cut>, delta: f64, n: usize },
    /// Values, of segments that are not empty.
    Flux { segments: Vec<Option<Flux<'a>>>, n: usize },
}

impl Series<'_> {
    /// Number of segments, whether they count or not.
    pub fn len(&self) -> usize {
        match self {
            Series::Events { cuts, .. } => cuts.len(),
            Series::Flux { segments, .. } => segments.len(),
        }
    }

    /// Bins of a segment.
    pub fn n(&self) -> usize {
        match self {
            Series::Events { n, .. } | Series::Flux { n, .. } => *n,
        }
    }

    /// Events that are binned.
    pub fn events(&self) -> usize {
        match self {
            Series::Events { cuts, .. } => cuts.iter().map(|cut| cut.end.saturating_sub(cut.first)).sum(),
            Series::Flux { .. } => 0,
        }
    }
}
