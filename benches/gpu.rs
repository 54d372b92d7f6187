//! Time of one batch on a GPU by length of the segments, and what each pass reaches of the rate at which the adapter copies.

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eagleray::device::Precision;
use eagleray::internal::backend::gpu::GpuBackend;
use eagleray::internal::backend::{AdapterSelector, Backend, GpuTier};
use eagleray::internal::kernels::Input;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use eagleray::time::DoubleDouble;

/// Bins of a batch, about.
const BINS: usize = 1 << 20;
/// Bins of batches of segments of 16,384 bins: their counts and points, 8 bytes a bin, lie in one cache or another, or in none.
const GROUPS: [usize; 5] = [1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23];
/// Powers of two and others in one workgroup, in several passes, and by convolution.
const LENGTHS: [usize; 6] = [1024, 1000, 4096, 1 << 14, 1 << 18, 10_007];

fn spec(n: usize, bins: usize) -> PlanSpec {
    let quantity = Quantity::Power { weight_exponent: None };
    PlanSpec { n, segment_size: 1.0, quantity, input: Input::Events, min_events: 0, max_segments: (bins / n) as u64 }
}

/// Whole runs of segments with one event a bin, as far as a batch takes them.
fn batch(spec: &PlanSpec, rows: usize) -> SegmentBatch {
    let per_row = spec.n.min((1 << 21) / rows);
    let mut random = Random::new(1);
    let mut batch = SegmentBatch { first: true, last: true, ..SegmentBatch::default() };
    for index in 0..rows {
        let begin = batch.times.len();
        let mut times: Vec<f64> = (0..per_row).map(|_| index as f64 + random.uniform()).collect();
        times.sort_by(f64::total_cmp);
        batch.times.extend(times);
        let end = batch.times.len();
        let (start, events) = (DoubleDouble::from(index as f64), (end - begin) as u64);
        batch.rows.push(SeriesSegment { start, begin, end, events, ..SeriesSegment::empty(index as u64) });
    }
    batch
}

fn batches(criterion: &mut Criterion) {
    let mut gpu = match GpuBackend::open(&AdapterSelector::Best, GpuTier::Auto, Precision::Single) {
        Ok(gpu) => gpu,
        Err(e) => return eprintln!("SKIPPED: {e}"),
    };
    let timed = gpu.time_passes();
    let copy = gpu.copy_rate().ok().flatten().unwrap_or(f64::NAN);
    let info = gpu.info().clone();
    eprintln!("{} ({}, {}): copies {:.1} GB/s", info.adapter, info.driver, info.tier, copy / 1e9);
    let lengths = LENGTHS.map(|n| ("batch", n, BINS));
    for (kind, n, bins) in lengths.into_iter().chain(GROUPS.map(|bins| ("group", 1 << 14, bins))) {
        let mut group = criterion.benchmark_group(kind);
        group.sample_size(10);
        let spec = spec(n, bins);
        let plan = gpu.prepare(&spec).expect("a length that devices take");
        let rows = (bins / n).min(gpu.limits(plan).rows);
        let batch = Arc::new(batch(&spec, rows));
        group.throughput(Throughput::Elements((rows * n) as u64));
        let before = gpu.work().clone();
        group.bench_function(format!("{n} in {}", rows * n), |bencher| {
            bencher.iter(|| {
                let ticket = gpu.submit(plan, batch.clone()).expect("a valid batch");
                gpu.collect(ticket).expect("the device works")
            });
        });
        for (name, pass) in gpu.work().passes.iter().filter(|_| timed) {
            let old = before.passes.get(name).copied().unwrap_or_default();
            let (seconds, moved) = (pass.seconds - old.seconds, (pass.moved - old.moved) as f64);
            if moved > 0.0 {
                let rate = moved / seconds;
                let launch = 1e3 * seconds / (pass.launches - old.launches) as f64;
                eprintln!("{name:24} {launch:8.2} ms {:8.2} GB/s, {:.3} of copying", rate / 1e9, rate / copy);
            }
        }
        gpu.release(plan);
    }
}

criterion_group!(benches, batches);
criterion_main!(benches);
