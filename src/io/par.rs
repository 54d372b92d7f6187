//! Ephemerides as pulsar timing writes them: `.par` files of tempo2 and PINT.
//!
//! A line is `KEY VALUE [FIT] [ERROR]`; `#`, or `C` by itself, begins a comment. Numbers keep all of their digits, and may have
//! Fortran's exponents. Keys that move the phase of X-rays are understood or refused; those that do not (dispersion, but where
//! phase 0 is that of radio pulses, radio receivers, the fit) are passed over; position and ephemeris of the solar system are compared with those of
//! the events; others are warned of.

mod barycentre;
mod keys;

use std::collections::BTreeMap;
use std::path::Path;

use keys::{DISPERSING_KEYS, IGNORED_KEYS, ParKeys, REFUSED_KEYS, USED_KEYS, matches, of_jump};

use super::input_file::{InputFile, format_error};
use super::text_file;
use crate::base::error::Result;
use crate::base::time::{DoubleDouble, MjdRef, SECONDS_PER_DAY};
use crate::base::warning::Warnings;
use crate::data::phase::Ephemeris;
use crate::science::orbit::{Orbit, OrbitModel, TimingModel};

/// Bytes of a file that may be a timing model; those with thousands of lines are below a tenth of it.
const LARGEST: u64 = 1_000_000;

/// A pulsar timing model as a `.par` file has it, with times as MJD.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParFile {
    path: String,
    crc32: String,
    /// Name of the pulsar; empty if the file has none.
    pub name: String,
    /// Phase by time of emission; its epoch is a MJD.
    ephemeris: Ephemeris,
    /// The orbit; its epoch is a MJD.
    orbit: Option<Orbit>,
    /// Where phase is 0, MJD at the barycentre at infinite frequency, if not at the epoch.
    zero: Option<DoubleDouble>,
    /// First and last day, MJD.
    valid: [Option<DoubleDouble>; 2],
    /// Ephemeris of the solar system, as written; empty if the file has none.
    ephem: String,
    /// Right ascension and declination, degrees, without proper motion.
    position: Option<[f64; 2]>,
    /// What was odd about the file.
    warnings: Warnings,
}

impl ParFile {
    /// Reads a `.par` file; what is odd about it is in [`ParFile::warnings`].
    ///
    /// # Errors
    /// The file cannot be read; a number is missing or malformed; a key that changes the phase is not supported; or the
    /// units are not TDB.
    pub fn read(path: &Path) -> Result<ParFile> {
        let source = InputFile::open(path)?;
        if source.len() > LARGEST {
            return Err(format_error(source.path(), "whole file", "larger than 1 MB, which no ephemeris is"));
        }
        let bytes = source.read(0..source.len())?;
        let mut own = Warnings::default();
        let text = text_file::decode(source.path(), &bytes)?;
        let made = ParFile::parse(source.path(), &text, source.crc32()?, &mut own)?;
        Ok(ParFile { warnings: own, ..made })
    }

