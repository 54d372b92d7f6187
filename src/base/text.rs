//! Numbers and counts as messages write them; products keep every digit.

use std::fmt;

/// A number with the digits that a reader needs: as it is where ten suffice (2^-13 does), else rounded to six.
pub struct ShortNumber(pub f64);

impl ShortNumber {
    /// The number that is shown.
    pub fn value(&self) -> f64 {
        let ShortNumber(x) = *self;
        let shortest = format!("{x:e}");
        let digits = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
        if digits <= 10 { x } else { format!("{x:.5e}").parse().unwrap_or(x) }
    }
}

impl fmt::Display for ShortNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.value();
        let plain = x == 0.0 || !x.is_finite() || (1e-5..1e15).contains(&x.abs());
        if plain { write!(f, "{x}") } else { write!(f, "{x:e}") }
    }
}

/// What comes from files and their names, to be shown: control characters are `?`, for no terminal shall obey them.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Values in a row: `1, 2.5, 3`.
pub struct List<'a, T>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, value)| {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{value}")
        })
    }
}

/// `1 segment`, `2 segments`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_the_digits_that_nobody_reads() {
        for (x, text) in [
            (13.299999999999, "13.3"),
            (2f64.powi(-13), "0.0001220703125"),
            (1.0 / 3.0, "0.333333"),
            (3500.0, "3500"),
            (-133.0 * 0.1, "-13.3"),
            (1e9, "1000000000"),
            (6.4e12 + 0.1, "6400000000000"),
            (9.5367431640625e-7, "9.53674e-7"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(ShortNumber(x).to_string(), text);
        }
    }

    #[test]
    fn values_stand_in_a_row() {
        assert_eq!(List(&[1.0, 2.5, 3.0]).to_string(), "1, 2.5, 3");
        assert_eq!(List::<f64>(&[]).to_string(), "");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([count(0, "bin"), count(1, "bin"), count(2, "bin")], ["0 bins", "1 bin", "2 bins"]);
    }
}
