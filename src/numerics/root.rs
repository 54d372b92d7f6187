//! Roots and minima of functions of one variable.

/// Root of a decreasing function between `lo` (where it is positive) and `hi` (where it is not): false position with halving
/// of the end that stays (Dowell & Jarratt 1971, doi:10.1007/BF01934364).
pub(crate) fn decreasing_root(f: impl Fn(f64) -> f64, mut lo: f64, mut hi: f64) -> f64 {
    let (mut f_lo, mut f_hi) = (f(lo), f(hi));
    for _ in 0..200 {
        if f_hi == 0.0 || hi - lo <= 4.0 * f64::EPSILON * hi {
            break;
        }
        let middle = (lo * f_hi - hi * f_lo) / (f_hi - f_lo);
        let middle = if middle > lo && middle < hi { middle } else { 0.5 * (lo + hi) };
        let value = f(middle);
        if value > 0.0 {
            (lo, f_lo, f_hi) = (middle, value, 0.5 * f_hi);
        } else {
            (hi, f_hi, f_lo) = (middle, value, 0.5 * f_lo);
        }
    }
    hi
}

/// The minimum of a function between `lo` and `hi` by golden section.
pub(crate) fn minimum(mut lo: f64, mut hi: f64, f: impl Fn(f64) -> f64) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut a, mut b) = (hi - golden * (hi - lo), lo + golden * (hi - lo));
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..50 {
        if fa <= fb {
            (hi, b, fb) = (b, a, fa);
            a = hi - golden * (hi - lo);
            fa = f(a);
        } else {
            (lo, a, fa) = (a, b, fb);
            b = lo + golden * (hi - lo);
            fb = f(b);
        }
    }
    0.5 * (lo + hi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_last_digits() {
        for target in [1e-9, 0.3, 2.0, 1e6] {
            for power in [1, 3, 20] {
                let root = decreasing_root(|x: f64| 1.0 - (x / target).powi(power), 0.0, 3.0 * target);
                assert!((root / target - 1.0).abs() < 1e-14, "{target} {power}: {root}");
            }
        }
    }
}
