//! Counts of events in bins of time, or of time and energy.

use serde::Serialize;

use super::Provenance;

/// What a histogram says of itself.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HistogramMetadata {
    /// Bins of time.
    pub n: usize,
    /// Bins of energy; 1 where events are not told apart by it.
    pub energies: usize,
    /// Events in all bins.
    pub nphots: u64,
    /// Good time in all bins, s.
    pub exposure: f64,
    /// What it was made of.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// What the second axis of a histogram shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyAxis {
    /// There is none.
    #[default]
    None,
    /// Energies, keV.
    Energy,
    /// Channels.
    Channel,
}

/// Events counted in bins of time, `lo ≤ t < hi`, and perhaps of energy, `lo ≤ E < hi`.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Edges of the bins of time, one more than there are bins, ascending; seconds of the frame from MJDREF.
    pub times: Vec<f64>,
    /// Edges of the bins of energy, one more than there are bins, ascending; empty without them.
    pub energies: Vec<f64>,
    /// What [`Histogram::energies`] are.
    pub axis: EnergyAxis,
    /// Counts: the bins of energy of the first bin of time, of the second, and so on.
    pub counts: Vec<u64>,
    /// Good time in each bin of time, s.
    pub exposure: Vec<f64>,
    /// All else.
    pub meta: HistogramMetadata,
}

impl Histogram {
    /// Lower and upper edges of the bins of time and of energy (NaN without), one of each for each of the counts.
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

    /// Good time of each of the counts, s.
    pub fn exposures(&self) -> Vec<f64> {
        let bins = self.energies.len().saturating_sub(1).max(1);
        self.exposure.iter().flat_map(|&s| std::iter::repeat_n(s, bins)).collect()
    }
}
