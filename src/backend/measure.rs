//! What a GPU is measured by: its work, its rates, and jobs of kernels that it runs and times.

use std::collections::BTreeMap;

use super::contract::Backend;
use crate::base::error::BackendError;
use crate::kernels::check::Runner;

/// Work of a backend since it was opened.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct DeviceWork {
    /// Launches of shaders.
    pub launches: u64,
    /// Bytes between device memory and workgroups, by the formulas of the kernels, and of buffers cleared.
    pub moved: u64,
    /// Bytes from the host.
    pub uploaded: u64,
    /// Bytes to the host.
    pub read_back: u64,
    /// Time on the device by shader, where it was asked for.
    pub passes: BTreeMap<&'static str, PassTime>,
}

/// Time of all launches of one shader.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct PassTime {
    /// Launches timed.
    pub launches: u64,
    /// Time on the device, s.
    pub seconds: f64,
    /// Bytes that these launches moved.
    pub moved: u64,
}

/// What a device was seen to do, sample by sample.
#[derive(Clone, Debug, Default)]
pub struct DeviceRates {
    /// Copies between two buffers on the device: bytes of one, and seconds by the device's clock; empty without timestamps. A
    /// copy reads and writes each byte.
    pub copy: (u64, Vec<f64>),
    /// From pageable memory by `write_buffer`: bytes, seconds.
    pub upload_pageable: (u64, Vec<f64>),
    /// Through two mapped buffers in turn, filling included, as batches of events are uploaded.
    pub upload_mapped: (u64, Vec<f64>),
    /// From the device into the host's memory.
    pub read_back: (u64, Vec<f64>),
}

/// A GPU with the means to measure it.
pub trait MeasurableGpu: Backend + Runner {
    /// Lets the device note the times of all passes of plans prepared from now on; false where it cannot.
    fn time_passes(&mut self) -> bool;
    /// What the device has done so far.
    fn work(&self) -> &DeviceWork;
    /// Probes memory and bus.
    ///
    /// # Errors
    /// No memory for the buffers; the device was lost.
    fn rates(&self) -> Result<DeviceRates, BackendError>;
}
