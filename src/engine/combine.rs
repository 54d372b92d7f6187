//! How several inputs make one product, and the good time that they have then.

use serde::Serialize;

use super::time_source::Events;
use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::warning::Warnings;
use crate::data::Gti;

/// How several inputs make one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Combine {
    /// Inputs are observations at different times; each is cut into segments of its own, and all segments are averaged.
    Average,
    /// Inputs are detectors that observed at the same time; their events are put together, and only time that all of
    /// them observed is used.
    Merge,
}

choice!(Combine, "combine": Average = "average", Merge = "merge");

/// The intervals of each input: its own, or what all merged inputs have in common; exposure lost that way is warned of.
pub(super) fn combined_gtis(inputs: &[Events], combine: Combine, warnings: &mut Warnings) -> Result<Vec<Gti>> {
    let mut gtis: Vec<Gti> = inputs.iter().map(|i| i.gti.clone()).collect();
    if combine == Combine::Merge && inputs.len() > 1 {
        let common = gtis[1..].iter().fold(gtis[0].clone(), |all, gti| all.intersect(gti));
        if common.is_empty() {
            let path = inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::gti(path, "the inputs have no time in common, so they cannot be merged"));
        }
        let (kept, shortest) = (common.exposure(), gtis.iter().map(Gti::exposure).fold(f64::INFINITY, f64::min));
        if kept < shortest {
            let each: Vec<String> = gtis.iter().map(|g| ShortNumber(g.exposure()).to_string()).collect();
            let message = format!(
                "the merged inputs have {} s in common; each alone has {} s",
                ShortNumber(kept),
                each.join(", ")
            );
            warnings.push("W-MERGE-EXPOSURE", message);
        }
        gtis = vec![common; inputs.len()];
    }
    Ok(gtis)
}

/// The good time of all inputs.
///
/// # Errors
/// Inputs that overlap in time and are not merged.
pub(super) fn union_of(inputs: &[Events], gtis: &[Gti], combine: Combine) -> Result<Gti> {
    let mut union = Gti::default();
    for (gti, input) in gtis.iter().zip(inputs) {
        if combine == Combine::Average && !union.intersect(gti).is_empty() {
            let message = format!("{} overlaps another input in time", input.name);
            let merge = Mend::set("combine", "merge").doing("sums their events");
            return Err(Error::argument("combine", "average", message).mended_by([merge]));
        }
        union = union.union(gti);
    }
    Ok(union)
}
