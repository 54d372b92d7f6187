//! Values as whole numbers, whose sums have no order.

/// Values above the lowest one in whole units, and the unit: 1 for whole numbers of a range below 2^32, else the smallest power of two of
/// which the range has fewer than that.
pub(super) fn to_whole_numbers(values: &[f64], low: f64, range: f64) -> (Vec<u32>, f64) {
    const MOST: f64 = u32::MAX as f64;
    let mut unit = (range / MOST).log2().ceil().exp2();
    if range <= MOST && values.iter().all(|x| x.fract() == 0.0) {
        unit = 1.0;
    } else if range / unit > MOST {
        // The logarithm was rounded.
        unit *= 2.0;
    }
    (values.iter().map(|x| ((x - low) / unit).round_ties_even() as u32).collect(), unit)
}
