//! Time of every kernel on the CPU: its production path and its reference, at one size each. A kernel in the table appears here
//! by itself.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eagleray::internal::kernels::{CaseData, CaseShape, KERNELS};

/// 64 segments of 4096 bins with a million events.
const SHAPE: CaseShape = CaseShape { n: 4096, rows: 64, events: 1 << 20 };

fn kernels(criterion: &mut Criterion) {
    for kernel in KERNELS {
        let mut group = criterion.benchmark_group(kernel.name);
        group.throughput(Throughput::Elements((SHAPE.n * SHAPE.rows) as u64));
        group.sample_size(10);
        // Variants differ on devices; on the CPU the first stands for all.
        let trial = (kernel.case)(0, SHAPE, CaseData::Random, 1);
        group.bench_function("cpu", |bencher| bencher.iter(|| trial.cpu()));
        group.bench_function("reference", |bencher| bencher.iter(|| trial.reference()));
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
