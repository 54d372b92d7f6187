//! The dead time that is most likely, given the noise powers of a spectrum.

use super::{DeadTimeKind, DeadTimeModel};
use crate::base::error::{Error, Result};
use crate::numerics::root::minimum;

/// Powers compared with the model at most: more are averaged before, which loses nothing where the model is smooth.
const GROUPS: usize = 1024;
/// Dead times tried before the best is refined.
const TRIALS: usize = 400;
/// Shortest dead time tried but 0, over the longest possible.
const SHORTEST: f64 = 1e-7;

/// Averaged powers of noise, to which a dead time is fitted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DeadTimeFit<'a> {
    /// Leahy powers at the frequencies `j/(n·dt)`, `j = 1, 2, …`.
    pub power: &'a [f64],
    /// Effective number of segments averaged.
    pub m_eff: f64,
    /// Number of bins in a segment.
    pub n: usize,
    /// Bin width, s.
    pub dt: f64,
    /// Frequencies used, `lo ≤ f < hi`, Hz: those where the source should not vary.
    pub band: (f64, f64),
    /// Rate that one detector recorded, counts/s.
    pub rate: f64,
    /// Fraction of the recorded events that is in the spectrum; the others cause dead time as well.
    pub share: f64,
    /// Whether events that arrive during dead time prolong it.
    pub kind: DeadTimeKind,
}

