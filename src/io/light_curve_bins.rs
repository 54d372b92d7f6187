//! Columns of a light curve to its bins.

use super::input_file::{InputFile, format_error};
use super::light_curve_columns::RawLightCurve;
use super::light_curve_grid::grid;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::light_curve::{EDGE_SLACK, LightCurveMetadata, TimeGrid, counting_error};
use crate::data::{EventBalance, Gti, InputRecord, LightCurve, Record, whole_photons};

/// An exposed part of a bin above 1, up to this, is taken for the whole bin; more is no part of a bin.
const MOST_PART: f64 = 1.5;

/// What a file says of the clock of its bins.
pub(super) struct BinClock {
    /// Width of a bin, s, that the header gives.
    pub timedel: Option<f64>,
    /// Seconds to add to the times.
    pub timezero: DoubleDouble,
    /// Place of the stamp in a bin, as a part of it.
    pub timepixr: f64,
    /// Seconds within which times are known, where their type does not hold more.
    pub resolution: f64,
    /// The file is of this program.
    pub own: bool,
}

impl Default for BinClock {
    fn default() -> BinClock {
        BinClock { timedel: None, timezero: DoubleDouble::ZERO, timepixr: 0.5, resolution: 0.0, own: false }
    }
}

/// Good time of a light curve.
pub(super) struct CurveGti {
    /// What is chosen: the user's, or the file's own.
    pub chosen: Gti,
    /// True if it is the file's own: bins whose exposure no column tells are exposed as far as these intervals reach.
    pub own: bool,
}

/// A light curve as it stands in a file, with all of its bins.
pub struct ReadCurve {
    /// The light curve. Its good time is the file's own, or its span.
    pub curve: LightCurve,
    /// The good time that is chosen for it.
    pub chosen: Gti,
}

/// Columns to a light curve on a grid. `gti` tells the good time of bins between two times.
///
/// # Errors
/// Times, widths, exposures that cannot be used: the row, and its value; no bin with a value; no bin in good time.
pub(super) fn assemble(
    source: &InputFile,
    mut raw: RawLightCurve,
    clock: &BinClock,
    record: Record,
    warnings: &mut Warnings,
    gti: impl FnOnce((DoubleDouble, DoubleDouble), &mut Warnings) -> Result<CurveGti>,
) -> Result<ReadCurve> {
    let path = source.path();
    // Text has no value that stands for none.
    if raw.row.0 == "line"
        && let Some(i) = raw.time.iter().position(|t| !t.is_finite())
    {
        return Err(format_error(path, &raw.place(i), "the time is not finite"));
    }
    let timeless = raw.take_timeless();
    let message = format!("{path}: rows without a finite time were left out");
    warnings.add("W-TIME-NAN", message, timeless.time.len() as u64);
    if let Some(place) = raw.sort() {
        warnings.push("W-TIME-UNSORTED", format!("{path}: {place}: the bins were out of order; sorted"));
    }
    let unequal =
        "light curves with bins of several widths are not analysed: make one with bins of one width of the events";
    let width = raw.usual_width().map_err(|(place, width, usual)| {
        format_error(path, &place, &format!("a bin of {width} s, but most have {usual} s; {unequal}"))
    })?;
    if let Some(dt) = width {
        raw.fill_up(dt, clock.timepixr).map_err(|(place, width)| {
            let message = format!("a bin of {width} s that is not inside one bin of {dt} s, as most are; {unequal}");
            format_error(path, &place, &message)
        })?;
    }
    let (dt, first, places) = grid(path, &raw, width.or(clock.timedel), clock.resolution, warnings)?;
    if clock.own {
        raw.take_rates(dt);
    }
    let offset = clock.timezero + DoubleDouble::product(0.5 - clock.timepixr, dt);
    let counted = raw.counts.is_some() && raw.error.is_none();
    let mut curve = LightCurve {
        grid: TimeGrid { origin: DoubleDouble::sum(first, -0.5 * dt) + offset, dt },
        bin: Vec::new(),
        time: Vec::new(),
        counts: Vec::new(),
        rate: Vec::new(),
        rate_err: Vec::new(),
        fracexp: Vec::new(),
        counted,
        gti: Gti::default(),
        meta: LightCurveMetadata { record, ..LightCurveMetadata::default() },
    };
    curve.reserve(places.len());
    let has_value = |i: &usize| {
        let bin = raw.bin(*i, dt, 1.0);
        bin.counts.is_finite() && bin.part.is_none_or(|part| part > 0.0) && bin.error.is_none_or(|error| error >= 0.0)
    };
    let ends = [(0..places.len()).find(has_value), (0..places.len()).rev().find(has_value)];
    let none = || format_error(path, "light curve", "no bin has a finite value and an exposure");
    let [Some(from), Some(last)] = ends.map(|i| i.and_then(|i| places.get(i).copied())) else { return Err(none()) };
    let span = (curve.grid.edge(from), curve.grid.edge(last + 1));
    let good = gti(span, warnings)?;
    let mut problems = Problems::default();
    for (i, &k) in places.iter().enumerate() {
        let reached = if good.own { curve.grid.covered(k, &good.chosen) } else { 1.0 };
        // A bin outside of all good time has what it has.
        let reached = if reached > EDGE_SLACK { reached } else { 1.0 };
        let bin = raw.bin(i, dt, reached);
        let Some(part) = problems.part(path, &raw, i, bin.part.unwrap_or(reached), bin.counts)? else { continue };
        let bin = raw.exposed_bin(i, dt * part);
        let Some(error) = problems.error(&raw, i, bin.error, bin.counts) else { continue };
        if !(bin.rate.is_finite() && bin.counts.is_finite()) {
            continue;
        }
        curve.bin.push(k);
        curve.time.push(curve.grid.centre(k));
        curve.counts.push(bin.counts);
        curve.rate.push(bin.rate);
        curve.rate_err.push(if counted { counting_error(bin.counts) / (dt * part) } else { error });
        curve.fracexp.push(part);
    }
    if curve.is_empty() {
        return Err(none());
    }
    let lost: f64 = (0..timeless.time.len()).map(|i| timeless.bin(i, dt, 1.0).counts).filter(|c| c.is_finite()).sum();
    let dropped = whole_photons(lost + problems.lost);
    let used = curve.photons(0..curve.len());
    problems.warn(path, warnings);
    let exact = curve.rate_err.iter().filter(|_| !counted).filter(|err| **err == 0.0).count() as u64;
    warnings.add("W-ZERO-ERROR", format!("{path}: bins whose error is 0: they count as if they were exact"), exact);
    if let Some((first, last)) =
        good.chosen.ends().filter(|_| good.chosen.intersect(&Gti::from_sorted(&[span])).is_empty())
    {
        let message = format!(
            "from {} to {} s they hold no bin of the light curve, which lasts from {} to {} s",
            first.value(),
            last.value(),
            span.0.value(),
            span.1.value()
        );
        let mend = Mend::set("gti", "span").doing("takes all bins");
        return Err(Error::gti(path, message).mended_by([mend]));
    }
    let record = &mut curve.meta.record;
    record.photons = EventBalance { dropped, read: used + dropped, ..EventBalance::of_used(used) };
    record.inputs = vec![InputRecord { name: path.to_string(), crc32: source.crc32()?, ..InputRecord::default() }];
    curve.gti = if good.own { good.chosen.clone() } else { Gti::from_sorted(&[span]) };
    Ok(ReadCurve { curve: curve.described(), chosen: good.chosen })
}

