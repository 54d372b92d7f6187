//! Cross spectra of binned series: those of the events that they count, bit for bit.

use crate::common::front::{self, pair_of_times, streamed};
use eagleray::science::{AveragedCrossSpectrum, CrossOptions};
use eagleray::{CrossSpectrum, FluxPair, FluxSegment, FluxValues, Gti, Norm, Session};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const DT: f64 = 0.25;

/// Counts of the subject and of the reference, bins of all segments one after the other; the subject's follow the reference's.
fn counts(bins: usize, seed: u64) -> [Vec<u32>; 2] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let reference: Vec<u32> = (0..bins).map(|_| (random.next_u64() % 9) as u32).collect();
    let subject = (0..bins).map(|i| (random.next_u64() % 5) as u32 + reference[i.saturating_sub(1)] / 2).collect();
    [subject, reference]
}

fn times(counts: &[u32]) -> Vec<f64> {
    let of = |(i, &n): (usize, &u32)| (0..n).map(move |j| (i as f64 + f64::from(j) / 32.0) * DT).collect::<Vec<_>>();
    counts.iter().enumerate().flat_map(of).collect()
}

fn cpu() -> Session {
    Session::cpu().unwrap()
}

fn of_flux(
    pairs: impl IntoIterator<Item = FluxPair>,
    rates: bool,
    cross: &CrossOptions,
    session: &Session,
) -> eagleray::Result<AveragedCrossSpectrum> {
    let mut analysis = CrossSpectrum::default().dt(DT);
    analysis.cross = cross.clone();
    streamed(session, &analysis, if rates { FluxValues::Rates } else { FluxValues::Counts }, pairs)
}

/// The cross spectrum of the events that counts are, in segments of `n` bins.
fn of_events(counts: &[Vec<u32>; 2], n: usize, cross: &CrossOptions) -> AveragedCrossSpectrum {
    let [subject, reference] = counts.each_ref().map(|c| times(c));
    let gti = Gti::from_seconds(&[(0.0, counts[0].len() as f64 * DT)]).unwrap();
    let analysis = front::cross(DT, n as f64 * DT, cross.clone());
    cpu().run(&analysis, &pair_of_times(&subject, &reference, &gti)).unwrap()
}

fn pairs<'a, T: Into<FluxSegment>>(
    counts: &'a [Vec<u32>; 2],
    n: usize,
    make: impl Fn(&'a [u32]) -> T + 'a,
) -> impl Iterator<Item = FluxPair> + 'a {
    let [subject, reference] = counts;
    let of = move |(s, r): (&'a [u32], &'a [u32])| FluxPair { subject: make(s).into(), reference: make(r).into() };
    subject.chunks(n).zip(reference.chunks(n)).map(of)
}

fn columns(s: &AveragedCrossSpectrum) -> [&Vec<f64>; 8] {
    [&s.freq, &s.power_re, &s.power_im, &s.power1, &s.power2, &s.cross_err_re, &s.power_err, &s.noise2]
}

#[test]
fn counts_in_bins_give_the_cross_spectrum_of_their_events_bit_for_bit() {
    for (segments, n, fullspec) in [(1, 3, true), (5, 64, true), (130, 100, false), (300, 17, true), (2, 5000, false)] {
        let counts = counts(segments * n, n as u64);
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            let cross = CrossOptions { norm, fullspec, ..CrossOptions::default() };
            let expected = of_events(&counts, n, &cross);
            let s = of_flux(pairs(&counts, n, |c| c), false, &cross, &cpu()).unwrap();
            assert_eq!(s.meta.segments, segments as u64);
            for (ours, theirs) in columns(&s).into_iter().zip(columns(&expected)) {
                // What is not a number is not equal to itself.
                let bits = |column: &[f64]| column.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect();
                let (ours, theirs): (Vec<u64>, Vec<u64>) = (bits(ours), bits(theirs));
                assert_eq!(ours, theirs, "{segments} segments of {n}, {norm}");
            }
            if fullspec && norm == Norm::None {
                // Parseval: the cross spectrum at all n frequencies adds up to n·Σ x·y.
                let products = counts[0].iter().zip(&counts[1]).map(|(&x, &y)| f64::from(x * y)).sum::<f64>();
                let all: f64 = s.power_re.iter().sum();
                assert_eq!(s.len(), n);
                assert!((all * segments as f64 / (n as f64 * products) - 1.0).abs() < 1e-12);
                assert!(s.power_im.iter().sum::<f64>().abs() < 1e-9 * all);
            }
        }
    }
}

