//! The integers that stand for f64 in shaders, held against the processor's own f64: the operations bit by bit, and the
//! histogram made of them, on operands that reach every branch of rounding. `EAGLERAY_CAMPAIGN=k` multiplies the cases by k.

#![cfg(feature = "gpu")]

use eagleray::internal::backend::GpuTier;
use eagleray::internal::backend::gpu::GpuContext;
use eagleray::internal::kernels::bin_events::{self, BIN_F64, BIN_U32, BinParams};
use eagleray::internal::kernels::{Access, DeviceSegment, Dispatch, Fill, Job, Shader};
use eagleray::internal::random::Random;
use eagleray::time::DoubleDouble;

const INFINITE: u64 = 0x7ff << 52;
const MANTISSA: u64 = (1 << 52) - 1;

/// One thread a pair: a − b and a·b.
static OPERATIONS: Shader = Shader {
    name: "soft_f64_test",
    entry: "soft_f64_test",
    fragments: &[
        include_str!("../../shaders/lib/grid.wgsl"),
        include_str!("../../shaders/lib/soft_f64.wgsl"),
        "struct Params { pairs: u32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> pairs: array<vec4<u32>>;
        @group(0) @binding(2) var<storage, read_write> results: array<vec4<u32>>;
        override THREADS: u32 = 256u;
        @compute @workgroup_size(THREADS)
        fn soft_f64_test(
            @builtin(workgroup_id) id: vec3<u32>,
            @builtin(num_workgroups) count: vec3<u32>,
            @builtin(local_invocation_index) thread: u32,
        ) {
            let i = group_index(id, count) * THREADS + thread;
            if (i < params.pairs) {
                let p = pairs[i];
                results[i] = vec4<u32>(f64_sub(p.xy, p.zw), f64_mul(p.xy, p.zw));
            }
        }",
    ],
    bindings: &[("params", Access::Uniform), ("pairs", Access::Read), ("results", Access::ReadWrite)],
    layouts: &[],
    constants: |limits| vec![("THREADS", f64::from(limits.threads))],
    workgroup_bytes: |_| 0,
    f64: false,
};

fn campaign() -> usize {
    std::env::var("EAGLERAY_CAMPAIGN").map_or(1, |k| k.parse().expect("a number"))
}

/// 52 bits that make ties, long carries, and guard bits that are lost one by one.
fn mantissa(random: &mut Random) -> u64 {
    let bits = random.bits() & MANTISSA;
    let cut = random.below(53) as u32;
    let one = |random: &mut Random| 1 << random.below(52);
    match random.below(8) {
        0 => bits,
        1 => 0,
        2 => MANTISSA,
        // So few leading bits that sums and products are exact, or ties.
        3 => bits >> cut << cut,
        // Ones only above, or only below, some place.
        4 => MANTISSA >> cut << cut,
        5 => MANTISSA >> cut,
        // A few ones, or a few zeros.
        6 => one(random) | one(random) | one(random),
        _ => MANTISSA ^ (one(random) | one(random)),
    }
}

fn number(random: &mut Random, exponent: i64) -> u64 {
    (random.bits() & 1) << 63 | (exponent.clamp(0, 2047) as u64) << 52 | mantissa(random)
}

/// Two operands: of related exponents, of related values, or whose product is about to leave the range.
fn pair(random: &mut Random) -> [u64; 2] {
    let exponent = match random.below(4) {
        0 => random.pick(&[0, 1, 2, 52, 53, 54, 1022, 1023, 1024, 2045, 2046, 2047]),
        1 => random.below(120),
        _ => random.below(2048),
    } as i64;
    let a = number(random, exponent);
    let near = |random: &mut Random, reach: usize| random.below(2 * reach + 1) as i64 - reach as i64;
    let b = match random.below(8) {
        0 => random.bits(),
        1 => {
            let e = exponent + near(random, 70);
            number(random, e)
        }
        2 => {
            let e = exponent + near(random, 2);
            number(random, e)
        }
        // Neighbours of ±a: all leading bits cancel.
        3 => (a ^ (random.bits() & 1) << 63).wrapping_add_signed(near(random, 4)),
        // A few quarters of the unit of a: ties of the difference.
        4 => {
            let unit = f64::from_bits((exponent as u64) << 52) * 2f64.powi(-54);
            (near(random, 9) as f64 * unit).to_bits()
        }
        // A product near the largest and the smallest numbers, and at 1.
        5 => {
            let e = 3069 - exponent + near(random, 2);
            number(random, e)
        }
        6 => {
            let e = 1023 - exponent + near(random, 60);
            number(random, e)
        }
        _ => {
            let e = 2046 - exponent + near(random, 3);
            number(random, e)
        }
    };
    if random.below(2) == 0 { [a, b] } else { [b, a] }
}

