//! Rebinning of frequencies: which of the original bins each new one averages.

use crate::base::error::{Error, Result};

/// How frequency bins are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rebin {
    /// Not at all.
    #[default]
    None,
    /// Every `k` bins become one; the last may have fewer.
    Linear(usize),
    /// Each bin is `1 + F` times as wide as the one before, starting with one original bin (Stingray's logarithmic
    /// rebinning).
    Geometric(f64),
}

impl Rebin {
    /// The ranges of the original bins `0 .. count` that become one bin each: adjacent, none empty, none lost.
    ///
    /// Geometric: edges in units of the original width are `e₀ = 0`, `e_{i+1} = e_i + (1 + F)^i`; original bin `k` has
    /// its centre at `k + ½`.
    ///
    /// # Errors
    /// `k` of [`Rebin::Linear`] is 0, or `F` of [`Rebin::Geometric`] is not finite and positive.
    pub fn ranges(self, count: usize) -> Result<RebinRanges> {
        match self {
            Rebin::Linear(0) => Err(Error::argument("rebin", 0, "at least 1 bin makes a bin")),
            Rebin::Geometric(growth) if !(growth.is_finite() && growth > 0.0) => {
                Err(Error::argument("rebin.Geometric", growth, "must be a positive number"))
            }
            rebin => Ok(RebinRanges { rebin, count, from: 0, edge: 0.0, width: 1.0 }),
        }
    }
}

/// Iterates over the ranges of original bins; see [`Rebin::ranges`].
#[derive(Clone, Debug)]
pub struct RebinRanges {
    rebin: Rebin,
    count: usize,
    /// Where the next range begins.
    from: usize,
    /// Geometric: the last edge, and the width that follows.
    edge: f64,
    width: f64,
}

impl Iterator for RebinRanges {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<std::ops::Range<usize>> {
        if self.from >= self.count {
            return None;
        }
        let from = self.from;
        self.from = match self.rebin {
            Rebin::None => from + 1,
            Rebin::Linear(by) => from.saturating_add(by).min(self.count),
            Rebin::Geometric(growth) => loop {
                self.edge += self.width;
                self.width *= 1.0 + growth;
                let to = (self.edge - 0.5).ceil().min(self.count as f64) as usize;
                if to > from {
                    break to;
                }
            },
        };
        Some(from..self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_goes_to_exactly_one() {
        for rebin in [Rebin::None, Rebin::Linear(7), Rebin::Linear(1), Rebin::Geometric(0.01), Rebin::Geometric(1.5)] {
            for count in [0, 1, 2, 6, 7, 8, 1000] {
                let mut at = 0;
                for r in rebin.ranges(count).unwrap() {
                    assert!(r.start == at && r.end > r.start);
                    at = r.end;
                }
                assert_eq!(at, count);
            }
        }
    }

    #[test]
    fn geometric_widths_grow() {
        // Edges at 0, 1, 3, 7, 15, 31 bins.
        let ranges = Rebin::Geometric(1.0).ranges(31).unwrap();
        assert_eq!(ranges.map(|r| r.len()).collect::<Vec<_>>(), [1, 2, 4, 8, 16]);
        assert!(Rebin::Geometric(0.0).ranges(3).is_err());
        assert!(Rebin::Linear(0).ranges(3).is_err());
    }
}
