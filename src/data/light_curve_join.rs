//! Light curves of several observations as one.

use super::light_curve::{EDGE_SLACK, GRID_SLACK, TimeGrid};
use super::{EventBalance, Gti, LightCurve, Record};
use crate::base::error::{Error, Result};
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;

impl LightCurve {
    /// Joins light curves, in any order, whose grids differ by whole bins. If two light curves expose parts of the same
    /// bin, counts and exposures of that bin are added. Times become those of the reference epoch of the first.
    ///
    /// # Errors
    /// There is no bin at all; the light curves differ in bin width, kind of errors, time system or reference position, or only some
    /// of them have a reference epoch; their grids are not whole bins apart; or together they expose a bin for longer than it lasts.
    pub(crate) fn joined(parts: &[LightCurve]) -> Result<LightCurve> {
        let parts = &in_one_frame(parts)?[..];
        let begin = |part: &LightCurve| part.grid.edge(part.first_bin()).value();
        let filled = || parts.iter().filter(|part| !part.is_empty());
        let Some(first) = filled().min_by(|a, b| begin(a).total_cmp(&begin(b))) else {
            return Err(Error::argument("light_curves", parts.len(), "none of them has a bin"));
        };
        let dt = first.grid.dt;
        let grid = TimeGrid { origin: first.grid.edge(first.first_bin()), dt };
        let mut all = LightCurve { grid, gti: Gti::default(), ..first.without_bins() };
        all.meta.record.inputs.clear();
        all.meta.record.photons = EventBalance::default();
        let mut rows = Vec::new();
        for part in filled() {
            let bad = |what: String| Err(Error::argument("light_curves", part.name(), what));
            if (part.grid.dt / dt - 1.0).abs() > 1e-9 || part.counted != first.counted {
                return bad(format!(
                    "bins of {} s cannot be joined to bins of {dt} s, or errors are of another kind",
                    part.grid.dt
                ));
            }
            let apart = (part.grid.edge(part.first_bin()) - grid.origin).value() / dt;
            if (apart - apart.round()).abs() > GRID_SLACK {
                let off = ShortNumber(apart - apart.floor());
                return bad(format!(
                    "its bins begin {off} of a bin off the others' grid; averages of segments need no common one"
                ));
            }
            let shift = apart.round() as u64;
            rows.extend(part.bin.iter().enumerate().map(|(i, k)| (k - part.first_bin() + shift, part, i)));
            all.gti = all.gti.union(&part.gti);
            all.meta.record.inputs.extend(part.meta.record.inputs.iter().cloned());
            all.meta.record.photons.add(&part.meta.record.photons);
            all.meta.record.barycentred &= part.meta.record.barycentred;
            all.meta.record.warnings.extend(part.meta.record.warnings.clone());
        }
        rows.sort_by_key(|row| row.0);
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            // What a file says of one bin is its own affair.
            if same.len() == 1 {
                continue;
            }
            let part: f64 = same.iter().map(|&(_, p, i)| p.fracexp[i]).sum();
            if part > 1.0 + EDGE_SLACK {
                let message = format!(
                    "the bin at {} s is in two of them; light curves that overlap are not joined",
                    grid.centre(same[0].0)
                );
                return Err(Error::argument("light_curves", same[0].1.name(), message));
            }
        }
        let places = rows.iter().map(|row| row.0).collect();
        for (k, p, i) in rows {
            all.bin.push(k);
            all.counts.push(p.counts[i]);
            all.rate.push(p.rate[i]);
            all.rate_err.push(p.rate_err[i]);
            all.fracexp.push(p.fracexp[i]);
        }
        Ok(all.regrouped(grid, places, 1.0))
    }

    /// [`LightCurve::joined`] for averages of segments, which need no common grid: a light curve whose bins begin between those of the others is moved by less
    /// than a bin, intervals and all, so that it has its own segments.
    ///
    /// # Errors
    /// See [`LightCurve::joined`], but for the grids.
    pub(crate) fn join_segments(parts: &[LightCurve]) -> Result<LightCurve> {
        let begin = |part: &LightCurve| part.grid.edge(part.first_bin());
        let mut moved = in_one_frame(parts)?;
        moved.sort_by(|a, b| begin(a).value().total_cmp(&begin(b).value()));
        let Some(grid) = moved.first().map(|first| TimeGrid { origin: begin(first), dt: first.grid.dt }) else {
            return LightCurve::joined(parts);
        };
        let mut end = 0.0;
        for part in &mut moved {
            let place = (begin(part) - grid.origin).value() / grid.dt;
            let mut nearest = place.round();
            if (place - nearest).abs() > GRID_SLACK {
                // What follows at once keeps its first bin to itself.
                nearest = if nearest < end && place > end - 0.5 { end } else { nearest };
                let shift = DoubleDouble::product(grid.dt, nearest) + grid.origin - begin(part);
                part.grid.origin = part.grid.origin + shift;
                part.time = part.bin.iter().map(|&k| part.grid.centre(k)).collect();
                part.gti = part.gti.shifted(shift);
            }
            let bins = part.bin.last().map_or(0, |last| last + 1 - part.first_bin());
            end = f64::max(end, nearest + bins as f64);
        }
        LightCurve::joined(&moved)
    }

    /// The same in the frame of another light curve: times become those of its reference epoch.
    ///
    /// # Errors
    /// They differ in time system or reference position, or only one has a reference epoch.
    pub(crate) fn in_frame_of(&self, other: &Record) -> Result<LightCurve> {
        let own = &self.meta.record;
        let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && !a.eq_ignore_ascii_case(b);
        let frames_differ = |key: &str, theirs: &str, ours: &str| {
            let message =
                format!("{key} is `{theirs}`, but `{ours}` in {}; such times cannot be joined", other.first_input());
            Err(Error::format(self.name(), key, message))
        };
        let mut moved = self.clone();
        match (other.mjdref, own.mjdref) {
            _ if differ(&other.timesys, &own.timesys) => return frames_differ("TIMESYS", &own.timesys, &other.timesys),
            _ if differ(&other.timeref, &own.timeref) => return frames_differ("TIMEREF", &own.timeref, &other.timeref),
            (Some(ours), Some(theirs)) if ours != theirs => {
                let shift = ours.seconds_to(theirs);
                moved.grid.origin = moved.grid.origin + shift;
                moved.time = moved.bin.iter().map(|&k| moved.grid.centre(k)).collect();
                moved.gti = moved.gti.shifted(shift);
                moved.meta.record.mjdref = Some(ours);
            }
            (Some(_), None) => return frames_differ("MJDREF", "missing", "a number"),
            (None, Some(_)) => return frames_differ("MJDREF", "a number", "missing"),
            _ => {}
        }
        Ok(moved.described())
    }
}

/// Those that have bins, in the frame of the first.
fn in_one_frame(parts: &[LightCurve]) -> Result<Vec<LightCurve>> {
    let mut filled = parts.iter().filter(|part| !part.is_empty());
    let Some(first) = filled.next() else { return Ok(Vec::new()) };
    std::iter::once(Ok(first.clone())).chain(filled.map(|part| part.in_frame_of(&first.meta.record))).collect()
}
