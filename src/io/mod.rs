//! Reading event files, and writing what comes of them.
// Input says how much there is of everything: what is indexed here says why that is there.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::string_slice, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod bands;
mod detectors;
pub mod events;
mod facts;
pub mod fits;
pub mod fits_table;
pub mod fits_writer;
pub mod gti;
pub mod light_curve;
mod light_curve_write;
pub mod par;
pub mod product;
mod product_dynamical;
mod product_fits;
mod response;
mod scan;
mod share;
mod sort;
mod source;
pub mod stream;
mod text_table;
mod unfinished;
pub mod xspec;

pub(crate) use bands::{Bands, Cell};
pub use events::{EventFile, GtiSource, OpenOptions};
pub(crate) use scan::Part;
pub use scan::TimeScan;
pub(crate) use share::Share;
pub use source::Source;
pub use stream::{EventStream, Selection};
pub(crate) use stream::{Kept, Parting, is_weight};
pub use unfinished::remove_all as remove_unfinished;
