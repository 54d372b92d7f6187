//! The exposure of bins of phase.

/// Of each bin of phase the time within intervals, in units of the best exposed one; intervals and ends are in cycles.
pub fn exposure([start, stop]: [f64; 2], intervals: impl Iterator<Item = [f64; 2]>, nbin: usize) -> Vec<f64> {
    let mut exposed = vec![0.0; nbin];
    let edge = |i: usize| if i == nbin { 1.0 } else { i as f64 * (1.0 / nbin as f64) };
    for [lo, hi] in intervals.filter(|[lo, hi]| *lo < stop && *hi > start) {
        let (lo, hi) = (lo.max(start), hi.min(stop));
        // The difference and what its rounding left.
        let length = hi - lo;
        let back = length + lo;
        let rest = (hi - back) + (lo - (back - length));
        let whole = length.trunc();
        exposed.iter_mut().for_each(|bin| *bin += whole / nbin as f64);
        let first = lo % 1.0;
        let last = (length - whole) + rest + first;
        let mut add = |from: f64, to: f64| {
            for (i, bin) in exposed.iter_mut().enumerate() {
                if edge(i) <= to && edge(i + 1) >= from {
                    *bin += edge(i + 1).min(to) - edge(i).max(from);
                }
            }
        };
        if last > 1.0 {
            add(0.0, last - 1.0);
            add(first, 1.0);
        } else {
            add(first, last);
        }
    }
    let most = exposed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    exposed.iter_mut().for_each(|bin| *bin /= most);
    exposed
}
