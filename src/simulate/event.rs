//! Photons: as they arrive, and as a file has them.

/// One photon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Time as the TIME column has it, s.
    pub time: f64,
    /// Channel as the PI (RXTE: PHA) column has it.
    pub pi: i32,
    /// Detector, CCD or module.
    pub detector: u8,
    /// 0, or with two bands: 0 for the subject, 1 for the reference.
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
