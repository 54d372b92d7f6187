//! Cross spectra at the two frequencies that transforms leave out, zero and Nyquist, where amplitudes are real:
//! `F_0 = Σ_j x_j` and, for even `n`, `F_{n/2} = Σ_j (−1)^j x_j`.

use super::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use crate::base::sums::Sums;
use crate::kernels::{Input, bin_events, cross_spectrum};

/// Both amplitudes of one series of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EndAmplitudes {
    /// At frequency 0.
    pub zero: f64,
    /// At the Nyquist frequency; without meaning for odd `n`.
    pub nyquist: f64,
}

impl EndAmplitudes {
    /// Of counts, or of samples that the flux of a row was made to, by [`SeriesSegment::scale`] and its mean.
    pub fn of_samples(samples: &[f64], row: &SeriesSegment, input: Input) -> EndAmplitudes {
        let alternating: f64 = samples.iter().enumerate().map(|(bin, x)| sign(bin) * x).sum();
        match input {
            Input::Events => EndAmplitudes { zero: samples.iter().sum(), nyquist: alternating },
            Input::Flux => EndAmplitudes {
                zero: row.flux_mean * samples.len() as f64,
                nyquist: alternating * 2f64.powi(-row.scale),
            },
        }
    }
}

fn sign(bin: usize) -> f64 {
    if bin.is_multiple_of(2) { 1.0 } else { -1.0 }
}

impl PlanSpec {
    /// True where the sums at frequency 0 and at the Nyquist frequency are wanted, too.
    pub fn wants_ends(&self) -> bool {
        matches!(self.quantity, Quantity::FullCross { .. })
    }

    /// Adds a segment that contributes, of which these are the amplitudes of both series, to the sums of its run.
    pub fn add_ends(&self, rows: &[SeriesSegment], ends: &[EndAmplitudes], dropped: &[u64], sums: &mut Sums) {
        let ([_, subject], [reference, own], [_, beyond]) = (rows, ends, dropped) else { return };
        let others = |a: f64, b: f64| if self.is_inside(1) { a - b } else { a };
        let (zero, nyquist) = (others(reference.zero, own.zero), others(reference.nyquist, own.nyquist));
        let weights = match self.weight_exponent() {
            0 => [1.0; 3],
            exponent => cross_spectrum::weights(subject.events.saturating_sub(*beyond), zero as u64, exponent),
        };
        let [w_s, w_r, w] = weights;
        sums.ends.resize(6, 0.0);
        let terms = |s: f64, r: f64| [w_s * s * s, w_r * r * r, w * s * r];
        let all = terms(own.zero, zero).into_iter().chain(terms(own.nyquist, nyquist));
        sums.ends.iter_mut().zip(all).for_each(|(sum, term)| *sum += term);
    }
}

/// The amplitudes of the rows of an open group, for devices that do not give them.
#[derive(Clone, Debug, Default)]
pub struct GroupEnds {
    rows: Vec<EndAmplitudes>,
}

impl GroupEnds {
    /// Adds a batch of the group; the amplitudes of all rows when it is the last.
    pub fn add(&mut self, spec: &PlanSpec, batch: &SegmentBatch) -> Option<Vec<EndAmplitudes>> {
        let (n, delta) = (spec.n, spec.delta());
        if batch.first {
            self.rows = vec![EndAmplitudes::default(); batch.rows.len()];
        }
        for (i, (row, sum)) in batch.rows.iter().zip(&mut self.rows).enumerate() {
            if spec.input == Input::Flux {
                *sum = EndAmplitudes::of_samples(&batch.flux[i * n..(i + 1) * n], row, spec.input);
                continue;
            }
            for &t in &batch.times[row.begin..row.end] {
                if let Some(bin) = bin_events::bin_of(t, row.start, delta, n) {
                    (sum.zero, sum.nyquist) = (sum.zero + 1.0, sum.nyquist + sign(bin));
                }
            }
        }
        batch.last.then(|| std::mem::take(&mut self.rows))
    }
}
