//! Launches as plain data: of a shader over buffers known by number, with what these hold at the start.

use super::shader::Shader;

/// One launch over buffers known by number.
#[derive(Clone)]
pub struct Dispatch {
    /// What runs.
    pub shader: &'static Shader,
    /// Bytes of its parameters, binding 0.
    pub params: Vec<u8>,
    /// Buffer of binding 1, 2, ….
    pub buffers: Vec<usize>,
    /// Workgroups; nothing is launched when one is 0.
    pub workgroups: [u32; 3],
    /// Bytes that must move between device memory and workgroups: every datum once, tables not, which stay in caches.
    pub bytes: u64,
}

/// What a buffer holds at the start.
#[derive(Clone)]
pub enum Fill {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many zero bytes.
    Zeros(u64),
}

impl Fill {
    /// The bytes of a slice of plain values.
    pub fn from_values<T: bytemuck::NoUninit>(values: &[T]) -> Fill {
        Fill::Bytes(bytemuck::cast_slice(values).to_vec())
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Fill::Bytes(bytes) => bytes.len() as u64,
            Fill::Zeros(len) => *len,
        }
    }

    /// True without any byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Launches with all they need.
#[derive(Clone)]
pub struct Job {
    /// Buffers by number.
    pub buffers: Vec<Fill>,
    /// Launches in order.
    pub dispatches: Vec<Dispatch>,
    /// Buffers to read back.
    pub outputs: Vec<usize>,
}

/// What a [`Job`] gave.
#[derive(Debug)]
pub struct JobResult {
    /// Bytes of each output buffer.
    pub outputs: Vec<Vec<u8>>,
    /// Names of the shaders whose pipelines were launched, in order.
    pub pipelines: Vec<&'static str>,
    /// Time of each launch on the device's clock, s, where it was asked for and can be had; else empty.
    pub seconds: Vec<f64>,
}
