//! The host memory that sums over segments need, estimated before they begin.

use super::plan::Plan;
use super::plan_units;
use super::run::Run;
use super::time_source::Events;
use crate::backend::{Backend, BatchLimits, Takes};
use crate::base::error::Result;
use crate::base::footprint::Footprint;
use crate::base::warning::Warning;
use crate::kernels::Input;
use crate::segment::PlanSpec;

/// Columns of a product of spectra, 8 bytes each, of every series, and the sums that it is made of.
const COLUMNS: usize = 16;

/// What the sums of a plan take on the host besides what is read: what the device does ([`Backend::host_bytes`]), and a product of [`COLUMNS`]
/// values for each frequency and series.
pub(super) fn of_sums(spec: &PlanSpec, reader: Option<usize>, backend: &dyn Backend) -> Footprint {
    // Segments of flux on their way, and the batch that is filled.
    let flux = if spec.input == Input::Flux { 8 * (backend.depth() + 2) } else { 0 };
    let product = if spec.every_segment() { 0 } else { COLUMNS * spec.series() };
    Footprint::less_by(&["dt", "segment_size"])
        .and(backend.host_bytes(spec, reader), 1)
        .and(spec.frequencies(), 8 * product)
        .and(spec.n as u64 * spec.series() as u64, flux)
}

/// Bytes of the reader of each thread; `None` where events come in batches.
pub(super) fn reader_bytes(plan: &Plan, inputs: &[Events], backend: &dyn Backend) -> Option<usize> {
    match backend.capabilities().takes {
        Takes::Rows | Takes::Times => plan_units::reader_bytes(plan, inputs),
        Takes::Batches => None,
    }
}

/// An estimate of the host memory, in bytes, that a run of this plan needs besides its inputs, and the batches in which events come. `rows` is
/// what the rows of a dynamical spectrum take. If there is less, that is warned of.
///
/// # Errors
/// The device cannot be prepared.
pub(super) fn host_memory(plan: &Plan, inputs: &[Events], rows: Footprint, run: &mut Run) -> Result<HostMemory> {
    let reader = reader_bytes(plan, inputs, run.device);
    let planned = of_sums(&plan.spec, reader, run.device).with(rows);
    let batches = match (check(&plan.spec, &planned), reader) {
        (Err(lacking), _) => {
            run.warnings.record(Warning::new("W-MEMORY", lacking.reason()).mended_by(lacking.mend()));
            None
        }
        (Ok(()), Some(_)) => None,
        (Ok(()), None) => {
            let id = run.device.prepare(&plan.spec)?;
            let limits = run.device.limits(id);
            run.device.release(id);
            Some(limits)
        }
    };
    Ok(HostMemory { bytes: usize::try_from(planned.bytes()).unwrap_or(usize::MAX), batches })
}

/// Refuses sums that need more memory than there is.
pub(super) fn check(spec: &PlanSpec, planned: &Footprint) -> Result<()> {
    let bins = crate::base::text::count(spec.n as u64, "bin");
    match spec.series() {
        1 => planned.check(&format!("the spectrum of segments of {bins}")),
        series => planned.check(&format!("the spectra of segments of {bins} in {series} series")),
    }
}

/// An estimate of the memory that a run needs on the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostMemory {
    /// Estimated bytes.
    pub bytes: usize,
    /// The largest batch, if events come in batches.
    pub batches: Option<BatchLimits>,
}
