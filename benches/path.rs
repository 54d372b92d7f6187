//! Stages of the path from a file to a spectrum, in bytes a second: copying the file from the page cache; that and its hash, on
//! all cores; that and decoding, on one; counting, by the definition and as it is done; transforms and powers; all of it. At the end
//! each stands beside its limit: what it cannot do without, as measured in the same run.
//!
//! `cargo bench --bench path -- --limits FILE DT SEGMENT_SIZE` measures the whole computation and its limit on a file, in the same
//! run: the least that any way must do is to get the times out of the file and to transform the counts. Prints JSON.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use eagleray::data::header::HeaderCards;
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::io::InputFile;
use eagleray::internal::io::fits_writer::{FitsWriter, WrittenColumn};
use eagleray::internal::kernels::bin_events::{LastEventTable, add_sorted, bins_per_second, reference};
use eagleray::internal::kernels::power;
use eagleray::internal::numerics::fft::{CpuFft, frequencies};
use eagleray::internal::random::Random;
use eagleray::time::DoubleDouble;
use eagleray::{Observation, PowerSpectrum, Session, Warnings};

/// Ten events a bin of 2^-10 s.
const EVENTS: usize = 4_000_000;
const RATE: f64 = 10_000.0;
/// Bytes of a row: a time and a channel.
const ROW: usize = 12;
/// One segment of 16 s.
const SEGMENT: usize = 160_000;

/// Times at random distances, in order.
fn times() -> Vec<f64> {
    let (mut random, mut t) = (Random::new(1), 8e7);
    let next = |_| {
        t += random.exponential() / RATE;
        t
    };
    (0..EVENTS).map(next).collect()
}

