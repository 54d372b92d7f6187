//! The numerical kernels. Each has a scalar f64 reference, a CPU production path and WGSL shaders of its stem.
//!
//! A kernel describes its device side as plain data: a [`Shader`] is text and bindings, a [`Dispatch`] one launch over
//! buffers known by number, a [`Job`] launches with their inputs. The GPU backend and the tests run the same lists.

pub mod bin_events;
pub mod case;
pub mod check;
pub mod cross_spectrum;
pub mod fad;
pub mod fft;
pub mod fold;
pub mod fused;
pub mod path;
pub mod power;
pub mod power_pass;
pub mod rate;

use crate::base::time::DoubleDouble;

pub use crate::numerics::precision::Precision;
pub use case::{CaseData, CaseShape, CaseValues, Comparison, KernelCase};

/// All kernels; tests and benches iterate over it.
pub const KERNELS: &[&Kernel] = &[
    &bin_events::KERNEL,
    &fft::KERNEL,
    &power::KERNEL,
    &power_pass::KERNEL,
    &fused::KERNEL,
    &cross_spectrum::KERNEL,
    &fold::KERNEL,
    &rate::KERNEL,
];

/// One kernel: its shaders, and how to try it.
pub struct Kernel {
    /// Stem of its files.
    pub name: &'static str,
    /// Every shader in every variant.
    pub shaders: &'static [&'static Shader],
    /// Variants that a trial can take; one test each.
    pub variants: &'static [&'static str],
    /// True when variant `i` needs native f64.
    pub needs_f64: fn(variant: usize) -> bool,
    /// Shapes worth testing on a device: 0, 1, odd, prime, around a workgroup's size, more than one dispatch.
    pub shapes: fn(limits: &Limits) -> Vec<CaseShape>,
    /// What of it is worth timing.
    pub timed: Timed,
    /// Makes one test case.
    pub case: fn(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> Box<dyn KernelCase>,
}

/// What the rows of a batch hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Times of events, to be binned.
    Events,
    /// Flux samples, mean subtracted.
    Flux,
}

/// Which cases of a kernel are worth timing, and what bounds their time.
#[derive(Clone, Copy)]
pub struct Timed {
    /// Bins of a segment: in one workgroup, in several passes, by convolution; none for a kernel that is among the rates.
    pub lengths: &'static [usize],
    /// The same where time is short.
    pub quick: &'static [usize],
    /// Bins for each event.
    pub bins_an_event: usize,
    /// Floating-point operations of a case; 0 where others bound its time.
    pub operations: fn(CaseShape) -> f64,
}

impl Timed {
    /// Segments of 4096 bins, an event a bin, bounded by what moves.
    pub const ONE_LENGTH: Timed = Timed { lengths: &[4096], quick: &[4096], bins_an_event: 1, operations: |_| 0.0 };
}

/// Floating-point operations of transforms of real input, by the usual count, `2.5·n·log₂n` a row.
fn transform_operations(shape: CaseShape) -> f64 {
    let n = shape.n as f64;
    2.5 * n * n.log2() * shape.rows as f64
}

/// What of a device shapes the kernels: tunables and hard limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Invocations of an ordinary workgroup; a power of two.
    pub threads: u32,
    /// Complex points that a workgroup transforms: 8 a thread.
    pub points: u32,
    /// Most invocations that a workgroup may have.
    pub invocations: u32,
    /// Bytes of workgroup memory.
    pub workgroup_memory: u32,
    /// Workgroups in one dimension of a dispatch.
    pub groups: u32,
    /// True where native f64 exists and has passed the self-test.
    pub f64: bool,
}

impl Limits {
    /// WebGPU's default limits.
    pub const PORTABLE: Limits =
        Limits { threads: 256, points: 2048, invocations: 256, workgroup_memory: 16_384, groups: 65_535, f64: false };

    /// The best that fits an adapter's limits (at least WebGPU's defaults), as yet without f64.
    pub fn native(invocations: u32, workgroup_memory: u32, groups: u32) -> Limits {
        let threads = if invocations >= 512 && workgroup_memory >= 32_768 { 512 } else { 256 };
        Limits { threads, points: 8 * threads, invocations, workgroup_memory, groups, f64: false }
    }

    /// The same with the largest workgroup that the device has memory and invocations for: for lengths that fit no ordinary one.
    /// At most 8192 points.
    pub fn wide(self) -> Limits {
        let bytes_a_thread = 8 * Precision::Single.complex_bytes();
        let most = (self.workgroup_memory / bytes_a_thread).min(self.invocations).min(1024);
        let threads = (most / 32 * 32).max(self.threads);
        Limits { threads, points: 8 * threads, ..self }
    }

    /// The same for transforms of a precision: double ones have half as many points in as much memory.
    pub const fn of(self, precision: Precision) -> Limits {
        match precision {
            Precision::Single => self,
            Precision::Double => Limits { threads: self.threads / 2, points: self.points / 2, ..self },
        }
    }

