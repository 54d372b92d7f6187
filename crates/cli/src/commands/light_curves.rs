//! What light curves are, in words.

use eagleray::data::LightCurve;
use eagleray::internal::text::{ShortNumber, count};

/// What a light curve is: its bins, gaps and values.
pub(super) fn describe(light_curve: &LightCurve) -> String {
    let gaps = match light_curve.gaps() {
        0 => String::new(),
        gaps => format!(" with {}", count(gaps as u64, "gap")),
    };
    format!(
        "light curve of {} of {} s{gaps}, {}",
        count(light_curve.len() as u64, "bin"),
        ShortNumber(light_curve.grid.dt),
        light_curve.values_in_words()
    )
}
