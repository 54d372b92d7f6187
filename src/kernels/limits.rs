//! What of a device shapes the kernels.

use crate::numerics::precision::Precision;

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