impl DeadTimeFit<'_> {
    /// The dead time of greatest likelihood and its standard error, s.
    ///
    /// An average `P` of `M` powers of expectation `N(τ)` follows a gamma distribution: `−ln L = Σ M·(ln N + P/N)`. The
    /// error is that of Fisher's information, `1/√(Σ M·(d ln N/dτ)²)`.
    ///
    /// # Errors
    /// No frequency in the band, no photons, or a likelihood that has no maximum in the range of dead times that is
    /// searched.
    pub fn run(&self) -> Result<(f64, f64)> {
        let (lo, hi) = self.band;
        let df = 1.0 / (self.n as f64 * self.dt);
        let failed = |message: String| Err(Error::argument("dead_time", format!("fit:{lo}:{hi}"), message));
        let inside: Vec<usize> = (0..self.power.len()).filter(|&k| (lo..hi).contains(&((k + 1) as f64 * df))).collect();
        let Some(last) = inside.last() else {
            let highest = self.power.len() as f64 * df;
            return failed(format!("no frequency in it; there are those from {df} to {highest} Hz"));
        };
        let highest = (last + 1) as f64 * df;
        let (mut freq, mut power, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for group in inside.chunks(inside.len().div_ceil(GROUPS)) {
            let count = group.len() as f64;
            freq.push(group.iter().map(|&k| (k + 1) as f64 * df).sum::<f64>() / count);
            power.push(group.iter().map(|&k| self.power[k]).sum::<f64>() / count);
            values.push(count * self.m_eff);
        }
        let levels = |seconds: f64| -> Option<Vec<f64>> {
            let model = DeadTimeModel::new(self.rate, seconds, self.kind).ok()?;
            Some(model.power_at(&freq, self.dt, self.n).iter().map(|z| 2.0 + self.share * (z - 2.0)).collect())
        };
        let cost = |seconds: f64| {
            let one = |((level, power), values): ((&f64, &f64), &f64)| values * (level.ln() + power / level);
            levels(seconds).map_or(f64::INFINITY, |n| n.iter().zip(&power).zip(&values).map(one).sum::<f64>())
        };
        let longest = 0.999 * DeadTimeModel::most(self.kind) / self.rate;
        if !longest.is_finite() {
            return failed("there are no photons to fit to".into());
        }
        // The waves of the level have the period 1/τ: a fifth of one at the highest frequency is a step that misses none.
        let mut trials = vec![0.0, SHORTEST * longest];
        let ratio = SHORTEST.powf(-1.5 / TRIALS as f64);
        while let Some(&from) = trials.last().filter(|&&from| from < longest && trials.len() < TRIALS) {
            trials.push((from * ratio).min(from + 0.2 / highest).min(longest));
        }
        let costs: Vec<f64> = trials.iter().map(|&t| cost(t)).collect();
        let best = (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
        let Some(&above) = trials.get(best + 1) else {
            return failed(format!("no dead time below {longest:.4e} s makes the level of this band"));
        };
        let seconds = minimum(trials[best.saturating_sub(1)], above, cost);
        let (below, above, step) = around(seconds, self.dt.min(1.0 / self.rate));
        let (Some(a), Some(b), Some(level)) = (levels(below), levels(above), levels(seconds)) else {
            return failed("the dead time is as long as it can be".into());
        };
        let slope = |i: usize| (b[i] - a[i]) / step / level[i];
        let information: f64 = values.iter().enumerate().map(|(i, values)| values * slope(i).powi(2)).sum();
        Ok((seconds, 1.0 / information.sqrt()))
    }
}

/// Two dead times around one, and their difference, for derivatives.
pub(super) fn around(seconds: f64, scale: f64) -> (f64, f64, f64) {
    let step = 1e-4 * seconds + 1e-6 * scale;
    let (below, above) = ((seconds - step).max(0.0), seconds + step);
    (below, above, above - below)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    /// Gamma-distributed powers around the model: no bias, and errors that cover, also of a band's share of the events.
    #[test]
    fn fits_are_unbiased_and_their_errors_cover() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut uniform = || ((rng.next_u64() >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        for (rate, seconds, dt, share, kind) in [
            (150.0, 0.0025, 1.0 / 1024.0, 1.0, DeadTimeKind::NonParalysable),
            (60.0, 0.0025, 1.0 / 128.0, 0.4, DeadTimeKind::NonParalysable),
            (2000.0, 1e-5, 1.0 / 4096.0, 1.0, DeadTimeKind::NonParalysable),
            (100.0, 0.001, 1.0 / 1024.0, 1.0, DeadTimeKind::Paralysable),
        ] {
            let (n, segments, runs) = (256, 40u64, 200);
            let model = DeadTimeModel::new(rate, seconds, kind).unwrap();
            let expected: Vec<f64> = model.power(dt, n).iter().map(|z| 2.0 + share * (z - 2.0)).collect();
            let (mut sum, mut squares, mut inside) = (0.0, 0.0, 0);
            for _ in 0..runs {
                let mut one = |e: &f64| -e * (0..segments).map(|_| uniform().ln()).sum::<f64>() / segments as f64;
                let power: Vec<f64> = expected.iter().map(&mut one).collect();
                let fit =
                    DeadTimeFit { power: &power, m_eff: segments as f64, n, dt, band: (0.0, 1e9), rate, share, kind };
                let (found, error) = fit.run().unwrap();
                let z = (found - seconds) / error;
                (sum, squares) = (sum + z, squares + z * z);
                inside += u32::from(z.abs() < 1.0);
            }
            let (mean, covered) = (sum / f64::from(runs), f64::from(inside) / f64::from(runs));
            let spread = (squares / f64::from(runs)).sqrt();
            assert!(mean.abs() < 0.25, "{rate} {seconds} {kind}: biased by {mean} standard errors");
            assert!((0.58..0.78).contains(&covered) && (0.85..1.15).contains(&spread), "{rate}: {covered} {spread}");
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let fit = DeadTimeFit {
            power: &[2.0; 127],
            m_eff: 10.0,
            n: 256,
            dt: 0.01,
            band: (60.0, 70.0),
            rate: 100.0,
            share: 1.0,
            kind: DeadTimeKind::NonParalysable,
        };
        assert!(fit.run().unwrap_err().to_string().contains("no frequency"));
        let all = DeadTimeFit { band: (0.0, 50.0), ..fit };
        let (seconds, error) = all.run().unwrap();
        assert!(seconds < 0.1 * error && error > 0.0, "Poisson's level is no dead time: {seconds} {error}");
        assert!(DeadTimeFit { rate: 0.0, ..all }.run().unwrap_err().to_string().contains("no photons"));
        assert!(DeadTimeFit { power: &[1e-9; 127], ..all }.run().is_err());
    }
}
