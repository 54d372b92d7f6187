//! Detectors that are left out.

use std::collections::BTreeSet;
use std::path::Path;

use super::Observation;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::warning::Warning;
use crate::io::OpenOptions;

impl Observation {
    /// The detectors that have events in some of the files, but for those that are excluded: what
    /// [`detectors`](OpenOptions::detectors) takes. And a warning of those of the excluded that no file has.
    ///
    /// # Errors
    /// A file without numbers of detectors; no detector is left; see [`Observation::open_with`].
    pub fn detectors_but<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        options: &OpenOptions,
        exclude_detector: &[i64],
    ) -> Result<(Vec<i64>, Option<Warning>)> {
        let observation = Observation::open_with(paths, options)?;
        if observation.files().is_empty() {
            // Of light curves, which have none to select.
            return Ok((exclude_detector.to_vec(), None));
        }
        let mut all = BTreeSet::new();
        for file in observation.files() {
            let there = file.detectors()?.ok_or_else(|| {
                let message =
                    format!("{}: no detectors can be selected: no column tells a few of them apart", file.path());
                Error::argument("exclude_detector", "", message)
            })?;
            all.extend(there);
        }
        let (kept, left_out): (Vec<i64>, Vec<i64>) =
            all.iter().partition(|detector| !exclude_detector.contains(detector));
        if kept.is_empty() {
            return Err(Error::argument("exclude_detector", "", "no detector with events is left"));
        }
        let absent: Vec<i64> =
            exclude_detector.iter().copied().filter(|detector| !left_out.contains(detector)).collect();
        let of = |observation: &Observation| {
            observation.files().first().map_or(String::new(), |file| file.path().to_string())
        };
        let warning = (!absent.is_empty()).then(|| {
            let message = format!(
                "{}: no event is of detector {}, which was to be left out; there are {}",
                of(&observation),
                List(&absent),
                List(&all.iter().collect::<Vec<_>>())
            );
            Warning::new("W-NO-DETECTOR", message).mended_by([Mend::field("exclude_detector")])
        });
        Ok((kept, warning))
    }
}
