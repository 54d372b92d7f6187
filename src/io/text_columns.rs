//! Which column of a text table is which.

use super::light_curve_columns::RawLightCurve;
use super::qdp::{Vector, VectorErrors};
use crate::base::text::List;
use crate::base::warning::Warnings;

/// Part by which errors upwards and downwards may differ and still be one.
const SAME_ERROR: f64 = 1e-6;

/// What the first line says of the columns.
pub(super) enum Header {
    Known(ColumnPlaces),
    /// It is none of a light curve.
    None,
    /// Two columns have this name.
    Twice(String),
}

/// Warns of columns without a name that are not read.
pub(super) fn warn_of_columns(path: &str, columns: &[usize], warnings: &mut Warnings) {
    if !columns.is_empty() {
        let message = format!(
            "{path}: columns that are not read, by their numbers: {}; a first line of names, or READ SERR, says what they are",
            List(columns)
        );
        warnings.push("W-COLUMN-UNUSED", message);
    }
}

/// Places of the columns.
pub(super) struct ColumnPlaces {
    time: usize,
    counts: Option<usize>,
    rate: Option<usize>,
    error: Option<usize>,
    rate_error: Option<usize>,
    fracexp: Option<usize>,
    exposure: Option<usize>,
    width: Option<usize>,
    /// A column without a name behind the error.
    pub fourth: Option<usize>,
    /// Half widths of bins: one for both sides, or those behind and before the time.
    half_widths: VectorErrors,
    /// Errors of the rate upwards and downwards.
    two_sided: Option<(usize, usize)>,
    /// How many columns there are, read or not.
    pub columns: usize,
}

impl ColumnPlaces {
    /// The first two columns, and no other.
    fn time_and_rate(columns: usize) -> ColumnPlaces {
        ColumnPlaces {
            time: 0,
            counts: None,
            rate: Some(1),
            error: None,
            rate_error: None,
            fracexp: None,
            exposure: None,
            width: None,
            fourth: None,
            half_widths: VectorErrors::None,
            two_sided: None,
            columns,
        }
    }

    /// The places of so many columns without names.
    pub fn positional(columns: usize) -> Header {
        let (error, fourth) = ((columns > 2).then_some(2), (columns == 4).then_some(3));
        match columns {
            0 | 1 => Header::None,
            _ => Header::Known(ColumnPlaces { error, fourth, ..ColumnPlaces::time_and_rate(columns) }),
        }
    }

    /// The places of the vectors of a QDP file, the first of which are the time and the rate.
    pub fn of_vectors(vectors: &[Vector], columns: usize) -> ColumnPlaces {
        let mut places = ColumnPlaces::time_and_rate(columns);
        if let [time, rate, ..] = vectors {
            (places.time, places.rate, places.half_widths) = (time.value, Some(rate.value), time.errors);
            match rate.errors {
                VectorErrors::None => {}
                VectorErrors::One(error) => places.error = Some(error),
                VectorErrors::Two(up, down) => places.two_sided = Some((up, down)),
            }
        }
        places
    }

    /// How many columns are held.
    pub fn held(&self) -> usize {
        2 + [self.counts, self.rate, self.error, self.fracexp, self.fourth].iter().flatten().count()
            + usize::from(self.two_sided.is_some())
    }

    /// The places by the names.
    pub fn from_header(fields: &[&str]) -> Header {
        let mut seen = std::collections::HashSet::new();
        let twice = fields.iter().map(|f| f.to_ascii_lowercase()).find(|f| !f.is_empty() && !seen.insert(f.clone()));
        let find = |names: &[&str]| fields.iter().position(|f| names.iter().any(|n| f.eq_ignore_ascii_case(n)));
        let Some(time) = find(&["time", "t"]) else { return Header::None };
        let counts = find(&["counts", "count"]);
        let rate = find(&["rate", "flux"]);
        let of_rate = find(&["rate_err", "flux_err"]);
        let plain = find(&["error", "err"]);
        // A plain error is that of the only value there is.
        let error = match (counts, rate) {
            (Some(_), None) => find(&["counts_err", "count_err"]).or(plain),
            (Some(_), Some(_)) => find(&["counts_err", "count_err"]),
            (None, Some(_)) => of_rate.or(plain),
            (None, None) => return Header::None,
        };
        let rate_error = of_rate.filter(|_| counts.is_some() && rate.is_some() && error.is_none());
        if let Some(name) = twice {
            return Header::Twice(name.escape_debug().to_string());
        }
        let (fracexp, exposure, width) = (find(&["fracexp"]), find(&["exposure"]), find(&["timedel"]));
        let none = ColumnPlaces::time_and_rate(fields.len());
        Header::Known(ColumnPlaces { time, counts, rate, error, rate_error, fracexp, exposure, width, ..none })
    }

