//! Arguments that commands share.

pub mod choice;
pub mod device;
pub mod input;
pub mod output;
pub mod par;
pub mod spectrum;
pub mod weights;
