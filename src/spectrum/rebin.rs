//! Rebinning of frequencies: which of the original bins each new one averages.

use crate::error::{Error, Result};

/// How frequencies are rebinned.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rebin {
    /// As they are.
    #[default]
    None,
    /// This many into one; the last bin takes what is left.
    Linear(usize),
    /// Widths that grow by the factor 1 + F from one original bin on.
    Geometric(f64),
}

impl Rebin {
    /// The ranges of `0 .. count` that become one bin each: adjacent, none empty, none lost.
    ///
    /// Geometric: edges in units of the original width are `e₀ = 0`, `e_{i+1} = e_i + (1 + F)^i`; original bin `k` has its
    /// centre at `k + ½`.
    ///
    /// # Errors
    /// A factor of 0, or a growth that is not a finite positive number.
    pub fn ranges(self, count: usize) -> Result<Vec<std::ops::Range<usize>>> {
        match self {
            Rebin::None => Ok((0..count).map(|k| k..k + 1).collect()),
            Rebin::Linear(0) => Err(Error::argument("--rebin", 0, "at least 1 bin makes a bin")),
            Rebin::Linear(by) => Ok((0..count).step_by(by).map(|k| k..(k + by).min(count)).collect()),
            Rebin::Geometric(growth) if growth.is_finite() && growth > 0.0 => {
                let mut ranges = Vec::new();
                let (mut from, mut edge, mut width) = (0, 0.0, 1.0);
                while from < count {
                    edge += width;
                    width *= 1.0 + growth;
                    let to = ((edge - 0.5).ceil().min(count as f64) as usize).max(from);
                    if to > from {
                        ranges.push(from..to);
                    }
                    from = to;
                }
                Ok(ranges)
            }
            Rebin::Geometric(growth) => Err(Error::argument("--rebin-log", growth, "must be a positive number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_goes_to_exactly_one() {
        for rebin in [Rebin::None, Rebin::Linear(7), Rebin::Linear(1), Rebin::Geometric(0.01), Rebin::Geometric(1.5)] {
            for count in [0, 1, 2, 6, 7, 8, 1000] {
                let ranges = rebin.ranges(count).unwrap();
                let mut at = 0;
                for r in &ranges {
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
        assert_eq!(ranges.iter().map(|r| r.len()).collect::<Vec<_>>(), [1, 2, 4, 8, 16]);
        assert!(Rebin::Geometric(0.0).ranges(3).is_err());
        assert!(Rebin::Linear(0).ranges(3).is_err());
    }
}
