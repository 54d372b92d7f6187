//! Every kernel, three ways: reference ↔ CPU, reference ↔ GPU in both profiles and every variant, over the sizes that break
//! indexing, and proof that the comparison can fail.

#![cfg(feature = "gpu")]

mod common;

use eagleray::backend::GpuProfile;
use eagleray::backend::gpu::Context;
use eagleray::kernels::{Comparison, Data, KERNELS, Kernel, Precision, Shape, Trial, Values, bin_events, fft, power};

/// Both profiles on the best adapter; none of them when the environment says so.
fn contexts(test: &str) -> Vec<Context> {
    [GpuProfile::Portable, GpuProfile::Native].into_iter().filter_map(|p| common::gpu::context(test, p)).collect()
}

/// Runs a case on the device and compares it; asserts that the intended pipelines ran.
fn on_device(context: &mut Context, trial: &dyn Trial, expected: &Values, what: &str) -> Comparison {
    let job = trial.job(context.limits());
    let result = context.run(&job).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(result.pipelines, trial.pipelines(context.limits()), "{what}: pipelines");
    let comparison = trial.compare(expected, &trial.decode(&result.outputs), Precision::Single);
    assert_eq!(comparison.first_bad, None, "{what}: worst {} of the bound, first bad index", comparison.worst);
    comparison
}

/// The same with one parameter of the device's side changed: the comparison must fail.
fn must_fail(context: &mut Context, trial: &dyn Trial, expected: &Values, what: &str) {
    let mut job = trial.job(context.limits());
    trial.perturb(&mut job);
    let result = context.run(&job).unwrap_or_else(|e| panic!("{what}: {e}"));
    let comparison = trial.compare(expected, &trial.decode(&result.outputs), Precision::Single);
    assert!(comparison.first_bad.is_some(), "{what}: a wrong parameter went unnoticed");
}

/// The CPU's values after they were held against the reference: where the definition is quadratic, all values come from there.
fn expected(trial: &dyn Trial, what: &str) -> Values {
    let (reference, cpu) = (trial.reference(), trial.cpu());
    let comparison = trial.compare(&reference, &cpu, Precision::Double);
    assert_eq!(comparison.first_bad, None, "{what}: CPU, worst {} of the bound, first bad index", comparison.worst);
    if reference.at.is_none() { reference } else { cpu }
}

fn pair(kernel: &Kernel) {
    let mut contexts = contexts(kernel.name);
    let limits = contexts.last().map_or(eagleray::kernels::Limits::PORTABLE, |c| *c.limits());
    for (variant, name) in kernel.variants.iter().enumerate() {
        let mut shapes = (kernel.shapes)(&eagleray::kernels::Limits::PORTABLE);
        shapes.extend((kernel.shapes)(&limits));
        shapes.dedup();
        let mut worst = vec![(0f64, String::new()); contexts.len()];
        let mut cases = 0;
        for (seed, &shape) in shapes.iter().enumerate() {
            for data in [Data::Random, Data::Hostile] {
                let trial = (kernel.trial)(variant, shape, data, seed as u64);
                let what = format!("{}.{name} {shape:?} {data:?}", kernel.name);
                let expected = expected(&*trial, &what);
                for (context, worst) in contexts.iter_mut().zip(&mut worst) {
                    if (kernel.needs_f64)(variant) && !context.limits().f64 {
                        continue;
                    }
                    let comparison = on_device(context, &*trial, &expected, &what);
                    if comparison.worst > worst.0 {
                        *worst = (comparison.worst, format!(" ({shape:?}, {data:?})"));
                    }
                    if seed == shapes.len() - 1 {
                        must_fail(context, &*trial, &expected, &what);
                    }
                }
                cases += 1;
            }
        }
        for (context, (worst, place)) in contexts.iter().zip(worst) {
            let profile = context.info().profile;
            if (kernel.needs_f64)(variant) && !context.limits().f64 {
                eprintln!("SKIPPED {}.{name} {profile}: no f64 that passes the self-test", kernel.name);
            } else {
                eprintln!(
                    "{}.{name} {profile}: {cases} cases, worst error {worst:.3} of the bound{place}",
                    kernel.name
                );
            }
        }
    }
}

#[test]
fn bin_events_pair() {
    pair(&bin_events::KERNEL);
}

#[test]
fn fft_pair() {
    pair(&fft::KERNEL);
}

#[test]
fn power_pair() {
    pair(&power::KERNEL);
}

#[test]
fn every_kernel_has_its_pair() {
    let tested = ["bin_events", "fft", "power"];
    assert_eq!(KERNELS.iter().map(|k| k.name).collect::<Vec<_>>(), tested);
}

/// Grids of more than one dimension, which real devices need beyond 65,535 groups: the same cases with 3 groups in one.
#[test]
fn folded_dispatches_cover_everything() {
    for mut context in contexts("folded dispatches") {
        for kernel in KERNELS {
            let shape = Shape { n: 4096, rows: 40, events: 30_001 };
            let trial = (kernel.trial)(0, shape, Data::Random, 7);
            let expected = expected(&*trial, kernel.name);
            let limits = eagleray::kernels::Limits { groups: 3, ..*context.limits() };
            let job = trial.job(&limits);
            assert!(job.dispatches.iter().all(|d| d.workgroups[0] <= 3 && d.workgroups[1] > 1));
            let result = context.run(&job).unwrap();
            let comparison = trial.compare(&expected, &trial.decode(&result.outputs), Precision::Single);
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
                    [(Data::Random, 8192, 97, 2_100_000), (Data::Hostile, 257, 1201, 220_000)].into_iter().enumerate()
                {
                    let trial = (bin_events::KERNEL.trial)(variant, Shape { n, rows, events }, data, 100 + seed);
                    let reference = trial.reference();
                    on_device(&mut context, &*trial, &reference, &format!("bin_events.{name} {data:?} seed {seed}"));
                    totals[i] += events;
                }
            }
        }
        eprintln!("histogram: {} random and {} hostile events so far, 0 in a different bin", totals[0], totals[1]);
    }
}

/// The longest transforms, one row each; with `EAGLERAY_FFT_SWEEP=1` every length, and a table for docs/results.
#[test]
fn long_transforms_stay_in_bounds() {
    let sweep = std::env::var_os("EAGLERAY_FFT_SWEEP").is_some();
    let logs: Vec<u32> = if sweep { (1..=22).collect() } else { vec![17, 22] };
    for mut context in contexts("fft") {
        let profile = context.info().profile;
        for log_n in &logs {
            for (variant, name) in fft::KERNEL.variants.iter().enumerate() {
                if !sweep && (*log_n == 22) != (profile == "native" || variant == 0) {
                    continue;
                }
                for data in [Data::Random, Data::Hostile] {
                    let n = 1usize << log_n;
                    let rows = if sweep { ((1 << 16) / n).clamp(1, 64) } else { 1 };
                    let trial = (fft::KERNEL.trial)(variant, Shape { n, rows, events: 0 }, data, u64::from(*log_n));
                    let expected = if sweep || n <= 1 << 17 { expected(&*trial, name) } else { trial.cpu() };
                    let what = format!("fft.{name} 2^{log_n} {data:?}");
                    let comparison = on_device(&mut context, &*trial, &expected, &what);
                    eprintln!("| {profile} | {name} | 2^{log_n} | {rows} | {data:?} | {:.3} |", comparison.worst);
                }
            }
        }
    }
}
