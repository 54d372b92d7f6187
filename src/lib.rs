//! eagleray: X-ray spectral timing on any GPU.
#![warn(missing_docs)]

pub mod backend;
pub mod error;
pub mod kernels;
pub mod segment;
pub mod sums;
pub mod time;
pub mod warning;

pub use error::{Error, Result};
