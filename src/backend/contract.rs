//! The trait every device implements, and what it takes and gives.

use std::collections::VecDeque;
use std::sync::Arc;

use super::capabilities::{BatchLimits, Capabilities, WorkerThreads};
use super::units::Units;
use crate::base::error::{BackendError, Result};
use crate::base::sums::PartialSums;
use crate::base::trace;
use crate::base::warning::Warnings;
use crate::kernels::{Input, Job};
use crate::segment::{PlanSpec, SegmentBatch};

/// Facts about a device; every product records some of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeviceInfo {
    /// `cpu`, `gpu`, or `gpu + cpu` if both worked.
    pub backend: &'static str,
    /// Name of the GPU adapter, or the architecture of the processor; several are joined by ` + `.
    pub adapter: String,
    /// Driver of the GPU and its version; empty for the CPU.
    pub driver: String,
    /// Graphics API (`vulkan`, `metal`, `dx12`); empty for the CPU.
    pub api: String,
    /// Tier in use: `portable`, `native`, or `mixed`; empty for the CPU.
    #[serde(rename = "profile")]
    pub tier: &'static str,
    /// True for an adapter that is a program on the CPU.
    pub software: bool,
    /// `single` or `double`: the precision of the transforms.
    pub precision: &'static str,
    /// Worker threads of the CPU; 0 for a GPU.
    pub threads: usize,
}

impl DeviceInfo {
    /// What messages call the device: an adapter by its name.
    pub(crate) fn name(&self) -> &str {
        if self.backend == "cpu" { "the CPU" } else { &self.adapter }
    }
}

/// Names a plan that one backend has prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanId(pub(crate) usize);

/// Bytes of a batch of events on its way to a device that is no CPU, and of each bin of a segment where it is one of flux.
const BATCHES_BYTES: u64 = 64 << 20;
/// See [`BATCHES_BYTES`].
const HOST_BYTES_A_BIN: u64 = 16;

/// Names a batch that was submitted to one backend. Batches are collected in the order in which they were submitted.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) u64);

/// A device that turns batches of segments into partial sums: prepare a plan once, then submit and collect batches.
/// Calls block.
pub trait Backend: Send {
    /// Facts about the device.
    fn info(&self) -> &DeviceInfo;
    /// What the device can do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::BATCHES
    }
    /// Prepares a plan: sizes, pipelines and buffers, so that later calls allocate nothing on the device. A plan holds
    /// its memory until [`Backend::release`].
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError>;
    /// Releases a plan with its memory and those of its batches that were not collected. An unknown plan is ignored.
    fn release(&mut self, plan: PlanId);
    /// The largest batch that [`Backend::submit`] takes for this plan.
    ///
    /// # Panics
    /// The plan was released, or is another backend's.
    fn limits(&self, plan: PlanId) -> BatchLimits;
    /// Starts work on a batch. Waits only if the device's queue of batches is full.
    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError>;
    /// Waits for the sums of the oldest ticket. They are the sums of the runs of its group if the batch was the last of
    /// the group, else nothing. Any other ticket is refused, and changes nothing.
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError>;
    /// Pulls units until none is left or no more is wanted, in the form that the device takes, and gives the sums of their runs. What
    /// cannot be read is told with the unit. A device that takes batches need not have its own.
    ///
    /// # Errors
    /// The device fails.
    fn pull(&mut self, plan: PlanId, units: &dyn Units) -> Result<()> {
        pull_batches(self, plan, units)
    }
    /// Bytes of this process's memory that the device takes for a plan, at most about: with so many for the reader of each thread where
    /// they pull units, or where batches come (`None`). Nothing is prepared.
    fn host_bytes(&self, spec: &PlanSpec, reader: Option<usize>) -> u64 {
        let batches = BATCHES_BYTES.max(HOST_BYTES_A_BIN * spec.n as u64 * spec.series() as u64);
        (batches * (self.depth() as u64 + 1)).saturating_add(reader.unwrap_or(0) as u64)
    }
    /// Number of batches that may be in flight. After as many submissions the caller must collect.
    fn depth(&self) -> usize;
    /// Runs a job of single launches from start to end; the bytes of each of its outputs. See
    /// [`Capabilities::trial_profiles`].
    ///
    /// # Errors
    /// The device runs none; no memory for its buffers; the device was lost.
    fn launch(&mut self, _job: &Job) -> Result<Vec<Vec<u8>>, BackendError> {
        Err(BackendError::Device("runs no single launches".into()))
    }
    /// The threads on which the host works for this device.
    fn threads(&self) -> WorkerThreads {
        WorkerThreads::default()
    }
    /// Warnings since the last call, for the record of the product.
    fn take_warnings(&mut self) -> Warnings {
        Warnings::default()
    }
}

