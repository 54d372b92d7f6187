//! The keys of `.par` files: which are used, refused and passed over, and what their values are.

use std::collections::BTreeMap;

use crate::base::error::Result;
use crate::base::time::{DoubleDouble, SECONDS_PER_DAY};
use crate::io::input_file::format_error;

/// Keys with their other names.
pub(super) const USED_KEYS: [&[&str]; 31] = [
    &["PSR", "PSRJ", "PSRB", "PSRNAME"],
    &["F0", "F"],
    &["F1"],
    &["F2"],
    &["PEPOCH"],
    &["START"],
    &["FINISH"],
    &["UNITS"],
    &["TZRMJD"],
    &["TZRSITE"],
    &["TZRFRQ"],
    &["DM"],
    &["EPHEM"],
    &["RAJ", "RA"],
    &["DECJ", "DEC"],
    &["ELONG", "LAMBDA"],
    &["ELAT", "BETA"],
    &["BINARY"],
    &["A1"],
    &["PB"],
    &["FB0"],
    &["TASC"],
    &["T0"],
    &["ECC", "E"],
    &["OM"],
    &["EPS1"],
    &["EPS2"],
    &["PBDOT"],
    &["XDOT", "A1DOT"],
    &["OMDOT"],
    &["GAMMA"],
];

/// Keys that move phases in ways that are not computed here: refused unless their value is zero. A star stands for anything, `#`
/// for a number.
pub(super) const REFUSED_KEYS: [&str; 50] = [
    "P", "P0", "P1", "PDOT", "F#", "FB#", "GL*", "WAVE*", "WX*", "IFUNC*", "SIFUNC", "PWEP*", "PWSTART*", "PWSTOP*",
    "PWPH*", "PWF*", "EDOT", "ECCDOT", "LNEDOT", "EPS1DOT", "EPS2DOT", "SINI", "M2", "SHAPMAX", "VARSIGMA", "STIGMA",
    "STIG", "H3", "H4", "NHARMS", "KIN", "KOM", "DR", "DTH", "DTHETA", "A0", "B0", "XPBDOT", "XOMDOT", "A1_*", "PB_*",
    "T0_*", "E_*", "OM_*", "PHOFF", "MTOT", "X2DOT", "ORBWAVE*", "JUMP MJD", "JUMP TEL",
];

/// Keys that move no phase of barycentred X-rays, besides [`DISPERSING_KEYS`].
pub(super) const IGNORED_KEYS: [&str; 43] = [
    "PMRA",
    "PMDEC",
    "PMRV",
    "PX",
    "POSEPOCH",
    "PMLAMBDA",
    "PMBETA",
    "PMELONG",
    "PMELAT",
    "ECL",
    "DM*",
    "CM*",
    "FD*",
    "SWM",
    "SWX*",
    "CLK",
    "CLOCK",
    "TIMEEPH",
    "T2CMETHOD",
    "CORRECT_TROPOSPHERE",
    "PLANET_SHAPIRO",
    "DILATEFREQ",
    "NTOA",
    "TRES",
    "CHI2*",
    "MODE",
    "INFO",
    "NITS",
    "IBOOT",
    "EPHVER",
    "DCOVFILE",
    "JUMP*",
    "EFAC*",
    "EQUAD*",
    "ECORR*",
    "T2EFAC*",
    "T2EQUAD*",
    "T2ECORR*",
    "TN*",
    "RNAMP",
    "RNIDX",
    "RM*",
    "TRACK",
];

/// Keys that move no phase of barycentred X-rays but delay radio pulses, and so move phase 0 where it is that of a finite
/// frequency.
pub(super) const DISPERSING_KEYS: [&str; 15] = [
    "DM#",
    "DMX_*",
    "DMWXSIN_*",
    "DMWXCOS_*",
    "FD#",
    "NE_SW*",
    "NE1AU",
    "SOLARN0",
    "SWXDM_*",
    "CM",
    "CM#",
    "CMX_*",
    "CMWXSIN_*",
    "CMWXCOS_*",
    "JUMP FREQ",
];

