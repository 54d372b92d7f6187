//! Event times to counts: the histogram of one segment.
//!
//! Definition, each operation in f64 and rounded to nearest, in this order:
//! `d = (t − start_hi) − start_lo`, `x = d · δ` with `δ = 1/(segment_size/n)`; the event counts in bin `trunc(x)` when
//! `0 ≤ x < n`, else it is dropped and counted. Every version gives identical counts.

use multiversion::multiversion;

use super::case::words;
use super::{
    Access, CaseData, CaseShape, CaseValues, DeviceSegment, Dispatch, Fill, GRID, Job, Kernel, KernelCase, Limits, ROW,
    Shader, StructLayout, Timed, no_memory, shared_struct, threads_only,
};
use crate::base::random::Random;
use crate::base::time::DoubleDouble;
use crate::numerics::precision::Precision;

/// `δ`, bins per second, of segments of `segment_size` seconds and `n` bins.
pub fn bins_per_second(segment_size: f64, n: usize) -> f64 {
    1.0 / (segment_size / n as f64)
}

/// The definition for one event: its bin, or `None` when it falls outside `0 ≤ x < n`.
#[inline]
pub fn bin_of(t: f64, start: DoubleDouble, delta: f64, n: usize) -> Option<usize> {
    let x = ((t - start.hi) - start.lo) * delta;
    (x >= 0.0 && x < n as f64).then_some(x as usize)
}

/// Reference: the histogram of the `times` of one segment, one event at a time; counts of the `n` bins, and events dropped.
pub fn reference(times: &[f64], start: DoubleDouble, delta: f64, n: usize) -> (Vec<u32>, u64) {
    let mut counts = vec![0; n];
    let mut dropped = 0;
    for &t in times {
        match bin_of(t, start, delta, n) {
            Some(bin) => counts[bin] += 1,
            None => dropped += 1,
        }
    }
    (counts, dropped)
}

/// Production path on one core: adds the `times` of one segment to its `counts`; returns the events dropped.
pub fn cpu(times: &[f64], start: DoubleDouble, delta: f64, counts: &mut [u32]) -> u64 {
    let n = counts.len() as f64;
    let mut dropped = 0;
    for &t in times {
        let x = ((t - start.hi) - start.lo) * delta;
        if x >= 0.0 && x < n {
            counts[x as usize] += 1;
        } else {
            dropped += 1;
        }
    }
    dropped
}

/// Room for [`add_sorted`] that is used again: for each bin, the number of events up to its last one. A constant length needs no
/// check of an index of 16 bits.
pub struct LastEventTable(Box<[u32; MOST_TOGETHER]>);

/// Sorted events that are counted together; where they are no fewer than their bins, these are no more.
const MOST_TOGETHER: usize = 1 << 16;

impl LastEventTable {
    /// Its size.
    pub const BYTES: usize = size_of::<u32>() * MOST_TOGETHER;
}

impl Default for LastEventTable {
    fn default() -> LastEventTable {
        let room = vec![0; MOST_TOGETHER].into_boxed_slice();
        LastEventTable(
            room.try_into().unwrap_or_else(|_| unreachable!("a vector of {MOST_TOGETHER} is an array of as many")),
        )
    }
}

/// Adds the sorted `times` of one segment to its `counts`, in f64, which holds counts exactly to 2^53; returns the events
/// dropped.
///
/// In order of time, bins never descend: so the number of events up to the last one of each bin is stored, which waits for
/// nothing, where an increment waits for the one before that met the same bin; counts are the differences. Times out of order
/// give wrong counts, but no more.
pub fn add_sorted(
    mut times: &[f64],
    start: DoubleDouble,
    delta: f64,
    counts: &mut [f64],
    last: &mut LastEventTable,
) -> u64 {
    let (events, n) = (times.len(), counts.len());
    let bin = |t: &f64| bin_of(*t, start, delta, n);
    // Events that rounding put beyond either end are the first or the last.
    while let Some((_, rest)) = times.split_first().filter(|(t, _)| bin(t).is_none()) {
        times = rest;
    }
    while let Some((_, rest)) = times.split_last().filter(|(t, _)| bin(t).is_none()) {
        times = rest;
    }
    let dropped = (events - times.len()) as u64;
    for piece in times.chunks(MOST_TOGETHER) {
        let (Some(first), Some(end)) = (piece.first().and_then(bin), piece.last().and_then(bin)) else { continue };
        let Some(counts) = counts.get_mut(first..=end) else { continue };
        match last.0.get_mut(..counts.len()).filter(|_| piece.len() >= counts.len()) {
            None => increment(piece, start, delta, first, counts),
            Some(here) => {
                here.fill(0);
                count_up(piece, start, delta, first, &mut last.0);
                let mut before = 0;
                for (count, &upto) in counts.iter_mut().zip(&last.0[..]) {
                    let upto = before.max(upto);
                    *count += f64::from(upto - before);
                    before = upto;
                }
            }
        }
    }
    dropped
}

