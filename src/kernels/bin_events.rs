//! Event times to counts: the histogram of one segment.
//!
//! Definition, each operation in f64 and rounded to nearest, in this order:
//! `d = (t − start_hi) − start_lo`, `x = d · δ` with `δ = 1/(segment_size/n)`; the event counts in bin `trunc(x)` when
//! `0 ≤ x < n`, else it is dropped and counted. Every version gives identical counts.

use crate::time::Dd;

/// `δ`, bins per second, of segments of `segment_size` seconds and `n` bins.
pub fn bins_per_second(segment_size: f64, n: usize) -> f64 {
    1.0 / (segment_size / n as f64)
}

/// The definition for one event: its bin, or `None` when it falls outside `0 ≤ x < n`.
#[inline]
pub fn bin_of(t: f64, start: Dd, delta: f64, n: usize) -> Option<usize> {
    let x = ((t - start.hi) - start.lo) * delta;
    (x >= 0.0 && x < n as f64).then_some(x as usize)
}

/// Reference: the histogram of the `times` of one segment, one event at a time; counts of the `n` bins, and events dropped.
pub fn reference(times: &[f64], start: Dd, delta: f64, n: usize) -> (Vec<u32>, u64) {
    let mut counts = vec![0; n];
    let mut dropped = 0;
    for &t in times {
        match bin_of(t, start, delta, n) {
            Some(bin) => counts[bin] += 1,
            None => dropped += 1,
        }
    }
    (counts, dropped)
}

/// Production path on one core: adds the `times` of one segment to its `counts`; returns the events dropped.
pub fn cpu(times: &[f64], start: Dd, delta: f64, counts: &mut [u32]) -> u64 {
    let n = counts.len() as f64;
    let mut dropped = 0;
    for &t in times {
        let x = ((t - start.hi) - start.lo) * delta;
        if x >= 0.0 && x < n {
            counts[x as usize] += 1;
        } else {
            dropped += 1;
        }
    }
    dropped
}
