//! A mission's files as they are imitated: the description, and its channels' energies as numbers.

use crate::base::error::{Error, Result};
use crate::missions::{EnergyRule, ImitatedFiles, Mission};

/// One mission's files.
pub(super) struct Layout {
    pub(super) files: &'static ImitatedFiles,
    /// Energy of a channel's centre is `scale·channel + offset`, keV; `None` where it is not a fixed line.
    kev: Option<(f64, f64)>,
}

impl Layout {
    /// The files of a mission.
    ///
    /// # Errors
    /// A mission that is not imitated.
    pub(super) fn of(mission: &'static Mission) -> Result<Layout> {
        let Some(files) = &mission.files else {
            return Err(Error::argument("mission", mission.name, "files of this mission are read, and not imitated"));
        };
        let number = |text: &str| text.parse().expect("descriptions of missions hold decimals");
        let kev = match mission.energy {
            EnergyRule::Linear { gain, offset } | EnergyRule::Column { channels: Some((gain, offset)), .. } => {
                Some((number(gain), number(offset)))
            }
            _ => files.kev,
        };
        Ok(Layout { files, kev })
    }

    /// Unit of the energies that the user gives.
    pub(super) fn energy_unit(&self) -> &'static str {
        if self.kev.is_some() { "keV" } else { "channels" }
    }

    /// Energy of a channel's centre in [`Layout::energy_unit`].
    pub(super) fn energy(&self, channel: i32) -> f64 {
        let (scale, offset) = self.kev.unwrap_or((1.0, 0.0));
        scale * f64::from(channel) + offset
    }

    /// First and last channel whose centre lies in `[lo, hi)`; the usual ones without a range.
    pub(super) fn channels(&self, range: Option<(f64, f64)>) -> Result<(i32, i32)> {
        let ImitatedFiles { telescop, all, usual, .. } = *self.files;
        let Some((lo, hi)) = range else { return Ok(usual) };
        let (scale, offset) = self.kev.unwrap_or((1.0, 0.0));
        // Decimal edges miss their channel by an ulp in f64; a billionth of a channel is far more than that.
        let at_or_above = |e: f64| ((e - offset) / scale - 1e-9).ceil();
        let first = at_or_above(lo).max(f64::from(all.0));
        let last = (at_or_above(hi) - 1.0).min(f64::from(all.1));
        if first <= last {
            return Ok((first as i32, last as i32));
        }
        let (min, max, unit) = (self.energy(all.0), self.energy(all.1), self.energy_unit());
        let message = format!("no channel of {telescop} lies there; its channels span {min} to {max} {unit}");
        Err(Error::argument("energies", format!("{lo}:{hi}"), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::missions::{HRC, NICER, NUSTAR};

    #[test]
    fn decimal_band_edges_belong_to_the_band_above() {
        let nicer = Layout::of(&NICER).unwrap();
        for pi in 1..1500 {
            let (lo, hi) = (f64::from(pi) / 100.0, f64::from(pi + 1) / 100.0);
            assert_eq!(nicer.channels(Some((lo, hi))).unwrap(), (pi, pi));
        }
        assert_eq!(Layout::of(&NUSTAR).unwrap().channels(Some((3.0, 79.0))).unwrap(), (35, 1934));
        assert!(nicer.channels(Some((20.0, 30.0))).unwrap_err().to_string().contains("NICER"));
        assert!(Layout::of(&HRC).is_err());
    }

    #[test]
    fn rows_are_as_wide_as_the_missions_are() {
        // Bytes of a row, counted in real files.
        let widths = [
            ("generic", 12),
            ("nustar", 21),
            ("nicer", 47),
            ("xmm", 34),
            ("xte", 14),
            ("chandra", 32),
            ("swift", 46),
            ("ixpe", 52),
            ("laxpc", 18),
            ("hxmt", 14),
            ("resolve", 24),
            ("xtend", 24),
            ("erosita", 78),
            ("fxt", 24),
            ("lat", 110),
            ("gbm", 10),
        ];
        for (name, width) in widths {
            let mission = crate::missions::named(name).unwrap();
            let columns = Layout::of(mission).unwrap().files.columns;
            let sum: usize = columns
                .iter()
                .map(|c| crate::io::fits_writer::WrittenColumn::new(c.0, c.1, c.2).width().unwrap())
                .sum();
            assert_eq!(sum, width, "{name}");
        }
    }
}