    /// Warns of columns that are not read, for an error may be among them; by their numbers where they have no names.
    pub fn warn_of_unused(&self, path: &str, names: &[&str], warnings: &mut Warnings) {
        // What follows from counts, of files with both.
        const DERIVED: [&str; 8] = ["rate", "flux", "rate_err", "flux_err", "error", "err", "counts_err", "count_err"];
        let places = [self.counts, self.rate, self.error, self.fracexp, self.exposure, self.width];
        let is_read = |at: usize| at == self.time || places.contains(&Some(at));
        if names.is_empty() {
            let in_pairs = |at: usize| {
                let bounds = self.two_sided.is_some_and(|(up, down)| at == up || at == down);
                bounds || self.fourth == Some(at) || self.half_widths.has(at)
            };
            let left: Vec<usize> =
                (0..self.columns).filter(|&at| !is_read(at) && !in_pairs(at)).map(|at| at + 1).collect();
            return warn_of_columns(path, &left, warnings);
        }
        let known =
            |name: &str| name.is_empty() || (self.counts.is_some() && DERIVED.contains(&&*name.to_ascii_lowercase()));
        let unused: Vec<String> = names
            .iter()
            .zip(0..)
            .filter(|(name, at)| !is_read(*at) && !known(name))
            .map(|(name, _)| name.escape_debug().to_string())
            .collect();
        if !unused.is_empty() {
            let message = format!(
                "{path}: columns that are not read: {}; an error is called rate_err, counts_err or error",
                unused.join(", ")
            );
            warnings.push("W-COLUMN-UNUSED", message);
        }
    }

    /// Appends a line; false when a number is missing. A value that is left out is none: its bin is missing. `lopsided` counts errors upwards that
    /// are not those downwards.
    pub fn push(
        &self,
        fields: &[&str],
        number: usize,
        raw: &mut RawLightCurve,
        fourth: &mut Vec<f64>,
        lopsided: &mut u64,
    ) -> bool {
        let value = |at: usize| match fields.get(at) {
            Some(field) if field.is_empty() || field.eq_ignore_ascii_case("NO") => Some(f64::NAN),
            Some(field) => field.parse::<f64>().ok(),
            None => None,
        };
        let both = |up: usize, down: usize| Some((value(up)?.abs(), value(down)?.abs()));
        let Some(mut time) = value(self.time).filter(|_| fields.get(self.time) != Some(&"")) else { return false };
        let columns = [
            (self.counts, &mut raw.counts),
            (self.rate, &mut raw.rate),
            (self.error, &mut raw.error),
            (self.rate_error, &mut raw.rate_error),
            (self.fracexp, &mut raw.fracexp),
            (self.exposure, &mut raw.exposure),
            (self.width, &mut raw.width),
        ];
        for (place, column) in columns {
            let Some(place) = place else { continue };
            let Some(value) = value(place) else { return false };
            column.get_or_insert_with(Vec::new).push(value);
        }
        let width = match self.half_widths {
            VectorErrors::None => None,
            VectorErrors::One(half) => value(half).map(|half| 2.0 * half),
            VectorErrors::Two(behind, before) => both(behind, before).map(|(behind, before)| {
                // The bin lies unevenly about what is given: its middle is meant from here on.
                time += 0.5 * (behind - before);
                behind + before
            }),
        };
        match (width, self.half_widths) {
            (None, VectorErrors::None) => {}
            (None, _) => return false,
            (Some(width), _) => raw.width.get_or_insert_with(Vec::new).push(width),
        }
        if let Some((up, down)) = self.two_sided {
            let Some((up, down)) = both(up, down) else { return false };
            *lopsided += u64::from((up - down).abs() > SAME_ERROR * (up + down));
            raw.error.get_or_insert_with(Vec::new).push(0.5 * (up + down));
        }
        if let Some(place) = self.fourth {
            fourth.push(value(place).unwrap_or(f64::NAN));
        }
        raw.time.push(time);
        raw.row.1.push(number);
        true
    }
}
