//! What each mission's event files look like: names, clocks, channels, columns.

use serde::Serialize;

use super::missions::{CHANDRA, GENERIC, IXPE, NICER, NUSTAR, SWIFT, XMM, XTE};
use super::newer_missions::{EROSITA, FXT, GBM, HXMT, LAT, LAXPC, RESOLVE, XTEND};
use crate::base::error::{Error, Result};
use crate::base::time::MjdRef;

/// The mission whose files are imitated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mission {
    /// TIME and PI alone, 12 bytes an event; channels without energies.
    #[default]
    Generic,
    /// NuSTAR FPMA.
    Nustar,
    /// NICER XTI as merged and folded by users: 47 bytes an event, 64-bit ticks, 52 detectors, PULSE_PHASE last.
    Nicer,
    /// XMM-Newton EPIC-pn, CCD 4, its GTIs in STDGTI04.
    Xmm,
    /// RXTE PCA, processed GoodXenon: the channel is PHA, its energies depend on the epoch.
    Xte,
    /// Chandra ACIS-S3, lower-case names.
    Chandra,
    /// Swift XRT, photon counting.
    Swift,
    /// IXPE DU1; unpolarised, its Stokes columns are 0.
    Ixpe,
    /// AstroSat LAXPC, three units, the energy in a column.
    Laxpc,
    /// Insight-HXMT LE; channels without energies.
    Hxmt,
    /// XRISM Resolve, 35 pixels.
    Resolve,
    /// XRISM Xtend, four CCDs.
    Xtend,
    /// eROSITA, seven cameras with their own GTIs, PI in eV.
    Erosita,
    /// Einstein Probe FXT; channels without energies.
    Fxt,
    /// Fermi LAT, energies in MeV.
    Lat,
    /// Fermi GBM, time-tagged events, energies by EBOUNDS.
    Gbm,
}

impl Mission {
    /// Every mission, with the name the command line uses.
    pub const ALL: [(&'static str, Mission); 16] = [
        ("generic", Mission::Generic),
        ("nustar", Mission::Nustar),
        ("nicer", Mission::Nicer),
        ("xmm", Mission::Xmm),
        ("xte", Mission::Xte),
        ("chandra", Mission::Chandra),
        ("swift", Mission::Swift),
        ("ixpe", Mission::Ixpe),
        ("laxpc", Mission::Laxpc),
        ("hxmt", Mission::Hxmt),
        ("resolve", Mission::Resolve),
        ("xtend", Mission::Xtend),
        ("erosita", Mission::Erosita),
        ("fxt", Mission::Fxt),
        ("lat", Mission::Lat),
        ("gbm", Mission::Gbm),
    ];

    pub(super) fn layout(self) -> &'static Layout {
        match self {
            Mission::Generic => &GENERIC,
            Mission::Nustar => &NUSTAR,
            Mission::Nicer => &NICER,
            Mission::Xmm => &XMM,
            Mission::Xte => &XTE,
            Mission::Chandra => &CHANDRA,
            Mission::Swift => &SWIFT,
            Mission::Ixpe => &IXPE,
            Mission::Laxpc => &LAXPC,
            Mission::Hxmt => &HXMT,
            Mission::Resolve => &RESOLVE,
            Mission::Xtend => &XTEND,
            Mission::Erosita => &EROSITA,
            Mission::Fxt => &FXT,
            Mission::Lat => &LAT,
            Mission::Gbm => &GBM,
        }
    }
}

impl std::str::FromStr for Mission {
    type Err = String;
    fn from_str(text: &str) -> Result<Mission, String> {
        let known = Mission::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, mission)| *mission).ok_or_else(|| {
            let names: Vec<&str> = Mission::ALL.iter().map(|(name, _)| *name).collect();
            format!("'{text}' is no mission this can imitate: {}", names.join(", "))
        })
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    /// The same number in every row.
    Same(f64),
    /// Time of the event, s, raw column.
    Time,
    /// Channel.
    Channel,
    /// Detector, CCD or module.
    Detector,
    /// The time as an integer of the mission's clock: `TIME/TIMEDEL`.
    Ticks,
    /// Phase of the first pulsation at the time written, 0 to 1; 0 without one.
    Phase,
    /// Energy of the channel's centre, in units of so many keV.
    Energy(f64),
    /// The 24 bits of a GoodXenon word: photon marker, PCU, channel.
    XenonWord,
}

