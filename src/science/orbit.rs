//! Orbits of pulsars in binaries: when a photon that arrived was emitted, and the other way round.
//!
//! The time at the barycentre `t_a = t_e + Δ(t_e)` is the time of emission with the light travel time across the orbit (Rømer delay)
//! and Einstein's delay added:
//! `Δ = x·[sin ω·(cos E − e) + √(1−e²)·cos ω·sin E] + γ·sin E`, `E − e·sin E = M` (Blandford & Teukolsky 1976,
//! doi:10.1086/154315; Damour & Deruelle 1986, Ann. Inst. H. Poincaré 44, 263). `t_e` follows from `t_a` by Newton's method, in f64 on
//! the host, so that all devices have the same times; what is left of it is bounded in `docs/pulsations.md`.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use crate::base::error::{Error, Result};
use crate::base::time::DoubleDouble;
use crate::data::phase::Ephemeris;

/// The largest velocity along the line of sight, of that of light, for which the steps are known to converge.
const FASTEST: f64 = 0.1;
/// Newton's last step, s; what is left after it is at most a quarter of it, and for real orbits below 1e-20 s.
const LAST_STEP: f64 = 1e-9;
/// Steps at most: each leaves less than a quarter of the error.
const MOST_STEPS: usize = 40;

/// The model of a binary orbit, by its name in tempo2 and PINT: where anomalies count from, and how the ellipse turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OrbitModel {
    /// For nearly circular orbits (Lange et al. 2001, doi:10.1046/j.1365-8711.2001.04606.x): time counts from the
    /// ascending node. Computed as the full ellipse with `ω = atan2(EPS1, EPS2)`, less the constant `−3/2·x·EPS1` that
    /// the model leaves out: the published series is its first order.
    Ell1,
    /// Time counts from periastron, which advances evenly in time.
    Bt,
    /// Time counts from periastron, which advances with the true anomaly.
    Dd,
}

/// The orbit of a pulsar about the centre of mass of its binary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Orbit {
    /// The orbital model.
    pub model: OrbitModel,
    /// Time of the ascending node (ELL1) or of periastron (BT, DD), seconds of the frame.
    pub epoch: DoubleDouble,
    /// Orbital frequency at the epoch, Hz.
    pub frequency: DoubleDouble,
    /// Derivative of the orbital period, s/s (PBDOT).
    pub pbdot: f64,
    /// Projected semi-major axis `x = a·sin i/c`, light seconds (A1).
    pub axis: f64,
    /// Derivative of `x`, light seconds a second (XDOT).
    pub xdot: f64,
    /// Eccentricity (ECC).
    pub eccentricity: f64,
    /// Longitude of periastron ω at the epoch, radians (OM).
    pub omega: f64,
    /// Derivative of ω, radians a second (OMDOT).
    pub omdot: f64,
    /// Amplitude γ of Einstein's delay, s (GAMMA).
    pub gamma: f64,
}

impl Orbit {
    /// Refuses an orbit that cannot be, or so fast that the time of emission could not be computed.
    ///
    /// # Errors
    /// A number is out of range; the error names the number as `.par` files do.
    pub fn check(&self) -> Result<()> {
        let refuse = |name: &str, value: f64, message: &str| Err(Error::argument(name, value, message));
        let frequency = self.frequency.value();
        if !(frequency > 0.0 && frequency < 1.0) {
            return refuse("PB", 1.0 / frequency, "an orbit has a period of more than a second");
        }
        if !(0.0..1.0).contains(&self.eccentricity) {
            return refuse("ECC", self.eccentricity, "must be from 0 to 1, without 1");
        }
        if !(self.axis >= 0.0 && self.axis.is_finite()) {
            return refuse("A1", self.axis, "must be a length in light seconds, 0 or more");
        }
        for (name, value) in [("PBDOT", self.pbdot), ("XDOT", self.xdot), ("OMDOT", self.omdot), ("OM", self.omega)] {
            let limit = if name == "OM" { 1e3 } else { 1e-4 };
            if value.is_nan() || value.abs() > limit {
                return refuse(name, value, "is larger than that of any orbit");
            }
        }
        let speed = TAU * frequency * (self.axis + self.gamma.abs()) / (1.0 - self.eccentricity);
        if speed.is_nan() || speed > FASTEST {
            return refuse(
                "A1",
                self.axis,
                &format!("makes speeds of up to {speed:.2} of that of light; 0.1 is the limit"),
            );
        }
        Ok(())
    }

