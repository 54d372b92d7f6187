//! Units of time, and of counts a second, in keywords and columns.

use crate::base::time::SECONDS_PER_DAY;

/// Seconds in one unit of a TUNITn or TIMEUNIT keyword; empty means seconds.
pub(crate) fn seconds_per_unit(unit: &str) -> Option<f64> {
    // M and m are prefixes of 1e6 and 1e-3; of MS nobody knows which.
    match unit.trim() {
        "ks" => return Some(1e3),
        "Ms" => return Some(1e6),
        "MS" => return None,
        _ => {}
    }
    match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => Some(1.0),
        "d" | "day" | "days" => Some(SECONDS_PER_DAY),
        "h" | "hr" | "hour" | "hours" => Some(3600.0),
        "min" | "minute" | "minutes" => Some(60.0),
        "ms" => Some(1e-3),
        "us" => Some(1e-6),
        "ns" => Some(1e-9),
        _ => None,
    }
}

/// True for a unit of counts a second, or none.
pub(super) fn is_rate(unit: &str) -> bool {
    const COUNTS: [&str; 16] = [
        "count",
        "counts",
        "cnt",
        "cnts",
        "ct",
        "cts",
        "c",
        "event",
        "events",
        "photon",
        "photons",
        "ph",
        "e-",
        "electron",
        "electrons",
        "",
    ];
    let unit = unit.to_ascii_lowercase().replace([' ', '.', '*', '^', '(', ')'], "");
    let ends = ["/second", "/sec", "/s", "sec-1", "s-1"];
    let counts = ends.iter().find_map(|end| unit.strip_suffix(end));
    unit.is_empty() || counts.is_some_and(|counts| COUNTS.contains(&counts))
}
