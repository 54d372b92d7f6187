//! How time is cut into segments, as analyses are asked.

use serde::Serialize;

use crate::base::error::{Error, Result};

/// How time is cut into segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Segmentation {
    /// Bin width, s. `None`: 1/1024 s, or the frame time if that is longer; of a light curve its own bins.
    pub dt: Option<f64>,
    /// Segment length, s. `None`: the longest power of two of bins that makes at least 50 segments.
    pub segment_size: Option<f64>,
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
}

impl Segmentation {
    /// Refuses the peer's rules for a light curve.
    pub(super) fn refuse_compat(&self) -> Result<()> {
        match self.compat_stingray {
            true => Err(Error::argument(
                "compat_stingray",
                "stingray",
                "applies to events; light curves have this library's own segments",
            )),
            false => Ok(()),
        }
    }
}
