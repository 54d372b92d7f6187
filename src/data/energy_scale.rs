//! Energy bands to ranges of channels, once, in exact decimal arithmetic.
//!
//! In binary, `0.01·PI` misses its decimal for 201 of 1501 channels, and photons on an edge leak into the wrong band. Here
//! `LO ≤ E < HI` becomes an integer range of channels before any event is read.

use super::ChannelRange;
use crate::base::error::{Error, Result};

/// Decimal places kept; finer digits of a bound are beyond every instrument.
const PLACES: usize = 18;

/// A decimal number, stored exactly as a whole number of 10⁻¹⁸.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

impl Decimal {
    /// The decimal that a user wrote as `x`: the shortest decimal that reads back as `x`, cut after 18 places. `None`
    /// if `x` is not finite or too large.
    pub fn new(x: f64) -> Option<Decimal> {
        if !x.is_finite() || x.abs() >= 1e15 {
            return None;
        }
        Decimal::parse(&format!("{x}"))
    }

    /// The shortest decimal that reads back as the single-precision `x`, cut after 18 places.
    pub(crate) fn from_f32(x: f32) -> Option<Decimal> {
        if !x.is_finite() || x.abs() >= 1e15 {
            return None;
        }
        Decimal::parse(&format!("{x}"))
    }

    /// The sum of two.
    pub(crate) fn plus(self, other: Decimal) -> Decimal {
        Decimal(self.0 + other.0)
    }

    /// Divided by an integer, cut after 18 places.
    pub(crate) fn divided(self, by: i128) -> Decimal {
        Decimal(self.0 / by)
    }

    /// Plain decimal notation, without an exponent.
    fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |t| (true, t));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(PLACES).collect();
        let value: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal(if negative { -value } else { value }))
    }

    /// The smallest integer not below `self / unit`.
    fn ceil_div(self, unit: Decimal) -> i128 {
        -(-self.0).div_euclid(unit.0)
    }
}

/// How the channels of a mission become energies in keV. The energy of a channel is that of its centre.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnergyScale {
    /// `keV = gain·channel + offset`, both decimals as published.
    Linear {
        /// keV a channel.
        gain: &'static str,
        /// keV at channel 0.
        offset: &'static str,
    },
    /// The column holds energies itself.
    Energy {
        /// Unit of the column, eV.
        ev: u32,
    },
    /// RXTE: twice the centre of each local channel in units of 0.01 keV, for PCU 0 and for the other PCUs.
    Table {
        /// Values for PCU 0, one a local channel.
        pcu0: Vec<u32>,
        /// Values for PCUs 1 to 4, one a local channel.
        others: Vec<u32>,
    },
    /// Twice the centre of each channel in keV, in order, from the EBOUNDS extension of a response file.
    Bounds {
        /// The first channel.
        first: i64,
        /// One value a channel, ascending or descending.
        doubled_centres: Vec<Decimal>,
    },
}

impl EnergyScale {
    /// The range of channels whose centres `E` lie in `lo ≤ E < hi` (keV).
    ///
    /// # Errors
    /// `lo` or `hi` is not finite, `lo` is not below `hi`, or the centre of no channel lies in the band.
    pub fn band(&self, lo: f64, hi: f64) -> Result<ChannelRange> {
        let text = format!("{lo}:{hi}");
        let bad = |message: &str| Error::argument("energy", &text, message);
        let (Some(low), Some(high)) = (Decimal::new(lo), Decimal::new(hi)) else {
            return Err(bad("bounds must be finite numbers of keV"));
        };
        if low >= high {
            return Err(bad("the lower bound must be below the upper one"));
        }
        let range = match self {
            EnergyScale::Linear { gain, offset } => {
                let (gain, offset) = linear(gain, offset);
                let first = Decimal(low.0 - offset.0).ceil_div(gain);
                let last = Decimal(high.0 - offset.0).ceil_div(gain) - 1;
                (first <= last).then(|| ChannelRange::channels(first as f64, last as f64))
            }
            EnergyScale::Energy { ev } => {
                let units = |d: Decimal| decimal_to_f64(d.0 * 1000 / i128::from(*ev).max(1));
                Some(ChannelRange { lo: units(low), hi: units(high), detector0: None, closed: false })
            }
            EnergyScale::Table { pcu0, others } => match (table_range(others, low, high), table_range(pcu0, low, high))
            {
                (None, None) => None,
                (a, b) => {
                    // An empty range keeps nothing.
                    let (lo, hi) = a.unwrap_or((1.0, 0.0));
                    Some(ChannelRange { lo, hi, detector0: Some(b.unwrap_or((1.0, 0.0))), closed: true })
                }
            },
            EnergyScale::Bounds { first, doubled_centres } => {
                let inside = |c: &Decimal| (2 * low.0..2 * high.0).contains(&c.0);
                let from = doubled_centres.iter().position(inside);
                let to = doubled_centres.iter().rposition(inside);
                let channel = |at: usize| (first + at as i64) as f64;
                from.zip(to).map(|(a, b)| ChannelRange::channels(channel(a), channel(b)))
            }
        };
        range.ok_or_else(|| bad("no channel's centre lies in this band"))
    }