/// PINT's names of the barycentre as a site; `0` is the geocentre.
pub(super) const BARYCENTRE: [&str; 5] = ["@", "ssb", "bary", "bat", "barycenter"];

/// Delay of a pulse of dispersion measure 1 pc/cm³ at 1 MHz, s (Lorimer & Kramer 2005, Handbook of Pulsar Astronomy, note 1 of
/// section 4.1; `DMconst` of PINT).
pub(super) const DISPERSION: f64 = 1.0 / 2.41e-4;

/// Obliquity of the ecliptic of ELONG and ELAT, degrees: that of IERS 2010, which is PINT's default. Others in use differ by 0.05″.
pub(super) const OBLIQUITY: f64 = 84_381.406 / 3600.0;
/// The values of a file.
pub(super) struct ParKeys<'a> {
    pub path: &'a str,
    /// Line and value of each key.
    pub values: BTreeMap<&'static str, (usize, String)>,
}

impl ParKeys<'_> {
    pub fn error(&self, key: &str, message: &str) -> crate::base::error::Error {
        let place = self.values.get(key).map_or(key.to_string(), |(line, _)| format!("line {line}, {key}"));
        format_error(self.path, &place, message)
    }

    pub fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(_, value)| value)
    }

    pub fn number(&self, key: &str) -> Result<Option<DoubleDouble>> {
        let read = |text: &String| text.parse::<DoubleDouble>().map_err(|message| self.error(key, &message));
        self.values.get(key).map(|(_, text)| read(text)).transpose()
    }

    pub fn needed(&self, key: &str, why: &str) -> Result<DoubleDouble> {
        self.number(key)?.ok_or_else(|| self.error(key, &format!("missing; {why}")))
    }

    pub fn or_zero(&self, key: &str) -> Result<DoubleDouble> {
        Ok(self.number(key)?.unwrap_or(DoubleDouble::ZERO))
    }

    /// Where phase is 0, if the file says so: TZRMJD at the barycentre, less the delay DM/(2.41e-4·f²) s of pulses of TZRFRQ, f MHz,
    /// as in PINT. `dispersing` is the place of a line that delays such pulses otherwise.
    pub fn zero(&self, dispersing: Option<&str>) -> Result<Option<DoubleDouble>> {
        let Some(mjd) = self.number("TZRMJD")? else { return Ok(None) };
        let site = self.text("TZRSITE").to_ascii_lowercase();
        if !site.is_empty() && !BARYCENTRE.contains(&site.as_str()) {
            let message = format!(
                "`{}` is not the barycentre (@), and its delays, which move phase 0, are not computed here; give TZRMJD at the \
                 barycentre, or leave it out: phase 0 is then at PEPOCH",
                self.text("TZRSITE").escape_debug()
            );
            return Err(self.error("TZRSITE", &message));
        }
        let infinite = matches!(self.text("TZRFRQ").to_ascii_lowercase().as_str(), "inf" | "infinity");
        let frequency = if infinite { 0.0 } else { self.or_zero("TZRFRQ")?.value() };
        if frequency < 0.0 {
            return Err(self.error("TZRFRQ", "must be a frequency, MHz, or 0 for an infinite one"));
        }
        if frequency == 0.0 {
            return Ok(Some(mjd));
        }
        if let Some(place) = dispersing {
            let message = "delays pulses of the frequency TZRFRQ, and with them phase 0, in a way that is not computed here; give \
                           TZRMJD for infinite frequency, and TZRFRQ 0";
            return Err(format_error(self.path, place, message));
        }
        let delay = DISPERSION * self.or_zero("DM")?.value() / frequency.powi(2);
        Ok(Some(mjd - DoubleDouble::from(delay) / SECONDS_PER_DAY))
    }

    /// Right ascension and declination, degrees, also from ecliptic coordinates.
    pub fn position(&self) -> Result<Option<[f64; 2]>> {
        let angle = |key: &str| -> Result<Option<f64>> {
            let Some((_, text)) = self.values.get(key) else { return Ok(None) };
            sexagesimal(text).map(Some).ok_or_else(|| self.error(key, "is no angle, as 12:34:56.7"))
        };
        let degrees = |key: &str| self.number(key).map(|number| number.map(DoubleDouble::value));
        let (equatorial, ecliptic) = ((angle("RAJ")?, angle("DECJ")?), (degrees("ELONG")?, degrees("ELAT")?));
        Ok(match (equatorial, ecliptic) {
            ((Some(hours), Some(dec)), _) => Some([15.0 * hours, dec]),
            (_, (Some(longitude), Some(latitude))) => {
                let [x, y, z] = direction([longitude, latitude]);
                let (sin, cos) = OBLIQUITY.to_radians().sin_cos();
                let [y, z] = [cos * y - sin * z, sin * y + cos * z];
                Some([y.atan2(x).to_degrees().rem_euclid(360.0), z.atan2(x.hypot(y)).to_degrees()])
            }
            _ => None,
        })
    }

    /// A derivative: numbers above 1e-7, which no pulsar has, are in units of 1e-12, as in tempo.
    pub fn small(&self, key: &str) -> Result<f64> {
        let value = self.or_zero(key)?.value();
        Ok(if value.abs() > 1e-7 { value * 1e-12 } else { value })
    }
}

