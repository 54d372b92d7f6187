//! Products read back from the files that they were written to, each by the declaration of its columns.

mod bins;
mod dynamical;
mod spectra;