/// A column: name, TFORM, TUNIT, content.
pub(super) type Spec = (&'static str, &'static str, &'static str, Field);

/// One mission's files.
pub(super) struct Layout {
    pub(super) telescop: &'static str,
    pub(super) instrume: &'static str,
    /// Keywords and values that only this mission has.
    pub(super) extra: &'static [(&'static str, &'static str)],
    pub(super) mjdref: MjdRef,
    pub(super) timesys: &'static str,
    pub(super) timeref: &'static str,
    /// TIMEZERO, s.
    pub(super) timezero: f64,
    /// A start in the middle of the mission, s from MJDREF.
    pub(super) tstart: f64,
    /// Frame time or clock tick, s; 0 for none.
    pub(super) frame: f64,
    /// The clock is that coarse in every file: times are multiples of it unless the user says otherwise.
    pub(super) ticks: bool,
    /// TIMEPIXR: where in the frame the stamp is.
    pub(super) timepixr: f64,
    /// Energy of a channel's centre is `scale·channel + offset`, keV; `None` where it is not a fixed line.
    pub(super) kev: Option<(f64, f64)>,
    /// Channels that exist, both ends included.
    pub(super) all: (i32, i32),
    /// Channels of the usual band, both ends included.
    pub(super) usual: (i32, i32),
    pub(super) detectors: &'static [u8],
    /// Names of the event table and of the tables of intervals (one a detector, or one), and of the columns of these.
    pub(super) events: &'static str,
    pub(super) gti: &'static [&'static str],
    /// Lowest and highest edge, keV, of the channels in an EBOUNDS extension: each is wider than the one below in one ratio.
    pub(super) bounds: Option<(f64, f64)>,
    pub(super) start_stop: [&'static str; 2],
    pub(super) columns: &'static [Spec],
}

impl Layout {
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
        let Some((lo, hi)) = range else { return Ok(self.usual) };
        let (scale, offset) = self.kev.unwrap_or((1.0, 0.0));
        // Decimal edges miss their channel by an ulp in f64; a billionth of a channel is far more than that.
        let at_or_above = |e: f64| ((e - offset) / scale - 1e-9).ceil();
        let first = at_or_above(lo).max(f64::from(self.all.0));
        let last = (at_or_above(hi) - 1.0).min(f64::from(self.all.1));
        if first <= last {
            return Ok((first as i32, last as i32));
        }
        let (min, max) = (self.energy(self.all.0), self.energy(self.all.1));
        Err(Error::argument(
            "energies",
            format!("{lo}:{hi}"),
            format!(
                "no channel of {} lies there; its channels span {min} to {max} {}",
                self.telescop,
                self.energy_unit()
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_band_edges_belong_to_the_band_above() {
        let nicer = Mission::Nicer.layout();
        for pi in 1..1500 {
            let (lo, hi) = (f64::from(pi) / 100.0, f64::from(pi + 1) / 100.0);
            assert_eq!(nicer.channels(Some((lo, hi))).unwrap(), (pi, pi));
        }
        assert_eq!(Mission::Nustar.layout().channels(Some((3.0, 79.0))).unwrap(), (35, 1934));
        assert!(nicer.channels(Some((20.0, 30.0))).unwrap_err().to_string().contains("NICER"));
    }

    #[test]
    fn rows_are_as_wide_as_the_missions_are() {
        let widths = [12, 21, 47, 34, 14, 32, 46, 52, 18, 14, 24, 24, 78, 24, 110, 10];
        for ((name, mission), width) in Mission::ALL.into_iter().zip(widths) {
            let columns = mission.layout().columns;
            let sum: usize = columns
                .iter()
                .map(|c| crate::io::fits_writer::WrittenColumn::new(c.0, c.1, c.2).width().unwrap())
                .sum();
            assert_eq!(sum, width, "{name}");
        }
    }
}
