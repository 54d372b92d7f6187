//! Arguments that commands share.

pub mod device;
pub mod input;
pub mod names;
pub mod number;
pub mod output;
pub mod par;
pub mod spectrum;
pub mod weights;