    /// Workgroups in two dimensions, at least `groups` in all and none when `groups` is 0; shaders unfold them with
    /// `lib/grid.wgsl` and ignore the excess.
    pub fn grid(&self, groups: u64) -> [u32; 3] {
        let x = groups.min(u64::from(self.groups));
        let y = if x == 0 { 0 } else { groups.div_ceil(x) };
        [x as u32, y as u32, 1]
    }

    /// [`Limits::grid`] for one invocation an item.
    pub fn grid_of_items(&self, items: u64) -> [u32; 3] {
        self.grid(items.div_ceil(u64::from(self.threads)))
    }
}

/// How a shader uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The parameters: binding 0 of every shader.
    Uniform,
    /// Read only.
    Read,
    /// Read and written.
    ReadWrite,
}

/// A struct that Rust and WGSL share.
#[derive(Clone, Copy, Debug)]
pub struct StructLayout {
    /// Its name in WGSL.
    pub name: &'static str,
    /// Bytes of one element of an array of it.
    pub span: usize,
    /// Names and byte offsets of its members, in order.
    pub fields: &'static [(&'static str, usize)],
}

/// One entry point in one variant. The text is the concatenation of the fragments.
pub struct Shader {
    /// Unique name: `entry` or `entry.variant`.
    pub name: &'static str,
    /// Entry point, and the stem of its file.
    pub entry: &'static str,
    /// WGSL texts in order.
    pub fragments: &'static [&'static str],
    /// Bindings 0, 1, … of group 0.
    pub bindings: &'static [(&'static str, Access)],
    /// Structs shared with the host.
    pub layouts: &'static [StructLayout],
    /// Values of the override constants.
    pub constants: fn(&Limits) -> Vec<(&'static str, f64)>,
    /// Bytes of workgroup memory.
    pub workgroup_bytes: fn(&Limits) -> u32,
    /// True when the text uses f64.
    pub f64: bool,
}

impl Shader {
    /// The whole WGSL text.
    pub fn source(&self) -> String {
        self.fragments.concat()
    }
}

/// Override constants of a shader without workgroup memory.
fn threads_only(limits: &Limits) -> Vec<(&'static str, f64)> {
    vec![("THREADS", f64::from(limits.threads))]
}

/// No workgroup memory.
fn no_memory(_: &Limits) -> u32 {
    0
}

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

/// A `#[repr(C)]` Pod struct with the layout that its WGSL twin must have.
macro_rules! shared_struct {
    ($(#[$doc:meta])* $name:ident as $wgsl:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
        impl $name {
            /// Names and offsets, for comparison with the shader's.
            pub const LAYOUT: crate::kernels::StructLayout = crate::kernels::StructLayout {
                name: $wgsl,
                span: std::mem::size_of::<$name>(),
                fields: &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
            };
        }
    };
}
pub(crate) use shared_struct;

shared_struct! {
    /// One segment of a batch, as all shaders read it.
    DeviceSegment as "Row" {
        /// Bits of the start's high part, f64, s.
        start_hi: u64,
        /// Bits of its low part.
        start_lo: u64,
        /// Place of its first event; the next row's if it has none.
        begin: u32,
        /// Events of the segment, in this batch and in earlier ones of the group.
        events: u32,
        /// 1 for a segment that counts, 0 for one that is skipped.
        include: f32,
        /// What is subtracted from its counts; see [`centre`].
        mean: f32,
    }
}

impl DeviceSegment {
    /// The row of a segment of `n` bins that starts at `start`, whose events begin at `begin`, and that has `events` so far.
    pub fn new(start: DoubleDouble, begin: usize, events: u64, n: usize) -> DeviceSegment {
        DeviceSegment {
            start_hi: start.hi.to_bits(),
            start_lo: start.lo.to_bits(),
            begin: begin as u32,
            events: events as u32,
            include: 1.0,
            mean: centre(events as f64 / n as f64),
        }
    }
}

/// The mean that is subtracted from counts on a device: `mean` with 20 significant bits, so that the differences of counts to
/// eight times the mean are exact. Rounded ones would err alike in all bins of as many counts.
pub fn centre(mean: f64) -> f32 {
    f32::from_bits((mean as f32).to_bits() & !15)
}

const REAL_F32: &str = include_str!("../../shaders/lib/real_f32.wgsl");
const REAL_F64: &str = include_str!("../../shaders/lib/real_f64.wgsl");
const TIME_BITS: &str = include_str!("../../shaders/lib/time_bits.wgsl");
const ROW: &str = include_str!("../../shaders/lib/row.wgsl");
const COMPLEX: &str = include_str!("../../shaders/lib/complex.wgsl");
const ROOTS: &str = include_str!("../../shaders/lib/roots.wgsl");
const GRID: &str = include_str!("../../shaders/lib/grid.wgsl");