    /// The energy of the centre of a channel in keV, for display.
    pub fn energy(&self, channel: f64) -> f64 {
        match self {
            EnergyScale::Linear { gain, offset } => {
                let (gain, offset) = linear(gain, offset);
                channel * decimal_to_f64(gain.0) + decimal_to_f64(offset.0)
            }
            EnergyScale::Energy { ev } => channel * f64::from(*ev) / 1000.0,
            EnergyScale::Bounds { first, doubled_centres } => {
                let at = (channel as i64).checked_sub(*first).and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| doubled_centres.get(at)).map_or(f64::NAN, |c| decimal_to_f64(c.0) / 2.0)
            }
            EnergyScale::Table { others, .. } => {
                others.get(channel.max(0.0) as usize).map_or(f64::NAN, |&c| f64::from(c) / 200.0)
            }
        }
    }
}

#[expect(clippy::expect_used, reason = "both are constants of the table of missions, which a test parses")]
fn linear(gain: &str, offset: &str) -> (Decimal, Decimal) {
    let parse = |text| Decimal::parse(text).expect("the table of missions holds decimals");
    (parse(gain), parse(offset))
}

/// Units of 10⁻¹⁸ to the nearest f64, by way of the decimal's text.
#[expect(clippy::expect_used, reason = "no integer is without a decimal")]
fn decimal_to_f64(value: i128) -> f64 {
    format!("{value}e-18").parse().expect("an integer with an exponent is a number")
}

/// First and last local channel whose centre lies in the band.
fn table_range(doubled_centres: &[u32], low: Decimal, high: Decimal) -> Option<(f64, f64)> {
    // 1/200 keV in units of 10⁻¹⁸.
    let unit = 10i128.pow(PLACES as u32) / 200;
    let inside = |&c: &u32| (low.0..high.0).contains(&(i128::from(c) * unit));
    let first = doubled_centres.iter().position(inside)?;
    let last = doubled_centres.iter().rposition(inside)?;
    Some((first as f64, last as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_of_a_hundredth_of_a_kev_is_its_own_band() {
        let nicer = EnergyScale::Linear { gain: "0.01", offset: "0" };
        for pi in 0..1501u32 {
            let (lo, hi) = (f64::from(pi) / 100.0, f64::from(pi + 1) / 100.0);
            assert_eq!(nicer.band(lo, hi).unwrap(), ChannelRange::channels(f64::from(pi), f64::from(pi)));
        }
    }

    #[test]
    fn nustar_bands_meet_without_sharing_a_channel() {
        let nustar = EnergyScale::Linear { gain: "0.04", offset: "1.62" };
        let low = nustar.band(3.0, 10.0).unwrap();
        let high = nustar.band(10.0, 79.0).unwrap();
        // 3 keV is channel 34.5; 10 keV is 209.5; 79 keV is 1934.5.
        assert_eq!((low.lo, low.hi), (35.0, 209.0));
        assert_eq!((high.lo, high.hi), (210.0, 1934.0));
        assert!((nustar.energy(35.0) - 3.02).abs() < 1e-12);
    }

    #[test]
    fn bands_that_hold_nothing_are_refused() {
        let nicer = EnergyScale::Linear { gain: "0.01", offset: "0" };
        for (lo, hi) in [(2.0, 2.0), (3.0, 1.0), (0.001, 0.002), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(nicer.band(lo, hi).is_err(), "{lo}:{hi}");
        }
    }

    #[test]
    fn negative_lower_bounds_round_towards_the_band() {
        let scale = EnergyScale::Linear { gain: "0.04", offset: "1.62" };
        let range = scale.band(0.0, 1.7).unwrap();
        assert_eq!((range.lo, range.hi), (-40.0, 1.0));
    }
}
