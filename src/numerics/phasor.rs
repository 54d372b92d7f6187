//! Points of the unit circle, `exp(2πi·phase)`, of phases in units of 2⁻⁶⁴ cycle.

use std::sync::LazyLock;

/// Roots of unity in the table.
const ROOTS: usize = 1024;

/// A table from which `exp(2πi·phase)` is computed for phases in units of 2⁻⁶⁴ cycle.
pub struct PhasorTable(Vec<(f64, f64)>);

impl Default for PhasorTable {
    fn default() -> PhasorTable {
        let angle = |k: usize| std::f64::consts::TAU * (k as f64 + 0.5) / ROOTS as f64;
        PhasorTable((0..ROOTS).map(|k| (angle(k).cos(), angle(k).sin())).collect())
    }
}

impl PhasorTable {
    /// The table that the whole process shares.
    pub fn shared() -> &'static PhasorTable {
        static UNIT: LazyLock<PhasorTable> = LazyLock::new(PhasorTable::default);
        &UNIT
    }

    /// The root in the middle of the phase's interval of the table, and the angle from there: at most 3.1e-3 radian.
    #[inline]
    fn near(&self, phase: u64) -> ((f64, f64), f64) {
        const SHIFT: u32 = 64 - ROOTS.ilog2();
        let root = self.0[(phase >> SHIFT) as usize % ROOTS];
        let rest = ((phase << ROOTS.ilog2()) ^ (1 << 63)) as i64 as f64;
        (root, rest * (std::f64::consts::TAU / ROOTS as f64 * 2f64.powi(-64)))
    }

    /// Cosine and sine of a phase, to 1e-11.
    #[inline]
    pub fn of(&self, phase: u64) -> (f64, f64) {
        let ((cos, sin), x) = self.near(phase);
        // The next terms are below 4e-12.
        let (c, s) = (1.0 - 0.5 * x * x, x - x * x * x / 6.0);
        (cos * c - sin * s, sin * c + cos * s)
    }

    /// Cosine and sine of a phase, to 1e-15, of which the table has most.
    #[inline]
    pub fn precise(&self, phase: u64) -> (f64, f64) {
        let ((cos, sin), x) = self.near(phase);
        let square = x * x;
        // The next terms are below 2e-18.
        let c = 1.0 - square * (0.5 - square * (1.0 / 24.0));
        let s = x * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0)));
        (cos * c - sin * s, sin * c + cos * s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn roots_of_unity() {
        let (unit, mut random) = (PhasorTable::default(), Random::new(3));
        for i in 0..10_000u64 {
            let phase = if i < 100 { (i % 10) << 61 } else { random.bits() };
            let angle = phase as i64 as f64 * 2f64.powi(-64) * std::f64::consts::TAU;
            for ((cos, sin), bound) in [(unit.of(phase), 1e-11), (unit.precise(phase), 2e-15)] {
                assert!((cos - angle.cos()).abs() < bound && (sin - angle.sin()).abs() < bound, "{phase}");
            }
        }
    }
}