    fn parse(path: &str, text: &str, crc32: String, warnings: &mut Warnings) -> Result<ParFile> {
        let mut keys = ParKeys { path, values: BTreeMap::new() };
        let (mut unknown, mut dispersing) = (Vec::new(), None);
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let Some(word) = words.next() else { continue };
            let key = word.to_ascii_uppercase();
            if matches!(key.as_str(), "C" | "CC") {
                continue;
            }
            let value = words.next().unwrap_or("");
            let place = || format!("line {}, {}", number + 1, word.escape_debug());
            let (key, value) = of_jump(key, value, words);
            let known = |keys: &[&str]| keys.iter().any(|pattern| matches(pattern, &key));
            let is_zero = || value.parse::<DoubleDouble>().is_ok_and(|value| value == DoubleDouble::ZERO);
            if let Some(name) =
                USED_KEYS.iter().find(|names| names.contains(&key.as_str())).and_then(|names| names.first())
            {
                if value.is_empty() {
                    return Err(format_error(path, &place(), "has no value"));
                }
                if text_file::is_decimal_comma(value) {
                    return Err(format_error(
                        path,
                        &place(),
                        &format!("`{value}` has a decimal comma; numbers have points"),
                    ));
                }
                if let Some((line, before)) = keys.values.insert(name, (number + 1, value.to_string()))
                    && before != value
                {
                    return Err(format_error(path, &place(), &format!("line {line} has another value")));
                }
            } else if known(&REFUSED_KEYS) {
                if !is_zero() {
                    let of_period = keys::of_period(&key, value);
                    let message = of_period.as_deref().unwrap_or(
                        "moves the phase in a way that is not computed here; without the line it would be left out",
                    );
                    return Err(format_error(path, &place(), message));
                }
            } else if known(&DISPERSING_KEYS) {
                if !is_zero() {
                    dispersing = dispersing.or_else(|| Some(place()));
                }
            } else if !known(&IGNORED_KEYS) {
                unknown.push(word.escape_debug().to_string());
            }
        }
        if !unknown.is_empty() {
            let message = format!("{path}: not known, and ignored: {}", unknown.join(" "));
            warnings.push("W-PAR-KEY", message);
        }
        let units = keys.text("UNITS").to_ascii_uppercase();
        if !matches!(units.as_str(), "" | "TDB") {
            return Err(keys.error(
                "UNITS",
                &format!("`{}` is not TDB; convert the file, for example by PINT's tcb2tdb", units.escape_debug()),
            ));
        }
        let ephemeris = Ephemeris {
            epoch: keys.needed("PEPOCH", "it is where F0 holds")?,
            freq: keys.needed("F0", "it is the frequency, Hz")?,
            fdot: keys.or_zero("F1")?,
            fddot: keys.or_zero("F2")?,
        };
        if ephemeris.freq.value() <= 0.0 {
            return Err(keys.error("F0", "must be above 0 Hz"));
        }
        Ok(ParFile {
            path: path.to_string(),
            crc32,
            name: keys.text("PSR").to_string(),
            ephemeris,
            orbit: orbit(&keys)?,
            zero: keys.zero(dispersing.as_deref())?,
            valid: [keys.number("START")?, keys.number("FINISH")?],
            ephem: keys.text("EPHEM").to_string(),
            position: keys.position()?,
            warnings: Warnings::default(),
        })
    }

    /// Name of the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was odd about the file.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// The timing model with all times as seconds from `mjdref`.
    pub fn in_frame(&self, mjdref: MjdRef) -> TimingModel {
        let seconds = |mjd: DoubleDouble| mjdref.seconds_of(mjd);
        let orbit = self.orbit.map(|orbit| Orbit { epoch: seconds(orbit.epoch), ..orbit });
        let [first, last] = self.valid;
        let mut timing = TimingModel {
            ephemeris: Ephemeris { epoch: seconds(self.ephemeris.epoch), ..self.ephemeris },
            orbit,
            valid: (first.map(|t| seconds(t).value()), last.map(|t| seconds(t).value())),
            name: self.path.clone(),
            crc32: self.crc32.clone(),
        };
        if let Some(zero) = self.zero {
            timing.ephemeris = timing.ephemeris.at(timing.emission(seconds(zero)));
        }
        timing
    }
}