/// Counts events, of which few share a bin, one by one; `counts` begin at bin `first`.
fn increment(times: &[f64], start: DoubleDouble, delta: f64, first: usize, counts: &mut [f64]) {
    for &t in times {
        let x = ((t - start.hi) - start.lo) * delta;
        if let Some(count) = counts.get_mut((x as usize).wrapping_sub(first)) {
            *count += 1.0;
        }
    }
}

/// Stores for each bin, from `first` on, how many events there are up to its last one; bins without events are left alone.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn count_up(times: &[f64], start: DoubleDouble, delta: f64, first: usize, last: &mut [u32; MOST_TOGETHER]) {
    let shift = SHIFT - first as f64;
    let (blocks, rest) = times.as_chunks::<BLOCK>();
    let mut upto = 0;
    let mut store = |bins: &[u32]| {
        for &bin in bins {
            upto += 1;
            last[usize::from(bin as u16)] = upto;
        }
    };
    blocks.iter().for_each(|block| store(&bins_from(block, start, delta, shift)));
    rest.iter().for_each(|&t| store(&bins_from(&[t], start, delta, shift)));
}

/// Events whose bins are found together: enough that vectors are worth it, few enough to stay in registers.
const BLOCK: usize = 32;
/// Numbers from here to twice as much are integers, whose last bits are those of the significand.
const SHIFT: f64 = (1u64 << 52) as f64;

/// [`bin_of`] of events that are in a bin, less the bin that `shift` is below [`SHIFT`], without a branch; in 32 bits.
#[inline(always)]
fn bins_from<const N: usize>(times: &[f64; N], start: DoubleDouble, delta: f64, shift: f64) -> [u32; N] {
    let mut bins = [0; N];
    for (bin, t) in bins.iter_mut().zip(times) {
        let x = ((t - start.hi) - start.lo) * delta;
        // A sum with an integer so large rounds to the nearest, and what was rounded up is one too many. No instruction that
        // baseline processors have for vectors truncates to 64 bits.
        let rounded = x + shift;
        *bin = (rounded.to_bits() as u32).wrapping_sub(u32::from(rounded - shift > x));
    }
    bins
}

shared_struct! {
    /// Parameters of `bin_events.wgsl`.
    BinParams as "Params" {
        /// Bins a second: the bits of `δ`, f64.
        delta: u64,
        /// Bins a row.
        n: u32,
        /// Events.
        events: u32,
        /// Rows.
        rows: u32,
        /// The struct's size is a multiple of eight.
        unused: u32,
    }
}

const BINDINGS: &[(&str, Access)] = &[
    ("params", Access::Uniform),
    ("times", Access::Read),
    ("rows", Access::Read),
    ("counts", Access::ReadWrite),
    ("dropped", Access::ReadWrite),
];
const LAYOUTS: &[StructLayout] = &[BinParams::LAYOUT, DeviceSegment::LAYOUT];
pub(super) const SOFT_F64: &str = include_str!("../../shaders/lib/soft_f64.wgsl");
pub(super) const U32: &str = include_str!("../../shaders/lib/bin_u32.wgsl");
pub(super) const F64: &str = include_str!("../../shaders/lib/bin_f64.wgsl");
const ENTRY: &str = include_str!("../../shaders/bin_events.wgsl");

/// Histogram with integer arithmetic: any device.
pub static BIN_U32: Shader = Shader {
    name: "bin_events.u32",
    entry: "bin_events",
    fragments: &[GRID, SOFT_F64, U32, ROW, ENTRY],
    bindings: BINDINGS,
    layouts: LAYOUTS,
    constants: threads_only,
    workgroup_bytes: no_memory,
    f64: false,
};

/// Histogram with native f64, where the self-test has passed.
pub static BIN_F64: Shader = Shader {
    name: "bin_events.f64",
    entry: "bin_events",
    fragments: &[GRID, F64, ROW, ENTRY],
    bindings: BINDINGS,
    layouts: LAYOUTS,
    constants: threads_only,
    workgroup_bytes: no_memory,
    f64: true,
};

/// The variant for a device.
pub fn shader(limits: &Limits) -> &'static Shader {
    if limits.f64 { &BIN_F64 } else { &BIN_U32 }
}

/// The launch: buffers are times (f64), rows ([`DeviceSegment`]), counts (rows × n, u32), dropped (rows, u32).
pub fn dispatch(shader: &'static Shader, params: BinParams, buffers: [usize; 4], limits: &Limits) -> Dispatch {
    // A time, and a count that is read and written, an event.
    let bytes = 16 * u64::from(params.events) + size_of::<DeviceSegment>() as u64 * u64::from(params.rows);
    Dispatch {
        shader,
        bytes,
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: buffers.to_vec(),
        workgroups: limits.grid_of_items(if params.rows == 0 { 0 } else { u64::from(params.events) }),
    }
}

