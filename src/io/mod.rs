//! Files: reading event files, light curves, ephemerides and responses, and writing products.
// Input says how much there is of everything: what is indexed here says why that is there.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::string_slice, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod bands;
mod datasum;
mod detectors;
mod ebounds;
mod empty_time;
mod event_table;
pub mod events;
mod file_facts;
mod file_scan;
pub mod fits;
pub mod fits_table;
pub mod fits_writer;
mod gti;
mod gti_in_force;
mod input_file;
pub mod light_curve;
mod light_curve_bins;
mod light_curve_columns;
mod light_curve_grid;
mod light_curve_write;
mod lines;
pub mod par;
mod product_read;
mod pulse_template;
mod qdp;
pub(crate) mod raw_rows;
mod response;
mod row_range;
mod scan;
mod selection;
mod sort;
mod stored_channels;
pub mod stream;
mod subspace;
mod table_columns;
mod table_dynamical;
mod table_fits;
pub(crate) mod table_read;
mod table_read_text;
pub mod table_write;
mod text_columns;
pub mod text_file;
mod text_header;
mod text_table;
mod time_unit;
mod unfinished;
pub mod xspec;

pub(crate) use bands::{ChannelBands, ChannelCell};
pub use events::{EventFile, GtiSource, OpenOptions};
pub use file_scan::TimeScan;
pub use input_file::InputFile;
pub use lines::Lines;
pub(crate) use row_range::RowRangeReader;
pub(crate) use scan::RowRangeScan;
pub(crate) use selection::BandSelection;
pub use selection::Selection;
pub use stream::EventStream;
pub(crate) use stream::{KeptEvents, is_weight};
pub use table_read::product_name;
pub use unfinished::{remove_all as remove_unfinished, remove_all_within as remove_unfinished_within};
