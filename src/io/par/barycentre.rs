//! Whether the barycentre of events is that of a `.par` file.

use super::ParFile;
use super::keys::direction;
use crate::base::warning::Warnings;

/// Light time of the astronomical unit, s (IAU 2012, 149597870700 m).
const AU_SECONDS: f64 = 149_597_870_700.0 / 299_792_458.0;
/// Part of a cycle from which on it is told that the barycentre was that of another position.
const TELLING_CYCLES: f64 = 0.01;

/// The name of an ephemeris of the solar system, of which headers and `.par` files write `JPL-DE405`, `DE405`, `JPLEPH.405`, `DE440t`:
/// JPL's number, or what is written.
fn ephemeris_name(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    let number: String = upper.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let of_jpl = upper.starts_with("DE") || upper.starts_with("JPL");
    if of_jpl && !number.is_empty() { format!("DE{number}") } else { upper }
}

impl ParFile {
    /// Warns of barycentred events whose header has another ephemeris of the solar system (PLEPHEM), or another position (RA_OBJ and
    /// DEC_OBJ, degrees), than this file: their times may have been corrected by those. A position that is off by the angle θ
    /// shifts times by up to 2·sin(θ/2) of the light time of the astronomical unit, in the course of a year.
    pub(crate) fn compare_barycentre(
        &self,
        events: &str,
        (plephem, position): (&str, Option<[f64; 2]>),
        warnings: &mut Warnings,
    ) {
        let [own, other] = [self.ephem.as_str(), plephem].map(ephemeris_name);
        if own != other && !own.is_empty() && !other.is_empty() {
            let message = format!(
                "{}: EPHEM is {own}, but PLEPHEM of {events} is {other}; another barycentre shifts times in the course of years: \
                 those of DE405, DE421 and DE423 are within 7 µs of each other, DE440 is 0.40 ms from them, of which 0.04 ms \
                 change (1990 to 2030)",
                self.path
            );
            warnings.push("W-PAR-EPHEM", message);
        }
        let Some([own, other]) = self.position.zip(position).map(|(a, b)| [a, b].map(direction)) else { return };
        let chord = own.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let seconds = AU_SECONDS * chord;
        let cycles = seconds * self.ephemeris.freq.value();
        if cycles >= TELLING_CYCLES {
            let arcseconds = 2.0 * (chord / 2.0).min(1.0).asin().to_degrees() * 3600.0;
            let message = format!(
                "{}: its position is {arcseconds:.2} arcsec from RA_OBJ and DEC_OBJ of {events}; if the times were barycentred \
                 for those, they are off by up to {:.3} ms ({cycles:.3} cycle), in the course of a year",
                self.path,
                1e3 * seconds
            );
            warnings.push("W-PAR-POSITION", message);
        }
    }
}
