//! Which detectors a file has events of, and the good time intervals of each.

use std::collections::BTreeSet;

use super::events::EventFile;
use super::fits::Hdu;
use super::fits_table::{ElementType, FitsColumn, FitsTable};
use super::gti;
use crate::base::error::Result;
use crate::base::text::List;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::missions::{self, GtiRule};

/// Detectors of an instrument that has intervals for each; more values of a column tell something else.
const MOST_DETECTORS: usize = 100;

impl EventFile {
    /// Numbers of the detectors that have events; `None` for a column that holds something else, with more values than
    /// instruments have detectors.
    pub(super) fn detectors_of(&self, column: &FitsColumn) -> Result<Option<BTreeSet<i64>>> {
        let (mut used, mut values) = (BTreeSet::new(), Vec::new());
        self.table.each_piece(0..self.rows(), |rows| {
            values.clear();
            rows.decode(column, &mut values);
            // Neighbours are mostly of one detector; a column of many values is given up.
            values.dedup();
            if used.len() <= MOST_DETECTORS {
                used.extend(values.iter().filter(|d| d.is_finite()).map(|&d| d as i64));
            }
        })?;
        Ok(Some(used).filter(|used| used.len() <= MOST_DETECTORS))
    }

    /// Warns of detectors asked for that no event has.
    #[doc(hidden)]
    pub fn warn_of_absent_detectors(&self, wanted: &[i64], warnings: &mut Warnings) -> Result<()> {
        let Some(column) = &self.detector else { return Ok(()) };
        let Some(there) = self.detectors_of(column)? else { return Ok(()) };
        let list = |numbers: &mut dyn Iterator<Item = &i64>| numbers.map(i64::to_string).collect::<Vec<_>>().join(", ");
        let absent = list(&mut wanted.iter().filter(|d| !there.contains(d)));
        if !absent.is_empty() {
            let there = if there.is_empty() { "none".into() } else { list(&mut there.iter()) };
            let message = format!("{}: no event has {} {absent}; the file has {there}", self.path(), column.name);
            warnings.push("W-NO-DETECTOR", message);
        }
        Ok(())
    }

    /// Name of the column with the number of the detector; `None` if the mission has none.
    pub fn detector_name(&self) -> Option<&str> {
        self.detector.as_ref().map(|c| c.name.as_str())
    }

    /// Numbers of the detectors that have events; `None` if the mission has no column for them.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn detectors(&self) -> Result<Option<Vec<i64>>> {
        let Some(column) = &self.detector else { return Ok(None) };
        Ok(self.detectors_of(column)?.map(|there| there.into_iter().collect()))
    }

    /// The GTI tables that apply: the first one, or one for each detector in use.
    pub(super) fn gti_tables<'a>(
        &self,
        hdus: &'a [Hdu],
        wanted: Option<&[i64]>,
        warnings: &mut Warnings,
    ) -> Result<Vec<&'a Hdu>> {
        if let (Some(column), true) = (&self.detector, self.mission.gti != GtiRule::First) {
            let all = self.detectors_of(column)?.unwrap_or_default();
            let used: BTreeSet<i64> = all.into_iter().filter(|d| wanted.is_none_or(|list| list.contains(d))).collect();
            let of = |detector: i64| hdus.iter().find(|h| is_of(self.mission.gti, h, detector));
            let tables: Vec<&Hdu> = used.iter().filter_map(|&d| of(d)).collect();
            if !tables.is_empty() {
                let without: Vec<i64> = used.iter().copied().filter(|&d| of(d).is_none()).collect();
                if !without.is_empty() {
                    let message =
                        format!("{}: detectors {} have no intervals of their own", self.path(), List(&without));
                    warnings.push("W-GTI-DETECTOR", message);
                }
                return Ok(tables);
            }
        }
        Ok(gti::find(hdus).into_iter().collect())
    }

    /// How many of the places of detectors were selected during good time, second by second (NICER's 56 in FPM_SEL). A
    /// change is warned of: the rate follows it.
    pub(super) fn count_selected(&mut self, hdus: &[Hdu], warnings: &mut Warnings) -> Result<()> {
        let of = |name: &'static str| hdus.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|hdu| (name, hdu));
        let Some((name, hdu)) = missions::detectors_on().find_map(of) else { return Ok(()) };
        let table = FitsTable::open(&self.source, hdu, true)?;
        let (Some(time), Some(selected)) = (table.numbers("TIME")?, table.column(name)?) else { return Ok(()) };
        let unit = gti::column_unit(&table, time, &hdu.header)?;
        let width = match selected.kind {
            ElementType::U8 => 1,
            ElementType::I16 => 2,
            ElementType::I32 => 4,
            _ => return Ok(()),
        };
        let mut place = FitsColumn { repeat: 1, ..selected.clone() };
        let shift = gti::timezero(&hdu.header)?.unwrap_or(DoubleDouble::ZERO);
        let mut range: Option<(usize, usize)> = None;
        let (mut times, mut values) = (Vec::new(), Vec::new());
        table.each_piece(0..table.rows, |rows| {
            times.clear();
            rows.decode(time, &mut times);
            let mut on = vec![0; times.len()];
            // Only a table with rows has as many places as it announces.
            for k in 0..selected.repeat as usize {
                place.offset = selected.offset + k * width;
                values.clear();
                rows.decode(&place, &mut values);
                on.iter_mut().zip(&values).for_each(|(on, value)| *on += usize::from(*value > 0.0));
            }
            let good =
                times.iter().zip(&on).filter(|(t, _)| self.gti.contains(DoubleDouble::product(**t, unit) + shift));
            good.for_each(|(_, &on)| range = range.map_or(Some((on, on)), |(a, b)| Some((a.min(on), b.max(on)))));
        })?;
        let Some((least, most)) = range else { return Ok(()) };
        self.facts.push(("detectors on", if least == most { most.to_string() } else { format!("{least} to {most}") }));
        if least < most {
            let message = format!(
                "{}: {least} to {most} detectors are on during good time ({name}); the rate changes with them",
                self.path()
            );
            warnings.push("W-DETECTORS-ON", message);
        }
        Ok(())
    }
}

/// True for the good time intervals of this detector.
fn is_of(rule: GtiRule, hdu: &Hdu, detector: i64) -> bool {
    match rule {
        GtiRule::First => false,
        GtiRule::ByDetector(prefixes) => {
            let name = hdu.name.trim().to_ascii_uppercase();
            let digits = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or_default();
            let own = digits.get(digits.len().saturating_sub(2)..).unwrap_or_default();
            digits.bytes().all(|b| b.is_ascii_digit()) && own.parse() == Ok(detector)
        }
        GtiRule::ByKeyword(key) => {
            hdu.name.eq_ignore_ascii_case("GTI") && hdu.header.int(key).ok().flatten() == Some(detector)
        }
    }
}
