//! Time without rounding errors: double-double seconds, and the clock of a file.
//!
//! Event times stay as the TIME column has them. Only the few numbers that are not events (starts of segments, edges of
//! good time intervals) are moved to the clock of that column, here, in double-double arithmetic. Nothing else in the
//! crate shifts a time.

use std::cmp::Ordering;

/// Seconds in a day.
pub const SECONDS_PER_DAY: f64 = 86_400.0;

/// A double-double number: the sum `hi + lo`, not evaluated, with `|lo| ≤ ulp(hi)/2`; about 106 bits.
///
/// Sums and products use the error-free transformations of Dekker (1971) and Knuth; both are accurate to a few units of
/// 2⁻¹⁰⁴, and sums of two `f64` are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DoubleDouble {
    /// The number, rounded to the nearest `f64`.
    pub hi: f64,
    /// The rest: the number less `hi`.
    pub lo: f64,
}

/// `a + b` as rounded sum and exact remainder (Knuth).
fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let bb = hi - a;
    DoubleDouble { hi, lo: (a - (hi - bb)) + (b - bb) }
}

/// `a · b` as rounded product and exact remainder.
fn two_prod(a: f64, b: f64) -> DoubleDouble {
    let hi = a * b;
    DoubleDouble { hi, lo: a.mul_add(b, -hi) }
}

impl DoubleDouble {
    /// Zero.
    pub const ZERO: DoubleDouble = DoubleDouble { hi: 0.0, lo: 0.0 };

    /// The exact sum of two `f64`.
    pub fn sum(a: f64, b: f64) -> DoubleDouble {
        two_sum(a, b)
    }

    /// The exact product of two `f64`.
    pub fn product(a: f64, b: f64) -> DoubleDouble {
        two_prod(a, b)
    }

    /// The nearest `f64`.
    pub fn value(self) -> f64 {
        self.hi
    }

    /// The reciprocal `1/self`, accurate to a few units of 2⁻¹⁰⁴.
    #[must_use]
    pub fn recip(self) -> DoubleDouble {
        let q = self.hi.recip();
        // One step of Newton's: q + q·(1 − q·self).
        DoubleDouble::from(q) + (DoubleDouble::from(1.0) - self * q) * q
    }

    /// This number of cycles less the nearest whole number: a phase from −½ to ½.
    #[must_use]
    pub fn wrapped(self) -> DoubleDouble {
        let rest = self - DoubleDouble::from(self.hi.round());
        rest - DoubleDouble::from(rest.hi.round())
    }

    /// True if both parts are finite.
    pub fn is_finite(self) -> bool {
        self.hi.is_finite() && self.lo.is_finite()
    }

    /// The smallest `f64` that is not below this number: for any `f64` `t`, `t ≥ self` exactly when `t ≥ self.ceil_f64()`.
    pub fn ceil_f64(self) -> f64 {
        if self.lo > 0.0 { self.hi.next_up() } else { self.hi }
    }

    /// The number rounded to a significand of 64 bits: the x87 extended format of numpy's `longdouble`, in which
    /// Stingray keeps times.
    #[must_use]
    pub fn round_to_extended(self) -> DoubleDouble {
        if self.lo == 0.0 {
            return self;
        }
        let exponent = ((self.hi.abs().to_bits() >> 52) as i32) - 1023;
        // Just below a power of two the sum has one binade less than `hi`.
        let below = self.hi.abs().to_bits() & ((1 << 52) - 1) == 0 && self.lo.signum() != self.hi.signum();
        let ulp = 2f64.powi(exponent - 63 - i32::from(below));
        DoubleDouble::sum(self.hi, (self.lo / ulp).round_ties_even() * ulp)
    }
}

impl From<f64> for DoubleDouble {
    fn from(hi: f64) -> DoubleDouble {
        DoubleDouble { hi, lo: 0.0 }
    }
}

impl std::ops::Neg for DoubleDouble {
    type Output = DoubleDouble;
    fn neg(self) -> DoubleDouble {
        DoubleDouble { hi: -self.hi, lo: -self.lo }
    }
}

impl std::ops::Add for DoubleDouble {
    type Output = DoubleDouble;
    fn add(self, b: DoubleDouble) -> DoubleDouble {
        let s = two_sum(self.hi, b.hi);
        let t = two_sum(self.lo, b.lo);
        let s = two_sum(s.hi, s.lo + t.hi);
        two_sum(s.hi, s.lo + t.lo)
    }
}

impl std::ops::Sub for DoubleDouble {
    type Output = DoubleDouble;
    fn sub(self, b: DoubleDouble) -> DoubleDouble {
        self + -b
    }
}

impl std::ops::Mul<f64> for DoubleDouble {
    type Output = DoubleDouble;
    fn mul(self, b: f64) -> DoubleDouble {
        let p = two_prod(self.hi, b);
        two_sum(p.hi, self.lo.mul_add(b, p.lo))
    }
}

