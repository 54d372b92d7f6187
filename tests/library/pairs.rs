//! Every kernel, three ways: reference ↔ CPU, reference ↔ GPU in both profiles and every variant, over the sizes that break
//! indexing, and proof that the comparison can fail.

#![cfg(feature = "gpu")]

use crate::common::say;
use eagleray::device::Precision;
use eagleray::internal::backend::GpuTier;
use eagleray::internal::backend::gpu::GpuContext;
use eagleray::internal::kernels::check::{self, Outcome};
use eagleray::internal::kernels::{
    CaseData, CaseShape, CaseValues, Comparison, KERNELS, Kernel, KernelCase, bin_events, fft, path,
};
use eagleray::internal::random::Random;

/// Both profiles on the best adapter; none of them when the environment says so.
fn contexts(test: &str) -> Vec<GpuContext> {
    [GpuTier::Portable, GpuTier::Native].into_iter().filter_map(|p| crate::common::gpu::context(test, p)).collect()
}

/// Runs a case on the device and compares it; asserts that the intended pipelines ran.
fn on_device(context: &mut GpuContext, trial: &dyn KernelCase, expected: &CaseValues, what: &str) -> Comparison {
    let job = trial.job(context.limits());
    let comparison = check::compared(context, trial, &job, expected).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(comparison.first_bad, None, "{what}: worst {} of the bound, first bad index", comparison.worst);
    comparison
}

/// The same with one parameter of the device's side changed: the comparison must fail.
fn must_fail(context: &mut GpuContext, trial: &dyn KernelCase, expected: &CaseValues, what: &str) {
    let mut job = trial.job(context.limits());
    trial.perturb(&mut job);
    let comparison = check::compared(context, trial, &job, expected).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(comparison.first_bad.is_some(), "{what}: a wrong parameter went unnoticed");
}

fn expected(trial: &dyn KernelCase, what: &str) -> CaseValues {
    check::expected(trial).unwrap_or_else(|wrong| panic!("{what}: the CPU: {wrong:?}")).0
}

fn pair(kernel: &Kernel) {
    let mut contexts = contexts(kernel.name);
    let mut devices: Vec<&mut GpuContext> = contexts.iter_mut().collect();
    let shapes = check::shapes(kernel, &devices);
    let own: Vec<Vec<CaseShape>> = devices.iter().map(|c| (kernel.shapes)(c.limits())).collect();
    let common = |shape: &&CaseShape| own.iter().all(|list| list.contains(shape));
    let last = shapes.iter().rposition(|shape| common(&shape)).expect("a common shape");
    for (variant, name) in kernel.variants.iter().enumerate() {
        let outcomes = check::try_variant(kernel, variant, &shapes, &mut devices);
        assert_eq!(outcomes[0].failure, None, "{}.{name} on the CPU", kernel.name);
        assert_eq!(outcomes[0].cases, 2 * shapes.len());
        for (context, outcome) in devices.iter_mut().zip(&outcomes[1..]) {
            let profile = context.info().tier;
            assert_eq!(outcome.failure, None, "{}.{name} {profile}", kernel.name);
            if (kernel.needs_f64)(variant) && !context.limits().f64 {
                say!("SKIPPED {}.{name} {profile}: no f64 that passes the self-test", kernel.name);
                continue;
            }
            for data in [CaseData::Random, CaseData::Hostile] {
                let trial = (kernel.case)(variant, shapes[last], data, last as u64);
                let what = format!("{}.{name} {:?} {data:?}", kernel.name, shapes[last]);
                must_fail(context, &*trial, &expected(&*trial, &what), &what);
            }
            let Outcome { cases, worst, place, .. } = outcome;
            say!("{}.{name} {profile}: {cases} cases, worst error {worst:.3} of the bound ({place})", kernel.name);
        }
    }
}

/// One test a kernel, and the list of all, which must be the table: in its order.
macro_rules! pairs {
    ($($kernel:ident)*) => {
        $(#[test]
        fn $kernel() {
            pair(&eagleray::internal::kernels::$kernel::KERNEL);
        })*

        #[test]
        fn every_kernel_has_its_pair() {
            let tested = [$(&eagleray::internal::kernels::$kernel::KERNEL),*];
            assert_eq!(tested.len(), KERNELS.len());
            assert!(tested.iter().zip(KERNELS).all(|(tested, listed)| std::ptr::eq(*tested, *listed)), "the order of KERNELS");
        }
    };
}

