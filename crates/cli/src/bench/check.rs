//! Every kernel on every device against its reference, before anything is timed.

use super::BenchDevice;
use super::record::KernelCheck;
use eagleray::internal::backend::measure::MeasurableGpu;
use eagleray::internal::kernels::check::{Outcome, shapes, try_variant};
use eagleray::internal::kernels::{CaseShape, Kernel};

/// Shapes of a quick check: every third, and the last, but none that takes long.
fn thinned(shapes: Vec<CaseShape>) -> Vec<CaseShape> {
    let last = shapes.len().saturating_sub(1);
    let mut kept: Vec<CaseShape> = Vec::new();
    for (i, shape) in shapes.into_iter().enumerate() {
        if (i % 3 == 0 || i == last) && shape.n * shape.rows <= 1 << 16 && shape.events <= 1 << 16 {
            kept.push(shape);
        }
    }
    kept
}

/// Checks kernels on the CPU and on devices, of which those that fail are marked. `say` is told of each kernel before it is tried.
pub fn check(
    kernels: &[&Kernel],
    devices: &mut [BenchDevice],
    quick: bool,
    say: &mut dyn FnMut(&str),
) -> Vec<KernelCheck> {
    let mut found = Vec::new();
    for kernel in kernels {
        say(kernel.name);
        for (variant, name) in kernel.variants.iter().enumerate() {
            let outcomes = {
                let mut gpus: Vec<&mut dyn MeasurableGpu> = Vec::new();
                for device in devices.iter_mut() {
                    gpus.extend(device.gpu.as_deref_mut().map(|gpu| gpu as &mut dyn MeasurableGpu));
                }
                let all = shapes(kernel, &gpus);
                try_variant(kernel, variant, &if quick { thinned(all) } else { all }, &mut gpus)
            };
            // The CPU's outcome comes first, then those of the GPUs in their order.
            let mut of_gpus = outcomes.iter().skip(1);
            for device in devices.iter_mut() {
                let outcome = if device.gpu.is_some() { of_gpus.next() } else { outcomes.first() };
                found.extend(outcome.map(|outcome| row(kernel, name, device, outcome)));
            }
        }
    }
    found
}

fn row(kernel: &Kernel, variant: &str, device: &mut BenchDevice, outcome: &Outcome) -> KernelCheck {
    if outcome.failure.is_some() {
        device.wrong.push(kernel.name);
    }
    let failure = outcome.failure.as_ref();
    KernelCheck {
        kernel: kernel.name.into(),
        variant: variant.into(),
        device: device.name.clone(),
        profile: device.profile.into(),
        cases: outcome.cases,
        values: outcome.compared,
        events: outcome.events,
        wrong: outcome.wrong,
        worst: Some(outcome.worst).filter(|worst| worst.is_finite()),
        failure: failure.map(|failure| format!("{}: {}", failure.case, failure.why)),
        first_wrong: failure.and_then(|failure| failure.first_bad),
    }
}
