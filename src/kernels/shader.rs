//! A shader as plain data: fragments of text, bindings, constants, and the structs that Rust and WGSL share.

use super::limits::Limits;

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
pub(super) fn threads_only(limits: &Limits) -> Vec<(&'static str, f64)> {
    vec![("THREADS", f64::from(limits.threads))]
}

/// No workgroup memory.
pub(super) fn no_memory(_: &Limits) -> u32 {
    0
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

// Fragments that several shaders have.
pub(super) const REAL_F32: &str = include_str!("../../shaders/lib/real_f32.wgsl");
pub(super) const REAL_F64: &str = include_str!("../../shaders/lib/real_f64.wgsl");
pub(super) const TIME_BITS: &str = include_str!("../../shaders/lib/time_bits.wgsl");
pub(super) const ROW: &str = include_str!("../../shaders/lib/row.wgsl");
pub(super) const COMPLEX: &str = include_str!("../../shaders/lib/complex.wgsl");
pub(super) const ROOTS: &str = include_str!("../../shaders/lib/roots.wgsl");
pub(super) const GRID: &str = include_str!("../../shaders/lib/grid.wgsl");
