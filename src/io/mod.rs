//! Files: what is read and what is written.

pub mod fits_writer;
