//! Numbers and ranges as users write them: `0.5`, `1e-3`, `2^-13`, `1/256`, `3/2^10`, and `LO:HI`.

use eagleray::internal::footprint::Footprint;

/// Parses a finite number: a decimal, a power `BASE^EXPONENT`, or a quotient of two such numbers.
///
/// ```
/// use eagleray_cli::number::number;
/// assert_eq!(number("2^-13"), Ok(1.0 / 8192.0));
/// assert_eq!(number("1/256"), Ok(0.00390625));
/// ```
pub fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let value = match text.split_once('/') {
        Some((above, below)) => power(above)? / power(below)?,
        None => power(text)?,
    };
    if value.is_finite() { Ok(value) } else { Err(format!("'{text}' is not a finite number")) }
}

fn power(text: &str) -> Result<f64, String> {
    match text.split_once('^') {
        Some((base, exponent)) => {
            let (base, exponent) = (decimal(base)?, decimal(exponent)?);
            // powi is exact for powers of two, which is what bin widths are.
            if exponent.fract() == 0.0 && exponent.abs() < 1100.0 {
                Ok(base.powi(exponent as i32))
            } else {
                Ok(base.powf(exponent))
            }
        }
        None => decimal(text),
    }
}

fn decimal(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(value) if digits => Ok(value),
        _ => Err(format!("'{text}' is not a number: write it as 0.5, 1e-3, 2^-13 or 1/256")),
    }
}

/// [`number`], which must be above zero.
pub fn positive(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if value > 0.0 => Ok(value),
        _ => Err(format!("'{text}' must be above zero, for example 0.5 or 1/256")),
    }
}

/// [`number`], which must be between 0 and 1, and neither.
pub fn probability(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if value > 0.0 && value < 1.0 => Ok(value),
        value => Err(format!("{value} must be between 0 and 1")),
    }
}

/// A whole number from 0 on.
pub fn whole(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("'{text}' is not a whole number from 0 to 2^64 - 1, for example 42"))
}

/// A whole number above zero.
pub fn counting(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(format!("'{text}' is not a whole number above zero, for example 16")),
    }
}

/// A whole number of either sign.
pub fn integer(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("'{text}' is not a whole number, for example 3"))
}

/// A range `LO:HI`; whoever takes it says which ends it includes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberRange {
    /// Lower end.
    pub lo: f64,
    /// Upper end, above `lo`.
    pub hi: f64,
}

/// Parses `LO:HI` with `LO ≤ HI`, both ends included; each end is a [`number`].
pub fn closed_range(text: &str) -> Result<NumberRange, String> {
    let (lo, hi) = ends(text)?;
    if lo <= hi { Ok(NumberRange { lo, hi }) } else { Err(format!("'{text}': the lower bound is above the upper one")) }
}

fn ends(text: &str) -> Result<(f64, f64), String> {
    match text.split_once(':') {
        Some((lo, hi)) => Ok((number(lo)?, number(hi)?)),
        None => Err(format!("'{text}' is not a range: write it as LO:HI, for example 0.3:2")),
    }
}

/// Parses `LO:HI` with `LO < HI`; each end is a [`number`].
///
/// ```
/// use eagleray_cli::number::range;
/// let band = range("0.3:2").unwrap();
/// assert_eq!((band.lo, band.hi), (0.3, 2.0));
/// assert!(range("2:0.3").is_err());
/// ```
pub fn range(text: &str) -> Result<NumberRange, String> {
    let (lo, hi) = ends(text)?;
    if lo < hi {
        Ok(NumberRange { lo, hi })
    } else {
        Err(format!("'{text}' is empty: the first end must be below the second"))
    }
}

/// The most edges that `LO:HI:N` makes.
const MOST_EDGES: usize = 1 << 27;

/// Parses edges of bins: `LO:HI:N` for N of equal width, `LO:HI:N:log` for N of equal ratio, or a list `E0,E1,…`, ascending.
///
/// ```
/// use eagleray_cli::number::edges;
/// assert_eq!(edges("0:1:4"), Ok(vec![0.0, 0.25, 0.5, 0.75, 1.0]));
/// assert_eq!(edges("1:100:2:log"), Ok(vec![1.0, 10.0, 100.0]));
/// assert_eq!(edges("0.5,2,10"), Ok(vec![0.5, 2.0, 10.0]));
/// ```
pub fn edges(text: &str) -> Result<Vec<f64>, String> {
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let made = match parts[..] {
        [list] => list.split(',').map(number).collect::<Result<Vec<f64>, String>>()?,
        [lo, hi, n] | [lo, hi, n, "log"] => {
            let (lo, hi, n) = (number(lo)?, number(hi)?, counting(n)?);
            let log = parts.len() == 4;
            if n > MOST_EDGES || (log && lo <= 0.0) {
                return Err(format!("'{text}': at most {MOST_EDGES} bins, and logarithmic ones above zero"));
            }
            // The edges, and those of a copy that is made of them.
            let edges = Footprint::default().and(n, 2 * size_of::<f64>());
            edges.check(&format!("a list of {n} edges")).map_err(|e| e.to_string())?;
            let inner = |i: usize| match i as f64 / n as f64 {
                _ if i == n => hi,
                part if log => lo * (hi / lo).powf(part),
                part => lo + (hi - lo) * part,
            };
            (0..=n).map(inner).collect()
        }
        _ => return Err(format!("'{text}' is neither LO:HI:N, LO:HI:N:log, nor a list of edges")),
    };
    match made.len() > 1 && made.windows(2).all(|w| w[0] < w[1]) {
        true => Ok(made),
        false => Err(format!("'{text}': two edges or more, each above the one before")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_powers_and_quotients() {
        for (text, value) in [
            ("0.5", 0.5),
            (" -3 ", -3.0),
            ("1e-3", 1e-3),
            ("2^-13", 2f64.powi(-13)),
            ("2^0.5", 2f64.sqrt()),
            ("1/256", 1.0 / 256.0),
            ("3/2^10", 3.0 / 1024.0),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["", "abc", "1/0", "inf", "nan", "2^", "1/2/3", "2^2^2", "0x10", "10^400", "1,5"] {
            assert!(number(text).is_err(), "{text}");
        }
        assert!(number("1,5").unwrap_err().contains("1,5"));
        assert!(positive("0").is_err());
        assert!(positive("-1").unwrap_err().contains("'-1' must be above zero, for example"));
        assert!(whole("abc").unwrap_err().contains("'abc' is not a whole number"));
        assert_eq!((whole("0"), counting("16"), integer("-3")), (Ok(0), Ok(16), Ok(-3)));
        assert!(whole("-1").is_err() && counting("0").is_err() && integer("1.5").is_err());
    }

    #[test]
    fn edges_end_where_they_are_told_to() {
        assert_eq!(edges("0:0.3:3").unwrap().last(), Some(&0.3));
        assert_eq!(edges("-1, 0, 5"), Ok(vec![-1.0, 0.0, 5.0]));
        for text in ["", "1", "1:2", "1:2:0", "2:1:4", "1,1", "2,1", "0:1:3:log", "1:2:3:lin", "1:2:3:log:4", "0:1:1e9"]
        {
            assert!(edges(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(range("2^-3:1/2"), Ok(NumberRange { lo: 0.125, hi: 0.5 }));
        for text in ["1", "1:", ":1", "2:1", "1:1", "1:2:3"] {
            assert!(range(text).is_err(), "{text}");
        }
        assert!(range("1").unwrap_err().contains("LO:HI"));
    }
}
