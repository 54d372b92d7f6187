//! The GPU backend: WGSL through wgpu.

mod adapter;
mod context;
mod job;
mod opening;
mod pass_timer;
mod plan;
mod pool;
mod probe;
mod readback;
mod upload;
mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::measure::{DeviceRates, DeviceWork, MeasurableGpu};
use super::{
    AdapterSelector, Backend, BatchLimits, Capabilities, DeviceInfo, GpuTier, LaunchLimits, PlanId, Ticket,
    not_the_oldest, released,
};
use crate::base::error::BackendError;
use crate::base::sums::PartialSums;
use crate::base::trace;
use crate::kernels::check::Runner;
use crate::kernels::{Job, JobResult, Limits};
use crate::numerics::precision::Precision;
use crate::segment::{PlanSpec, SegmentBatch};

pub use adapter::{adapters, no_room};
pub use context::GpuContext;
use plan::{DEPTH, GpuPlan, InFlight};

/// One adapter, opened, that turns batches of segments into partial sums.
pub struct GpuBackend {
    context: GpuContext,
    plans: BTreeMap<usize, GpuPlan>,
    next_plan: usize,
    pending: VecDeque<GpuPending>,
    next_ticket: u64,
    timed: bool,
    work: DeviceWork,
}

/// A batch that was submitted and not collected.
struct GpuPending {
    ticket: u64,
    plan: PlanId,
    state: PendingState,
}

enum PendingState {
    /// On the device.
    InFlight(InFlight),
    /// Read back early, to make room for another batch.
    Done(Result<PartialSums, BackendError>),
}

impl GpuBackend {
    /// Opens an adapter; transforms and sums are in `precision`.
    pub fn open(adapter: &AdapterSelector, tier: GpuTier, precision: Precision) -> Result<GpuBackend, BackendError> {
        let mut context = GpuContext::open(adapter, tier)?;
        context.set_precision(precision)?;
        Ok(GpuBackend {
            context,
            plans: BTreeMap::new(),
            next_plan: 0,
            pending: VecDeque::new(),
            next_ticket: 0,
            timed: false,
            work: DeviceWork::default(),
        })
    }

    /// Lets the device note the times of all passes of plans prepared from now on; false where it cannot. It costs a little.
    pub fn time_passes(&mut self) -> bool {
        self.timed = self.context.has_timestamps();
        self.timed
    }

    /// Bytes a second that the device copies between two of its buffers, read and written counted, at best; `None` without timestamps.
    ///
    /// # Errors
    /// No memory for the buffers; the device was lost.
    pub fn copy_rate(&self) -> Result<Option<f64>, BackendError> {
        let (bytes, seconds) = pass_timer::copies(&self.context)?;
        Ok(seconds.into_iter().reduce(f64::min).map(|best| 2.0 * bytes as f64 / best))
    }

    /// What the device has done so far.
    pub fn work(&self) -> &DeviceWork {
        &self.work
    }

    /// Reads the oldest batch on the device back, so that its buffers are free.
    fn make_room(&mut self) {
        let oldest = self.pending.iter_mut().find(|pending| matches!(pending.state, PendingState::InFlight(_)));
        if let Some(GpuPending { plan, state, .. }) = oldest {
            let nothing = PendingState::Done(Ok(PartialSums::new()));
            if let PendingState::InFlight(batch) = std::mem::replace(state, nothing) {
                *state = PendingState::Done(finish(&self.plans, &self.context, *plan, batch, &mut self.work));
            }
        }
    }
}

fn finish(
    plans: &BTreeMap<usize, GpuPlan>,
    context: &GpuContext,
    plan: PlanId,
    batch: InFlight,
    work: &mut DeviceWork,
) -> Result<PartialSums, BackendError> {
    plans.get(&plan.0).ok_or_else(released)?.finish(context, batch, work)
}

impl Runner for GpuBackend {
    fn tunables(&self) -> &Limits {
        self.context.limits()
    }
    fn run(&mut self, job: &Job, timed: bool) -> Result<JobResult, String> {
        Runner::run(&mut self.context, job, timed)
    }
}

