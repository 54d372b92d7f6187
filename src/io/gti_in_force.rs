//! Which intervals of an event file are in force, of all that it has.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::events::EventFile;
use super::file_scan::warn_of_datasum;
use super::fits::{FitsHeader, Hdu};
use super::gti::{self, TimeFrame};
use super::subspace::{self, Component, TimeFilter};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::Gti;
use crate::missions::GtiRule;

/// Intervals as pairs of start and stop.
pub(super) type RawIntervals = Vec<(DoubleDouble, DoubleDouble)>;

/// What makes good time of intervals that were read.
pub(super) type BuildGti<'a> = &'a dyn Fn(RawIntervals, &mut Warnings) -> Result<Gti>;

/// Components, and places of those that hold together: for each detector in use, or for all.
type Choices<'a> = (Vec<Component<'a>>, Vec<Vec<usize>>);

impl EventFile {
    /// The good time of the file by its own tables, `None` where it has none: those that the keywords of its data subspace name, else those
    /// of the mission's rule. Detectors have theirs in common. Tables that are not used are warned of by name.
    ///
    /// # Errors
    /// Tables that cannot be read or used; detectors without a time in common.
    pub(super) fn own_gti(
        &self,
        hdus: &[Hdu],
        wanted: Option<&[i64]>,
        frame: &TimeFrame,
        build: BuildGti,
        warnings: &mut Warnings,
    ) -> Result<Option<Gti>> {
        let path = self.path();
        let (components, choices) = match self.subspace_choices(hdus, wanted, warnings)? {
            Some(found) => found,
            None => {
                let tables = self.gti_tables(hdus, wanted, warnings)?;
                let components: Vec<Component> = tables.into_iter().map(Component::of_table).collect();
                let choices = (0..components.len()).map(|own| vec![own]).collect();
                (components, choices)
            }
        };
        let mut tables = TablesRead { file: self, frame, build, read: HashMap::new() };
        let mut known: HashMap<usize, Rc<Gti>> = HashMap::new();
        let (mut all, mut each): (Option<Rc<Gti>>, Vec<Rc<Gti>>) = (None, Vec::new());
        for choice in &choices {
            let mut parts = Vec::new();
            for &number in choice {
                let Some(component) = components.get(number) else { continue };
                let part = match known.get(&number) {
                    Some(part) => Rc::clone(part),
                    None => tables.intervals_of(component, warnings)?,
                };
                known.insert(number, Rc::clone(&part));
                parts.push(part);
            }
            let own = match &parts[..] {
                [one] => Rc::clone(one),
                several => Rc::new(Gti::union_of(several.iter().map(Rc::as_ref))),
            };
            let common = all.map_or_else(|| Rc::clone(&own), |sum: Rc<Gti>| Rc::new(sum.intersect(&own)));
            if common.is_empty() {
                let (message, mend) = match choices.len() {
                    1 => (
                        "the intervals that the data subspace names have no time in common",
                        Mend::field("gti").doing("gives others"),
                    ),
                    _ => ("the detectors in use have no time in common", Mend::field("detectors").doing("takes some")),
                };
                return Err(Error::gti(path, message).mended_by([mend]));
            }
            all = Some(common);
            each.push(own);
        }
        let any = if each.len() > 1 { Some(Gti::union_of(each.iter().map(Rc::as_ref))) } else { None };
        if let Some((common, any)) = all.as_ref().zip(any).map(|(all, any)| (all.exposure(), any.exposure()))
            && common < any
        {
            let message = format!("{path}: the detectors in use have {common} s in common, of {any} s that any has");
            warnings.push("W-GTI-COMMON", message);
        }
        let used: BTreeSet<usize> = tables.read.into_keys().collect();
        if !used.is_empty() {
            self.warn_of_unused(hdus, &used, warnings)?;
        }
        drop((known, each));
        Ok(all.map(Rc::unwrap_or_clone))
    }

