//! The data subspace of an event table: by its keywords `DSTYPn`, `DSVALn` and `DSREFn` it says which times it was filtered with.
//!
//! The filters `n` of a component hold together; those of the first component have no number in front of their keywords, the others
//! `2DSREFn`, `3DSREFn` and so on, where they differ from the first. An event belongs to one of the components (ASC data model,
//! McDowell 2000; XMM's `evselect` and Chandra's tools write them so).

use std::collections::HashMap;

use super::fits::{FitsHeader, Hdu};
use super::time_unit::seconds_per_unit;
use crate::base::error::Result;
use crate::base::mend::Mend;
use crate::base::warning::{Warning, Warnings};

/// The most components that are looked for: keywords have eight characters.
const MOST_COMPONENTS: usize = 99;

/// Filters of times of all components; those of a camera with twelve detectors are some dozens.
const MOST_FILTERS: usize = 4096;

/// What times are filtered with.
#[derive(Clone, Debug)]
pub(super) enum TimeFilter<'a> {
    /// By a table of intervals.
    Table(&'a Hdu),
    /// By ranges, and the seconds in their unit; without one that is the unit of the keywords.
    Ranges(Vec<(f64, f64)>, Option<f64>),
}

/// One component of a data subspace.
#[derive(Clone, Debug)]
pub(super) struct Component<'a> {
    /// All of these hold.
    pub times: Vec<TimeFilter<'a>>,
    /// Numbers of detectors, from and to; `None` for all.
    pub detectors: Option<Vec<(f64, f64)>>,
    /// A table that is named and is not there, with the keyword that names it.
    pub missing: Option<(String, String)>,
}

/// Says that a table of intervals is named and is not there.
pub(super) fn warn_of_missing(path: &str, (key, name): &(String, String), warnings: &mut Warnings) {
    let place = if name.starts_with(':') { "which the file has not" } else { "which are in no table of this file" };
    let message = format!("{path}: {key} names intervals {name}, {place}; the general rule is followed");
    warnings.record(Warning::new("W-GTI-REFERENCE", message).mended_by([Mend::field("gti").doing("gives them")]));
}

impl<'a> Component<'a> {
    /// The component of one table, and of all detectors.
    pub fn of_table(hdu: &'a Hdu) -> Component<'a> {
        Component { times: vec![TimeFilter::Table(hdu)], detectors: None, missing: None }
    }

    /// True where times are filtered by this table.
    pub fn has_table(&self, hdu: &Hdu) -> bool {
        self.times.iter().any(|time| matches!(time, TimeFilter::Table(table) if table.index == hdu.index))
    }

    /// True where events of this detector may belong to it.
    pub fn has(&self, detector: i64) -> bool {
        let number = detector as f64;
        self.detectors.as_ref().is_none_or(|ranges| ranges.iter().any(|&(lo, hi)| lo <= number && number <= hi))
    }
}

/// The components of a data subspace that say something of times; none where no keyword does. `time` and `detector` are the columns.
///
/// # Errors
/// More than [`MOST_FILTERS`] filters of times; two values of a keyword that says which; a unit of ranges that is not known.
pub(super) fn components<'a>(
    header: &FitsHeader,
    hdus: &'a [Hdu],
    time: &str,
    detector: Option<&str>,
) -> Result<Vec<Component<'a>>> {
    let numbered = |prefix: &str, key: &str| key.strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok());
    let filters_of = |column: &str| -> Vec<usize> {
        let names_it = |n: &usize| {
            header.text(&format!("DSTYP{n}")).is_some_and(|name| name.trim().eq_ignore_ascii_case(column.trim()))
        };
        // `DSTYP01` is `DSTYP1`.
        let mut filters: Vec<usize> = header.keys().filter_map(|key| numbered("DSTYP", key)).filter(names_it).collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    };
    let (times, detectors) = (filters_of(time), detector.map_or(Vec::new(), filters_of));
    if times.is_empty() {
        return Ok(Vec::new());
    }
    // Which good time is in force depends on each of them.
    header.refuse_repeated(|key| {
        let rest = key.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = ["DSTYP", "DSVAL", "DSREF", "DSUNI"].iter().find_map(|prefix| numbered(prefix, rest));
        number.is_some_and(|n| times.contains(&n) || detectors.contains(&n))
    })?;
    let component_of = |key: &str| {
        let (number, rest) = key.split_once("DS")?;
        (rest.starts_with("REF") || rest.starts_with("VAL")).then_some(())?;
        number.parse::<usize>().ok().filter(|number| (2..=MOST_COMPONENTS).contains(number))
    };
    let count = header.keys().filter_map(component_of).max().unwrap_or(1);
    let filled =
        |key: String| header.text(&key).map(|t| t.trim().to_string()).filter(|t| !t.is_empty()).map(|t| (key, t));
    if count * times.len() > MOST_FILTERS {
        let message = format!(
            "the data subspace has {} filters of times in each of {count} components; {MOST_FILTERS} in all are read",
            times.len()
        );
        let mend = Mend::field("gti").doing("gives intervals instead");
        return Err(header.error("DSTYPn", &message).mended_by([mend]));
    }
    let tables = TableNames::of(hdus);
    let mut components = Vec::new();
    for number in 1..=count {
        let own = if number == 1 { String::new() } else { number.to_string() };
        // What a component leaves out is as in the first.
        let of = |n: usize, what: &str| filled(format!("{own}DS{what}{n}")).or_else(|| filled(format!("DS{what}{n}")));
        let mut component = Component { times: Vec::new(), detectors: None, missing: None };
        for &n in &times {
            match (of(n, "REF"), of(n, "VAL").and_then(|(_, value)| ranges(&value))) {
                (Some((key, name)), _) => match tables.referred(&name) {
                    Some(hdu) if component.has_table(hdu) => {}
                    Some(hdu) => component.times.push(TimeFilter::Table(hdu)),
                    None => component.missing = Some((key, name)),
                },
                (None, Some(ranges)) => {
                    let unit = of(n, "UNI").map(|(key, unit)| {
                        let unknown = || header.error(&key, &format!("`{unit}` is not a unit of time that is known"));
                        seconds_per_unit(&unit).ok_or_else(unknown)
                    });
                    component.times.push(TimeFilter::Ranges(ranges, unit.transpose()?));
                }
                (None, None) => {}
            }
        }
        component.detectors = detectors.iter().find_map(|&n| ranges(&of(n, "VAL")?.1));
        components.push(component);
    }
    components.retain(|component| !component.times.is_empty() || component.missing.is_some());
    Ok(components)
}

