//! Photons of light curves: how many there are in bins, and what became of them.

use super::{EventBalance, LightCurve};

impl LightCurve {
    /// Photons in some bins: their counts together, which of rates are rates times exposure, to the nearest whole number; none where that is
    /// below 0, as the net rates of a faint source may be.
    pub(crate) fn photons(&self, rows: impl Iterator<Item = usize>) -> u64 {
        whole_photons(rows.filter_map(|i| self.counts.get(i)).sum())
    }

    /// The balance of a product of some bins, which are in ascending order: photons of the others are outside of its segments.
    pub(crate) fn balance_of(&self, used: impl Iterator<Item = usize>) -> EventBalance {
        let mut used = used.peekable();
        let rest = (0..self.len()).filter(|&i| {
            while used.next_if(|&row| row < i).is_some() {}
            used.peek() != Some(&i)
        });
        let mut balance = self.meta.record.photons.clone();
        let left = self.photons(rest).min(balance.used);
        (balance.used, balance.outside_segments) = (balance.used - left, balance.outside_segments + left);
        balance
    }

    /// The light curve with the balance of its bins, where it says nothing of photons: one that was made by hand.
    pub(crate) fn accounted(mut self) -> LightCurve {
        if self.meta.record.photons.read == 0 {
            self.meta.record.photons = EventBalance::of_used(self.photons(0..self.len()));
        }
        self
    }
}

/// The most photons of bins that are told apart: more are no numbers of photons, and balances have room for many of these.
const MOST_PHOTONS: f64 = (1u64 << 53) as f64;

/// Counts to whole photons.
pub(crate) fn whole_photons(counts: f64) -> u64 {
    counts.round().clamp(0.0, MOST_PHOTONS) as u64
}