impl MeasurableGpu for GpuBackend {
    fn time_passes(&mut self) -> bool {
        GpuBackend::time_passes(self)
    }
    fn work(&self) -> &DeviceWork {
        &self.work
    }
    fn rates(&self) -> Result<DeviceRates, BackendError> {
        probe::rates(&self.context)
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> &DeviceInfo {
        self.context.info()
    }

    fn capabilities(&self) -> Capabilities {
        let tunables = *self.context.limits();
        let launches = LaunchLimits { tunables, largest_buffer: self.context.largest_buffer() };
        let double_precision = self.info().precision == "double";
        Capabilities { trial_profiles: Some(launches), double_precision, ..Capabilities::BATCHES }
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        let plan = PlanId(self.next_plan);
        let timed = self.timed || (trace::is_on() && self.context.has_timestamps());
        self.plans.insert(plan.0, GpuPlan::new(&mut self.context, spec, timed)?);
        self.next_plan += 1;
        Ok(plan)
    }

    fn release(&mut self, plan: PlanId) {
        self.pending.retain(|pending| pending.plan != plan);
        self.plans.remove(&plan.0);
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.plans[&plan.0].limits()
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let busy = self.pending.iter().filter(|pending| matches!(pending.state, PendingState::InFlight(_))).count();
        if busy >= DEPTH {
            self.make_room();
        }
        let in_flight =
            self.plans.get_mut(&plan.0).ok_or_else(released)?.submit(&self.context, batch, &mut self.work)?;
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.pending.push_back(GpuPending { ticket, plan, state: PendingState::InFlight(in_flight) });
        Ok(Ticket(ticket))
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        let oldest = self.pending.pop_front_if(|pending| pending.ticket == ticket.0).ok_or_else(not_the_oldest)?;
        match oldest.state {
            PendingState::InFlight(batch) => finish(&self.plans, &self.context, oldest.plan, batch, &mut self.work),
            PendingState::Done(sums) => sums,
        }
    }

    fn depth(&self) -> usize {
        DEPTH
    }

    fn launch(&mut self, job: &Job) -> Result<Vec<Vec<u8>>, BackendError> {
        self.context.run(job).map(|result| result.outputs)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::cpu::CpuBackend;
    use crate::backend::multi::MultiBackend;
    use crate::base::time::DoubleDouble;
    use crate::engine::analyses::PowerSpectrum;
    use crate::engine::{FluxValues, Session};
    use crate::kernels::{CaseData, CaseShape, Input, fused};
    use crate::science::AveragedPowerSpectrum;
    use crate::segment::{Quantity, SeriesSegment};

    /// As `EAGLERAY_TEST_GPU` says: `require` fails without an adapter, `auto` (the default) and `off` skip, visibly.
    fn open() -> Option<GpuBackend> {
        open_in(GpuTier::Portable)
    }

    fn open_in(tier: GpuTier) -> Option<GpuBackend> {
        let mode = std::env::var("EAGLERAY_TEST_GPU").unwrap_or_else(|_| "auto".into());
        let gpu = match mode.as_str() {
            "off" => Err("EAGLERAY_TEST_GPU=off".to_string()),
            _ => GpuBackend::open(&AdapterSelector::Best, tier, Precision::Single).map_err(|e| e.to_string()),
        };
        assert!(mode != "require" || gpu.is_ok(), "EAGLERAY_TEST_GPU=require: {:?}", gpu.err());
        gpu.inspect_err(|why| eprintln!("SKIPPED: {why}")).ok()
    }

    fn spec() -> PlanSpec {
        PlanSpec {
            n: 64,
            segment_size: 64.0,
            quantity: Quantity::Power { weight_exponent: None },
            input: Input::Events,
            min_events: 0,
            max_segments: 100,
        }
    }

    fn row(index: u64) -> SeriesSegment {
        SeriesSegment {
            index,
            start: DoubleDouble::ZERO,
            begin: 0,
            end: 0,
            events: 0,
            flux_mean: 0.0,
            variance: 0.0,
            weights: Default::default(),
            scale: 0,
        }
    }

    #[test]
    fn a_lost_device_is_an_error() {
        let Some(mut gpu) = open() else { return };
        let plan = gpu.prepare(&spec()).unwrap();
        gpu.context.device.destroy();
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..SegmentBatch::default() });
        let result = gpu.submit(plan, batch).and_then(|ticket| gpu.collect(ticket));
        assert!(matches!(result, Err(BackendError::DeviceLost(_))), "{result:?}");
        assert!(matches!(gpu.prepare(&spec()), Err(BackendError::DeviceLost(_))));
    }