impl std::ops::Mul for DoubleDouble {
    type Output = DoubleDouble;
    fn mul(self, b: DoubleDouble) -> DoubleDouble {
        let p = two_prod(self.hi, b.hi);
        two_sum(p.hi, self.hi.mul_add(b.lo, self.lo.mul_add(b.hi, p.lo)))
    }
}

impl std::ops::Div<f64> for DoubleDouble {
    type Output = DoubleDouble;
    fn div(self, b: f64) -> DoubleDouble {
        let q = self.hi / b;
        two_sum(q, (-q).mul_add(b, self.hi) / b + self.lo / b)
    }
}

/// A decimal, with all of its digits that 106 bits hold: `29.946923`, `-3.8e-10`, or `-3.8D-10` as Fortran writes it.
impl std::str::FromStr for DoubleDouble {
    type Err = String;
    fn from_str(text: &str) -> Result<DoubleDouble, String> {
        // 36 digits are more than 106 bits, and fit into 127.
        const DIGITS: u128 = 10u128.pow(35);
        let bad = || format!("'{}' is not a decimal number", text.escape_debug());
        let (number, exponent) = match text.trim().split_once(['e', 'E', 'd', 'D']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| bad())?),
            None => (text.trim(), 0),
        };
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (mut significand, mut shift, mut seen, mut point) = (0u128, i64::from(exponent), false, false);
        for byte in digits.bytes() {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    let kept = significand < DIGITS;
                    if kept {
                        significand = 10 * significand + u128::from(byte - b'0');
                    }
                    shift += i64::from(!kept) - i64::from(point);
                }
                b'.' if !point => point = true,
                _ => return Err(bad()),
            }
        }
        if !seen {
            return Err(bad());
        }
        let hi = significand as f64;
        let mut value = two_sum(hi, (significand as i128 - hi as i128) as f64);
        // Powers of ten up to 22 are f64; whatever has more than a thousand is zero, or too large.
        let mut shift = if significand == 0 { 0 } else { shift.clamp(-1000, 1000) };
        while shift != 0 {
            let step = shift.clamp(-22, 22) as i32;
            let ten = 10f64.powi(step.abs());
            value = if step > 0 { value * ten } else { value / ten };
            shift -= i64::from(step);
        }
        match value.is_finite() {
            true => Ok(if number.starts_with('-') { -value } else { value }),
            false => Err(bad()),
        }
    }
}

impl PartialOrd for DoubleDouble {
    fn partial_cmp(&self, b: &DoubleDouble) -> Option<Ordering> {
        match self.hi.partial_cmp(&b.hi) {
            Some(Ordering::Equal) => self.lo.partial_cmp(&b.lo),
            other => other,
        }
    }
}

/// The reference epoch MJDREF of a file's clock: whole days and a fraction of a day, which are never added, so that no
/// digit is lost.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MjdRef {
    /// Whole days, keyword MJDREFI.
    pub day: i64,
    /// Fraction of a day, keyword MJDREFF.
    pub fraction: f64,
}

impl MjdRef {
    /// Seconds from this epoch to `other`: what must be added to a time counted from `other` to have one counted from
    /// this epoch.
    pub fn seconds_to(self, other: MjdRef) -> DoubleDouble {
        let days = DoubleDouble::product((other.day - self.day) as f64, SECONDS_PER_DAY);
        let fraction = DoubleDouble::sum(other.fraction, -self.fraction) * SECONDS_PER_DAY;
        days + fraction
    }

    /// A time given as MJD, in seconds from this epoch.
    pub fn seconds_of(self, mjd: DoubleDouble) -> DoubleDouble {
        (mjd - DoubleDouble::from(self.day as f64) - DoubleDouble::from(self.fraction)) * SECONDS_PER_DAY
    }

    /// A time given in seconds from this epoch, as MJD.
    pub fn mjd_of(self, seconds: DoubleDouble) -> DoubleDouble {
        seconds / SECONDS_PER_DAY + DoubleDouble::from(self.fraction) + DoubleDouble::from(self.day as f64)
    }

    /// The epoch as a single number of days, for display.
    pub fn value(self) -> f64 {
        self.day as f64 + self.fraction
    }
}

/// The clock of one event file. An event time in the frame (seconds from MJDREF) is the value of the TIME column plus
/// `event_offset`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Clock {
    /// Reference epoch MJDREF; `None` if the file has none.
    pub mjdref: Option<MjdRef>,
    /// Seconds to add to the TIME column to have seconds of the frame: TIMEZERO + (0.5 − TIMEPIXR)·TIMEDEL.
    pub event_offset: DoubleDouble,
    /// Frame time or resolution of the time stamps, s (TIMEDEL); 0 if unknown.
    pub timedel: f64,
    /// Keyword TIMESYS (time system), as written; empty if it is absent.
    pub timesys: String,
    /// Keyword TIMEREF (reference position of the times), as written; empty if it is absent.
    pub timeref: String,
    /// Keyword PLEPHEM (solar system ephemeris), as written; empty if it is absent.
    pub plephem: String,
}

