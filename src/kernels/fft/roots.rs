//! Tables of roots of unity, computed in f64, and what their rounding on a device leaves of a transform.

use rustfft::num_complex::Complex;

use super::lengths::FftPass;
use crate::numerics::fft::root;
use crate::numerics::precision::Precision;

/// Places of the two tables whose products are the roots of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RootTables {
    /// `w^k` for `k = 0 … 2^log_fine − 1`.
    pub fine: u32,
    /// `w^(k·2^log_fine)`.
    pub coarse: u32,
    /// See above.
    pub log_fine: u32,
}

impl RootTables {
    /// Appends the tables of an order.
    pub(super) fn append(tables: &mut Vec<Complex<f64>>, order: usize) -> RootTables {
        let log_fine = order.next_power_of_two().ilog2().div_ceil(2);
        let fine = tables.len();
        tables.extend((0..1 << log_fine).map(|k| root(k, order)));
        let coarse = tables.len();
        tables.extend((0..order.div_ceil(1 << log_fine)).map(|k| root(k << log_fine, order)));
        RootTables { fine: fine as u32, coarse: coarse as u32, log_fine }
    }
}

/// Appends what splits the spectra of n/2 pairs of samples into those of the samples, for k = 0 … n/4: `(cos α, 1 − sin α)` with
/// `α = π/4 + πk/n` (`power_sum.wgsl`), or where they come by convolution `p·cos α` with `p = −i·(−1)^h·e^{−2πi k²/h}`, h = n/2, and
/// `(1 − sin α, 0)` (`amplitude_chirped.wgsl`). They are no products of two tables: a line meets one alone, whose error is not averaged.
pub(super) fn append_split(tables: &mut Vec<Complex<f64>>, n: usize, chirped: bool) {
    let h = n / 2;
    for k in 0..=n / 4 {
        let turn = root(n + 4 * k, 8 * n).conj();
        let rest = 1.0 - turn.im;
        if chirped {
            // The angle in integers, as the chirp's.
            let square = (k as u64 * k as u64 % h as u64) as usize;
            let p = root(4 * square + if h.is_multiple_of(2) { h } else { 3 * h }, 4 * h);
            tables.extend([p * turn.re, Complex::new(rest, 0.0)]);
        } else {
            tables.push(Complex::new(turn.re, rest));
        }
    }
}

/// What one transform leaves of a sum of points in phase, such as a line's: each is multiplied by roots that are rounded to the
/// device's precision, so that their moduli are not 1, and the sum by their mean. In f32 the root of each butterfly of eight is short
/// by 0.29·2^-24, a transform of 8192 points by 0.8·2^-24. Sums and products, rounded to nearest, have no such part.
pub(super) fn gain(passes: &[FftPass], tables: &[Complex<f64>], roots: RootTables, precision: Precision) -> f64 {
    let mean = |count: usize, place: &dyn Fn(usize) -> usize| {
        (0..count).map(|i| precision.rounded(tables[place(i)]).norm()).sum::<f64>() / count as f64
    };
    let length: usize = passes.iter().map(|pass| pass.len).product();
    let mut gain = 1.0;
    for (i, &FftPass { len, radices, stages }) in passes.iter().enumerate() {
        let mut done = 1;
        for radix in (0..8).map(|i| (radices >> (4 * i)) as usize & 15).take_while(|&radix| radix > 0) {
            // Point m of a butterfly is multiplied by w^(m·p) at phase p of `done`, then by w^(m·p) for its output p.
            for (phases, order) in [(done, done * radix), (radix, radix)] {
                let power = |i: usize| (i % radix) * (i / radix) % order;
                gain *= mean(radix * phases, &|i| stages + power(i) * (len / order));
            }
            done *= radix;
        }
        if i > 0 {
            let (fine, coarse) = (1usize << roots.log_fine, length.div_ceil(1 << roots.log_fine));
            gain *= mean(fine, &|i| roots.fine as usize + i) * mean(coarse, &|i| roots.coarse as usize + i);
        }
    }
    gain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::fft::FftPlan;
    use crate::kernels::{Input, Limits};

    #[test]
    fn roots_are_where_sine_and_cosine_say_and_have_their_symmetries() {
        for order in [1, 2, 3, 4, 7, 8, 30, 1021, 1 << 20, (1 << 24) - 3] {
            for k in (0..order).step_by(1 + order / 97) {
                let (w, angle) = (root(k, order), -std::f64::consts::TAU * k as f64 / order as f64);
                assert!((w - Complex::new(angle.cos(), angle.sin())).norm() < 2e-15, "{k}/{order}: {w}");
                assert!((w.norm_sqr() - 1.0).abs() < 5e-16, "{k}/{order}: {w}");
                // At an eighth of a turn sine and cosine may differ in the last place.
                assert!((root(order - k, order) - w.conj()).norm() < 2e-16);
                assert!((root(2 * k + order, 2 * order) + w).norm() < 2e-16);
                assert_eq!(root(k + order, order), w);
            }
        }
        assert_eq!(root(1, 4), Complex::new(0.0, -1.0));
    }

    #[test]
    fn the_gain_is_what_rounded_roots_leave_of_lines() {
        let gain = |n, precision| FftPlan::new(n, Input::Flux, precision, &Limits::PORTABLE).unwrap().gain;
        let left = |k: usize, order: usize| {
            let exact = root(k % order, order);
            (Precision::Single.rounded(exact) / exact).re
        };
        // 64 points in one pass: w64^(mk) = w8^(m1·k0)·w64^(m0·k0)·w8^(m0·k1) for m = m0 + 8·m1, k = k0 + 8·k1.
        let term = |m: usize, k: usize| left(m / 8 * (k % 8), 8) * left(m % 8 * (k % 8), 64) * left(m % 8 * (k / 8), 8);
        let mean = (0..64 * 64).map(|i| term(i % 64, i / 64)).sum::<f64>() / 4096.0;
        assert!((mean - gain(31, Precision::Single)).abs() < 1e-3 * 2f64.powi(-24));
        assert!((0.3..0.4).contains(&((1.0 - mean) * 2f64.powi(24))), "{mean}");
        assert!((gain(3027, Precision::Double) - 1.0).abs() < 1e-15);
    }
}
