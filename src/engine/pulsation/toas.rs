//! Times of arrival of pulses: one for each interval, by comparing its profile with a template.

use std::fmt::Write;

use serde::Serialize;

use super::PulseEvents;
use super::fold::{FoldOptions, folded_intervals, record_on_cpu};
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::Record;
use crate::data::phase::Spin;
use crate::io::table_write::write_bytes;
use crate::science::pulsation::fftfit::PulseTemplate;

/// Bins of all intervals together.
const MOST_BINS: i64 = 1 << 26;
/// Heights of a pulse, of their standard errors, below which there is no shift to be trusted.
const FAINTEST_PULSE_SIGMAS: f64 = 4.0;

/// A time of arrival (TOA) of a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Toa {
    /// Time of arrival of the template's phase 0 nearest to the middle of the interval, at the barycentre, seconds of
    /// the frame.
    pub time: DoubleDouble,
    /// The time of arrival as MJD.
    pub mjd: DoubleDouble,
    /// Standard error of `time`, s.
    pub error: f64,
    /// Phase residual against the ephemeris, cycles from −½ to ½; positive if the pulse is late.
    pub shift: f64,
    /// Standard error of `shift`, cycles.
    pub shift_err: f64,
    /// Number of events in the interval.
    pub nphots: u64,
    /// Good time in the interval, s.
    pub exposure: f64,
}

/// Times of arrival of the pulses of an observation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Toas {
    /// The times of arrival, in order of time.
    pub toas: Vec<Toa>,
    /// Number of intervals with events that gave no time of arrival: their pulse is below four standard errors, or some
    /// of their bins were not observed.
    pub left_out: usize,
    /// Number of harmonics of the template.
    pub harmonics: usize,
    /// χ² of the residuals against their weighted mean; it has one degree of freedom less than there are times of
    /// arrival.
    pub chi2: f64,
    /// What made them.
    #[serde(skip)]
    pub record: Record,
}

/// Times of arrival in intervals of `length` seconds from the start of the first good time on. Events are folded at the
/// ephemeris of `options` and compared with `template`.
///
/// # Errors
/// Events have weights, `length` is not positive or makes too many intervals, the template has another number of bins,
/// the frame has no reference epoch, or the ephemeris is beyond the range of exact phases.
pub fn toas(
    events: &PulseEvents,
    options: &FoldOptions,
    template: &PulseTemplate,
    length: f64,
    progress: &Progress,
) -> Result<Toas> {
    let (ephemeris, ticks, nbin) = (options.ephemeris, &events.ticks, options.nbin);
    let refuse = |field: &str, value: f64, message: String| Err(Error::argument(field, value, message));
    if let Some(weights) = &events.weights {
        let message = "are not for times of arrival, whose errors are those of counts";
        return Err(Error::argument("weights", &weights.all.column, message));
    }
    let Some(mjdref) = events.mjdref else {
        return refuse("length", length, "the events have no MJDREF, so their times are no MJD".into());
    };
    if template.nbin() != nbin {
        return refuse(
            "nbin",
            nbin as f64,
            format!("the template has {} bins, and profiles must have as many", template.nbin()),
        )
        .map_err(|e| e.mended_by([Mend::set("nbin", template.nbin())]));
    }
    let (start, stop) = match (events.gti.first(), events.gti.last()) {
        (Some(first), Some(last)) => (first.0, last.1),
        _ => (0, 0),
    };
    let step = (length / ticks.seconds()).round();
    // A float as an integer ends at the ends; not a number is 0.
    let step = (step as i64).min(stop - start);
    let rows = if step > 0 { (stop - start - 1) / step + 1 } else { 0 };
    if rows == 0 || !length.is_finite() {
        return refuse("length", length, "must be a time above 0 s".into());
    }
    if rows > MOST_BINS / nbin as i64 {
        return refuse("length", length, format!("makes {rows} intervals; the most is {}", MOST_BINS / nbin as i64));
    }
    Footprint::less_by(&["length", "nbin"])
        .and(rows as u64 * nbin as u64, 2 * size_of::<f64>())
        .and(rows as u64, size_of::<Toa>() + 8 * size_of::<Vec<f64>>())
        .check("the times of arrival")?;
    let edges: Vec<i64> = (0..rows).map(|i| start + i * step).chain([stop]).collect();
    let spin = Spin::new(&ephemeris, ticks)?;
    let record = record_on_cpu(events, options);
    let mut made = Toas { toas: Vec::new(), left_out: 0, harmonics: template.harmonics(), chi2: 0.0, record };
    for stretch in folded_intervals(events, &spin, nbin, &edges, progress)? {
        progress.check()?;
        let nphots = stretch.counts.iter().sum::<f64>() as u64;
        if nphots == 0 {
            continue;
        }
        let counted = || stretch.counts.iter().zip(&stretch.exposure);
        let rate: Vec<f64> = counted().map(|(c, e)| c / e).collect();
        // The variance of a count is, on average, the count; that of an empty bin, too.
        let variance: Vec<f64> = counted().map(|(c, e)| c / e / e).collect();
        let found =
            template.shift(&rate, &variance).filter(|found| found.scale > FAINTEST_PULSE_SIGMAS * found.scale_err);
        let Some(found) = found else {
            made.left_out += 1;
            continue;
        };
        let good: f64 = stretch.gti.iter().map(|(a, b)| (b - a) as f64).sum();
        let offset =
            |&(a, b): &(i64, i64)| (b - a) as f64 / good * (0.5 * (a - start) as f64 + 0.5 * (b - start) as f64);
        let middle = start + stretch.gti.iter().map(offset).sum::<f64>() as i64;
        let near = ticks.reference() + DoubleDouble::from(middle as f64) * ticks.seconds();
        let left = ephemeris.time_of_phase(found.shift, near);
        let time = events.timing.as_ref().map_or(left, |timing| timing.arrival(left));
        made.toas.push(Toa {
            time,
            mjd: mjdref.mjd_of(time),
            error: found.shift_err / ephemeris.at(left).freq.value(),
            shift: found.shift,
            shift_err: found.shift_err,
            nphots,
            exposure: good * ticks.seconds(),
        });
    }
    let sum = |of: fn(&Toa) -> f64| made.toas.iter().map(|toa| of(toa) / toa.shift_err.powi(2)).sum::<f64>();
    let mean = sum(|toa| toa.shift) / sum(|_| 1.0);
    made.chi2 = made.toas.iter().map(|toa| ((toa.shift - mean) / toa.shift_err).powi(2)).sum();
    Ok(made)
}

