//! Which intervals of an event file are in force, of all that it has.

use std::collections::{BTreeSet, HashMap};

use super::events::EventFile;
use super::file_scan::warn_of_datasum;
use super::fits::Hdu;
use super::gti::{self, TimeFrame};
use super::subspace::{self, Component, TimeFilter};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::time::DoubleDouble;
use crate::base::warning::{Warning, Warnings};
use crate::data::Gti;
use crate::missions::GtiRule;

/// Intervals as pairs of start and stop.
pub(super) type RawIntervals = Vec<(DoubleDouble, DoubleDouble)>;

/// What makes good time of intervals that were read.
pub(super) type BuildGti<'a> = &'a dyn Fn(RawIntervals, &mut Warnings) -> Result<Gti>;

/// Filters that hold together, of which one set or another holds.
type FilterSets<'a> = Vec<Vec<TimeFilter<'a>>>;

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
        let choices = match self.subspace_choices(hdus, wanted, warnings)? {
            Some(choices) => choices,
            None => {
                let tables = self.gti_tables(hdus, wanted, warnings)?;
                tables.into_iter().map(|hdu| vec![vec![TimeFilter::Table(hdu)]]).collect()
            }
        };
        let mut tables: HashMap<usize, Gti> = HashMap::new();
        let (mut all, mut any): (Option<Gti>, Gti) = (None, Gti::default());
        for choice in &choices {
            let mut own = Gti::default();
            for filters in choice {
                let mut common: Option<Gti> = None;
                for filter in filters {
                    let one = match filter {
                        TimeFilter::Table(hdu) => match tables.get(&hdu.index) {
                            Some(known) => known.clone(),
                            None => {
                                warn_of_datasum(&self.source, hdu, warnings)?;
                                let one = build(gti::read_table(&self.source, hdu, frame, warnings)?, warnings)?;
                                tables.insert(hdu.index, one.clone());
                                one
                            }
                        },
                        TimeFilter::Ranges(ranges) => build(self.range_intervals(ranges, frame)?, warnings)?,
                    };
                    common = Some(common.map_or_else(|| one.clone(), |sum| sum.intersect(&one)));
                }
                own = own.union(&common.unwrap_or_default());
            }
            let common = all.map_or_else(|| own.clone(), |sum: Gti| sum.intersect(&own));
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
            (all, any) = (Some(common), any.union(&own));
        }
        if let Some((common, any)) = all.as_ref().map(|all| (all.exposure(), any.exposure()))
            && common < any
        {
            let message = format!("{path}: the detectors in use have {common} s in common, of {any} s that any has");
            warnings.push("W-GTI-COMMON", message);
        }
        let used: BTreeSet<usize> = tables.into_keys().collect();
        if !used.is_empty() {
            self.warn_of_unused(hdus, &used, warnings);
        }
        Ok(all)
    }

    /// What the data subspace of the events says of times, for each detector in use or for all; `None` where it says nothing that the file
    /// holds.
    fn subspace_choices<'a>(
        &self,
        hdus: &'a [Hdu],
        wanted: Option<&[i64]>,
        warnings: &mut Warnings,
    ) -> Result<Option<Vec<FilterSets<'a>>>> {
        let detector = self.detector.as_ref().map(|column| column.name.as_str());
        let components = subspace::components(&self.hdu.header, hdus, &self.time.name, detector);
        if components.is_empty() {
            return Ok(None);
        }
        let apart = components.iter().any(|component| component.detectors.is_some());
        let used = match &self.detector {
            Some(column) if apart => self.detectors_of(column)?.unwrap_or_default(),
            _ => BTreeSet::new(),
        };
        let used: Vec<i64> = used.into_iter().filter(|d| wanted.is_none_or(|list| list.contains(d))).collect();
        let (mut groups, mut without): (Vec<Vec<&Component>>, Vec<i64>) = (Vec::new(), Vec::new());
        for detector in used {
            let own: Vec<&Component> = components.iter().filter(|component| component.has(detector)).collect();
            if own.is_empty() { without.push(detector) } else { groups.push(own) }
        }
        if !without.is_empty() {
            let message = format!("{}: detectors {} have no intervals of their own", self.path(), List(&without));
            warnings.push("W-GTI-DETECTOR", message);
        }
        if groups.is_empty() {
            groups.push(components.iter().collect());
        }
        if let Some((key, name)) = groups.iter().flatten().find_map(|component| component.missing.as_ref()) {
            let message = format!(
                "{}: {key} names intervals {name}, which the file has not; the general rule is followed",
                self.path()
            );
            warnings
                .record(Warning::new("W-GTI-REFERENCE", message).mended_by([Mend::field("gti").doing("gives them")]));
            return Ok(None);
        }
        let times = |group: Vec<&Component<'a>>| group.into_iter().map(|component| component.times.clone()).collect();
        Ok(Some(groups.into_iter().map(times).collect()))
    }

    /// Ranges of times that stand in keywords, as intervals of the frame.
    fn range_intervals(&self, ranges: &[(f64, f64)], frame: &TimeFrame) -> Result<RawIntervals> {
        let unit = gti::keyword_unit(&self.hdu.header)?;
        let bound = |t: f64| DoubleDouble::product(t.clamp(-1e15, 1e15), unit) + frame.timezero;
        Ok(ranges.iter().map(|&(lo, hi)| (bound(lo), bound(hi))).collect())
    }

    /// Warns of tables of intervals that are not in force, by name; those of detectors that are not in use, and those that the mission is
    /// known to have besides, are meant for something else.
    fn warn_of_unused(&self, hdus: &[Hdu], used: &BTreeSet<usize>, warnings: &mut Warnings) {
        let subspace = subspace::components(&self.hdu.header, hdus, &self.time.name, None);
        let others = |hdu: &Hdu| {
            let spare =
                |prefix: &&str| hdu.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
            let of_detector = subspace.is_empty() && is_of_some_detector(self.mission.gti, hdu);
            let named = |component: &Component| {
                component.times.iter().any(|t| matches!(t, TimeFilter::Table(table) if table.index == hdu.index))
            };
            of_detector || self.mission.spare_gtis.iter().any(spare) || subspace.iter().any(named)
        };
        let unused = hdus.iter().filter(|hdu| gti::holds_intervals(hdu) && !used.contains(&hdu.index) && !others(hdu));
        let taken: Vec<String> = hdus.iter().filter(|hdu| used.contains(&hdu.index)).map(gti::label).collect();
        gti::warn_of_unused(self.path(), &taken, unused, warnings);
    }
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
