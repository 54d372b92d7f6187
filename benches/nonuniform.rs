//! Nonuniform transforms: points times frequencies as searches have them, 4 to an independent frequency, of sorted times, on all cores.

use std::hint::black_box;
use std::ops::Range;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eagleray::internal::numerics::nonuniform::{LeastErrorTransform, PhasedPoint, SearchTransform};
use eagleray::internal::random::Random;

fn transforms(criterion: &mut Criterion) {
    let mut random = Random::new(1);
    let mut group = criterion.benchmark_group("nonuniform");
    group.sample_size(10);
    for (points, frequencies) in [
        (100_000, 10_000),
        (100_000, 1_000_000),
        (1_000_000, 10_000),
        (1_000_000, 1_000_000),
        (10_000, 1_000_000),
        (5_000_000, 1_000_000),
    ] {
        let mut steps: Vec<u64> = (0..points).map(|_| random.bits() / 4).collect();
        steps.sort_unstable();
        let point = |&step: &u64| PhasedPoint { first: step.wrapping_mul(1_234_567), step, weight: 1.0 };
        let fill = |range: Range<usize>, run: &mut Vec<PhasedPoint>| run.extend(steps[range].iter().map(point));
        let name = format!("{points} points, {frequencies} frequencies");
        group.throughput(Throughput::Elements((points + frequencies) as u64));
        group.bench_function(BenchmarkId::new("8 cells", &name), |bencher| {
            let transform = SearchTransform::new(frequencies, points);
            bencher.iter(|| black_box(transform.sums(points, fill, |sum| sum, || true)));
        });
        group.bench_function(BenchmarkId::new("16 cells", &name), |bencher| {
            let transform = LeastErrorTransform::new(frequencies, points);
            bencher.iter(|| black_box(transform.sums(points, fill, |sum| sum, || true)));
        });
    }
    group.finish();
}

criterion_group!(benches, transforms);
criterion_main!(benches);