    /// The components of the data subspace of the events that say something of times, and which of them hold for each detector in use or for
    /// all, each set once; `None` where it says nothing that the file holds.
    fn subspace_choices<'a>(
        &self,
        hdus: &'a [Hdu],
        wanted: Option<&[i64]>,
        warnings: &mut Warnings,
    ) -> Result<Option<Choices<'a>>> {
        let detector = self.detector.as_ref().map(|column| column.name.as_str());
        let components = subspace::components(&self.hdu.header, hdus, &self.time.name, detector)?;
        if components.is_empty() {
            return Ok(None);
        }
        let apart = components.iter().any(|component| component.detectors.is_some());
        let used = match &self.detector {
            Some(column) if apart => self.detectors_of(column)?.unwrap_or_default(),
            _ => BTreeSet::new(),
        };
        let used: Vec<i64> = used.into_iter().filter(|d| wanted.is_none_or(|list| list.contains(d))).collect();
        let (mut groups, mut without): (Vec<Vec<usize>>, Vec<i64>) = (Vec::new(), Vec::new());
        for detector in used {
            let has = |component: &Component| component.has(detector);
            let own: Vec<usize> = (0..).zip(&components).filter(|(_, c)| has(c)).map(|(number, _)| number).collect();
            match own.is_empty() {
                true => without.push(detector),
                false if groups.contains(&own) => {}
                false => groups.push(own),
            }
        }
        if !without.is_empty() {
            let message = format!("{}: detectors {} have no intervals of their own", self.path(), List(&without));
            warnings.push("W-GTI-DETECTOR", message);
        }
        if groups.is_empty() {
            groups.push((0..components.len()).collect());
        }
        let missing = |&number: &usize| components.get(number)?.missing.as_ref();
        if let Some(missing) = groups.iter().flatten().find_map(missing) {
            subspace::warn_of_missing(self.path(), missing, warnings);
            return Ok(None);
        }
        Ok(Some((components, groups)))
    }

    /// Warns of tables of intervals that are not in force, by name; those of detectors that are not in use, and those that the mission is
    /// known to have besides, are meant for something else.
    fn warn_of_unused(&self, hdus: &[Hdu], used: &BTreeSet<usize>, warnings: &mut Warnings) -> Result<()> {
        let subspace = subspace::components(&self.hdu.header, hdus, &self.time.name, None)?;
        let tables = subspace.iter().flat_map(|component| &component.times);
        let named: HashSet<usize> = tables
            .filter_map(|time| match time {
                TimeFilter::Table(table) => Some(table.index),
                TimeFilter::Ranges(..) => None,
            })
            .collect();
        let others = |hdu: &Hdu| {
            let spare =
                |prefix: &&str| hdu.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
            let of_detector = subspace.is_empty() && is_of_some_detector(self.mission.gti, hdu);
            of_detector || self.mission.spare_gtis.iter().any(spare) || named.contains(&hdu.index)
        };
        let unused = hdus.iter().filter(|hdu| gti::holds_intervals(hdu) && !used.contains(&hdu.index) && !others(hdu));
        let taken: Vec<String> = hdus.iter().filter(|hdu| used.contains(&hdu.index)).map(gti::label).collect();
        gti::warn_of_unused(self.path(), &taken, unused, warnings);
        Ok(())
    }
}

/// Tables of intervals, each of which is read once.
struct TablesRead<'a> {
    file: &'a EventFile,
    frame: &'a TimeFrame,
    build: BuildGti<'a>,
    read: HashMap<usize, Rc<Gti>>,
}

impl TablesRead<'_> {
    fn intervals_of(&mut self, component: &Component, warnings: &mut Warnings) -> Result<Rc<Gti>> {
        let (header, frame, build) = (&self.file.hdu.header, self.frame, self.build);
        in_common(component, |filter| match filter {
            TimeFilter::Table(hdu) => self.table(hdu, warnings),
            TimeFilter::Ranges(ranges, unit) => {
                Ok(Rc::new(build(range_intervals(header, ranges, *unit, frame)?, warnings)?))
            }
        })
    }

    fn table(&mut self, hdu: &Hdu, warnings: &mut Warnings) -> Result<Rc<Gti>> {
        if let Some(known) = self.read.get(&hdu.index) {
            return Ok(Rc::clone(known));
        }
        let source = &self.file.source;
        warn_of_datasum(source, hdu, warnings)?;
        let one = Rc::new((self.build)(gti::read_table(source, hdu, self.frame, warnings)?, warnings)?);
        self.read.insert(hdu.index, Rc::clone(&one));
        Ok(one)
    }
}

/// The time that all filters of a component have in common.
///
/// # Errors
/// Those of `one`, which gives the time of a filter.
pub(super) fn in_common(component: &Component, mut one: impl FnMut(&TimeFilter) -> Result<Rc<Gti>>) -> Result<Rc<Gti>> {
    let mut common: Option<Rc<Gti>> = None;
    for filter in &component.times {
        let own = one(filter)?;
        common = Some(common.map_or_else(|| Rc::clone(&own), |sum| Rc::new(sum.intersect(&own))));
    }
    Ok(common.unwrap_or_default())
}

/// Ranges of times that stand in keywords, as intervals of the frame.
///
/// # Errors
/// An unknown TIMEUNIT.
pub(super) fn range_intervals(
    header: &FitsHeader,
    ranges: &[(f64, f64)],
    unit: Option<f64>,
    frame: &TimeFrame,
) -> Result<RawIntervals> {
    let unit = unit.map_or_else(|| gti::keyword_unit(header), Ok)?;
    let bound = |t: f64| DoubleDouble::product(t.clamp(-1e15, 1e15), unit) + frame.timezero;
    Ok(ranges.iter().map(|&(lo, hi)| (bound(lo), bound(hi))).collect())
}

/// True for a table that is named as the rule names those of single detectors.
fn is_of_some_detector(rule: GtiRule, hdu: &Hdu) -> bool {
    match rule {
        GtiRule::First => false,
        GtiRule::ByDetector(prefixes) => {
            let name = hdu.name.trim().to_ascii_uppercase();
            let digits = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or_default();
            (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        }
        GtiRule::ByKeyword(key) => hdu.header.has(key),
    }
}