pairs! { bin_events fft power power_pass fused cross_spectrum fold rate }

/// Grids of more than one dimension, which real devices need beyond 65,535 groups: the same cases with 3 groups in one.
#[test]
fn folded_dispatches_cover_everything() {
    for mut context in contexts("folded dispatches") {
        for kernel in KERNELS {
            let n = kernel.timed.quick.first().copied().unwrap_or(4096);
            let shape = CaseShape { n, rows: 200, events: 30_001 };
            let trial = (kernel.case)(0, shape, CaseData::Random, 7);
            let expected = expected(&*trial, kernel.name);
            let limits = eagleray::internal::kernels::Limits { groups: 3, ..*context.limits() };
            let job = trial.job(&limits);
            assert!(job.dispatches.iter().all(|d| d.workgroups[0] <= 3 && d.workgroups[1] > 1));
            let result = context.run(&job).unwrap();
            let comparison = trial.compare(&expected, &trial.decode(&result.outputs), trial.precision());
            assert_eq!(comparison.first_bad, None, "{}", kernel.name);
        }
    }
}

/// The contract of the histogram: no event in a different bin, over 1e7 random and 1e6 hostile ones in each variant.
#[test]
fn no_event_changes_its_bin() {
    let mut totals = [0usize; 2];
    for mut context in contexts("histogram") {
        for (variant, name) in bin_events::KERNEL.variants.iter().enumerate() {
            if (bin_events::KERNEL.needs_f64)(variant) && !context.limits().f64 {
                continue;
            }
            // Portable u32, native f64 in full; native u32 is the portable shader in other workgroups.
            if context.limits().f64 && variant == 0 {
                continue;
            }
            for seed in 0..5 {
                for (i, (data, n, rows, events)) in
                    [(CaseData::Random, 8192, 97, 2_100_000), (CaseData::Hostile, 257, 1201, 220_000)]
                        .into_iter()
                        .enumerate()
                {
                    let trial = (bin_events::KERNEL.case)(variant, CaseShape { n, rows, events }, data, 100 + seed);
                    let reference = trial.reference();
                    on_device(&mut context, &*trial, &reference, &format!("bin_events.{name} {data:?} seed {seed}"));
                    totals[i] += events;
                }
            }
        }
        say!("histogram: {} random and {} hostile events so far, 0 in a different bin", totals[0], totals[1]);
    }
}

/// A length, and how many rows of it.
type Case = (usize, usize);

/// As many rows of a length as are worth the while.
fn some_rows(n: usize) -> Case {
    (n, ((1 << 14) / n).clamp(1, 8))
}

/// Lengths of each class: a sample, or with `EAGLERAY_FFT_SWEEP=all` all of 3 … 4096 and many to 2^24; another value sweeps the
/// classes whose names hold it, or the lengths that it lists (`3027,16384:400`, the second with so many rows). Of the sample, pulsars
/// of the last class exceed their bound where what rounded roots take is not given back, or pairs are split by products of tables.
fn classes(sweep: bool) -> Vec<(&'static str, Vec<Case>)> {
    if !sweep {
        let sample = |lengths: &[usize]| lengths.iter().map(|&n| some_rows(n)).collect();
        return vec![
            ("powers of two", sample(&[1 << 18, 1 << 22])),
            ("smooth", sample(&[3usize.pow(11), 1_000_000])),
            ("primes and their doubles", sample(&[65_537, 2 * 65_537])),
            ("prime squares", sample(&[251 * 251])),
            ("pulsars", vec![(3027, 5), (6126, 62), (8192, 18), (131_101, 1)]),
        ];
    }
    let prime = |n: usize| n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    let around = |n: usize| (n..).find(|&n| prime(n)).into_iter().chain((0..n).rev().find(|&n| prime(n)));
    let smooth = |mut n: usize| {
        [2, 3, 5, 7, 11, 13].into_iter().for_each(|p| {
            while n.is_multiple_of(p) {
                n /= p
            }
        });
        n == 1
    };
    let mut random = Random::new(22);
    let powers = |p: usize| (1..).map(move |k| p.pow(k)).take_while(|&n| n <= 1 << 22).filter(|&n| n > 4096);
    let classes: [(_, Vec<usize>); 8] = [
        ("all of 3 … 4096", (3..=4096).collect()),
        ("powers of two", powers(2).chain([1 << 24]).collect()),
        ("powers of 3, 5, 7, 11, 13", [3, 5, 7, 11, 13].into_iter().flat_map(powers).collect()),
        ("smooth", (0..24).filter_map(|k| (4097 + k * k * 7000..).find(|&n| smooth(n))).collect()),
        ("primes", (13..=20).flat_map(|k| around(1 << k)).collect()),
        ("doubles of primes", (13..=20).flat_map(|k| around(1 << k)).map(|n| 2 * n).collect()),
        ("prime squares", [67, 127, 251, 509, 1021, 2039].map(|p| p * p).to_vec()),
        ("random", (0..24).map(|_| 4097 + random.below((1 << 22) - 4096)).collect()),
    ];
    classes.into_iter().map(|(class, lengths)| (class, lengths.into_iter().map(some_rows).collect())).collect()
}