impl Clock {
    /// True if the times are those of the barycentre of the solar system.
    pub fn is_barycentred(&self) -> bool {
        self.timeref.eq_ignore_ascii_case("SOLARSYSTEM")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_of_a_double_double_is_the_first_f64_not_below_it() {
        let start = DoubleDouble::sum(3e8, 1e-9);
        assert!(start.lo > 0.0);
        assert_eq!(start.ceil_f64(), 3e8f64.next_up());
        assert_eq!(DoubleDouble::sum(3e8, -1e-9).ceil_f64(), 3e8);
        assert_eq!(DoubleDouble::from(3e8).ceil_f64(), 3e8);
    }

    #[test]
    fn a_million_steps_of_a_third_do_not_drift() {
        let step = 1.0 / 3.0;
        let end = DoubleDouble::from(3e8) + DoubleDouble::product(step, 3e6);
        // 1/3 as f64 is 1/3 − 2^-54/3; three million of them miss 1e6 by 1e6·2^-54.
        let expected = -1e6 * 2f64.powi(-54);
        let rest = end - DoubleDouble::from(3e8 + 1e6);
        assert!((rest.hi - expected).abs() < 1e-22, "{rest:?}");
    }

    #[test]
    fn epochs_differ_exactly() {
        let a = MjdRef { day: 55197, fraction: 0.00076601852 };
        let b = MjdRef { day: 49353, fraction: 0.000696574074 };
        let d = b.seconds_to(a);
        let back = a.seconds_to(b);
        assert_eq!(d + back, DoubleDouble::ZERO);
        assert!((d.hi - 504_921_606.0).abs() < 1e-3);
    }

    #[test]
    fn decimals_keep_thirty_digits() {
        let parsed = |text: &str| text.parse::<DoubleDouble>();
        // The f64 next to 0.1 is 5.551115123125783e-18 above it.
        let tenth = parsed("0.1").unwrap();
        assert_eq!((tenth.hi, tenth.lo), (0.1, -5.551_115_123_125_783e-18));
        for text in ["1e-1", "1D-1", "1.0d-01", "+.1", "0.10000", "100000000000000000000000000000000000000000e-42"] {
            assert_eq!(parsed(text), Ok(tenth), "{text}");
        }
        let third = parsed("0.333333333333333333333333333333333333333333").unwrap();
        let rest = third * 3.0 - DoubleDouble::from(1.0);
        assert!(rest.value().abs() < 1e-31, "{rest:?}");
        assert_eq!(parsed("-55000.5"), Ok(DoubleDouble::from(-55_000.5)));
        assert_eq!(parsed("0e99999"), Ok(DoubleDouble::ZERO));
        assert_eq!(parsed("1e-99999"), Ok(DoubleDouble::ZERO));
        assert_eq!(parsed("641.92822212345678901234567890").unwrap().value(), 641.928_222_123_456_8);
        for bad in ["", ".", "-", "1.2.3", "abc", "1e", "e5", "1e99999", "1 2", "nan", "inf", "0x10", "--1", "1e1e1"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quotients_and_products_return() {
        for x in [3.0, 0.1, 86_400.0, 7.7e-5, 1e12] {
            let x = DoubleDouble::sum(x, 1e-18 * x);
            let one = x * x.recip() - DoubleDouble::from(1.0);
            assert!(one.value().abs() < 1e-30, "{one:?}");
            let back = (x / 7.3) * 7.3 - x;
            assert!((back.value() / x.value()).abs() < 1e-30, "{back:?}");
        }
        assert_eq!(DoubleDouble::sum(1e15 + 0.5, 1e-10).wrapped(), DoubleDouble::sum(-0.5, 1e-10));
        let mjdref = MjdRef { day: 56_658, fraction: 7.775925925925926e-4 };
        let there = mjdref.mjd_of(DoubleDouble::sum(3.1e8, 1e-9));
        assert!((mjdref.seconds_of(there) - DoubleDouble::sum(3.1e8, 1e-9)).value().abs() < 1e-20);
    }

    #[test]
    fn extended_rounding_keeps_64_bits() {
        let x = DoubleDouble::sum(1.0, 2f64.powi(-64) * 1.5);
        assert_eq!(x.round_to_extended(), DoubleDouble::sum(1.0, 2f64.powi(-63)));
        let y = DoubleDouble::sum(1.0, -(2f64.powi(-65)));
        assert_eq!(y.round_to_extended(), DoubleDouble::from(1.0));
        let z = DoubleDouble::sum(1.0, -(2f64.powi(-64)));
        assert_eq!(z.round_to_extended(), z);
    }
}