    /// Three batches of 16 bins a segment, and a little.
    const SEGMENTS: usize = 3 * 65536 + 100;

    /// A spectrum of noise on `auto` with this GPU; `event` happens to its device when so many segments have been read.
    fn noise(gpu: GpuBackend, after: usize, event: impl Fn(&wgpu::Device)) -> AveragedPowerSpectrum {
        let device = gpu.context.device.clone();
        let auto = MultiBackend::new(vec![Box::new(gpu)]).unwrap().with_spare(None);
        let mut feed = Session::with(Box::new(auto)).begin(&PowerSpectrum::default().dt(1.0), FluxValues::Counts);
        for i in 0..SEGMENTS {
            if i == after {
                event(&device);
            }
            let values: Vec<f64> = (0..16).map(|j| ((i * i + j * j) % 1009) as f64).collect();
            feed.push(values).unwrap();
        }
        feed.finish().unwrap()
    }

    fn close(got: &AveragedPowerSpectrum, expected: &AveragedPowerSpectrum) {
        assert_eq!(got.meta.segments, expected.meta.segments);
        let largest = expected.unnorm_power.iter().copied().fold(0.0, f64::max);
        for (g, e) in got.unnorm_power.iter().zip(&expected.unnorm_power) {
            assert!((g - e).abs() < 1e-5 * e + 1e-6 * (e * largest).sqrt() + 1e-12 * largest, "{g} instead of {e}");
        }
    }

    #[test]
    fn auto_finishes_the_sums_of_a_device_that_is_lost_or_hangs() {
        let Some(gpu) = open() else { return };
        let whole = noise(gpu, SEGMENTS, |_| {});
        assert_eq!(whole.meta.record.device.backend, "gpu");
        assert!(whole.meta.record.warnings.iter().all(|w| w.code != "W-BACKEND-FALLBACK"));
        let fallback = |spectrum: &AveragedPowerSpectrum| {
            let found = spectrum.meta.record.warnings.iter().find(|w| w.code == "W-BACKEND-FALLBACK");
            found.unwrap_or_else(|| panic!("{:?}", spectrum.meta.record.warnings)).message.clone()
        };
        let Some(gpu) = open() else { return };
        let destroyed = noise(gpu, SEGMENTS - 1, wgpu::Device::destroy);
        close(&destroyed, &whole);
        assert_eq!(destroyed.meta.record.device.backend, "gpu + cpu");
        assert!(destroyed.meta.record.device.adapter.contains(" + "), "{}", destroyed.meta.record.device.adapter);
        let said = fallback(&destroyed);
        assert!(said.contains("the device was lost: Destroyed") && said.contains("from segment "), "{said}");
        assert!(!said.ends_with("from segment 0 on"), "{said}");
        // No device answers at once.
        let Some(mut gpu) = open() else { return };
        gpu.context.patience = Duration::ZERO;
        let hung = noise(gpu, SEGMENTS, |_| {});
        close(&hung, &whole);
        assert_eq!(hung.meta.record.device.backend, "cpu");
        let said = fallback(&hung);
        assert!(said.contains("no answer within 0ns; the CPU did its work from segment 0 on"), "{said}");
    }