#[test]
fn values_may_be_of_any_type_rates_or_have_errors() {
    let n = 48;
    let counts = counts(70 * n, 23);
    let cross = CrossOptions { norm: Norm::Frac, ..CrossOptions::default() };
    let run = |made: Vec<FluxPair>, rates: bool| of_flux(made, rates, &cross, &cpu()).unwrap();
    let expected = run(pairs(&counts, n, |c| c).collect(), false);
    let doubles = |c: &[u32]| c.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let singles = |c: &[u32]| c.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let shorts = |c: &[u32]| c.iter().map(|&x| x as u16).collect::<Vec<u16>>();
    assert_eq!(run(pairs(&counts, n, doubles).collect(), false).power_im, expected.power_im);
    assert_eq!(run(pairs(&counts, n, singles).collect(), false).power_im, expected.power_im);
    assert_eq!(run(pairs(&counts, n, shorts).collect(), false).power_im, expected.power_im);
    // Rates are multiplied by the bin; their errors are the noise.
    let rates = |c: &[u32]| FluxSegment {
        values: c.iter().map(|&x| f64::from(x) / DT + 1e-3).collect(),
        errors: vec![3.0 / DT; c.len()],
    };
    let s = run(pairs(&counts, n, rates).collect(), true);
    for (x, y) in s.power_re.iter().zip(&expected.power_re) {
        assert!((x - y).abs() < 1e-3 * expected.power1[0], "{x} {y}");
    }
    let mean = s.meta.mean1;
    assert!((s.meta.noise1_mean / (2.0 * 9.0 * DT / (mean * mean)) - 1.0).abs() < 1e-12);
    // Of any scale.
    let tiny = |c: &[u32]| FluxSegment { values: c.iter().map(|&x| f64::from(x) * 1e-100).collect(), errors: vec![] };
    for (x, y) in run(pairs(&counts, n, tiny).collect(), false).power_im.iter().zip(&expected.power_im) {
        assert!((x - y).abs() < 1e-12 * expected.power1[0], "{x} {y}");
    }
}

/// Each pair is multiplied by `√(f(μ1)·f(μ2))` of its own means; of the events that counts are, the same comes out.
#[test]
fn pairs_may_be_normalised_by_their_own_means_and_errors() {
    let (n, m) = (50, 90);
    let mut counts = counts(m * n, 31);
    // Rates that change, below 32 photons a bin, and a segment that has nothing to be divided by.
    counts.iter_mut().for_each(|c| c.iter_mut().enumerate().for_each(|(i, x)| *x *= 1 + (i / n) as u32 % 3));
    counts[1][7 * n..8 * n].fill(0);
    let own = |norm, fullspec| CrossOptions { norm, fullspec, use_common_mean: false, ..CrossOptions::default() };
    for norm in [Norm::Leahy, Norm::Frac, Norm::Abs] {
        let cross = own(norm, true);
        let expected = of_events(&counts, n, &cross);
        let s = of_flux(pairs(&counts, n, |c| c), false, &cross, &cpu()).unwrap();
        let skipped = u64::from(norm != Norm::Abs);
        assert_eq!((s.meta.segments, s.meta.skipped_segments), (m as u64 - skipped, skipped));
        assert_eq!(s.meta.skipped_segments, expected.meta.skipped_segments);
        for (ours, theirs) in columns(&s).into_iter().zip(columns(&expected)) {
            let largest = theirs.iter().filter(|x| x.is_finite()).fold(0.0f64, |m, x| m.max(x.abs()));
            let close = |(x, y): (&f64, &f64)| (x - y).abs() <= 1e-12 * largest || (x.is_nan() && y.is_nan());
            assert!(ours.iter().zip(theirs).all(close), "{norm}");
        }
    }
    // Rates with errors: segments alone, each by the mean and the errors that it has, averaged.
    let error = |i: usize| 0.5 + i as f64 / 100.0;
    let rates = |i: usize, c: &[u32]| FluxSegment {
        values: c.iter().map(|&x| f64::from(x) / DT + 1.0).collect(),
        errors: vec![error(i); c.len()],
    };
    let made = || {
        let [subject, reference] = &counts;
        let pairs = subject.chunks(n).zip(reference.chunks(n)).enumerate();
        pairs.map(|(i, (s, r))| FluxPair { subject: rates(i, s), reference: rates(2 * i, r) })
    };
    for norm in [Norm::Leahy, Norm::Frac] {
        let s = of_flux(made(), true, &own(norm, false), &cpu()).unwrap();
        let common = CrossOptions { norm, ..CrossOptions::default() };
        let alone: Vec<_> = made().map(|pair| of_flux([pair], true, &common, &cpu()).unwrap()).collect();
        let of = |column: fn(&AveragedCrossSpectrum) -> &Vec<f64>| {
            let mean = |k: usize| alone.iter().map(|s| column(s)[k]).sum::<f64>() / m as f64;
            let largest = column(&s).iter().fold(0.0f64, |m, x| m.max(x.abs()));
            (0..s.len()).all(|k| (column(&s)[k] - mean(k)).abs() < 1e-12 * largest)
        };
        assert!(of(|s| &s.power_re) && of(|s| &s.power_im) && of(|s| &s.power1) && of(|s| &s.power2), "{norm}");
        assert_eq!(s.meta.segments, m as u64);
    }
}