fn orbit(keys: &ParKeys) -> Result<Option<Orbit>> {
    let of_orbits = ["A1", "PB", "FB0", "TASC", "T0", "ECC", "OM", "EPS1", "EPS2", "PBDOT", "XDOT", "OMDOT", "GAMMA"];
    let model = match keys.text("BINARY").to_ascii_uppercase().as_str() {
        "" => {
            return match of_orbits.iter().find(|key| keys.values.contains_key(*key)) {
                Some(key) => Err(keys.error(key, "is of an orbit, but there is no BINARY; give ELL1, BT or DD")),
                None => Ok(None),
            };
        }
        "ELL1" => OrbitModel::Ell1,
        "BT" => OrbitModel::Bt,
        "DD" => OrbitModel::Dd,
        other => {
            return Err(
                keys.error("BINARY", &format!("{} is not computed here; ELL1, BT and DD are", other.escape_debug()))
            );
        }
    };
    let ell1 = model == OrbitModel::Ell1;
    let foreign: &[&str] = if ell1 { &["T0", "ECC", "OM", "OMDOT", "GAMMA"] } else { &["TASC", "EPS1", "EPS2"] };
    for key in foreign {
        if keys.or_zero(key)? != DoubleDouble::ZERO {
            return Err(keys.error(key, &format!("is no key of BINARY {}", keys.text("BINARY"))));
        }
    }
    let frequency = match (keys.number("PB")?, keys.number("FB0")?) {
        (Some(days), None) => (days * SECONDS_PER_DAY).recip(),
        (None, Some(frequency)) => frequency,
        (Some(_), Some(_)) => return Err(keys.error("FB0", "stands beside PB; one of them says the period")),
        (None, None) => return Err(keys.error("PB", "missing; it is the period of the orbit, days")),
    };
    let epoch = if ell1 { "TASC" } else { "T0" };
    let (eccentricity, omega) = if ell1 {
        let [eps1, eps2] = [keys.or_zero("EPS1")?.value(), keys.or_zero("EPS2")?.value()];
        (eps1.hypot(eps2), eps1.atan2(eps2))
    } else {
        let omega = keys.needed("OM", "it is the longitude of periastron, degrees")?;
        (keys.needed("ECC", "it is the eccentricity")?.value(), omega.value().to_radians())
    };
    let orbit = Orbit {
        model,
        epoch: keys.needed(epoch, "it is where the orbit begins")?,
        frequency,
        pbdot: keys.small("PBDOT")?,
        axis: keys.needed("A1", "it is the projected semi-major axis, light seconds")?.value(),
        xdot: keys.small("XDOT")?,
        eccentricity,
        omega,
        // Degrees a year of 365.25 days.
        omdot: keys.or_zero("OMDOT")?.value().to_radians() / (365.25 * SECONDS_PER_DAY),
        gamma: keys.or_zero("GAMMA")?.value(),
    };
    orbit.check().map_err(|error| format_error(keys.path, "the orbit", &error.to_string()))?;
    Ok(Some(orbit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPIN: &str =
        "PSR J0000+0000\nF0 641.92822212345678901D0 1 2e-12\nF1 -3.8D-15\nPEPOCH 55000.123456789012345678\n";
    const CIRCLE: &str = "BINARY ELL1\nA1 1.5\nPB 0.25\nTASC 55000.5\n";

    fn read(text: &str) -> (Result<ParFile>, Warnings) {
        let mut warnings = Warnings::default();
        (ParFile::parse("x.par", text, String::new(), &mut warnings), warnings)
    }

    fn refused(text: &str, message: &str) {
        let error = read(text).0.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn no_digit_is_lost() {
        let par = read(SPIN).0.unwrap();
        let frame = MjdRef { day: 55_000, fraction: 0.0 };
        let timing = par.in_frame(frame);
        // 0.123456789012345678 d = 10666.6665706666665792 s.
        let off = timing.ephemeris.epoch - "10666.6665706666665792".parse().unwrap();
        assert!(off.value().abs() < 1e-20, "{off:?}");
        assert_eq!(timing.ephemeris.freq, "641.92822212345678901".parse().unwrap());
        assert_eq!(timing.ephemeris.fdot.value(), -3.8e-15);
        assert!(timing.orbit.is_none() && timing.valid == (None, None) && par.name == "J0000+0000");
    }

    #[test]
    fn orbits_have_the_units_of_tempo() {
        let extra = "PBDOT 3.5\nXDOT 2e-14\nEPS1 3e-4\nEPS2 4e-4\nSTART 54000\nFINISH 56000\n";
        let timing = read(&format!("{SPIN}{CIRCLE}{extra}")).0.unwrap().in_frame(MjdRef { day: 55_000, fraction: 0.0 });
        let orbit = timing.orbit.unwrap();
        assert_eq!((orbit.axis, orbit.pbdot, orbit.xdot), (1.5, 3.5e-12, 2e-14));
        assert_eq!((orbit.epoch, orbit.eccentricity), (DoubleDouble::from(43_200.0), 5e-4));
        assert_eq!((orbit.frequency * 21_600.0).value(), 1.0);
        assert_eq!(timing.valid, (Some(-8.64e7), Some(8.64e7)));
        let ellipse = "BINARY dd\nA1 2\nFB0 5e-5\nT0 55000.5\nE 0.6\nOM 180\nOMDOT 36525\nGAMMA 0.004\nA1DOT 0\n";
        let orbit = read(&format!("{SPIN}{ellipse}")).0.unwrap().orbit.unwrap();
        assert_eq!((orbit.model, orbit.omega, orbit.gamma), (OrbitModel::Dd, std::f64::consts::PI, 0.004));
        assert!((orbit.omdot * 8.64e6 - std::f64::consts::PI / 180.0 * 1e4).abs() < 1e-10);
    }

    #[test]
    fn phase_is_zero_where_the_file_says() {
        let frame = MjdRef { day: 55_000, fraction: 0.0 };
        let tzr = format!("{SPIN}TZRMJD 55000.75\n");
        let at = |text: &str| read(text).0.unwrap().in_frame(frame).ephemeris.epoch.value();
        // PINT's names of the barycentre, which is where the time is if there is none.
        for site in ["", "TZRSITE @", "TZRSITE ssb", "TZRSITE Bary", "TZRSITE bat", "TZRSITE BARYCENTER"] {
            assert!((at(&format!("{tzr}{site}\n")) - 64_800.0).abs() < 1e-9, "{site}");
            // A quarter of a day after the node is a whole orbit.
            assert!((at(&format!("{tzr}{CIRCLE}{site}\n")) - 64_800.0).abs() < 1e-6, "{site}");
        }
        // Of any other site (0 is the geocentre) the delays are not known.
        for site in ["gbt", "0", "coe", "stl_geo", "1"] {
            refused(&format!("{tzr}TZRSITE {site}\n"), "line 6, TZRSITE");
        }
        assert_eq!(at(&format!("{SPIN}TZRSITE gbt\nTZRFRQ 1400\nDM 70\nFD1 1e-5\n")), at(SPIN));
    }

    #[test]
    fn phase_is_zero_at_infinite_frequency_where_the_file_has_one_that_is_not() {
        let tzr = format!("{SPIN}TZRMJD 55000.75\nTZRSITE @\n");
        let frame = MjdRef { day: 55_000, fraction: 0.0 };
        let timing = |text: &str| read(&format!("{tzr}{text}\n")).0.unwrap().in_frame(frame);
        let at = |text: &str| timing(text).ephemeris.epoch.value();
        // DM/(2.41e-4·f²): 70.5/(2.41e-4·1400²) s = 70.5/472.36 s = 0.149250571598 s, 96 turns of this pulsar.
        let delay = 0.149_250_571_598;
        assert!((at("TZRFRQ 1400\nDM 70.5 1 0.01") - (64_800.0 - delay)).abs() < 1e-9);
        // At half the frequency four times that; in the orbit the delay is over before.
        assert!((at("TZRFRQ 7D2\nDM 70.5") - (64_800.0 - 4.0 * delay)).abs() < 1e-9);
        let emitted = timing(CIRCLE).emission(DoubleDouble::from(64_800.0 - delay));
        assert!((at(&format!("{CIRCLE}TZRFRQ 1400\nDM 70.5")) - emitted.value()).abs() < 1e-9);
        // Without a frequency, or at an infinite one, nothing is late, whatever disperses.
        for text in ["DM 70.5", "TZRFRQ 0\nDM 70.5\nFD1 1e-5", "TZRFRQ inf\nDM 70.5\nDMX_0001 0.1", "TZRFRQ 1400"] {
            assert!((at(text) - 64_800.0).abs() < 1e-9, "{text}");
        }
        assert!((at("TZRFRQ 1400\nDM 0\nDMX 6.5\nDM1 0\nNE_SW 0\nDMEPOCH 55000") - 64_800.0).abs() < 1e-9);
        for key in
            ["DM1", "DMX_0001", "DMWXSIN_0001", "FD1", "FD2", "NE_SW", "NE1AU", "SWXDM_0001", "CM", "CM1", "CMX_0001"]
        {
            refused(&format!("{tzr}TZRFRQ 1400\n{key} 0.01\n"), &format!("line 8, {key}"));
        }
        refused(&format!("{tzr}TZRFRQ 1400\nJUMP FREQ 1000 2000 1e-4\n"), "line 8, JUMP: delays pulses");
        refused(&format!("{tzr}TZRFRQ -1400\n"), "line 7, TZRFRQ");
        refused(&format!("{tzr}TZRFRQ high\n"), "line 7, TZRFRQ");
    }

    #[test]
    fn another_barycentre_is_told_with_what_it_can_do() {
        let told = |par: &str, plephem: &str, position| {
            let mut warnings = Warnings::default();
            let par = read(&format!("PEPOCH 55000\nF0 10\n{par}\n")).0.unwrap();
            par.compare_barycentre("a.evt", (plephem, position), &mut warnings);
            warnings.iter().map(|w| format!("{} {}", w.code, w.message)).collect::<Vec<String>>()
        };
        for (own, other) in
            [("DE405", "JPL-DE405"), ("DE440t", "de440"), ("JPL-DE200", "JPLEPH.200"), ("INPOP19a", "inpop19a")]
        {
            assert_eq!(told(&format!("EPHEM {own}"), other, None), [""; 0], "{own} {other}");
        }
        assert_eq!(told("", "JPL-DE200", None), [""; 0]);
        assert_eq!(told("EPHEM DE421", "", None), [""; 0]);
        let [message] = &told("EPHEM DE421", "JPL-DE200", None)[..] else { panic!() };
        assert!(message.starts_with("W-PAR-EPHEM x.par: EPHEM is DE421, but PLEPHEM of a.evt is DE200;"), "{message}");
        assert_eq!(told("EPHEM INPOP19a", "DE421", None).len(), 1);
        // 18 s of arc are 18·π/648000 = 8.7266e-5 rad, of 499.0048 s 43.546 ms, at 10 Hz 0.435 cycle.
        let here = "RAJ 17:48:00\nDECJ -20:30:00";
        let [message] = &told(here, "", Some([267.0, -20.505]))[..] else { panic!() };
        let expected = "is 18.00 arcsec from RA_OBJ and DEC_OBJ of a.evt; if the times were barycentred for those, they are off by up to 43.546 ms (0.435 cycle)";
        assert!(message.starts_with("W-PAR-POSITION x.par: its position") && message.contains(expected), "{message}");
        // Below a hundredth of a cycle nothing is said, nor of what is not known. One degree of right ascension is less in the north.
        assert_eq!(told(here, "", Some([267.0, -20.5001])), [""; 0]);
        assert_eq!((told(here, "", None), told("", "", Some([267.0, -20.5]))), (vec![], vec![]));
        let [message] = &told("RAJ 00:00:00\nDECJ +60:00:00", "", Some([359.999, 60.0]))[..] else { panic!() };
        assert!(message.contains("is 1.80 arcsec"), "{message}");
        // PINT's PulsarEcliptic has the Crab at these.
        assert_eq!(told("ELONG 84.0975008\nELAT -1.2944200", "", Some([83.63308, 22.01450])), [""; 0]);
        refused(&format!("{SPIN}RAJ east\n"), "line 5, RAJ: is no angle");
        refused(&format!("{SPIN}DECJ 1:2:3:4\n"), "line 5, DECJ: is no angle");
    }

    #[test]
    fn what_moves_phases_is_refused_by_name_and_the_rest_passed_over() {
        let quiet = "# a comment\nC another\nRAJ 17:48:52.75\nDMX_0001 0.1\nJUMP -fe L 1e-4\nGLF0_1 0.0\nF3 0\nFD1 1e-5\nCLK TT(BIPM2019)\nEPHEM DE440\nJUMP TEL gbt 1e-4\nJUMP MJD 1 2 0 1\nJUMP FREQ 1 2 1e-4\n";
        let (par, warnings) = read(&format!("{SPIN}{quiet}"));
        assert!(par.is_ok() && warnings.is_empty(), "{par:?} {warnings:?}");
        let (par, warnings) = read(&format!("{SPIN}NOSUCH 1\nOTHER 2\n"));
        assert!(par.is_ok() && warnings.iter().any(|w| w.code == "W-PAR-KEY" && w.message.ends_with("NOSUCH OTHER")));
        for (line, name) in [
            ("F3 1e-30", "line 5, F3"),
            ("GLEP_1 55100", "GLEP_1"),
            ("WAVE1 0.1 0.2", "WAVE1"),
            ("SINI KIN", "SINI"),
            ("JUMP MJD 54000 56000 1e-4 1", "line 5, JUMP: moves the phase"),
            ("JUMP1 tel bat 1e-4", "line 5, JUMP1: moves the phase"),
            ("P0 0.0016", "line 5, P0: is a period, which is not read: give its frequency instead, F0 625"),
            ("P fast", "P: is a period, which is not read: give its frequency instead, F0 = 1/P"),
            (
                "P1 1e-15",
                "P1: is the derivative of a period, which is not read: give that of the frequency instead, F1 = −P1/P²",
            ),
            ("UNITS TCB", "tcb2tdb"),
            ("UNITS SI", "is not TDB"),
            ("F1 -3.9e-15", "another value"),
            ("F2 fast", "'fast' is not a decimal"),
            ("F2", "has no value"),
            ("A1 2", "no BINARY"),
            ("BINARY T2", "T2 is not computed"),
            ("BINARY ELL1", "PB: missing"),
            (&format!("{CIRCLE}PBDOT 0\nFB0 1e-5"), "beside PB"),
            (&format!("{CIRCLE}OM 30"), "no key of BINARY ELL1"),
            (&format!("{CIRCLE}FB1 1e-20"), "FB1"),
            (&format!("{CIRCLE}EPS1 1.5"), "ECC"),
            ("BINARY BT\nA1 1\nPB 1\nT0 55000\nECC 0.1", "OM: missing"),
            ("BINARY BT\nA1 1\nPB 1\nECC 0.1\nOM 0", "T0: missing"),
            ("BINARY BT\nA1 1e6\nPB 1\nT0 55000\nECC 0.1\nOM 0", "speeds"),
        ] {
            refused(&format!("{SPIN}{line}\n"), name);
        }
        refused("", "PEPOCH");
        refused("PEPOCH 55000\nPSR X", "F0: missing");
        refused("PEPOCH 55000\nF0 -1", "above 0 Hz");
    }
}