    /// `Δ` at the time of emission `t`, s, and its derivative, that of the ellipse alone.
    fn delay_and_slope(&self, t: DoubleDouble) -> (f64, f64) {
        let since = t - self.epoch;
        let seconds = since.value();
        let turns = since * self.frequency;
        // Whole orbits are taken off before the angle is one f64.
        let drift = 0.5 * self.pbdot * turns.hi * turns.hi;
        let from_node = if self.model == OrbitModel::Ell1 { self.omega / TAU } else { 0.0 };
        let anomaly = turns - DoubleDouble::from(drift) - DoubleDouble::from(from_node);
        let mean = anomaly.wrapped();
        let e = self.eccentricity;
        let eccentric = kepler(TAU * mean.value(), e);
        let (sin, cos) = eccentric.sin_cos();
        let omega = self.omega
            + match self.model {
                _ if self.omdot == 0.0 => 0.0,
                OrbitModel::Dd => {
                    let orbits = (anomaly - mean).value();
                    let (half_sin, half_cos) = (0.5 * eccentric).sin_cos();
                    let true_anomaly = 2.0 * ((1.0 + e).sqrt() * half_sin).atan2((1.0 - e).sqrt() * half_cos);
                    self.omdot / (TAU * self.frequency.value()) * (TAU * orbits + true_anomaly)
                }
                OrbitModel::Ell1 | OrbitModel::Bt => self.omdot * seconds,
            };
        let (sin_omega, cos_omega) = omega.sin_cos();
        let x = self.axis + self.xdot * seconds;
        let (a, b) = (x * sin_omega, x * (1.0 - e * e).sqrt() * cos_omega + self.gamma);
        let left_out = if self.model == OrbitModel::Ell1 { 1.5 * e * a } else { 0.0 };
        let rate = TAU * self.frequency.value() / (1.0 - e * cos);
        (a * (cos - e) + b * sin + left_out, (b * cos - a * sin) * rate)
    }

    /// Delay at the barycentre, s, of light emitted at `t` (seconds of the frame).
    pub fn delay(&self, t: DoubleDouble) -> f64 {
        self.delay_and_slope(t).0
    }

    /// Time of arrival at the barycentre of light emitted at `t`, seconds of the frame.
    pub fn arrival(&self, t: DoubleDouble) -> DoubleDouble {
        t + DoubleDouble::from(self.delay(t))
    }

    /// Time of emission of light that arrives at the barycentre at `t`, seconds of the frame. It solves `t_e + Δ(t_e) =
    /// t` to the rounding of `Δ`, and to less than 1 ns in any case.
    pub fn emission(&self, t: DoubleDouble) -> DoubleDouble {
        let mut emitted = t;
        for _ in 0..MOST_STEPS {
            let (delay, slope) = self.delay_and_slope(emitted);
            let step = ((emitted - t) + DoubleDouble::from(delay)).value() / (1.0 + slope);
            emitted = emitted - DoubleDouble::from(step);
            // Not a number compares as small enough, too: there is no better one.
            if step.is_nan() || step.abs() < LAST_STEP {
                break;
            }
        }
        emitted
    }
}

/// `E − e·sin E = mean`, `|mean| ≤ π`, by Newton's method from the start of Danby (1987, Celestial Mechanics 40, 303), from which it
/// converges for every e below 1.
fn kepler(mean: f64, e: f64) -> f64 {
    let mut eccentric = mean + 0.85 * e * mean.signum();
    if e < 0.1 {
        eccentric = mean + e * mean.sin();
    }
    for _ in 0..50 {
        let (sin, cos) = eccentric.sin_cos();
        let step = (eccentric - e * sin - mean) / (1.0 - e * cos);
        eccentric = (eccentric - step).clamp(-PI - 1.0, PI + 1.0);
        if step.is_nan() || step.abs() < 1e-9 {
            // The next step would be of the order of this one squared.
            break;
        }
    }
    eccentric
}

/// The timing model of a pulsar, as read from a `.par` file: ephemeris, binary orbit and validity, with all times in
/// seconds from MJDREF of the events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimingModel {
    /// The ephemeris, which gives the phase at the time of emission.
    pub ephemeris: Ephemeris,
    /// The binary orbit; without one, times of emission are those of arrival.
    pub orbit: Option<Orbit>,
    /// First and last time that the model is valid for, seconds of the frame; `None` if the file does not say.
    pub valid: (Option<f64>, Option<f64>),
    /// Name of the `.par` file.
    pub name: String,
    /// CRC-32 of the `.par` file, in hexadecimal.
    pub crc32: String,
}

impl TimingModel {
    /// Time of emission of light that arrives at the barycentre at `t`, seconds of the frame.
    pub fn emission(&self, t: DoubleDouble) -> DoubleDouble {
        self.orbit.map_or(t, |orbit| orbit.emission(t))
    }

