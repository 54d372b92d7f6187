//! Counts of events in bins of time, or of time and energy.

use serde::{Deserialize, Serialize};

use super::Record;

/// Metadata of a histogram.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistogramMetadata {
    /// Number of time bins.
    pub n: usize,
    /// Number of energy bins; 1 if events are not separated by energy.
    pub energies: usize,
    /// Events in all bins.
    pub nphots: u64,
    /// Good time in all time bins, s.
    pub exposure_total: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// What the energy bins of a histogram are given in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyAxis {
    /// There are no energy bins.
    #[default]
    None,
    /// Energies in keV.
    Energy,
    /// Energy channels.
    Channel,
}

/// Numbers of events in bins of time, `lo ≤ t < hi`, and optionally of energy, `lo ≤ E < hi`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Histogram {
    /// Edges of the time bins, one more than there are bins, ascending; seconds of the frame.
    pub times: Vec<f64>,
    /// Edges of the energy bins, one more than there are bins, ascending, in keV or channels; empty without energy
    /// bins.
    pub energies: Vec<f64>,
    /// What [`Histogram::energies`] is given in.
    pub axis: EnergyAxis,
    /// Events in each bin, shape times × energies, row-major: all energy bins of the first time bin come first. Without
    /// energy bins one count a time bin.
    pub counts: Vec<u64>,
    /// Good time in each bin of time, s.
    pub exposure: Vec<f64>,
    /// Metadata: numbers of bins, exposure, record.
    pub meta: HistogramMetadata,
}

impl Histogram {
    /// Four columns as long as [`Histogram::counts`]: lower and upper time edge (s), lower and upper energy edge (keV
    /// or channel; NaN without energy bins).
    pub fn bounds(&self) -> [Vec<f64>; 4] {
        let energies = if self.energies.is_empty() { &[f64::NAN; 2][..] } else { &self.energies };
        let mut bounds: [Vec<f64>; 4] = Default::default();
        for t in self.times.windows(2) {
            for e in energies.windows(2) {
                bounds.iter_mut().zip([t[0], t[1], e[0], e[1]]).for_each(|(column, edge)| column.push(edge));
            }
        }
        bounds
    }

    /// Good time of the time bin that each count belongs to, s; as long as [`Histogram::counts`].
    pub fn exposures(&self) -> Vec<f64> {
        let bins = self.energies.len().saturating_sub(1).max(1);
        self.exposure.iter().flat_map(|&s| std::iter::repeat_n(s, bins)).collect()
    }
}