/// What the shader tells apart: infinity and NaN are one value, and so are the zeros.
fn class(bits: u64) -> u64 {
    match bits & !(1 << 63) {
        0 => 0,
        magnitude if magnitude >= INFINITE => INFINITE,
        _ => bits,
    }
}

#[test]
fn operations_round_as_ieee_754_says() {
    let Some(mut context) = crate::common::gpu::context("soft f64", GpuTier::Portable) else { return };
    const PAIRS: usize = 1 << 20;
    // How often each result was subnormal, infinite, zero: the cases are worth something.
    let mut seen = [[0usize; 3]; 2];
    for seed in 0..2 * campaign() as u64 {
        let mut random = Random::new(7000 + seed);
        let pairs: Vec<[u64; 2]> = (0..PAIRS).map(|_| pair(&mut random)).collect();
        let dispatch = Dispatch {
            bytes: 0,
            shader: &OPERATIONS,
            params: (PAIRS as u32).to_le_bytes().to_vec(),
            buffers: vec![0, 1],
            workgroups: context.limits().grid_of_items(PAIRS as u64),
        };
        let buffers = vec![Fill::from_values(pairs.as_flattened()), Fill::Zeros(16 * PAIRS as u64)];
        let result = context.run(&Job { buffers, dispatches: vec![dispatch], outputs: vec![1] }).unwrap();
        for ([a, b], got) in pairs.iter().zip(result.outputs[0].as_chunks::<16>().0) {
            let (x, y) = (f64::from_bits(*a), f64::from_bits(*b));
            for (i, (expected, got)) in [x - y, x * y].into_iter().zip(got.as_chunks::<8>().0).enumerate() {
                let (expected, got) = (class(expected.to_bits()), class(u64::from_le_bytes(*got)));
                let operation = ["−", "·"][i];
                assert_eq!(got, expected, "{a:#x} {operation} {b:#x}: {got:#x} instead of {expected:#x}");
                seen[i][0] += usize::from(f64::from_bits(expected).is_subnormal());
                seen[i][1] += usize::from(expected == INFINITE);
                seen[i][2] += usize::from(expected == 0);
            }
        }
    }
    eprintln!("{} pairs; subnormal, infinite and zero results: {seen:?}", 2 * campaign() * PAIRS);
    assert!(seen.as_flattened().iter().all(|&count| count > 2000), "{seen:?}");
}

/// Starts, widths and times of one histogram. Unlike the trials of the kernel, every row has its own start, and `δ` is any
/// number: what is asked is whether the arithmetic agrees, not whether the plan makes sense.
struct Histogram {
    n: usize,
    delta: f64,
    starts: Vec<DoubleDouble>,
    begins: Vec<usize>,
    times: Vec<f64>,
}

impl Histogram {
    fn new(random: &mut Random, n: usize, rows: usize, events: usize) -> Histogram {
        // 2^−1 … 2^14 bins a second; or out of all reason, so that differences are subnormal or products overflow.
        let exponent = if random.below(3) > 0 { 1022 + random.below(15) } else { random.below(2046) } as i64;
        let delta = f64::from_bits(number(random, exponent) & !(1 << 63));
        let starts: Vec<DoubleDouble> = (0..rows).map(|_| start(random, n, delta)).collect();
        let begins: Vec<usize> = (0..=rows).map(|row| row * events / rows).collect();
        let mut times = Vec::with_capacity(events);
        for (row, &start) in starts.iter().enumerate() {
            times.extend((begins[row]..begins[row + 1]).map(|_| time(random, start, n, delta)));
        }
        Histogram { n, delta, starts, begins, times }
    }

    /// The counts of all rows, then the events dropped of each: the definition, word for word.
    fn expected(&self) -> (Vec<u32>, Vec<u32>) {
        let mut counts = vec![0; self.n * self.starts.len()];
        let mut dropped = vec![0; self.starts.len()];
        for (row, start) in self.starts.iter().enumerate() {
            for &t in &self.times[self.begins[row]..self.begins[row + 1]] {
                let d = t - start.hi;
                let d = d - start.lo;
                let x = d * self.delta;
                if 0.0 <= x && x < self.n as f64 {
                    counts[row * self.n + x.trunc() as usize] += 1;
                } else {
                    dropped[row] += 1;
                }
            }
        }
        (counts, dropped)
    }

