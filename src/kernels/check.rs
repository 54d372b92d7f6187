//! Every kernel against its reference: the CPU's production path, and devices in every variant. Tests and `gpu-bench` run this.

use super::{CaseData, CaseShape, CaseValues, Comparison, Job, JobResult, Kernel, KernelCase, Limits};
use crate::numerics::precision::Precision;

/// A device that runs jobs.
pub trait Runner {
    /// What of it shapes the kernels.
    fn tunables(&self) -> &Limits;
    /// Runs a job from start to end; with `timed` the times of its launches come back where the device has a clock.
    ///
    /// # Errors
    /// The device's own words.
    fn run(&mut self, job: &Job, timed: bool) -> Result<JobResult, String>;
}

/// The CPU's values after they were held against the reference: where the definition is quadratic, all values come from there.
///
/// # Errors
/// The CPU is wrong.
pub fn expected(trial: &dyn KernelCase) -> Result<(CaseValues, Comparison), Comparison> {
    let (reference, cpu) = (trial.reference(), trial.cpu());
    let comparison = trial.compare(&reference, &cpu, Precision::Double);
    if comparison.first_bad.is_some() {
        return Err(comparison);
    }
    Ok((if reference.at.is_none() { reference } else { cpu }, comparison))
}

/// Runs a job on a device and compares what comes back.
///
/// # Errors
/// The device refuses the job, or runs other pipelines than the case says.
pub fn compared(
    device: &mut (impl Runner + ?Sized),
    trial: &dyn KernelCase,
    job: &Job,
    expected: &CaseValues,
) -> Result<Comparison, String> {
    let result = device.run(job, false)?;
    let wanted = trial.pipelines(device.tunables());
    if result.pipelines != wanted {
        return Err(format!("the pipelines {:?} ran instead of {wanted:?}", result.pipelines));
    }
    Ok(trial.compare(expected, &trial.decode(&result.outputs), trial.precision()))
}

/// How a variant of a kernel did on the CPU or on one device, over all cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Cases tried; none where the device has no f64 that passes its self-test and the variant needs it.
    pub cases: usize,
    /// Values compared.
    pub compared: usize,
    /// Events in these cases.
    pub events: usize,
    /// Values whose error exceeds their bound.
    pub wrong: usize,
    /// Largest error in units of its bound.
    pub worst: f64,
    /// Where that was.
    pub place: String,
    /// What went wrong first.
    pub failure: Option<Failure>,
}

/// A case that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The case.
    pub case: String,
    /// First place where the error exceeds its bound; `None` where nothing came back to compare.
    pub first_bad: Option<usize>,
    /// What the device said, or the largest error.
    pub why: String,
}

impl Outcome {
    fn add(&mut self, case: &str, shape: CaseShape, result: Result<Comparison, String>) {
        self.cases += 1;
        self.events += shape.events;
        let failure = match result {
            Ok(comparison) => {
                self.compared += comparison.compared;
                self.wrong += comparison.wrong;
                if comparison.worst > self.worst || comparison.worst.is_nan() {
                    (self.worst, self.place) = (comparison.worst, case.to_string());
                }
                let why = format!("error {} of the bound", comparison.worst);
                comparison.first_bad.map(|at| Failure { case: case.to_string(), first_bad: Some(at), why })
            }
            Err(why) => Some(Failure { case: case.to_string(), first_bad: None, why }),
        };
        if self.failure.is_none() {
            self.failure = failure;
        }
    }
}

/// The shapes to try on some devices: those of the portable tier, and each device's own.
pub fn shapes<R: Runner + ?Sized>(kernel: &Kernel, devices: &[&mut R]) -> Vec<CaseShape> {
    let mut shapes = (kernel.shapes)(&Limits::PORTABLE);
    for shape in devices.iter().flat_map(|device| (kernel.shapes)(device.tunables())) {
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    shapes
}

/// Tries a variant of a kernel on random and hostile data of all `shapes`: the outcome on the CPU, then on each device, which
/// leaves out shapes that its limits do not have. A case that the CPU fails is not tried on devices: there is nothing to hold
/// them against.
pub fn try_variant<R: Runner + ?Sized>(
    kernel: &Kernel,
    variant: usize,
    shapes: &[CaseShape],
    devices: &mut [&mut R],
) -> Vec<Outcome> {
    let own: Vec<Vec<CaseShape>> = devices.iter().map(|device| (kernel.shapes)(device.tunables())).collect();
    let mut outcomes = vec![Outcome::default(); 1 + devices.len()];
    for (seed, &shape) in shapes.iter().enumerate() {
        for data in [CaseData::Random, CaseData::Hostile] {
            let trial = (kernel.case)(variant, shape, data, seed as u64);
            let case = format!("{shape:?}, {data:?}");
            let expected = match expected(&*trial) {
                Ok((expected, comparison)) => {
                    outcomes[0].add(&case, shape, Ok(comparison));
                    expected
                }
                Err(comparison) => {
                    outcomes[0].add(&case, shape, Ok(comparison));
                    continue;
                }
            };
            for ((device, outcome), own) in devices.iter_mut().zip(&mut outcomes[1..]).zip(&own) {
                if !own.contains(&shape) || ((kernel.needs_f64)(variant) && !device.tunables().f64) {
                    continue;
                }
                let job = trial.job(device.tunables());
                outcome.add(&case, shape, compared(&mut **device, &*trial, &job, &expected));
            }
        }
    }
    outcomes
}