/// Rows that cannot be used as they are: the first of each kind, in words, and how many.
#[derive(Default)]
struct Problems {
    over: Problem,
    negative: Problem,
    unusable: Problem,
    /// Counts in bins that were left out.
    lost: f64,
}

#[derive(Default)]
struct Problem {
    first: String,
    count: u64,
}

impl Problem {
    fn add(&mut self, what: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = what();
        }
        self.count += 1;
    }
}

impl Problems {
    /// The exposed part of a bin that is told to be `part`; `None` where none was exposed.
    fn part(&mut self, path: &str, raw: &RawLightCurve, i: usize, part: f64, counts: f64) -> Result<Option<f64>> {
        if part > MOST_PART && part.is_finite() {
            let message = format!(
                "{part} of a bin was exposed, which is no part of it; exposures of bins are seconds, their parts from 0 to 1"
            );
            return Err(format_error(path, &raw.place(i), &message));
        }
        if !(part.is_finite() && part > 0.0) {
            self.leave_out(raw, i, || format!("an exposed part of {part}"), counts);
            return Ok(None);
        }
        if part > 1.0 + EDGE_SLACK {
            self.over.add(|| format!("{}, {part}", raw.place(i)));
        }
        Ok(Some(if part > 1.0 - EDGE_SLACK { 1.0 } else { part }))
    }

    /// The error of a bin; NaN where no column has it, `None` where the column has none of this bin.
    fn error(&mut self, raw: &RawLightCurve, i: usize, error: Option<f64>, counts: f64) -> Option<f64> {
        match error {
            None => Some(f64::NAN),
            Some(error) if error.is_finite() && error >= 0.0 => Some(error),
            Some(error) if error < 0.0 && error.is_finite() => {
                self.negative.add(|| format!("{}, {error}", raw.place(i)));
                self.lost += if counts.is_finite() { counts } else { 0.0 };
                None
            }
            Some(error) => {
                self.leave_out(raw, i, || format!("an error of {error}"), counts);
                None
            }
        }
    }

    /// A bin with a value that has no use without exposure or error.
    fn leave_out(&mut self, raw: &RawLightCurve, i: usize, why: impl FnOnce() -> String, counts: f64) {
        let value = raw.counts.as_ref().or(raw.rate.as_ref()).and_then(|column| column.get(i).copied());
        if value.is_some_and(|value| value.is_finite() && value != 0.0) {
            self.unusable.add(|| format!("{} with {}", raw.place(i), why()));
            let photons = if raw.counts.is_some() { value.unwrap_or(0.0) } else { counts };
            self.lost += if photons.is_finite() { photons } else { 0.0 };
        }
    }

    fn warn(&self, path: &str, warnings: &mut Warnings) {
        let mut say = |code, problem: &Problem, what: &str| {
            warnings.add(code, format!("{path}: {what}, first {}", problem.first), problem.count);
        };
        say(
            "W-FRACEXP",
            &self.over,
            "bins that were exposed for longer than they last were taken as exposed all the time",
        );
        say("W-NEGATIVE-ERROR", &self.negative, "bins whose error is below 0 were left out, as gaps are marked so");
        say("W-BIN-UNUSABLE", &self.unusable, "bins with a value, but without an exposure or an error, were left out");
    }
}
