//! Files: what is read and what is written.

mod fits_header;
pub mod fits_writer;
