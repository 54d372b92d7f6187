//! The programs as their users run them. Files are those of the repository, where all of it is at hand.

#[path = "../../../../tests/common/mod.rs"]
mod common;
mod program;

mod bad_inputs;
mod cpu_options;
mod cross;
mod dead_time;
mod dynamical;
mod exports;
mod fad;
mod faults;
mod gpu_bench;
mod gti;
mod histogram;
mod light_curve;
mod limits;
mod messages;
mod missions;
mod orbits;
mod outputs;
mod printed;
mod products;
mod pulsations;
mod replaced;
mod science;
mod spectra;
mod statistics;
mod streams;
mod text_files;
mod toas;
mod varenergy;
mod xspec;
