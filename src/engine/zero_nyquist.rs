//! Cross spectra at the two frequencies that backends leave out, zero and Nyquist, where amplitudes are real:
//! `F_0 = Σ_j x_j` and, for even `n`, `F_{n/2} = Σ_j (−1)^j x_j`.

use crate::base::sums::Sums;
use crate::kernels::{Input, bin_events, cross_spectrum};
use crate::science::cross::ZeroNyquistSums;
use crate::segment::{PlanSpec, SegmentBatch};

/// Sums over the segments of two series, in the order of their indices.
pub(super) struct ZeroNyquistAccumulator<'a> {
    spec: &'a PlanSpec,
    /// Of each row of the open group.
    rows: Vec<ZeroNyquistAmplitudes>,
    sums: ZeroNyquistSums,
}

/// Both amplitudes of a row, and the events that fell in no bin.
#[derive(Clone, Copy, Default)]
struct ZeroNyquistAmplitudes {
    zero: f64,
    nyquist: f64,
    dropped: u64,
}

impl<'a> ZeroNyquistAccumulator<'a> {
    pub fn new(spec: &'a PlanSpec) -> ZeroNyquistAccumulator<'a> {
        ZeroNyquistAccumulator { spec, rows: Vec::new(), sums: ZeroNyquistSums::default() }
    }

    /// Begins again.
    pub fn clear(&mut self) {
        *self = ZeroNyquistAccumulator::new(self.spec);
    }

    /// Adds a batch of whole runs, or a part of a group, as backends do.
    pub fn add(&mut self, batch: &SegmentBatch) {
        let (n, delta) = (self.spec.n, self.spec.delta());
        let sign = |bin: usize| if bin.is_multiple_of(2) { 1.0 } else { -1.0 };
        if batch.first {
            self.rows = vec![ZeroNyquistAmplitudes::default(); batch.rows.len()];
        }
        for (i, (row, sum)) in batch.rows.iter().zip(&mut self.rows).enumerate() {
            if self.spec.input == Input::Flux {
                let alternating: f64 =
                    batch.flux[i * n..(i + 1) * n].iter().enumerate().map(|(j, x)| sign(j) * x).sum();
                *sum = ZeroNyquistAmplitudes {
                    zero: row.flux_mean * n as f64,
                    nyquist: alternating * 2f64.powi(-row.scale),
                    dropped: 0,
                };
                continue;
            }
            for &t in &batch.times[row.begin..row.end] {
                match bin_events::bin_of(t, row.start, delta, n) {
                    Some(bin) => (sum.zero, sum.nyquist) = (sum.zero + 1.0, sum.nyquist + sign(bin)),
                    None => sum.dropped += 1,
                }
            }
        }
        if !batch.last {
            return;
        }
        for (rows, sums) in batch.rows.chunks(2).zip(self.rows.chunks(2)) {
            let ([_, subject], [reference, own]) = (rows, sums) else { continue };
            let dropped = [reference.dropped, own.dropped];
            if !self.spec.add_segment(rows, &dropped, &mut Sums::default()) {
                continue;
            }
            let inside = self.spec.is_inside(1);
            let others = |a: f64, b: f64| if inside { a - b } else { a };
            let (zero, nyquist) = (others(reference.zero, own.zero), others(reference.nyquist, own.nyquist));
            let weights = match self.spec.weight_exponent() {
                0 => [1.0; 3],
                exponent => cross_spectrum::weights(subject.events - own.dropped, zero as u64, exponent),
            };
            let [w_s, w_r, w] = weights;
            let add = |sum: &mut [f64; 3], s: f64, r: f64| {
                for (sum, term) in sum.iter_mut().zip([w_s * s * s, w_r * r * r, w * s * r]) {
                    *sum += term;
                }
            };
            add(&mut self.sums.zero, own.zero, zero);
            add(&mut self.sums.nyquist, own.nyquist, nyquist);
        }
    }

    pub fn finish(self) -> ZeroNyquistSums {
        self.sums
    }
}