    #[test]
    fn a_device_that_hangs_is_lost_and_not_waited_for_again() {
        let Some(mut gpu) = open() else { return };
        let spec = PlanSpec { n: 1 << 20, segment_size: 1.0, input: Input::Flux, ..spec() };
        let plan = gpu.prepare(&spec).unwrap();
        let rows = gpu.limits(plan).rows.min(8);
        let flux = vec![0.5; rows * spec.n];
        let batch = SegmentBatch { rows: (0..rows as u64).map(row).collect(), flux, ..SegmentBatch::default() };
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..batch });
        gpu.context.patience = Duration::from_millis(1);
        let ticket = gpu.submit(plan, batch.clone()).unwrap();
        let lost = gpu.collect(ticket).unwrap_err();
        assert!(matches!(&lost, BackendError::DeviceLost(why) if why == "no answer within 1ms"), "{lost}");
        gpu.context.patience = Duration::from_secs(3600);
        assert_eq!(gpu.submit(plan, batch).unwrap_err(), lost);
        assert_eq!(gpu.prepare(&spec), Err(lost));
    }

    #[test]
    fn a_buffer_that_cannot_be_had_is_an_error() {
        let Some(gpu) = open() else { return };
        let result = pool::buffer(&gpu.context, "huge", 1 << 60, pool::storage());
        assert!(matches!(result, Err(BackendError::OutOfMemory(_))));
    }

    #[test]
    fn a_pipeline_that_needs_too_much_workgroup_memory_is_refused() {
        let Some(mut gpu) = open() else { return };
        gpu.context.pretend_workgroup_memory(16_383);
        let refused = gpu.context.make_pipeline(crate::kernels::fft::KERNEL.shaders[0]);
        assert!(matches!(refused, Err(BackendError::Device(message)) if message.contains("workgroup memory")));
    }

    /// Software adapters take as much workgroup memory as they are asked for, and wgpu does not hold it against their limits.
    #[test]
    fn with_more_workgroup_memory_longer_segments_take_one_launch() {
        let Some(mut gpu) = open_in(GpuTier::Native).filter(|gpu| gpu.info().software) else { return };
        let mut cpu = CpuBackend::new(None).unwrap();
        for (memory, lengths) in [(49_152, [12_288, 10_010]), (65_536, [16_384, 12_100])] {
            gpu.context.pretend_workgroup_memory(memory);
            let limits = *gpu.context.limits();
            for variant in [0, 1, 2, 3].into_iter().filter(|&v| limits.f64 || !(fused::KERNEL.needs_f64)(v)) {
                for n in lengths {
                    let shape = CaseShape { n, rows: 5, events: 9000 };
                    let trial = (fused::KERNEL.case)(variant, shape, CaseData::Hostile, 3);
                    let result = gpu.context.run(&trial.job(&limits)).unwrap();
                    assert_eq!(result.pipelines, trial.pipelines(&limits));
                    assert!(result.pipelines[0].ends_with(".wide"), "{:?}", result.pipelines);
                    let got = trial.decode(&result.outputs);
                    let comparison = trial.compare(&trial.cpu(), &got, Precision::Single);
                    assert_eq!(comparison.first_bad, None, "{n} in {memory} B: {} of the bound", comparison.worst);
                }
            }
            for n in lengths {
                let spec = PlanSpec { n, segment_size: 1.0, ..spec() };
                let times: Vec<f64> = (0..5000).map(|i| f64::from(i * i % 4999) / 5000.0).collect();
                let row = SeriesSegment { end: 5000, events: 5000, ..row(0) };
                let batch = SegmentBatch { rows: vec![row], times, first: true, last: true, ..SegmentBatch::default() };
                let batch = Arc::new(batch);
                let sums = |backend: &mut dyn Backend| {
                    let plan = backend.prepare(&spec).unwrap();
                    let ticket = backend.submit(plan, batch.clone()).unwrap();
                    backend.collect(ticket).unwrap().finish()
                };
                let before = gpu.work().launches;
                let (got, expected) = (sums(&mut gpu), sums(&mut cpu));
                assert_eq!(gpu.work().launches - before, 1);
                assert_eq!((got.photons(), got.power.len()), (5000, n / 2 - 1));
                let mean = expected.power.iter().sum::<f64>() / expected.power.len() as f64;
                let close = |(g, e): (&f64, &f64)| (g - e).abs() < 1e-5 * (e + (e * mean).sqrt());
                assert!(got.power.iter().zip(&expected.power).all(close), "n = {n}");
            }
        }
        // Other products and precisions take the ordinary transform, whose workgroups are not wider.
        let quantity = Quantity::Cross { series: 2, inside: 0, weight_exponent: None };
        let plan = gpu.prepare(&PlanSpec { n: 12_288, quantity, ..spec() }).unwrap();
        assert!(gpu.limits(plan).rows > 0);
    }

    #[test]
    fn tickets_are_collected_in_order_and_more_than_depth_may_wait() {
        let Some(mut gpu) = open() else { return };
        let plan = gpu.prepare(&spec()).unwrap();
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..SegmentBatch::default() });
        let tickets: Vec<Ticket> = (0..5).map(|_| gpu.submit(plan, batch.clone()).unwrap()).collect();
        for ticket in tickets {
            assert_eq!(gpu.collect(ticket).unwrap(), PartialSums::new());
        }
        assert!(gpu.collect(Ticket(99)).is_err());
    }
}
