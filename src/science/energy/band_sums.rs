//! Sums over a band of frequencies, and what they say of lags and covariance; formulas are with the [module above](super).

use std::ops::Range;

use rustfft::num_complex::Complex;

use crate::science::norm::SIGNIFICANT;

/// Sums over the frequencies of a band of averages over segments, which are worth `m` of equal weight, unnormalised; see the [module](super).
pub(super) struct BandSums {
    /// ΣC.
    cross: Complex<f64>,
    /// `arg ΣC` as a direction, e^{iφ}.
    direction: Complex<f64>,
    /// ΣP2.
    reference: f64,
    /// ΣP1P2, without bias.
    products: f64,
    /// ΣC², without bias.
    squares: Complex<f64>,
    /// ΣP2²/(m + 1), the variance of ΣP2.
    reference_variance: f64,
    /// ΣC·P2/(m + 1), the covariance of ΣC and ΣP2.
    common: Complex<f64>,
    /// The mean of k weighted by C along its sum, and its variance.
    pub k: f64,
    pub k_variance: f64,
    m: f64,
}

impl BandSums {
    /// Of the four blocks of a subject's sums over so many segments, which are worth `m` of equal weight.
    pub fn new(blocks: &[f64], range: &Range<usize>, segments: u64, m: f64) -> BandSums {
        let count = blocks.len() / 4;
        let at = |block: usize, k: usize| blocks[block * count + k] / segments as f64;
        let cross_at = |k: usize| Complex::new(at(2, k), at(3, k));
        let cross: Complex<f64> = range.clone().map(cross_at).sum();
        let direction = if cross.norm() > 0.0 { cross / cross.norm() } else { Complex::new(1.0, 0.0) };
        let mut sums = BandSums {
            cross,
            direction,
            reference: 0.0,
            products: 0.0,
            squares: Complex::default(),
            reference_variance: 0.0,
            common: Complex::default(),
            k: 0.0,
            k_variance: 0.0,
            m,
        };
        for k in range.clone() {
            let (subject, reference, c) = (at(0, k), at(1, k), cross_at(k));
            let along = c * direction.conj();
            sums.reference += reference;
            sums.products += subject * reference - (along * along).re / (m + 1.0);
            sums.squares += c * c * (m / (m + 1.0));
            sums.reference_variance += reference * reference / (m + 1.0);
            sums.common += c * (reference / (m + 1.0));
            sums.k += (k + 1) as f64 * along.re / cross.norm();
        }
        for k in range.clone() {
            let along = cross_at(k) * direction.conj();
            let variance = (at(0, k) * at(1, k) + (along * along).re * (m - 1.0) / (m + 1.0)) / (2.0 * m);
            sums.k_variance += ((k + 1) as f64 - sums.k).powi(2) * variance / cross.norm_sqr();
        }
        sums
    }

    /// The variance of ΣC along a direction.
    fn variance(&self, direction: Complex<f64>) -> f64 {
        let along = self.squares * (direction * direction).conj();
        ((self.products + along.re) / (2.0 * self.m)).max(0.0)
    }

    fn across(&self) -> f64 {
        self.variance(self.direction * Complex::i())
    }

    /// Phase lag and its error.
    pub fn lag_phase(&self) -> (f64, f64) {
        let unbiased = self.cross.norm_sqr() - self.across() - self.variance(self.direction);
        let error = if unbiased > 0.0 { (self.across() / unbiased).sqrt() } else { f64::NAN };
        (self.cross.im.atan2(self.cross.re), error)
    }

    /// The part of the covariance along a direction and its error, `noise` being that of ΣP2; in the unit of amplitudes.
    fn covariance(&self, along: f64, direction: Complex<f64>, noise: f64) -> (f64, f64) {
        let source = self.reference - noise;
        if source <= SIGNIFICANT * self.reference_variance.sqrt() || along.is_nan() {
            return (f64::NAN, f64::NAN);
        }
        let common = (self.common * direction.conj()).re;
        let of_reference = along * along * self.reference_variance / (4.0 * source * source) - along * common / source;
        let variance = (self.variance(direction) + of_reference).max(0.0) / source;
        (along / source.sqrt(), variance.sqrt())
    }

    /// Modulus of the covariance, its real and its imaginary part, each with its error.
    pub fn covariances(&self, noise: f64) -> [(f64, f64); 3] {
        let modulus = (self.cross.norm_sqr() - self.across()).sqrt();
        let (re, im) = (Complex::new(1.0, 0.0), Complex::i());
        [(modulus, self.direction), (self.cross.re, re), (self.cross.im, im)]
            .map(|(along, direction)| self.covariance(along, direction, noise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cross spectrum as small as chance makes it, or a reference below its noise: neither a value nor an error of 0.
    #[test]
    fn what_noise_hides_is_not_a_number() {
        // Powers 4 and 9 of two frequencies and 100 segments; the sum of C is 0.2, its error across 0.6.
        let blocks = [400.0, 400.0, 900.0, 900.0, 40.0, -20.0, 0.0, 0.0];
        let over = BandSums::new(&blocks, &(0..2), 100, 100.0);
        let (phase, error) = over.lag_phase();
        assert!(phase == 0.0 && error.is_nan());
        let [(value, error), (re, re_err), (_, im_err)] = over.covariances(12.0);
        assert!(value.is_nan() && error.is_nan());
        assert!((re - 0.2 / 6f64.sqrt()).abs() < 1e-12 && re_err > 0.0 && im_err > 0.0);
        // The reference, 18 ± 1.27, is hardly above 16: nothing is divided by the difference.
        for noise in [16.0, 18.0] {
            assert!(over.covariances(noise).iter().all(|(value, error)| value.is_nan() && error.is_nan()));
        }
    }
}