/// The histogram's entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "bin_events",
    shaders: &[&BIN_U32, &BIN_F64],
    variants: &["u32", "f64"],
    needs_f64: |variant| variant == 1,
    shapes,
    timed: Timed::ONE_LENGTH,
    case: |variant, shape, data, seed| Box::new(BinCase::new([&BIN_U32, &BIN_F64][variant], shape, data, seed)),
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let t = limits.threads as usize;
    let mut shapes: Vec<CaseShape> =
        [0, 1, 7, t - 1, t, t + 1, 9973].map(|events| CaseShape { n: 129, rows: 5, events }).into();
    shapes.extend([CaseShape { n: 1, rows: 1, events: 100 }, CaseShape { n: 4096, rows: 301, events: 100_003 }]);
    shapes
}

/// One case of the histogram; its values are the counts of all rows, then the events dropped of each.
struct BinCase {
    shader: &'static Shader,
    n: usize,
    delta: f64,
    starts: Vec<DoubleDouble>,
    /// First event of each row, and the number of events.
    begins: Vec<usize>,
    times: Vec<f64>,
    data: CaseData,
}

/// Starts that break careless arithmetic: powers of two, negative, near zero, subnormal, satellites' clocks.
const STARTS: [f64; 12] =
    [0.0, -0.0, 3.1e8, 268_435_455.9, -1.0, -4.0e5, 1.0, 0.999_999_9, 1e-310, -5e-324, 8_388_607.75, 5.0e-7];
const LOWS: [f64; 8] = [0.0, -0.0, 5e-324, -5e-324, 1e-310, -1e-308, 0.49, -0.37];

impl BinCase {
    fn new(shader: &'static Shader, shape: CaseShape, data: CaseData, seed: u64) -> BinCase {
        let mut random = Random::new(seed);
        let dt = [1.0 / 8192.0, 1e-3, 0.1, 1.0 / 3.0, 3.2][seed as usize % 5];
        let n = shape.n;
        let size = n as f64 * dt;
        let delta = bins_per_second(size, n);
        let first = DoubleDouble::sum(random.pick(&[3e8, 1.0, 536_870_910.0]), 1e-9 * random.uniform());
        let starts: Vec<DoubleDouble> = (0..shape.rows)
            .map(|i| match data {
                CaseData::Random => first + DoubleDouble::product(size, i as f64),
                CaseData::Hostile => {
                    let hi = random.pick(&STARTS);
                    // The last two lows are fractions of an ulp of the start: a start with both parts set.
                    let low = random.pick(&LOWS);
                    let lo = if low.abs() > 0.1 { low * (hi.abs().next_up() - hi.abs()) } else { low };
                    DoubleDouble { hi, lo }
                }
            })
            .collect();
        let mut cuts: Vec<usize> = (1..shape.rows).map(|_| random.below(shape.events + 1)).collect();
        cuts.extend([0, shape.events]);
        cuts.sort_unstable();
        let mut times = Vec::with_capacity(shape.events);
        for (row, start) in starts.iter().enumerate() {
            for _ in cuts[row]..cuts[row + 1] {
                times.push(match data {
                    CaseData::Random => start.hi + (1.02 * random.uniform() - 0.01) * size,
                    CaseData::Hostile => hostile_time(&mut random, *start, n, dt),
                });
            }
        }
        BinCase { shader, n, delta, starts, begins: cuts, times, data }
    }

    fn histogram(&self, mut row: impl FnMut(&[f64], DoubleDouble) -> (Vec<u32>, u64)) -> CaseValues {
        let mut values = Vec::with_capacity(self.starts.len() * (self.n + 1));
        let mut all_dropped = Vec::new();
        for (i, start) in self.starts.iter().enumerate() {
            let (counts, dropped) = row(&self.times[self.begins[i]..self.begins[i + 1]], *start);
            values.extend(counts.into_iter().map(f64::from));
            all_dropped.push(dropped as f64);
        }
        values.extend(all_dropped);
        CaseValues { at: None, values }
    }
}