    /// Time of arrival at the barycentre of light emitted at `t`, seconds of the frame.
    pub fn arrival(&self, t: DoubleDouble) -> DoubleDouble {
        self.orbit.map_or(t, |orbit| orbit.arrival(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    fn orbit(model: OrbitModel, period: f64, axis: f64, e: f64, omega: f64) -> Orbit {
        let frequency = DoubleDouble::from(period).recip();
        let still = Orbit {
            model,
            epoch: DoubleDouble::from(1.7e8),
            frequency,
            pbdot: 0.0,
            axis,
            xdot: 0.0,
            eccentricity: e,
            omega,
            omdot: 0.0,
            gamma: 0.0,
        };
        still.check().unwrap();
        still
    }

    #[test]
    fn anomalies_solve_keplers_equation() {
        for e in [0.0, 1e-9, 0.05, 0.1, 0.6, 0.99, 0.999_999] {
            for i in -1000..=1000 {
                let mean = PI * f64::from(i) / 1000.0;
                let found = kepler(mean, e);
                assert!((found - e * found.sin() - mean).abs() < 1e-14, "{mean} {e}: {found}");
            }
        }
    }

    /// The bound of `docs/pulsations.md`: a quarter of a nanosecond by contraction, and what is seen is the rounding of Δ.
    #[test]
    fn emission_inverts_arrival() {
        let mut random = Random::new(1);
        let mut worst = 0f64;
        for case in 0..20_000 {
            let e = random.pick(&[0.0, 1e-6, 0.02, 0.3, 0.617, 0.9]);
            let period = 10f64.powf(2.0 + 6.0 * random.uniform());
            // From tight to the fastest that is allowed.
            let speed = random.pick(&[1e-6, 1e-4, 3e-3, 0.0999]);
            let axis = speed * period / TAU * (1.0 - e);
            let model = random.pick(&[OrbitModel::Ell1, OrbitModel::Bt, OrbitModel::Dd]);
            let mut orbit = orbit(model, period, axis, e, TAU * random.uniform());
            if case % 2 == 0 {
                (orbit.pbdot, orbit.xdot, orbit.omdot) = (1e-12, 1e-13, 1e-9 * random.uniform());
            }
            let emitted = DoubleDouble::sum(1.7e8 + 4e8 * (random.uniform() - 0.5), 1e-9 * random.uniform());
            let found = orbit.emission(orbit.arrival(emitted)) - emitted;
            let rounding = 4.0 * f64::EPSILON * axis;
            worst = worst.max(found.value().abs());
            assert!(found.value().abs() < 1e-14 + 8.0 * rounding, "{found:?} s of {orbit:?}");
        }
        eprintln!("largest difference of emission from what arrival was made of: {worst:.1e} s");
    }

    /// The series of ELL1 to its first order, and with the terms of the third.
    #[test]
    fn nearly_circular_orbits_are_those_of_the_series() {
        for (eps1, eps2) in [(0.0, 0.0), (1e-3, 0.0), (-2e-3, 1.5e-3), (0.0, -4e-4), (1e-6, 2e-6)] {
            let (e, x) = (f64::hypot(eps1, eps2), 12.0);
            let orbit = orbit(OrbitModel::Ell1, 1e5, x, e, f64::atan2(eps1, eps2));
            for i in 0..200 {
                let t = 1e5 * f64::from(i) / 200.0;
                let phi = TAU * t / 1e5;
                let series = x * (phi.sin() + 0.5 * (eps2 * (2.0 * phi).sin() - eps1 * (2.0 * phi).cos()));
                let apart = orbit.delay(orbit.epoch + DoubleDouble::from(t)) - series;
                assert!(apart.abs() <= x * e * e + 1e-13, "{apart} of e = {e}");
            }
        }
    }

    #[test]
    fn periastron_turns_evenly_or_with_the_anomaly() {
        // After whole orbits both models agree; within one they do not.
        let turning = |model| Orbit { omdot: 1e-8, ..orbit(model, 3e4, 2.3, 0.6, 1.0) };
        let (bt, dd) = (turning(OrbitModel::Bt), turning(OrbitModel::Dd));
        let after = |orbits: f64| bt.epoch + DoubleDouble::from(3e4 * orbits);
        assert!((bt.delay(after(100.0)) - dd.delay(after(100.0))).abs() < 1e-10);
        assert!((bt.delay(after(100.25)) - dd.delay(after(100.25))).abs() > 1e-6);
        let turned = orbit(OrbitModel::Bt, 3e4, 2.3, 0.6, 1.0 + 1e-8 * 3e6);
        assert!((bt.delay(after(100.0)) - turned.delay(after(0.0))).abs() < 1e-10);
    }

    #[test]
    fn what_is_no_orbit_is_refused() {
        let good = orbit(OrbitModel::Dd, 3e4, 2.3, 0.6, 1.0);
        for bad in [
            Orbit { eccentricity: 1.0, ..good },
            Orbit { eccentricity: f64::NAN, ..good },
            Orbit { axis: -1.0, ..good },
            Orbit { axis: 1e4, ..good },
            Orbit { frequency: DoubleDouble::ZERO, ..good },
            Orbit { frequency: DoubleDouble::from(f64::NAN), ..good },
            Orbit { xdot: 1.0, ..good },
            Orbit { omega: f64::INFINITY, ..good },
            Orbit { gamma: f64::NAN, ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
