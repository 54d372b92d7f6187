//! Which events of a file are kept, and the bands that they are parted into.

use std::sync::Arc;

use super::bands::{ChannelBands, ChannelCell};
use super::fits_table::FitsColumn;
use crate::data::ChannelRange;

/// Which events of a file are used.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The range of energy channels; `None` for all.
    pub channels: Option<ChannelRange>,
    /// Values of the mission's detector column ([`EventFile::detector_name`](super::EventFile::detector_name)); `None` for all.
    pub detectors: Option<Vec<i64>>,
}

/// Which events of a file are kept, and the bands that they are parted into.
#[derive(Clone, Debug, Default)]
pub(crate) struct BandSelection {
    pub selection: Selection,
    /// `None`: one band of all. An event in no band is not kept, one in several bands is one event.
    pub bands: Option<Arc<ChannelBands>>,
    /// The column of their weights, which come beside the times; of one band alone.
    pub weight: Option<Arc<FitsColumn>>,
}

impl BandSelection {
    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.bands.as_ref().map_or(1, |bands| bands.ranges().len())
    }

    /// Appends times, which may be lost, to those of their bands.
    pub fn distribute(&self, times: &mut Vec<f64>, cells: &[ChannelCell], out: &mut [Vec<f64>]) {
        match (&self.bands, out) {
            (Some(bands), out) => bands.distribute(times, cells, out),
            (None, [out]) if out.is_empty() => std::mem::swap(times, out),
            (None, out) => out.iter_mut().for_each(|out| out.extend_from_slice(times)),
        }
    }
}

pub(super) fn keeps(selection: &Selection, channel: Option<&f64>, detector: Option<&f64>) -> bool {
    let detector_value = detector.copied().unwrap_or(-1.0);
    let channel_kept = match (&selection.channels, channel) {
        (Some(range), Some(&channel)) => range.keeps(channel, detector_value),
        _ => true,
    };
    channel_kept && selection.detectors.as_ref().is_none_or(|list| list.contains(&(detector_value as i64)))
}
