//! The programs `eagleray` and `gpu-bench`: arguments, progress, pictures and reports around the library `eagleray`.

// What is printed goes through `terminal`, which does not panic where nobody listens.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod arguments;
pub mod bench;
pub mod commands;
pub mod device_choice;
pub mod files;
#[cfg(unix)]
mod interrupt;
pub mod names;
pub mod number;
pub mod out_of_memory;
pub mod pictures;
mod plan_text;
mod run;
pub mod terminal;
mod threads;
