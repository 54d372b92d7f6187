//! Time without loss: double-double seconds and the offsets of a file's clock.
//!
//! Event times stay the raw column of their file for ever; only the few numbers that are not events (starts of segments,
//! edges of good time intervals) are moved into the frame of that column, here, in double-double arithmetic. Nothing else
//! in the crate shifts a time.

use std::cmp::Ordering;

/// Seconds in a day.
pub const SECONDS_PER_DAY: f64 = 86_400.0;

/// A double-double number: the unevaluated sum `hi + lo` with `|lo| ≤ ulp(hi)/2`, about 106 bits.
///
/// Sums and products use the error-free transformations of Dekker (1971) and Knuth; both are accurate to a few units of
/// 2⁻¹⁰⁴, and sums of two `f64` are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dd {
    /// The number rounded to nearest.
    pub hi: f64,
    /// What the rounding left over.
    pub lo: f64,
}

/// `a + b` as rounded sum and exact remainder (Knuth).
fn two_sum(a: f64, b: f64) -> Dd {
    let hi = a + b;
    let bb = hi - a;
    Dd { hi, lo: (a - (hi - bb)) + (b - bb) }
}

/// `a · b` as rounded product and exact remainder.
fn two_prod(a: f64, b: f64) -> Dd {
    let hi = a * b;
    Dd { hi, lo: a.mul_add(b, -hi) }
}

impl Dd {
    /// Zero.
    pub const ZERO: Dd = Dd { hi: 0.0, lo: 0.0 };

    /// The exact sum of two `f64`.
    pub fn sum(a: f64, b: f64) -> Dd {
        two_sum(a, b)
    }

    /// The exact product of two `f64`.
    pub fn product(a: f64, b: f64) -> Dd {
        two_prod(a, b)
    }

    /// The nearest `f64`.
    pub fn value(self) -> f64 {
        self.hi
    }

    /// True when both parts are finite.
    pub fn is_finite(self) -> bool {
        self.hi.is_finite() && self.lo.is_finite()
    }

    /// The smallest `f64` that is not below this number: for any `f64` `t`, `t ≥ self` exactly when `t ≥ self.ceil_f64()`.
    pub fn ceil_f64(self) -> f64 {
        if self.lo > 0.0 { self.hi.next_up() } else { self.hi }
    }

    /// Rounded to a 64-bit significand: the x87 extended format of the peer's `numpy.longdouble`.
    pub fn round_to_extended(self) -> Dd {
        if self.lo == 0.0 {
            return self;
        }
        let exponent = ((self.hi.abs().to_bits() >> 52) as i32) - 1023;
        // Just below a power of two the sum has one binade less than `hi`.
        let below = self.hi.abs().to_bits() & ((1 << 52) - 1) == 0 && self.lo.signum() != self.hi.signum();
        let ulp = 2f64.powi(exponent - 63 - i32::from(below));
        Dd::sum(self.hi, (self.lo / ulp).round_ties_even() * ulp)
    }
}

impl From<f64> for Dd {
    fn from(hi: f64) -> Dd {
        Dd { hi, lo: 0.0 }
    }
}

impl std::ops::Neg for Dd {
    type Output = Dd;
    fn neg(self) -> Dd {
        Dd { hi: -self.hi, lo: -self.lo }
    }
}

impl std::ops::Add for Dd {
    type Output = Dd;
    fn add(self, b: Dd) -> Dd {
        let s = two_sum(self.hi, b.hi);
        let t = two_sum(self.lo, b.lo);
        let s = two_sum(s.hi, s.lo + t.hi);
        two_sum(s.hi, s.lo + t.lo)
    }
}

impl std::ops::Sub for Dd {
    type Output = Dd;
    fn sub(self, b: Dd) -> Dd {
        self + -b
    }
}

impl std::ops::Mul<f64> for Dd {
    type Output = Dd;
    fn mul(self, b: f64) -> Dd {
        let p = two_prod(self.hi, b);
        two_sum(p.hi, self.lo.mul_add(b, p.lo))
    }
}

