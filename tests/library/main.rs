//! The library against its definitions.

#[path = "../common/mod.rs"]
mod common;

mod accel;
mod analyses;
mod bands;
mod circles;
mod coverage;
mod cross_errors;
mod cross_flux;
mod damaged_files;
mod devices;
mod dynamical;
mod energy_errors;
mod few_events;
mod flux;
mod gpu_backend;
mod gpu_contract;
mod intervals_in_force;
mod lagged_source;
mod light_curve_files;
mod loose_files;
mod messages;
mod missions_page;
mod pairs;
mod parts;
mod pdm;
mod pipeline;
mod products_page;
mod properties;
mod pulsations;
mod raw_units;
mod reader;
mod refinement;
mod rooms;
mod shaders;
mod simulate;
mod single_pass;
mod soft_f64;
mod source;
mod sources;
mod statistics;
mod surface;
mod tables;
mod unequal_rates;
mod weights;
