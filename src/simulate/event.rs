//! Photons: as they arrive, and as a file has them.

/// A simulated event.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Raw time, as in the TIME column, s.
    pub time: f64,
    /// Channel, as in the PI column (RXTE: PHA).
    pub pi: i32,
    /// Number of the detector, CCD or module.
    pub detector: u8,
    /// Band of the event: 0 for the subject, 1 for the reference; 0 if there is only one band.
    pub band: u8,
}

/// A photon that reaches a detector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// When, s from TSTART.
    pub at: f64,
    /// How long it makes the detector dead, s.
    pub dead: f64,
    /// Its stamp lies in a good time interval.
    pub good: bool,
    pub event: Event,
}
