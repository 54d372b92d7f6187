//! How a nonuniform transform spreads a point over the cells of its grid: Kaiser & Bessel's function, and a grid to add to.
//!
//! ```text
//! ψ(z) = I₀(β·√(1 − (2z/W)²))/I₀(β),  |z| ≤ W/2 cells;      ∫ψ(z)·e^{−2πi·kz/n} dz = W·sinh(x)/(x·I₀(β)),  x = √(β² − (πWk/n)²)
//! ```
//!
//! on a grid of n cells, at least two a frequency, with `β = π·√((3W/4)² − 0.8)` (Beatty, Nishimura & Pauly 2005, doi:10.1109/TMI.2005.848376,
//! equations 4 and 5). ψ is evaluated at all `W` cells of a point at once, by polynomials in the place within a cell (as Barnett, Magland &
//! af Klinteberg 2019, doi:10.1137/18M120885X, section 5.3), one for each of `1024/W` parts of a cell.

use std::f64::consts::PI;

use rustfft::num_complex::Complex;

/// Modified Bessel function of the first kind, order 0, by its series; x below 60.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..160 {
        term *= (0.5 * x / f64::from(k)).powi(2);
        sum += term;
        // What follows is less, and changes nothing.
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// Kaiser & Bessel's function over `WIDTH` cells, as polynomials of `TERMS` terms.
pub(super) struct SpreadingKernel<const WIDTH: usize, const TERMS: usize> {
    /// For each part of a cell the coefficients at all cells that a point there reaches, constant terms first.
    parts: Vec<[[f64; WIDTH]; TERMS]>,
}

impl<const WIDTH: usize, const TERMS: usize> SpreadingKernel<WIDTH, TERMS> {
    /// Cells that a point reaches before its own.
    pub const BEFORE: usize = WIDTH / 2 - 1;
    /// Parts of a cell, a power of two.
    const PARTS: usize = 1024 / WIDTH;
    const WIDTH_F64: f64 = WIDTH as f64;

    fn beta() -> f64 {
        PI * ((0.75 * Self::WIDTH_F64).powi(2) - 0.8).sqrt()
    }

    pub fn new() -> Self {
        let (w, beta) = (Self::WIDTH_F64, Self::beta());
        let scale = bessel_i0(beta).recip();
        let value = |z: f64| bessel_i0(beta * (1.0 - (2.0 * z / w).powi(2)).max(0.0).sqrt()) * scale;
        // Chebyshev's nodes between −½ and ½ of a part.
        let node = |i: usize| 0.5 * (PI * (i as f64 + 0.5) / TERMS as f64).cos();
        let nodes: [f64; TERMS] = std::array::from_fn(node);
        let part = |part: usize| {
            let mut terms = [[0.0; WIDTH]; TERMS];
            for cell in 0..WIDTH {
                let place = |x: f64| (part as f64 + 0.5 + x) / Self::PARTS as f64;
                let at = |i: usize| value(place(nodes[i]) + Self::BEFORE as f64 - cell as f64);
                for (term, coefficient) in terms.iter_mut().zip(through(nodes, std::array::from_fn(at))) {
                    term[cell] = coefficient;
                }
            }
            terms
        };
        SpreadingKernel { parts: (0..Self::PARTS).map(part).collect() }
    }

    /// The function at the cells that a point reaches, for its place within its cell in units of 2⁻⁶⁴ cell.
    #[inline(always)]
    pub fn at(&self, place: u64) -> [f64; WIDTH] {
        let part = (place >> (64 - Self::PARTS.ilog2())) as usize % Self::PARTS;
        let x = ((place << Self::PARTS.ilog2()) ^ (1 << 63)) as i64 as f64 * 2f64.powi(-64);
        let terms = &self.parts[part];
        let mut values = terms[TERMS - 1];
        for term in terms[..TERMS - 1].iter().rev() {
            values.iter_mut().zip(term).for_each(|(value, term)| *value = *value * x + term);
        }
        values
    }

    /// What the amplitudes of frequencies 0 to `last` are multiplied by: one over the function's transform on a grid of `grid` cells.
    pub fn corrections(last: usize, grid: usize) -> Vec<f64> {
        let (w, beta) = (Self::WIDTH_F64, Self::beta());
        let scale = bessel_i0(beta) / w;
        let one = |k: usize| {
            let x = (beta * beta - (PI * w * k as f64 / grid as f64).powi(2)).sqrt();
            scale * x / x.sinh()
        };
        (0..=last).map(one).collect()
    }
}