/// Pulls units as batches, of which as many are in flight as the device takes.
///
/// # Errors
/// The device fails.
pub(super) fn pull_batches<B: Backend + ?Sized>(device: &mut B, plan: PlanId, units: &dyn Units) -> Result<()> {
    for unit in (0..units.count()).map_while(|place| units.unit(place)) {
        let mut tickets = VecDeque::new();
        let findings = units.batches(unit, device.limits(plan), &mut |batch| {
            if tickets.len() >= device.depth() {
                collect_oldest(device, &mut tickets, units)?;
            }
            let _span = trace::span("submit");
            tickets.push_back(device.submit(plan, Arc::new(batch))?);
            Ok(())
        });
        while findings.is_ok() && !tickets.is_empty() {
            collect_oldest(device, &mut tickets, units)?;
        }
        units.done(unit, findings);
    }
    Ok(())
}

/// Waits for the sums of the oldest batch in flight, and gives them on.
fn collect_oldest<B: Backend + ?Sized>(
    device: &mut B,
    tickets: &mut VecDeque<Ticket>,
    units: &dyn Units,
) -> Result<()> {
    let Some(ticket) = tickets.pop_front() else { return Ok(()) };
    let span = trace::span("wait for device");
    let sums = device.collect(ticket)?;
    drop(span);
    units.add(sums);
    Ok(())
}

/// Refuses a batch that breaks the contract of [`SegmentBatch`] or a plan's limits. `open` is the number of rows of the group
/// that the plan's last batch left unfinished.
pub(super) fn check_batch(
    batch: &SegmentBatch,
    spec: &PlanSpec,
    limits: BatchLimits,
    open: Option<usize>,
) -> Result<(), BackendError> {
    let refuse = |why: String| Err(BackendError::Device(format!("batch refused: {why}")));
    let (rows, run, series) = (batch.rows.len(), spec.run_length(), spec.series());
    let runs = batch.rows.chunk_by(|a, b| a.index / run == b.index / run).count();
    let segments = rows / series;
    if segments > limits.rows || runs > limits.rows / run as usize {
        return refuse(format!("{segments} segments in {runs} runs; at most {} segments", limits.rows));
    }
    if rows % series != 0 || batch.rows.chunks(series).any(|s| s.iter().any(|row| row.index != s[0].index)) {
        return refuse(format!("a segment has not {series} rows"));
    }
    let starts: Vec<u64> = batch.rows.iter().step_by(series).map(|row| row.index).collect();
    if starts.windows(2).any(|indices| indices[0] >= indices[1]) {
        return refuse("its segments are not in the order of their indices".into());
    }
    if batch.rows.iter().any(|r| batch.times.get(r.begin..r.end).is_none()) {
        return refuse("a segment's events lie outside the times".into());
    }
    let events: usize = batch.rows.iter().map(|r| r.end - r.begin).sum();
    if events > limits.events {
        return refuse(format!("{events} events; at most {}", limits.events));
    }
    if batch.rows.iter().any(|r| r.events < (r.end - r.begin) as u64) {
        return refuse("a segment has more events than it counts".into());
    }
    if !batch.first && open != Some(rows) {
        return refuse("it continues a group that is not open".into());
    }
    if spec.input == Input::Events {
        return Ok(());
    }
    if !(batch.first && batch.last) {
        return refuse("flux comes in one batch a group".into());
    }
    if batch.flux.len() != rows * spec.n {
        return refuse(format!("{} flux samples for {rows} segments of {}", batch.flux.len(), spec.n));
    }
    let pairs = || batch.rows.iter().zip(batch.rows.iter().skip(series));
    if pairs().any(|(a, b)| a.scale != b.scale && a.index / run == b.index / run) {
        return refuse("the flux scale changes inside a run".into());
    }
    if (1..series).any(|subject| spec.is_inside(subject)) {
        return refuse("a subject of flux is inside the reference, which only photons can be".into());
    }
    Ok(())
}

/// The error for a plan that was given back.
pub(super) fn released() -> BackendError {
    BackendError::Device("the plan was released, or is another backend's".into())
}

/// The error for a ticket that is not the oldest.
pub(super) fn not_the_oldest() -> BackendError {
    BackendError::Device("tickets are collected in the order they were given".into())
}
