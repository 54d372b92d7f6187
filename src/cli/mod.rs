//! The command line: arguments to library calls, nothing else.

pub mod number;
pub mod simulate;
