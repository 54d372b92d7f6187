//! What the good time lets see of a source at other frequencies and drifts than its own: side lobes, aliases of gaps, ridges.

use rustfft::num_complex::Complex;

use super::{PulseEvents, amplitudes};
use crate::science::pulsation::templates::{FrequencyDrift, curved_between, half_width, response_between};

/// Starts of intervals that are regular: half of them fit.
const REGULAR_PART: f64 = 0.5;
/// The fewest intervals that make a period of gaps.
const FEWEST_INTERVALS: usize = 3;

/// The good time, of which every source has the same side lobes.
pub(super) struct SourceWindow {
    /// Length of the observation and its middle from the epoch, s.
    pub span: f64,
    middle: f64,
    /// Ends of the good time intervals in units of the span from the middle, and their sum.
    ends: Vec<(f64, f64)>,
    all: f64,
    /// Frequency at which gaps come, Hz, if they come regularly.
    pub gaps: Option<f64>,
}

impl SourceWindow {
    pub fn new(events: &PulseEvents) -> SourceWindow {
        let (seconds, span, middle) = (events.ticks.seconds(), events.span, amplitudes::middle(events));
        let place = |t: i64| (t as f64 * seconds - middle) / span;
        let ends: Vec<(f64, f64)> = events.gti.iter().map(|&(a, b)| (place(a), place(b))).collect();
        let all = ends.iter().map(|(a, b)| b - a).sum();
        let gaps = gap_period(&ends).map(|period| 1.0 / (period * span));
        SourceWindow { span, middle, ends, all, gaps }
    }

    /// Frequency (cycles over the span, at its middle) and drift of a frequency with its derivatives at the epoch.
    pub fn place(&self, rates: [f64; 3]) -> (f64, FrequencyDrift) {
        place(rates, self.span, self.middle)
    }

    /// The part of a source's power that is seen `r` bins and this drift off.
    pub fn part(&self, r: f64, drift: FrequencyDrift) -> f64 {
        // Far from all that drifts, a change of the drift is nothing.
        let plain = drift.w == 0.0 || r.abs() > 4.0 * half_width(drift) as f64;
        let part = |&ends: &(f64, f64)| {
            if plain { response_between(-r, drift.z, ends) } else { curved_between(-r, drift, ends) }
        };
        (self.ends.iter().map(part).sum::<Complex<f64>>() / self.all).norm_sqr()
    }

    /// No more than [`SourceWindow::part`] so far off has: each interval ends twice.
    pub fn bound(&self, r: f64, drift: FrequencyDrift) -> f64 {
        let beyond = r.abs() - 0.5 * drift.z.abs() - 0.125 * drift.w.abs();
        if beyond <= 1.0 {
            1.0
        } else {
            (self.ends.len() as f64 / (std::f64::consts::PI * beyond * self.all)).powi(2).min(1.0)
        }
    }

    /// The multiple of the gaps' frequency by which frequencies differ, within an independent one; 0 for none.
    pub fn alias(&self, apart: f64) -> i32 {
        let Some(gaps) = self.gaps else { return 0 };
        let times = (apart / gaps).round();
        if (apart - times * gaps).abs() * self.span < 1.0 { times as i32 } else { 0 }
    }
}

/// See [`SourceWindow::place`].
pub(super) fn place([freq, fdot, fddot]: [f64; 3], span: f64, middle: f64) -> (f64, FrequencyDrift) {
    let r = (freq + middle * (fdot + 0.5 * middle * fddot)) * span;
    (r, FrequencyDrift { z: (fdot + middle * fddot) * span * span, w: fddot * span.powi(3) })
}

/// The time from the middle of one interval to that of the next, where most are as far apart, or a multiple of it, as missed ones are.
fn gap_period(ends: &[(f64, f64)]) -> Option<f64> {
    if ends.len() < FEWEST_INTERVALS {
        return None;
    }
    let mut apart: Vec<f64> = ends.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    apart.sort_by(f64::total_cmp);
    let median = apart[(apart.len() - 1) / 2];
    let multiple = |d: &&f64| {
        let n = (**d / median).round();
        n >= 1.0 && (**d / median - n).abs() < 0.1
    };
    let regular: Vec<f64> = apart.iter().filter(multiple).copied().collect();
    let periods: f64 = regular.iter().map(|d| (d / median).round()).sum();
    (regular.len() as f64 >= REGULAR_PART * apart.len() as f64).then(|| regular.iter().sum::<f64>() / periods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_an_orbit_have_its_period() {
        let orbit: Vec<(f64, f64)> = [0, 1, 2, 4, 5].map(|k| (0.1 * f64::from(k), 0.1 * f64::from(k) + 0.04)).to_vec();
        assert!((gap_period(&orbit).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(gap_period(&orbit[..2]), None);
        assert_eq!(gap_period(&[(0.0, 0.1), (0.11, 0.2), (0.37, 0.5), (0.8, 1.0)]), None);
    }
}