    fn job(&self, shader: &'static Shader, context: &GpuContext) -> Job {
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
            dispatches: vec![bin_events::dispatch(shader, params, [0, 1, 2, 3], context.limits())],
            outputs: vec![2, 3],
        }
    }
}

/// A start about as large as the segment, much larger, much smaller, or not related; its low part of either sign, from half
/// a unit down to the smallest subnormal, or larger than a start may have.
fn start(random: &mut Random, n: usize, delta: f64) -> DoubleDouble {
    let size = ((n as f64 / delta).to_bits() >> 52) as i64 & 0x7ff;
    let exponent = match random.below(5) {
        0 => size + random.below(5) as i64 - 2,
        1 => size + random.below(54) as i64,
        2 => size - random.below(60) as i64,
        3 => 0,
        _ => random.below(2047) as i64,
    };
    let hi = f64::from_bits(number(random, exponent.min(2046)));
    let unit = (hi.to_bits() >> 52) as i64 & 0x7ff;
    let lo = match random.below(5) {
        0 => random.pick(&[0.0, -0.0]),
        1 => f64::from_bits(number(random, 0)),
        2 => f64::from_bits(number(random, unit - 54)),
        3 => {
            let exponent = unit - 53 - random.below(60) as i64;
            f64::from_bits(number(random, exponent))
        }
        _ => {
            let exponent = size - random.below(60) as i64;
            f64::from_bits(number(random, exponent))
        }
    };
    DoubleDouble { hi, lo }
}

/// A time on an edge, a few units beside it, at the product's own unit beside it, or anywhere.
fn time(random: &mut Random, start: DoubleDouble, n: usize, delta: f64) -> f64 {
    let any = random.below(n + 1) as f64;
    let bin = random.pick(&[0.0, 1.0, n as f64, n as f64 - 1.0, any, any]);
    // x that is the edge, its neighbours, or between two bins.
    let x: f64 = match random.below(4) {
        0 => bin,
        1 => bin.next_down(),
        2 => bin.next_up(),
        _ => random.uniform() * n as f64,
    };
    let mut t = match random.below(16) {
        0 => f64::from_bits(random.bits()),
        1 => {
            let exponent = (start.hi.to_bits() >> 52) as i64 & 0x7ff;
            let exponent = exponent + random.below(3) as i64 - 1;
            f64::from_bits(number(random, exponent))
        }
        2 => start.hi,
        3 => start.lo,
        _ => start.hi + (start.lo + x / delta),
    };
    for _ in 0..random.below(4) {
        t = if random.below(2) == 0 { t.next_up() } else { t.next_down() };
    }
    t
}

#[test]
fn histograms_agree_for_any_start_and_width() {
    let contexts = [GpuTier::Portable, GpuTier::Native].map(|p| crate::common::gpu::context("hostile histogram", p));
    let shapes: [(usize, usize); 12] = [
        (1, 50_000),
        (2, 50_000),
        (3, 20_000),
        (8, 20_000),
        (100, 10_000),
        (257, 3000),
        (1024, 1000),
        (8191, 100),
        (1 << 16, 16),
        (1_000_003, 2),
        (1 << 22, 1),
        (1 << 24, 1),
    ];
    for mut context in contexts.into_iter().flatten() {
        let shader = if context.limits().f64 { &BIN_F64 } else { &BIN_U32 };
        let mut random = Random::new(4242);
        let (mut events, mut counted) = (0, 0);
        for round in 0..4 * campaign() {
            for (n, rows) in shapes {
                // The longest rows need much memory; once is enough.
                if n >= 1 << 22 && round % 8 > 0 {
                    continue;
                }
                let case = Histogram::new(&mut random, n, rows, 50_000);
                let (counts, dropped) = case.expected();
                let result = context.run(&case.job(shader, &context)).unwrap();
                let words = |bytes: &[u8]| -> Vec<u32> {
                    bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect()
                };
                let what = format!("{}, round {round}, n = {n}, delta {:e}", shader.name, case.delta);
                let bad = words(&result.outputs[0]).iter().zip(&counts).position(|(a, b)| a != b);
                assert_eq!(bad.map(|i| (i / n, i % n)), None, "{what}: row and bin");
                assert_eq!(words(&result.outputs[1]), dropped, "{what}: dropped");
                events += case.times.len();
                counted += counts.iter().map(|&c| c as usize).sum::<usize>();
            }
        }
        eprintln!("{}: {events} events, {counted} of them in bins, 0 elsewhere than they belong", shader.name);
        assert!(counted > events / 5 && counted < events * 4 / 5);
    }
}