/// The coefficients of the polynomial through these points: divided differences (Newton), multiplied out.
fn through<const N: usize>(nodes: [f64; N], mut values: [f64; N]) -> [f64; N] {
    for order in 1..N {
        for i in (order..N).rev() {
            values[i] = (values[i] - values[i - 1]) / (nodes[i] - nodes[i - order]);
        }
    }
    let mut terms = [0.0; N];
    for i in (0..N).rev() {
        for j in (1..N).rev() {
            terms[j] = terms[j - 1] - nodes[i] * terms[j];
        }
        terms[0] = values[i] - nodes[i] * terms[0];
    }
    terms
}

/// Real and imaginary parts of the cells of a grid, with as many more as a point reaches over the ends.
pub(super) struct SpreadingGrid {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl SpreadingGrid {
    /// A grid of `cells` cells for points that are spread over `width`, without any point.
    pub fn new(cells: usize, width: usize) -> SpreadingGrid {
        SpreadingGrid { re: vec![0.0; cells + width], im: vec![0.0; cells + width] }
    }

    /// Adds real and imaginary parts to the cells from `cell` on.
    #[inline(always)]
    pub fn add<const WIDTH: usize>(&mut self, cell: usize, near: &[[f64; WIDTH]; 2]) {
        for (cells, values) in [&mut self.re, &mut self.im].into_iter().zip(near) {
            if let Some(cells) = cells.get_mut(cell..).and_then(|cells| cells.first_chunk_mut::<WIDTH>()) {
                cells.iter_mut().zip(values).for_each(|(cell, value)| *cell += value);
            }
        }
    }

    /// Adds the grid to `cells`, whose first it has `before` cells behind its start; what is beyond one end belongs to the other.
    pub fn add_to(&self, cells: &mut [Complex<f64>], before: usize) {
        let (length, part) = (cells.len(), |i: usize| Complex::new(self.re[i], self.im[i]));
        cells.iter_mut().enumerate().for_each(|(i, cell)| *cell += part(i + before));
        (0..before).for_each(|i| cells[length - before + i] += part(i));
        (length + before..self.re.len()).for_each(|i| cells[i - before - length] += part(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst<const WIDTH: usize, const TERMS: usize>() -> f64 {
        let kernel = SpreadingKernel::<WIDTH, TERMS>::new();
        let (w, beta) = (WIDTH as f64, SpreadingKernel::<WIDTH, TERMS>::beta());
        let mut worst = 0f64;
        for i in 0..100_000u64 {
            let place = i * (u64::MAX / 99_999);
            for (cell, value) in kernel.at(place).into_iter().enumerate() {
                let z = place as f64 * 2f64.powi(-64) + w / 2.0 - 1.0 - cell as f64;
                let inside = (1.0 - (2.0 * z / w).powi(2)).max(0.0);
                worst = worst.max((value - bessel_i0(beta * inside.sqrt()) / bessel_i0(beta)).abs());
            }
        }
        worst
    }

    #[test]
    fn polynomials_are_the_function() {
        let (eight, sixteen) = (worst::<8, 3>(), worst::<16, 6>());
        // The rounding of β·√(…) leaves 1e-14 of the latter, here as there.
        eprintln!("largest errors of the spreading function, of its largest value 1: {eight:.1e} and {sixteen:.1e}");
        assert!(eight < 1e-8 && sixteen < 3e-14, "{eight} {sixteen}");
    }

    #[test]
    fn corrections_are_integrals() {
        let (grid, steps) = (64, 20_000);
        let beta = SpreadingKernel::<8, 3>::beta();
        for k in [0usize, 1, 7, 16] {
            let at = |i: i32| {
                let z = 4.0 * (f64::from(2 * i + 1) / f64::from(steps) - 1.0);
                let value = bessel_i0(beta * (1.0 - (z / 4.0).powi(2)).sqrt()) / bessel_i0(beta);
                value * (2.0 * PI * k as f64 * z / f64::from(grid)).cos()
            };
            let integral = (0..steps).map(at).sum::<f64>() * 8.0 / f64::from(steps);
            let found = SpreadingKernel::<8, 3>::corrections(k, grid as usize)[k];
            assert!((found * integral - 1.0).abs() < 1e-9, "{k}: {found} {integral}");
        }
    }
}