/// A time on an edge of a bin or up to three ulps beside it, or a value that no detector delivers.
fn hostile_time(random: &mut Random, start: DoubleDouble, n: usize, dt: f64) -> f64 {
    if random.below(50) == 0 {
        return random.pick(&[0.0, -0.0, 5e-324, -1e-310, 1e300, -1e300, f64::MAX, f64::INFINITY, f64::NAN, start.hi]);
    }
    let bin = random.below(n + 3) as f64 - 1.0;
    let mut t = match random.below(3) {
        0 => (start + DoubleDouble::product(bin, dt)).hi,
        1 => start.hi + (start.lo + bin * dt),
        // The power of two next to the edge, where the unit of the time changes.
        _ => {
            let edge = start.hi + bin * dt;
            if edge.is_normal() { f64::from_bits(edge.to_bits() & (0xfff << 52)) } else { edge }
        }
    };
    for _ in 0..random.below(4) {
        t = t.next_up();
    }
    for _ in 0..random.below(4) {
        t = t.next_down();
    }
    t
}

impl KernelCase for BinCase {
    fn reference(&self) -> CaseValues {
        self.histogram(|times, start| reference(times, start, self.delta, self.n))
    }

    fn cpu(&self) -> CaseValues {
        self.histogram(|times, start| {
            let mut counts = vec![0; self.n];
            let dropped = cpu(times, start, self.delta, &mut counts);
            (counts, dropped)
        })
    }

    fn job(&self, limits: &Limits) -> Job {
        let rows: Vec<DeviceSegment> =
            self.starts.iter().zip(&self.begins).map(|(s, &b)| DeviceSegment::new(*s, b, 0, self.n)).collect();
        let params = BinParams {
            delta: self.delta.to_bits(),
            n: self.n as u32,
            events: self.times.len() as u32,
            rows: rows.len() as u32,
            unused: 0,
        };
        let counts = Fill::Zeros(4 * (rows.len() * self.n) as u64);
        let dropped = Fill::Zeros(4 * rows.len() as u64);
        Job {
            buffers: vec![Fill::from_values(&self.times), Fill::from_values(&rows), counts, dropped],
            dispatches: vec![dispatch(self.shader, params, [0, 1, 2, 3], limits)],
            outputs: vec![2, 3],
        }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        words(outputs, u32::from_le_bytes)
    }

    /// None: the definition is one of exact roundings, and every version gives identical counts.
    fn tolerance(&self, _: &CaseValues, _: Precision) -> Box<dyn Fn(usize) -> f64> {
        Box::new(|_| 0.0)
    }

    /// One unit in the last place of `δ` is enough on hostile times.
    fn perturb(&self, job: &mut Job) {
        let delta = if self.data == CaseData::Hostile { self.delta.next_up() } else { self.delta * 1.001 };
        job.dispatches[0].params[..8].copy_from_slice(&delta.to_bits().to_le_bytes());
    }

    fn pipelines(&self, _: &Limits) -> Vec<&'static str> {
        if self.times.is_empty() { vec![] } else { vec![self.shader.name] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of random and hostile times in order, of few and of many events a bin, in one piece and in several.
    #[test]
    fn sorted_times_are_counted_as_the_definition_says() {
        let (mut last, mut dense, mut events, mut dropped) = (LastEventTable::default(), 0, 0, 0);
        for seed in 0..400 {
            let n = [1, 2, 3, 7, 64, 129, 1000][seed as usize % 7];
            let shape = CaseShape { n, rows: 3, events: [50, 300, 5000][seed as usize % 3] };
            let trial =
                BinCase::new(&BIN_U32, shape, [CaseData::Random, CaseData::Hostile][seed as usize / 7 % 2], seed);
            for (i, &start) in trial.starts.iter().enumerate() {
                let mut times = trial.times[trial.begins[i]..trial.begins[i + 1]].to_vec();
                times.retain(|t| t.is_finite());
                times.sort_by(f64::total_cmp);
                let expected = reference(&times, start, trial.delta, n);
                for pieces in [1, 2, 5] {
                    let mut counts = vec![0.0; n];
                    let found = times.chunks(times.len().div_ceil(pieces).max(1));
                    let found: u64 = found.map(|t| add_sorted(t, start, trial.delta, &mut counts, &mut last)).sum();
                    let counts: Vec<u32> = counts.iter().map(|&c| c as u32).collect();
                    assert!((counts, found) == expected, "seed {seed}, row {i}, {pieces} pieces");
                }
                dense += usize::from(times.len() > 2 * n);
                (events, dropped) = (events + times.len(), dropped + expected.1);
            }
        }
        assert!(dense > 100 && dropped > 1000 && dropped < events as u64 / 2, "{dense} {dropped} {events}");
    }

    #[test]
    fn times_out_of_order_end_in_counts_and_not_in_a_panic() {
        let start = DoubleDouble::ZERO;
        for times in [&[5.0, 1.0, 3.0, 9.0][..], &[1.0, f64::NAN, 7e99, -3.0, 2.0], &[0.5; 9], &[9.5, 0.5, 0.25, 0.25]]
        {
            add_sorted(times, start, 1.0, &mut [0.0; 10], &mut LastEventTable::default());
        }
    }
}
