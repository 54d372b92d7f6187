//! eagleray: X-ray spectral timing on any GPU.
#![warn(missing_docs)]

pub mod backend;
#[cfg(feature = "cli")]
pub mod cli;
pub mod error;
pub mod io;
pub mod kernels;
pub mod segment;
pub mod simulate;
pub mod sums;
pub mod time;
pub mod warning;

pub use error::{Error, Result};
