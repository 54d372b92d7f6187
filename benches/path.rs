//! Stages of the path from a file to a spectrum, in bytes a second: copying the file from the page cache, which is the limit;
//! that and its hash, on all cores; that and decoding, on one; counting, by the definition and as it is done; all of it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eagleray::backend::cpu::CpuBackend;
use eagleray::io::Source;
use eagleray::io::fits_writer::{Column, FitsWriter, Header};
use eagleray::kernels::bin_events::{Last, bins_per_second, reference, sorted};
use eagleray::time::Dd;
use eagleray::{EventFile, Events, GtiSource, OpenOptions, Options, Selection, Warnings, spectrum_of_events};

/// Ten events a bin of 2^-10 s.
const EVENTS: usize = 4_000_000;
const RATE: f64 = 10_000.0;
/// Bytes of a row: a time and a channel.
const ROW: usize = 12;
/// One segment of 16 s.
const SEGMENT: usize = 160_000;

/// Times at random distances, in order.
fn times() -> Vec<f64> {
    let (mut state, mut t) = (1u64, 8e7);
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        t -= (((state >> 11) as f64 + 0.5) / 2f64.powi(53)).ln() / RATE;
        t
    };
    (0..EVENTS).map(next).collect()
}

fn write(times: &[f64]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut out = FitsWriter::new(file.reopen().expect("the file"), &Header::new()).expect("a header");
    let columns = [Column::new("TIME", "D", "s"), Column::new("PI", "J", "chan")];
    out.table("EVENTS", &columns, &Header::new()).expect("a table");
    for t in times {
        out.rows(&[&t.to_be_bytes()[..], &[0, 0, 0, 7]].concat()).expect("a row");
    }
    out.finish().expect("the end");
    file
}

fn path(criterion: &mut Criterion) {
    let times = times();
    let file = write(&times);
    let open = || {
        let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
        EventFile::open(file.path(), &span, &mut Warnings::default()).expect("the file opens")
    };
    let mut group = criterion.benchmark_group("file");
    group.sample_size(10).throughput(Throughput::Bytes((EVENTS * ROW) as u64));
    group.bench_function("copy, one core", |bencher| {
        let source = Source::open(file.path()).expect("the file opens");
        let mut piece = vec![0; 256 << 10];
        bencher.iter(|| {
            for at in (0..source.len() - piece.len() as u64).step_by(piece.len()) {
                source.read_at(at, &mut piece).expect("the bytes");
            }
        });
    });
    group.bench_function("copy, CRC-32", |bencher| {
        let source = Source::open(file.path()).expect("the file opens");
        bencher.iter(|| source.crc32());
    });
    group.bench_function("copy, decode, one core", |bencher| {
        let (file, mut out) = (open(), Vec::with_capacity(1 << 18));
        bencher.iter(|| {
            for from in (0..EVENTS).step_by(1 << 18) {
                out.clear();
                file.times(from..(from + (1 << 18)).min(EVENTS), &mut out).expect("the times");
            }
        });
    });
    // The file's own interval is that of all times, found by reading: the whole path begins with a file that has one.
    let gti = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(gti.path(), format!("80000000 {}\n", 8e7 + EVENTS as f64 / RATE)).expect("the interval");
    let own = format!("{}", gti.path().display());
    let options = Options { dt: Some(2f64.powi(-10)), segment_size: Some(16.0), ..Options::default() };
    for threads in [1, 2] {
        let mut backend = CpuBackend::new(std::num::NonZeroUsize::new(threads)).expect("threads");
        group.bench_with_input(BenchmarkId::new("spectrum, threads", threads), &own, |bencher, own| {
            let given = OpenOptions { gti: GtiSource::Given(own.clone()), ..OpenOptions::default() };
            bencher.iter(|| {
                let file = EventFile::open(file.path(), &given, &mut Warnings::default()).expect("the file opens");
                let input = Events::unread(&file, Selection::default()).expect("its events");
                let warnings = Warnings::default();
                spectrum_of_events(vec![input], &options, &mut backend, warnings, &mut |_| {})
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("counting one segment");
    group.throughput(Throughput::Elements(SEGMENT as u64));
    let (start, delta) = (Dd::from(8e7), bins_per_second(16.0, 1 << 14));
    let segment = &times[..SEGMENT];
    group.bench_function("definition", |bencher| bencher.iter(|| reference(black_box(segment), start, delta, 1 << 14)));
    group.bench_function("sorted", |bencher| {
        let (mut counts, mut last) = (vec![0.0; 1 << 14], Last::default());
        bencher.iter(|| {
            counts.fill(0.0);
            sorted(black_box(segment), start, delta, &mut counts, &mut last)
        });
    });
    group.finish();
}

criterion_group!(benches, path);
criterion_main!(benches);
