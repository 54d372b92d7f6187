//! What a mission's event files look like to those who write them: names, clocks, channels, columns.

use crate::base::time::MjdRef;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ColumnContent {
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
pub type ImitatedColumn = (&'static str, &'static str, &'static str, ColumnContent);

/// Facts of one mission's files.
///
/// Columns stand in the order and width of the missions' own files where timing needs them; what a simulation has no use
/// for (positions, grades, flags) is constant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ImitatedFiles {
    /// TELESCOP as written.
    pub telescop: &'static str,
    /// INSTRUME as written.
    pub instrume: &'static str,
    /// Keywords and values that only this mission has.
    pub cards: &'static [(&'static str, &'static str)],
    /// Epoch of the times.
    pub mjdref: MjdRef,
    /// TIMESYS.
    pub timesys: &'static str,
    /// TIMEREF.
    pub timeref: &'static str,
    /// TIMEZERO, s.
    pub timezero: f64,
    /// A start in the middle of the mission, s from MJDREF.
    pub tstart: f64,
    /// Frame time or clock tick, s; 0 for none.
    pub frame: f64,
    /// The clock is that coarse in every file: times are multiples of it unless the user says otherwise.
    pub ticks: bool,
    /// TIMEPIXR: where in the frame the stamp is.
    pub timepixr: f64,
    /// Energy of a channel's centre is `scale·channel + offset`, keV, where [`EnergyRule`](super::EnergyRule) has no such line:
    /// channels that imitated files alone have.
    pub kev: Option<(f64, f64)>,
    /// Channels that exist, both ends included.
    pub all: (i32, i32),
    /// Channels of the usual band, both ends included.
    pub usual: (i32, i32),
    /// Numbers of the detectors.
    pub detectors: &'static [u8],
    /// An event makes its own detector dead alone; otherwise all of them.
    pub alone: bool,
    /// Name of the event table.
    pub events: &'static str,
    /// HDUCLAS1 of the event table.
    pub class: &'static str,
    /// Names of the tables of intervals: one a detector, or one.
    pub gti: &'static [&'static str],
    /// Names of the columns of these.
    pub start_stop: [&'static str; 2],
    /// Lowest and highest edge, keV, of the channels in an EBOUNDS extension: each is wider than the one below in one ratio.
    pub bounds: Option<(f64, f64)>,
    /// Columns of the event table, in order.
    pub columns: &'static [ImitatedColumn],
}

/// An epoch: whole days of MJD, and the fraction.
pub(super) const fn epoch(day: i64, fraction: f64) -> MjdRef {
    MjdRef { day, fraction }
}

/// A column that is not imitated.
pub(super) const ZERO: ColumnContent = ColumnContent::Same(0.0);