/// Tables by their names in capitals, of each the first.
struct TableNames<'a> {
    own: HashMap<String, &'a Hdu>,
    named: HashMap<String, &'a Hdu>,
    versions: HashMap<(String, i64), &'a Hdu>,
}

impl<'a> TableNames<'a> {
    fn of(hdus: &'a [Hdu]) -> TableNames<'a> {
        let mut names = TableNames { own: HashMap::new(), named: HashMap::new(), versions: HashMap::new() };
        let capitals = |name: &str| name.trim().to_ascii_uppercase();
        for hdu in hdus {
            if let Some(own) = hdu.header.text("HDUNAME") {
                names.own.entry(capitals(&own)).or_insert(hdu);
            }
            names.versions.entry((capitals(&hdu.name), version(hdu))).or_insert(hdu);
            names.named.entry(capitals(&hdu.name)).or_insert(hdu);
        }
        names
    }

    /// The table of `:NAME`: by HDUNAME or EXTNAME, with EXTVER behind the name or behind a comma where several have it.
    fn referred(&self, reference: &str) -> Option<&'a Hdu> {
        let name = reference.strip_prefix(':')?.trim().to_ascii_uppercase();
        let with_version = || {
            let (name, number) = split_version(&name)?;
            self.versions.get(&(name.trim().to_string(), number))
        };
        self.own.get(&name).or_else(|| self.named.get(&name)).or_else(with_version).copied()
    }
}

fn version(hdu: &Hdu) -> i64 {
    hdu.header.int("EXTVER").ok().flatten().unwrap_or(1)
}

/// The parts of `NAME,VERSION`, or of a name with its version right behind it.
fn split_version(name: &str) -> Option<(&str, i64)> {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let (name, number) = name.split_once(',').or_else(|| name.split_at_checked(digits.len()))?;
    Some((name, number.trim().parse::<i64>().ok()?))
}

/// The extension of a name, as `NAME`, as `NAME,VERSION` (EXTVER), or with its EXTVER right behind the name; without a version the first.
pub(super) fn named<'a>(hdus: &'a [Hdu], name: &str) -> Option<&'a Hdu> {
    let called = |hdu: &&Hdu, name: &str| hdu.name.trim().eq_ignore_ascii_case(name.trim());
    if let Some(found) = hdus.iter().find(|hdu| called(hdu, name)) {
        return Some(found);
    }
    let (name, number) = split_version(name)?;
    hdus.iter().find(|hdu| called(hdu, name) && version(hdu) == number)
}

/// Ranges `LO:HI`, or single numbers, apart by commas; `None` for anything else, as `TABLE`.
fn ranges(value: &str) -> Option<Vec<(f64, f64)>> {
    let number = |text: &str, open: f64| if text.trim().is_empty() { Some(open) } else { text.trim().parse().ok() };
    let one = |range: &str| match range.split_once(':') {
        Some((lo, hi)) => number(lo, f64::NEG_INFINITY).zip(number(hi, f64::INFINITY)),
        None => range.trim().parse().ok().map(|value: f64| (value, value)),
    };
    value.split(',').map(one).collect()
}
