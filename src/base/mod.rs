//! What every room builds on, and what knows nothing of X-rays: errors, warnings, exact times, text, random numbers, sums, the trace.

pub mod choice;
pub mod error;
pub mod footprint;
pub mod mend;
pub mod progress;
pub mod random;
pub mod sums;
pub mod text;
pub mod time;
pub mod trace;
pub mod warning;
