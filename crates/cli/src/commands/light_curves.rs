//! What light curves are, in words.

use eagleray::data::LightCurve;
use eagleray::internal::text::{ShortNumber, count};

/// What a light curve is: its bins, gaps and values.
pub(super) fn describe(light_curve: &LightCurve) -> String {
    let gaps = match gaps(light_curve) {
        0 => String::new(),
        gaps => format!(" with {}", count(gaps, "gap")),
    };
    format!(
        "light curve of {} of {} s{gaps}, {}",
        count(light_curve.len() as u64, "bin"),
        ShortNumber(light_curve.grid.dt),
        values(light_curve)
    )
}

/// Places where neighbouring rows are no neighbours on the grid.
pub(super) fn gaps(light_curve: &LightCurve) -> u64 {
    light_curve.bin.windows(2).filter(|w| w[1] != w[0] + 1).count() as u64
}

/// What the values are, and where their errors come from.
pub(super) fn values(light_curve: &LightCurve) -> &'static str {
    match (light_curve.counted, light_curve.rate_err.iter().any(|e| e.is_finite())) {
        (true, _) => "counts",
        (false, true) => "rates with errors",
        (false, false) => "rates without errors",
    }
}