/// An empty segment on either side takes the pair out; the others keep their places in the sums.
#[test]
fn pairs_with_an_empty_segment_are_skipped_and_counted() {
    let n = 1000;
    let counts = counts(300 * n, 5);
    let skip = |index: usize| index < 2 || index % 7 == 3 || (64..200).contains(&index);
    let cross = CrossOptions::default();
    let some = pairs(&counts, n, |c| c).enumerate().map(|(i, pair)| match skip(i) {
        true if i % 2 == 0 => FluxPair { subject: FluxSegment::default(), ..pair },
        true => FluxPair { reference: FluxSegment::default(), ..pair },
        false => pair,
    });
    let s = of_flux(some, false, &cross, &cpu()).unwrap();
    let skipped = (0..300).filter(|&i| skip(i)).count() as u64;
    assert_eq!((s.meta.segments, s.meta.skipped_segments), (300 - skipped, skipped));
    let kept = pairs(&counts, n, |c| c).enumerate().filter(|(i, _)| !skip(*i)).map(|(_, pair)| pair);
    let expected = of_flux(kept, false, &cross, &cpu()).unwrap();
    assert_eq!(s.meta.mean2, expected.meta.mean2);
    for (x, y) in s.power_re.iter().zip(&expected.power_re) {
        assert!((x - y).abs() < 1e-12 * s.power1[0]);
    }
}

#[test]
fn pairs_without_meaning_are_refused() {
    let good = FluxSegment::from(vec![1.0, 2.0, 3.0, 5.0]);
    let long = FluxSegment::from(vec![1.0; 5]);
    let bad = FluxSegment::from(vec![1.0, f64::NAN, 3.0, 4.0]);
    let per_segment = CrossOptions { use_common_mean: false, ..CrossOptions::default() };
    let says = |subject: &FluxSegment, reference: &FluxSegment, cross: &CrossOptions, piece: &str| {
        let pair = FluxPair { subject: subject.clone(), reference: reference.clone() };
        let e = of_flux([pair], false, cross, &cpu()).unwrap_err().to_string();
        assert!(e.contains(piece), "`{piece}` is not in: {e}");
    };
    let common = CrossOptions::default();
    says(&good, &long, &common, "5 values");
    says(&good, &bad, &common, "value 0 of bin 1 is not finite");
    says(&good, &FluxSegment::default(), &common, "at least 3");
    says(&good, &FluxSegment::from(vec![1.0, -1.0, 2.0, -2.0]), &per_segment, "divided by");
    says(&good, &FluxSegment::from(vec![1.0, -1.0, 2.0, -2.0]), &common, "divides by it");
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_gives_the_cpu_s_cross_spectra_of_flux() {
    use eagleray::device::Precision;
    use eagleray::internal::backend::gpu::GpuBackend;

    let open = |selector: &_| GpuBackend::open(selector, eagleray::device::GpuTier::Auto, Precision::Single);
    let Some(gpu) = crate::common::gpu::open("cross spectra of flux", open).map(front::on) else { return };
    for n in [64, 99] {
        let counts = counts(100 * n, 7);
        let cross = CrossOptions { fullspec: true, ..CrossOptions::default() };
        let skip_some =
            || pairs(&counts, n, |c| c).zip(0..).map(|(pair, i)| if i % 9 == 4 { FluxPair::default() } else { pair });
        let on_cpu = of_flux(skip_some(), false, &cross, &cpu()).unwrap();
        let on_gpu = of_flux(skip_some(), false, &cross, &gpu).unwrap();
        assert_eq!((on_gpu.meta.record.device.backend.as_str(), on_gpu.meta.segments), ("gpu", on_cpu.meta.segments));
        for (ours, theirs) in columns(&on_gpu).into_iter().zip(columns(&on_cpu)).skip(1) {
            let largest = theirs.iter().filter(|x| x.is_finite()).fold(0.0f64, |m, x| m.max(x.abs()));
            for (x, y) in ours.iter().zip(theirs) {
                assert!((x - y).abs() <= 1e-5 * largest || (x.is_nan() && y.is_nan()), "{x} {y}");
            }
        }
    }
}
