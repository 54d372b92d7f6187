//! Times of single kernels: on GPUs by the device's own clock, on the CPU by the host's.

use std::collections::BTreeMap;

use super::BenchDevice;
use super::record::{BenchRecord, BenchTiming, TimeLimit};
use super::sample::{Budget, TimingSamples, in_turn, timed};
use eagleray::internal::kernels::{CaseData, CaseShape, Job, Kernel, KernelCase, Limits};

/// Bins of a case.
const BINS: usize = 1 << 20;

/// One kernel at one size.
struct TimedKernel<'a> {
    kernel: &'a Kernel,
    variant: usize,
    shape: CaseShape,
    trial: Box<dyn KernelCase>,
    /// The device's work; none for the CPU.
    job: Option<Job>,
}

impl<'a> TimedKernel<'a> {
    fn new(kernel: &'a Kernel, variant: usize, n: usize, quick: bool, limits: Option<&Limits>) -> TimedKernel<'a> {
        let bins = if quick { BINS / 4 } else { BINS };
        let events = bins / kernel.timed.bins_an_event;
        let shape = CaseShape { n, rows: (bins / n).max(1), events };
        let trial = (kernel.case)(variant, shape, CaseData::Random, 1);
        let job = limits.map(|limits| trial.job(limits));
        TimedKernel { kernel, variant, shape, trial, job }
    }

    fn bytes(&self) -> f64 {
        let dispatches = self.job.iter().flat_map(|job| &job.dispatches);
        dispatches.filter(|d| !d.workgroups.contains(&0)).map(|d| d.bytes).sum::<u64>() as f64
    }

    /// The least time: what moves between device memory and workgroups, and what is computed.
    fn limit(&self, record: &BenchRecord, device: &str) -> Option<TimeLimit> {
        let operations = (self.kernel.timed.operations)(self.shape);
        let cpu = self.job.is_none();
        let arithmetic = record.rate(device, if cpu { "f64 arithmetic" } else { "f32 arithmetic" }).unwrap_or(f64::NAN);
        let copy = record.rate(device, "copy").unwrap_or(f64::NAN);
        // On the CPU what a kernel works on stays in caches.
        let limit =
            TimeLimit::from_terms([("device memory", self.bytes() / copy), ("arithmetic", operations / arithmetic)])?;
        let intensity = (self.bytes() > 0.0).then(|| operations / self.bytes());
        Some(TimeLimit { intensity, ..limit })
    }

    fn timing(&self, device: &BenchDevice) -> BenchTiming {
        let name = format!("{}.{}", self.kernel.name, self.kernel.variants[self.variant]);
        let CaseShape { n, rows, events } = self.shape;
        let size =
            [("bins", n), ("rows", rows), ("events", events)].map(|(name, value)| (name.to_string(), value as u64));
        let id = format!("kernel/{name}/{n}x{rows}/{}/{}", device.name, device.profile);
        let (device, profile) = (device.name.clone(), device.profile.to_string());
        BenchTiming {
            id,
            kind: "kernel".into(),
            name,
            device,
            profile,
            size: BTreeMap::from(size),
            ..BenchTiming::default()
        }
    }
}

/// Times the kernels that are right on a device. On the CPU the first variant stands for all, which differ on devices.
pub fn time(
    kernels: &[&Kernel],
    device: &mut BenchDevice,
    record: &BenchRecord,
    quick: bool,
    budget: Budget,
) -> Vec<BenchTiming> {
    let mut cases = Vec::new();
    let limits = device.gpu.as_ref().map(|gpu| *gpu.tunables());
    for kernel in kernels.iter().filter(|kernel| !device.wrong.contains(&kernel.name)) {
        let runs = |&variant: &usize| match limits {
            None => variant == 0,
            Some(limits) => limits.f64 || !(kernel.needs_f64)(variant),
        };
        let variants = (0..kernel.variants.len()).filter(runs).take(if quick { 1 } else { usize::MAX });
        for variant in variants {
            for &n in if quick { kernel.timed.quick } else { kernel.timed.lengths } {
                cases.push(TimedKernel::new(kernel, variant, n, quick, limits.as_ref()));
            }
        }
    }
    let measured = in_turn(cases.len(), budget, |i| match (&mut device.gpu, &cases[i].job) {
        (Some(gpu), Some(job)) => {
            let result = gpu.run(job, true)?;
            if result.seconds.is_empty() {
                Err("no clock on the device".into())
            } else {
                Ok(result.seconds.iter().sum())
            }
        }
        _ => Ok(timed(|| std::hint::black_box(cases[i].trial.cpu())).0),
    });
    let timing = |(case, samples): (&TimedKernel, Result<TimingSamples, String>)| {
        Some(case.timing(device).with(samples.ok()?, case.limit(record, &device.name)))
    };
    cases.iter().zip(measured).filter_map(timing).collect()
}
