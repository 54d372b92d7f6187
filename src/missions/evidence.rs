//! Where knowledge of missions comes from.

/// A fact of a mission's files and its source, for docs/missions.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The fact.
    pub fact: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// Whether it was confirmed, and what of it was not.
    pub confirmed: &'static str,
}

/// The names of tables and columns.
pub(super) const NAMES: Evidence = Evidence {
    fact: "names of extensions, PI and GRADE or ITYPE columns",
    source: "HEASARC's mission database `xselect.mdb`, as shipped with Stingray 2.3.2",
    confirmed: "yes",
};

/// Gain and offset of channels.
pub(super) const SCALE: Evidence =
    Evidence { fact: "scale", source: "the same numbers in Stingray 2.3.2 (`mission_support`)", confirmed: "yes" };