impl PartialOrd for Dd {
    fn partial_cmp(&self, b: &Dd) -> Option<Ordering> {
        match self.hi.partial_cmp(&b.hi) {
            Some(Ordering::Equal) => self.lo.partial_cmp(&b.lo),
            other => other,
        }
    }
}

/// The reference epoch of a file's clock, as the standard writes it: whole days and a fraction, never added together.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MjdRef {
    /// MJDREFI.
    pub day: i64,
    /// MJDREFF, in days.
    pub fraction: f64,
}

impl MjdRef {
    /// Seconds from `self` to `other`: what to add to a time counted from `other` to count it from `self`.
    pub fn seconds_to(self, other: MjdRef) -> Dd {
        let days = Dd::product((other.day - self.day) as f64, SECONDS_PER_DAY);
        let fraction = Dd::sum(other.fraction, -self.fraction) * SECONDS_PER_DAY;
        days + fraction
    }

    /// The epoch as one number of days; for display only.
    pub fn value(self) -> f64 {
        self.day as f64 + self.fraction
    }
}

/// The clock of one event file: what to add to a raw time, and from where it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clock {
    /// Reference epoch, absent when the file has none.
    pub mjdref: Option<MjdRef>,
    /// Seconds from the raw event column to the frame: TIMEZERO + (0.5 − TIMEPIXR)·TIMEDEL.
    pub event_offset: Dd,
    /// Frame time or resolution of the time stamps in seconds (TIMEDEL), 0 when unknown.
    pub timedel: f64,
    /// TIMESYS, TIMEREF and PLEPHEM as written, empty when absent.
    pub timesys: String,
    /// See [`Clock::timesys`].
    pub timeref: String,
    /// See [`Clock::timesys`].
    pub plephem: String,
}

impl Clock {
    /// True when the times are those of the solar system's barycentre.
    pub fn is_barycentred(&self) -> bool {
        self.timeref.eq_ignore_ascii_case("SOLARSYSTEM")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_of_a_double_double_is_the_first_f64_not_below_it() {
        let start = Dd::sum(3e8, 1e-9);
        assert!(start.lo > 0.0);
        assert_eq!(start.ceil_f64(), 3e8f64.next_up());
        assert_eq!(Dd::sum(3e8, -1e-9).ceil_f64(), 3e8);
        assert_eq!(Dd::from(3e8).ceil_f64(), 3e8);
    }

    #[test]
    fn a_million_steps_of_a_third_do_not_drift() {
        let step = 1.0 / 3.0;
        let end = Dd::from(3e8) + Dd::product(step, 3e6);
        // 1/3 as f64 is 1/3 − 2^-54/3; three million of them miss 1e6 by 1e6·2^-54.
        let expected = -1e6 * 2f64.powi(-54);
        let rest = end - Dd::from(3e8 + 1e6);
        assert!((rest.hi - expected).abs() < 1e-22, "{rest:?}");
    }

    #[test]
    fn epochs_differ_exactly() {
        let a = MjdRef { day: 55197, fraction: 0.00076601852 };
        let b = MjdRef { day: 49353, fraction: 0.000696574074 };
        let d = b.seconds_to(a);
        let back = a.seconds_to(b);
        assert_eq!(d + back, Dd::ZERO);
        assert!((d.hi - 504_921_606.0).abs() < 1e-3);
    }

    #[test]
    fn extended_rounding_keeps_64_bits() {
        let x = Dd::sum(1.0, 2f64.powi(-64) * 1.5);
        assert_eq!(x.round_to_extended(), Dd::sum(1.0, 2f64.powi(-63)));
        let y = Dd::sum(1.0, -(2f64.powi(-65)));
        assert_eq!(y.round_to_extended(), Dd::from(1.0));
        let z = Dd::sum(1.0, -(2f64.powi(-64)));
        assert_eq!(z.round_to_extended(), z);
    }
}