/// Key and value of a line whose other words are `rest`. A `JUMP` of a range of MJD or of the barycentre is one of X-rays, that of a range of
/// frequency may be one of the pulses of TZRFRQ; jumps of flags and telescopes are of neither.
pub(super) fn of_jump<'a>(key: String, value: &'a str, mut rest: impl Iterator<Item = &'a str>) -> (String, &'a str) {
    let of = value.to_ascii_uppercase();
    let size = match of.as_str() {
        _ if !key.starts_with("JUMP") => None,
        "MJD" | "FREQ" => rest.nth(2),
        "TEL" => rest.next().filter(|site| BARYCENTRE.contains(&site.to_ascii_lowercase().as_str())).and(rest.next()),
        _ => None,
    };
    size.map_or((key, value), |size| (format!("JUMP {of}"), size))
}

/// What to write in the place of a period or its derivative, which tempo and tempo2 turn into a frequency.
pub(super) fn of_period(key: &str, value: &str) -> Option<String> {
    match key {
        "P" | "P0" => {
            let freq = value.parse::<DoubleDouble>().ok().map(|period| period.recip().value());
            let freq = freq
                .filter(|freq| freq.is_finite() && *freq > 0.0)
                .map_or(format!("= 1/{key}"), |freq| format!("{freq}"));
            Some(format!(
                "is a period, which is not read: give its frequency instead, F0 {freq} in Hz, with as many digits as the period has"
            ))
        }
        "P1" | "PDOT" => Some(format!(
            "is the derivative of a period, which is not read: give that of the frequency instead, F1 = −{key}/P², in Hz/s for a {key} in s/s"
        )),
        _ => None,
    }
}

pub(super) fn matches(pattern: &str, key: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_suffix('#')) {
        (Some(start), _) => key.starts_with(start),
        (_, Some(start)) => key.strip_prefix(start).is_some_and(|rest| rest.parse::<u8>().is_ok()),
        _ => pattern == key,
    }
}

/// A number with minutes and seconds, as `-12:34:56.7`.
pub(super) fn sexagesimal(text: &str) -> Option<f64> {
    let parts: Vec<f64> =
        text.trim_start_matches(['-', '+']).split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let value = parts.iter().rev().fold(0.0, |sum, part| sum / 60.0 + part);
    let usual = parts.len() <= 3 && parts.iter().all(|part| (0.0..400.0).contains(part));
    usual.then_some(if text.starts_with('-') { -value } else { value })
}

/// The unit vector of a longitude and latitude, degrees.
pub(super) fn direction(angles: [f64; 2]) -> [f64; 3] {
    let [(sin_lon, cos_lon), (sin_lat, cos_lat)] = angles.map(|angle| angle.to_radians().sin_cos());
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}
