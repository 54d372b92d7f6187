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

/// A number with so many digits behind its point; what rounds to 0 has no sign.
pub struct Fixed(pub f64, pub usize);

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fixed(x, digits) = *self;
        let text = format!("{x:.digits$}");
        let zero = !text.bytes().any(|b| matches!(b, b'1'..=b'9') || b.is_ascii_alphabetic());
        f.write_str(if zero { text.trim_start_matches('-') } else { &text })
    }
}

/// True for characters that command a terminal or an editor and show nothing themselves: control characters, ends of lines and of paragraphs,
/// marks that turn the direction of what follows, joiners and other characters without width, and what is no character.
fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// What comes from files and their names, to be shown: what a terminal would obey is `?`, such as control characters.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_command(c) { '?' } else { c }).collect()
}

/// JSON in which what a terminal would obey is escaped, as `\u202e`: it reads back as the same values. Ends of lines between values stay.
pub fn escaped_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push(c),
            // In JSON such characters stand in strings alone, whose escapes are of UTF-16.
            c if is_command(c) => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}"));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Values in a row: `1, 2.5, 3`; of many the first [`MOST_LISTED`], and how many more there are.
pub struct List<'a, T>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(MOST_LISTED).enumerate().try_for_each(|(i, value)| {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{value}")
        })?;
        match self.0.len().saturating_sub(MOST_LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Values that a list in a message has: the detectors of any instrument, and less than a file may hold of anything.
pub const MOST_LISTED: usize = 64;

/// Digits in a row, with their point, that a message shows; f64 and 64-bit integers have fewer but for zeros.
const MOST_DIGITS: usize = 40;

/// A text in which numbers of more digits than a message shows are written with an exponent.
pub fn short_digits(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let (mut short, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(begin) = rest.find(is_digit) {
        let (before, from) = rest.split_at(begin);
        let (digits, after) = from.split_at(from.find(|c| !is_digit(c)).unwrap_or(from.len()));
        short += before;
        match digits.parse::<f64>() {
            Ok(number) if digits.len() > MOST_DIGITS && number.is_finite() => short += &format!("{number:e}"),
            _ if digits.len() > MOST_DIGITS => {
                short += &format!("{}… ({} digits)", digits.get(..MOST_DIGITS / 2).unwrap_or_default(), digits.len());
            }
            _ => short += digits,
        }
        rest = after;
    }
    short + rest
}

/// Bytes as people read them: `1.5 GB`.
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = if self.0 < 1_000_000_000 { (1e6, "MB") } else { (1e9, "GB") };
        write!(f, "{} {name}", ShortNumber((self.0 as f64 / unit * 10.0).round() / 10.0))
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
    fn nothing_commands_a_terminal() {
        let text = "a\u{202e}b\u{2028}c\u{85}d\u{1b}[2Je\u{200b}f\u{e0041}µ°é";
        assert_eq!(plain(text), "a?b?c?d?[2Je?f?µ°é");
        let json = serde_json::json!({ "a": text, "b": [1, "\n"] });
        for written in [json.to_string(), format!("{json:#}")] {
            let escaped = escaped_json(&written);
            assert!(!escaped.chars().any(|c| c != '\n' && is_command(c)), "{escaped}");
            assert!(escaped.contains(r"a\u202eb\u2028c\u0085d\u001b[2Je\u200bf\udb40\udc41µ°é"), "{escaped}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), json);
        }
    }

    #[test]
    fn long_numbers_have_an_exponent() {
        let ones = "1".repeat(300);
        let long = "1.1111111111111112e299";
        assert_eq!(short_digits(&format!("1:{ones} of '{ones}.5'")), format!("1:{long} of '{long}'"));
        assert_eq!(short_digits(&"9".repeat(400)), "99999999999999999999… (400 digits)");
        assert_eq!(
            short_digits("0.00012500000002546585 Hz, 18446744073709551615"),
            "0.00012500000002546585 Hz, 18446744073709551615"
        );
        assert_eq!(short_digits("a name 2.5.7 of µ, and no number."), "a name 2.5.7 of µ, and no number.");
    }

    #[test]
    fn zero_has_no_sign() {
        let shown =
            [-0.001, -0.0, 0.004, -0.005001, -12.5, f64::NAN, f64::NEG_INFINITY].map(|x| Fixed(x, 2).to_string());
        assert_eq!(shown, ["0.00", "0.00", "0.00", "-0.01", "-12.50", "NaN", "-inf"]);
    }

    #[test]
    fn values_stand_in_a_row() {
        assert_eq!(List(&[1.0, 2.5, 3.0]).to_string(), "1, 2.5, 3");
        assert!(List(&[7; MOST_LISTED]).to_string().ends_with(", 7"));
        assert!(List(&[7; 40_000]).to_string().ends_with(", 7 and 39936 more"));
        assert_eq!(
            [12_340_000, 999_999_999, 1_540_000_000].map(|n| Bytes(n).to_string()),
            ["12.3 MB", "1000 MB", "1.5 GB"]
        );
        assert_eq!(List::<f64>(&[]).to_string(), "");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([count(0, "bin"), count(1, "bin"), count(2, "bin")], ["0 bins", "1 bin", "2 bins"]);
    }
}