/// Transforms of every class, to the power of each amplitude, against the CPU's, which the sweep holds against the definition as far as
/// 2^17.
#[test]
fn long_transforms_stay_in_bounds() {
    let wanted = std::env::var("EAGLERAY_FFT_SWEEP").ok();
    let listed = |item: &str| {
        let (n, rows) = item.split_once(':').unwrap_or((item, ""));
        n.parse().ok().map(|n| rows.parse().map_or(some_rows(n), |rows| (n, rows)))
    };
    let listed: Vec<Case> = wanted.iter().flat_map(|w| w.split(',')).filter_map(listed).collect();
    let sweep = wanted.is_some();
    let named = |class: &str| wanted.as_deref().is_none_or(|w| w == "all" || class.contains(w));
    let mut contexts = contexts("path");
    say!("| lengths | number | profile | samples | random | hostile |");
    let listed = (!listed.is_empty()).then_some(("as listed", listed));
    for (class, cases) in classes(sweep).into_iter().filter(|(class, _)| named(class)).chain(listed) {
        for (variant, name) in path::VARIANTS.iter().enumerate().take(if sweep { 4 } else { 2 }) {
            let mut worst = vec![[(0f64, 0, 0); 2]; contexts.len()];
            for &(n, rows) in &cases {
                for (i, data) in [CaseData::Random, CaseData::Hostile].into_iter().enumerate() {
                    let trial = path::case(variant, CaseShape { n, rows, events: 0 }, data, n as u64);
                    let double = trial.precision() == Precision::Double;
                    // The CPU's transforms of long segments err as much as a device's in double precision, which is compared with the
                    // definition there, at some frequencies.
                    let expected = match n {
                        ..=0x20000 if sweep => expected(&*trial, name),
                        _ if double => trial.reference(),
                        _ => trial.cpu(),
                    };
                    for (context, worst) in contexts.iter_mut().zip(&mut worst) {
                        if (fft::KERNEL.needs_f64)(variant) && !context.limits().f64 {
                            continue;
                        }
                        let job = trial.job(context.limits());
                        let comparison = check::compared(context, &*trial, &job, &expected).unwrap();
                        let beyond = worst[i].2 + comparison.wrong;
                        worst[i] = if comparison.worst > worst[i].0 {
                            (comparison.worst, n, beyond)
                        } else {
                            (worst[i].0, worst[i].1, beyond)
                        };
                        // Of thousands of rows few lone peaks exceed what f32 mostly keeps; see docs/results/fft-accuracy.md.
                        let most = if sweep && rows > 8 { 1.5 } else { 1.0 };
                        assert!(comparison.worst <= most, "{class} {name} {n} {data:?}: {}", comparison.worst);
                    }
                }
            }
            for (context, [random, hostile]) in contexts.iter().zip(worst) {
                let cell = |(worst, n, beyond): (f64, usize, usize)| match beyond {
                    0 => format!("{worst:.3} at {n}"),
                    _ => format!("{worst:.3} at {n}, {beyond} beyond"),
                };
                let (profile, random, hostile) = (context.info().tier, cell(random), cell(hostile));
                if !(fft::KERNEL.needs_f64)(variant) || context.limits().f64 {
                    say!("| {class} | {} | {profile} | {name} | {random} | {hostile} |", cases.len());
                }
            }
        }
    }
}
