//! Facts about an event file that its headers tell, for `info`.

use super::fits::{FitsHeader, Hdu};
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::missions::{self, Mission};

/// Words and what is known of them, in the order in which `info` shows them.
pub(super) fn file_facts(hdus: &[Hdu], events: &Hdu, mission: &Mission) -> Vec<(&'static str, String)> {
    let text = |key: &str| {
        let filled = |h: &Hdu| h.header.text(key).map(|t| t.trim().to_string()).filter(|t| !t.is_empty());
        filled(events).or_else(|| hdus.iter().take(2).find_map(filled))
    };
    let mut facts = Vec::new();
    if let Some(name) = text("DETNAM") {
        facts.push(("detector", name));
    }
    if let Some(mode) = text("DATAMODE") {
        facts.push(("data mode", text("SUBMODE").map_or(mode.clone(), |sub| format!("{mode} {sub}"))));
    }
    if let Some(applied) = text("CLOCKAPP") {
        let late = match (applied.as_str(), text("UTCFINIT")) {
            ("F", Some(s)) => format!("not applied; UTCFINIT is {s} s: absolute times are off by about that"),
            ("F", None) => "not applied: absolute times are those of the spacecraft's clock".to_string(),
            _ => "applied".to_string(),
        };
        facts.push(("clock drift", late));
    }
    if let Some(gain) = mission.described() {
        facts.push(("energies", gain));
    }
    facts
}

/// Frame times (of XMM) in a whole number of milliseconds are rounded, and no clock.
pub(super) fn warn_of_frames(header: &FitsHeader, path: &str, warnings: &mut Warnings) -> Result<()> {
    for key in missions::frame_keywords().filter(|key| key.rounded).map(|key| key.name) {
        if let Some(ms) = header.real(key)?.filter(|ms| *ms > 0.0 && ms.fract() == 0.0)
            && header.real("TIMEDEL")?.is_none()
        {
            let message = format!(
                "{path}: no TIMEDEL, and {key} = {ms} ms is rounded to a whole number: frames are that long to half a \
                 millisecond only, so that bins of a few frames hold different numbers of them"
            );
            warnings.push("W-FRAME-TIME", message);
        }
    }
    Ok(())
}
