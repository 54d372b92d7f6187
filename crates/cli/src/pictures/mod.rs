//! Pictures of products.

pub mod axes;
pub mod cross;
pub mod energy;
pub mod light_curve;
pub mod matrix;
pub mod pulsation;