impl Toas {
    /// The times of arrival as the text of a `.tim` file of tempo2 and PINT: FORMAT 1, infinite frequency (0), MJD in
    /// TDB at the barycentre (`@`), errors in µs. A line begins with its name: one that begins with a blank is one of
    /// Parkes' format to PINT if its character 41 (from 0) is a point, as that of an error of four digits would be.
    pub fn tim(&self) -> String {
        let mut text = String::from("FORMAT 1\n");
        for toa in &self.toas {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "eagleray 0.0 {} {:.5} @ -nphots {} -exposure {} -shift {:.9}",
                decimal_days(toa.mjd),
                1e6 * toa.error,
                toa.nphots,
                toa.exposure,
                toa.shift
            );
        }
        text
    }

    /// Writes [`Toas::tim`] to a file.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        write_bytes(path, overwrite, self.tim().as_bytes())
    }
}

/// A MJD with 16 decimals: 1e-11 s.
fn decimal_days(mjd: DoubleDouble) -> String {
    const PLACES: f64 = 1e16;
    let day = mjd.hi.floor();
    let part = ((mjd - DoubleDouble::from(day)) * PLACES).wrapped();
    let whole = (mjd - DoubleDouble::from(day)) * PLACES - part;
    // Whole numbers below 2⁵⁴ may need both parts.
    let units = whole.hi as i64 + whole.lo as i64;
    let (day, units) = (day as i64 + units.div_euclid(PLACES as i64), units.rem_euclid(PLACES as i64));
    format!("{day}.{units:016}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formats of lines as PINT tells them from each other, after `FORMAT 1` too (`_toa_format` in pint/toa.py).
    fn format(line: &str) -> &'static str {
        const COMMANDS: [&str; 25] = [
            "DITHER", "EFAC", "EMAX", "EMAP", "EMIN", "EQUAD", "FMAX", "FMIN", "INCLUDE", "INFO", "JUMP", "MODE",
            "NOSKIP", "PHA1", "PHA2", "PHASE", "SEARCH", "SIGMA", "SIM", "SKIP", "TIME", "TRACK", "ZAWGT", "FORMAT",
            "END",
        ];
        let [first, second] = [0, 1].map(|i| line.as_bytes().get(i).map_or(' ', |&byte| byte.into()));
        let upper = line.trim_start().to_uppercase();
        if second == ' ' && matches!(first, '0'..='9' | 'a'..='z' | '@') {
            "Princeton"
        } else if first == '#' || ["C ", "c ", "CC "].iter().any(|start| line.starts_with(start)) {
            "comment"
        } else if COMMANDS.iter().any(|command| upper.starts_with(command)) {
            "command"
        } else if first == ' ' && line.as_bytes().get(41) == Some(&b'.') {
            "Parkes"
        } else {
            "FORMAT 1"
        }
    }

    #[test]
    fn lines_are_read_back_whatever_their_error() {
        // Each digit of an error puts its point elsewhere.
        let errors = [3e-8, 4.56789e-6, 1.25e-5, 1.5e-4, 1e-3, 2.34567e-3, 9.99999e-3, 0.05, 0.5, 12.0];
        let toa = |error: &f64| {
            let (time, mjd) = (DoubleDouble::ZERO, "55000.1234567890123456".parse().unwrap());
            Toa { time, mjd, error: *error, shift: -0.25, shift_err: 0.01, nphots: 1234, exposure: 99.5 }
        };
        let made = Toas {
            toas: errors.iter().map(toa).collect(),
            left_out: 0,
            harmonics: 1,
            chi2: 0.0,
            record: Record::default(),
        };
        let text = made.tim();
        let (head, lines) = text.split_once('\n').unwrap();
        assert_eq!((format(head), head, lines.lines().count()), ("command", "FORMAT 1", errors.len()));
        for (line, error) in lines.lines().zip(errors) {
            assert_eq!(format(line), "FORMAT 1", "{line}");
            // Name, frequency, MJD, error in µs, site; then flags and their values. A flag has no digit behind its dash.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (toa, flags) = fields.split_at(5);
            assert_eq!((toa[1].parse(), toa[2], toa[4]), (Ok(0.0), "55000.1234567890123456", "@"), "{line}");
            assert!((toa[3].parse::<f64>().unwrap() - 1e6 * error).abs() < 1e-5, "{line}");
            assert_eq!(flags, ["-nphots", "1234", "-exposure", "99.5", "-shift", "-0.250000000"], "{line}");
        }
    }

    #[test]
    fn days_keep_sixteen_decimals() {
        for text in ["55000.1234567890123456", "0.0000000000000001", "60000.9999999999999999", "51544.5000000000000000"]
        {
            assert_eq!(decimal_days(text.parse().unwrap()), text);
        }
        assert_eq!(decimal_days("55000.99999999999999999".parse().unwrap()), "55001.0000000000000000");
        assert_eq!(decimal_days("-0.25".parse().unwrap()), "-1.7500000000000000");
    }
}