fn write(times: &[f64]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut out = FitsWriter::new(file.reopen().expect("the file"), &HeaderCards::new()).expect("a header");
    let columns = [WrittenColumn::new("TIME", "D", "s"), WrittenColumn::new("PI", "J", "chan")];
    out.table("EVENTS", &columns, &HeaderCards::new()).expect("a table");
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
    group.bench_function("memory to cache, one core", |bencher| {
        let (all, mut piece) = (vec![1u8; EVENTS * ROW], vec![0; 256 << 10]);
        bencher.iter(|| all.chunks_exact(256 << 10).for_each(|from| black_box(&mut piece).copy_from_slice(from)));
    });
    group.bench_function("copy, one core", |bencher| {
        let source = InputFile::open(file.path()).expect("the file opens");
        let mut piece = vec![0; 256 << 10];
        bencher.iter(|| {
            for at in (0..source.len() - piece.len() as u64).step_by(piece.len()) {
                source.read_at(at, &mut piece).expect("the bytes");
            }
        });
    });
    group.bench_function("copy, CRC-32", |bencher| {
        let source = InputFile::open(file.path()).expect("the file opens");
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
    let analysis = PowerSpectrum::default().dt(2f64.powi(-10)).segment_size(16.0);
    for threads in [1, 2] {
        let session = Session::threads(NonZeroUsize::new(threads).expect("some")).expect("threads");
        group.bench_with_input(BenchmarkId::new("spectrum, threads", threads), &own, |bencher, own| {
            let given = OpenOptions { gti: GtiSource::Given(own.clone()), ..OpenOptions::default() };
            bencher.iter(|| {
                let observation = Observation::open_with([file.path()], &given).expect("the file opens");
                session.run(&analysis, &observation).expect("a spectrum")
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("counting one segment");
    group.throughput(Throughput::Elements(SEGMENT as u64));
    let (start, delta) = (DoubleDouble::from(8e7), bins_per_second(16.0, 1 << 14));
    let segment = &times[..SEGMENT];
    group.bench_function("scan", |bencher| bencher.iter(|| scan(black_box(segment))));
    group.bench_function("definition", |bencher| bencher.iter(|| reference(black_box(segment), start, delta, 1 << 14)));
    group.bench_function("sorted", |bencher| {
        let (mut counts, mut last) = (vec![0.0; 1 << 14], LastEventTable::default());
        bencher.iter(|| {
            counts.fill(0.0);
            add_sorted(black_box(segment), start, delta, &mut counts, &mut last)
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("transforming one segment");
    group.throughput(Throughput::Elements(SEGMENT as u64));
    let (fft, mut sum) = (CpuFft::new(1 << 14), vec![0.0; frequencies(1 << 14)]);
    let mut work = fft.work();
    group.bench_function("transform", |bencher| bencher.iter(|| fft.process(&mut work)));
    group.bench_function("transform, powers", |bencher| {
        bencher.iter(|| {
            fft.process(&mut work);
            power::cpu(&work.output, 1.0, black_box(&mut sum));
        });
    });
    group.finish();
}

/// Looks at every time once, from a cache: eight sums, so that none waits for another.
fn scan(times: &[f64]) -> [f64; 8] {
    times.as_chunks::<8>().0.iter().fold([0.0; 8], |sums, chunk| std::array::from_fn(|i| sums[i] + chunk[i]))
}

/// Median times of what criterion has just measured, s, beside the limits that follow from each other.
fn beside_limits() {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), std::path::PathBuf::from);
    let median = |name: &str| -> Option<f64> {
        let text = std::fs::read(folder.join("criterion").join(name).join("new/estimates.json")).ok()?;
        let estimates: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(estimates["median"]["point_estimate"].as_f64()? * 1e-9)
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get) as f64;
    let (read, decoded, transformed) =
        ("file/copy, one core", "file/copy, decode, one core", "transforming one segment/transform");
    let segments = (EVENTS / SEGMENT) as f64;
    // Each as a sum of others times factors.
    let parts: [(&str, &[(&str, f64)]); 7] = [
        (read, &[("file/memory to cache, one core", 1.0)]),
        ("file/copy, CRC-32", &[(read, 1.0 / cores)]),
        (decoded, &[(read, 1.0)]),
        ("file/spectrum, threads/1", &[(decoded, 1.0), (transformed, segments)]),
        ("file/spectrum, threads/2", &[(decoded, 0.5), (transformed, 0.5 * segments)]),
        ("counting one segment/sorted", &[("counting one segment/scan", 1.0)]),
        ("transforming one segment/transform, powers", &[(transformed, 1.0)]),
    ];
    println!("{:<44}{:>12}{:>12}{:>10}", "median, ms", "", "limit", "of limit");
    for (name, terms) in parts {
        let limit: Option<f64> = terms.iter().map(|(name, factor)| Some(factor * median(name)?)).sum();
        if let (Some(time), Some(limit)) = (median(name), limit) {
            println!("{name:<44}{:>12.3}{:>12.3}{:>10.2}", 1e3 * time, 1e3 * limit, limit / time);
        }
    }
}

/// Transforms and sums so many segments of `n` bins.
fn transform(n: usize, segments: usize) {
    let fft = CpuFft::new(n);
    let (mut work, mut sum) = (fft.work(), vec![0.0; frequencies(n)]);
    for segment in 0..segments {
        // Counts of ten or so; what they are makes no difference.
        work.input.iter_mut().enumerate().for_each(|(i, x)| *x = ((i * 7 + segment) % 21) as f64);
        fft.process(&mut work);
        power::cpu(&work.output, 1.0, &mut sum);
    }
    black_box(&sum);
}

/// Seconds that all threads together need for their share of something.
fn together(threads: usize, share: impl Fn(usize) + Sync) -> f64 {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let share = &share;
            scope.spawn(move || share(thread));
        }
    });
    begin.elapsed().as_secs_f64()
}

/// See the top of this file.
fn limits(path: &str, dt: &str, size: &str) {
    let (dt, size): (f64, f64) = (dt.parse().expect("a bin width"), size.parse().expect("a segment length"));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let session = Session::threads(NonZeroUsize::new(threads).expect("some")).expect("threads");
    let analysis = PowerSpectrum::default().dt(dt).segment_size(size);
    let file =
        EventFile::open(path.as_ref(), &OpenOptions::default(), &mut Warnings::default()).expect("the file opens");
    let (n, segments, rows) = ((size / dt) as usize, (file.gti.exposure() / size) as usize, file.rows());
    let step = 16_384;
    let mut found: [Vec<f64>; 4] = Default::default();
    for _ in 0..9 {
        let decoding = together(threads, |thread| {
            let mut times = Vec::with_capacity(step);
            for from in (rows * thread / threads..rows * (thread + 1) / threads).step_by(step) {
                times.clear();
                file.times(from..(from + step).min(rows), &mut times).expect("the times");
                black_box(&times);
            }
        });
        let transforms = together(threads, |_| transform(n, segments / threads));
        let begin = Instant::now();
        let observation = Observation::open([path]).expect("the file opens");
        session.run(&analysis, &observation).expect("a spectrum");
        let whole = begin.elapsed().as_secs_f64();
        let share = (decoding + transforms) / whole;
        found.iter_mut().zip([decoding, transforms, whole, share]).for_each(|(list, value)| list.push(value));
    }
    let [decoding, transforms, whole, share] = found.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    println!(
        "{{\"threads\": {threads}, \"decoding\": {decoding}, \"transforms\": {transforms}, \"computation\": {whole}, \
         \"share\": {share}}}"
    );
}

criterion_group!(benches, path);

fn main() {
    let words: Vec<String> = std::env::args().skip_while(|word| word != "--limits").collect();
    match &words[..] {
        [_, path, dt, size, ..] => limits(path, dt, size),
        _ => {
            benches();
            Criterion::default().configure_from_args().final_summary();
            beside_limits();
        }
    }
}
