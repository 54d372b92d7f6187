//! The programs `eagleray` and `gpu-bench`: arguments, progress, pictures and reports around the library `eagleray`.

pub mod arguments;
pub mod bench;
pub mod commands;
#[cfg(unix)]
mod interrupt;
pub mod pictures;
mod plan_text;
pub mod terminal;
