//! Rotational phase without loss: times as whole ticks, frequencies as fixed-point numbers of cycles a tick.
//!
//! `φ(t) = f·t + ḟ·t²/2 + f̈·t³/6` cycles, `t` from the epoch. Floating point loses it: at 2 kHz, ten years of f64 leave 1e-4
//! cycle, and no two devices agree. Here `t` is a whole number of *ticks*, the coefficients are whole numbers of
//! `2⁻⁹⁶` cycle/tick, `2⁻¹⁶⁰` cycle/tick² and `2⁻²²⁴` cycle/tick³, and the phase is their wrapped product by Horner's rule, in
//! integers: the same bits on every device. What is rounded, and the bound of all of it, 2⁻³² cycle over 20 years, is derived
//! in `docs/pulsations.md`.

use crate::base::error::{Error, Result};
use crate::base::time::DoubleDouble;

/// Bits that a time in ticks has, its sign left out.
const TICK_BITS: i32 = 61;
/// The finest tick, 2⁻⁶⁰ s, for spans of at most 2 s.
const FINEST: i32 = 60;

/// The rotation of a source: `φ(t) = f·Δ + ḟΔ²/2 + f̈Δ³/6` cycles with `Δ = t − epoch` in seconds. Frequency and
/// derivatives hold at the epoch, where the phase is 0.
///
/// Frequencies are double-double, because 20 years at 2 kHz are 2⁴⁰ cycles, of which the 53 bits of an f64 resolve only
/// 2⁻¹³ cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Ephemeris {
    /// Epoch, seconds of the frame.
    pub epoch: DoubleDouble,
    /// Frequency at the epoch, Hz.
    pub freq: DoubleDouble,
    /// First derivative of the frequency at the epoch, Hz/s.
    pub fdot: DoubleDouble,
    /// Second derivative of the frequency, Hz/s².
    pub fddot: DoubleDouble,
}

impl Ephemeris {
    /// An ephemeris with `freq` in Hz, `fdot` in Hz/s and `fddot` in Hz/s².
    pub fn new(epoch: DoubleDouble, freq: f64, fdot: f64, fddot: f64) -> Ephemeris {
        Ephemeris { epoch, freq: freq.into(), fdot: fdot.into(), fddot: fddot.into() }
    }

    /// Frequency and derivatives moved to another epoch: `f + ḟΔ + f̈Δ²/2`, `ḟ + f̈Δ`. The new ephemeris has phase 0 at
    /// the new epoch, so its phases differ from those of this one by a constant; see [`Ephemeris::at_phase_zero_near`]
    /// for one whose phases agree.
    #[must_use]
    pub fn at(&self, epoch: DoubleDouble) -> Ephemeris {
        let shift = epoch - self.epoch;
        let fdot = self.fdot + self.fddot * shift;
        let freq = self.freq + (self.fdot + self.fddot * shift * 0.5) * shift;
        Ephemeris { epoch, freq, fdot, fddot: self.fddot }
    }

    /// Cycles from the epoch to the time `t` (seconds of the frame), accurate to 2⁻¹⁰⁰ of the result.
    pub fn cycles(&self, t: DoubleDouble) -> DoubleDouble {
        let d = t - self.epoch;
        (self.freq + (self.fdot + self.fddot * d / 3.0) * d * 0.5) * d
    }

    /// This ephemeris moved to the time of phase 0 nearest to `t`. Phases (modulo 1) stay the same, and times counted
    /// from the new epoch are small, so that they can be exact.
    #[must_use]
    pub fn at_phase_zero_near(&self, t: DoubleDouble) -> Ephemeris {
        self.at(self.time_of_phase(0.0, t))
    }

    /// The time, in seconds of the frame, nearest to `t` at which the phase (modulo 1) is `phase`.
    pub fn time_of_phase(&self, phase: f64, t: DoubleDouble) -> DoubleDouble {
        let mut near = t;
        // The second step is for frequencies that change within a cycle.
        for _ in 0..2 {
            near = near - (self.cycles(near) - DoubleDouble::from(phase)).wrapped() / self.at(near).freq.value();
        }
        near
    }
}

/// A clock with whole numbers: times are counted in ticks of `2^−k` seconds from a reference time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticks {
    reference: DoubleDouble,
    k: i32,
}

impl Ticks {
    /// The clock with the shortest tick that reaches from `reference` to both `start` and `stop` with fewer than 2⁶¹
    /// ticks.
    ///
    /// # Errors
    /// A time is not finite, or the times are more than 2⁶⁰ s apart.
    pub fn spanning(reference: DoubleDouble, start: DoubleDouble, stop: DoubleDouble) -> Result<Ticks> {
        let far = (start - reference).value().abs().max((stop - reference).value().abs());
        // A second more, so that the rounding of either end does not matter.
        let bits = (far + 1.0).log2().ceil();
        if !(bits.is_finite() && bits < f64::from(TICK_BITS)) {
            let seconds = format!("{:e} s", reference.value());
            let [start, stop] = [start, stop].map(DoubleDouble::value);
            let message = format!("lies too far from the times, {start:e} to {stop:e} s, for an exact phase");
            return Err(Error::argument("epoch", seconds, message));
        }
        Ok(Ticks { reference, k: (TICK_BITS - bits as i32).min(FINEST) })
    }

    /// Length of a tick in seconds, a power of two.
    pub fn seconds(&self) -> f64 {
        2f64.powi(-self.k)
    }

    /// The reference time, from which ticks are counted, seconds of the frame.
    pub fn reference(&self) -> DoubleDouble {
        self.reference
    }

    /// The tick nearest to the time `t` (seconds of the frame). Times outside the span are set to its first or last
    /// tick.
    pub fn of(&self, t: DoubleDouble) -> i64 {
        self.nearest(t - self.reference)
    }

    /// A converter of raw times (the TIME column as written) to ticks; `offset` is what must be added to a raw time to
    /// have seconds of the frame. The reference is rounded once, to a tick of the raw times. Raw times that are whole
    /// multiples of a tick are then converted exactly.
    pub fn raw(&self, offset: DoubleDouble) -> RawTicks {
        let base = self.reference - offset;
        let tick = self.seconds();
        let whole = (base.hi / tick).round_ties_even() * tick;
        // The quotient may have a fraction that the low part completes.
        let rest = DoubleDouble::sum(base.hi, -whole).hi + base.lo;
        RawTicks { ticks: *self, base: DoubleDouble::sum(whole, (rest / tick).round_ties_even() * tick) }
    }

    fn nearest(&self, d: DoubleDouble) -> i64 {
        let scale = 2f64.powi(self.k);
        let (hi, lo) = (d.hi * scale, d.lo * scale);
        let whole = hi.floor();
        // A float as an integer ends at the ends.
        (whole as i64).saturating_add(((hi - whole) + lo).round_ties_even() as i64)
    }
}

/// Converts raw times to ticks; see [`Ticks::raw`].
#[derive(Clone, Copy, Debug)]
pub struct RawTicks {
    ticks: Ticks,
    base: DoubleDouble,
}

impl RawTicks {
    /// The tick nearest to the raw time `t`.
    #[inline]
    pub fn of(&self, t: f64) -> i64 {
        let d = DoubleDouble::sum(t, -self.base.hi);
        self.ticks.nearest(DoubleDouble { hi: d.hi, lo: d.lo - self.base.lo })
    }
}

/// An ephemeris as whole numbers, in the fixed-point form that every device computes with. Its epoch is the reference
/// of the ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spin {
    /// `f`, units of 2⁻⁹⁶ cycle/tick.
    f: i128,
    /// `ḟ/2`, units of 2⁻¹⁶⁰ cycle/tick²; 96 bits and the sign.
    g: i128,
    /// `f̈/6`, units of 2⁻²²⁴ cycle/tick³; 96 bits and the sign.
    h: i128,
}

/// Bits of the fixed-point coefficients, sign included.
const WIDTH: i32 = 96;

impl Spin {
    /// Rounds an ephemeris to the nearest fixed-point numbers, each within one unit.
    ///
    /// # Errors
    /// A number is not finite or does not fit: the frequency must be below half a cycle a tick; the units of the
    /// derivatives are in docs/pulsations.md. Physical sources are far below these limits.
    pub fn new(ephemeris: &Ephemeris, ticks: &Ticks) -> Result<Spin> {
        let fit = |name: &str, value: DoubleDouble, part: DoubleDouble, exponent: i32| {
            fixed(part, exponent).filter(|units| units.abs() < 1 << (WIDTH - 2)).ok_or_else(|| {
                Error::argument(name, value.value(), "is too large for the span of the times, or no number")
            })
        };
        let sixth = ephemeris.fddot * 0.5 / 3.0;
        Ok(Spin {
            f: fit("freq", ephemeris.freq, ephemeris.freq, 96 - ticks.k)?,
            g: fit("fdot", ephemeris.fdot, ephemeris.fdot * 0.5, 160 - 2 * ticks.k)?,
            h: fit("fddot", ephemeris.fddot, sixth, 224 - 3 * ticks.k)?,
        })
    }

    /// An ephemeris with a frequency in Hz and no derivatives.
    ///
    /// # Errors
    /// See [`Spin::new`].
    pub fn from_frequency(freq: f64, ticks: &Ticks) -> Result<Spin> {
        Spin::new(&Ephemeris::new(ticks.reference, freq, 0.0, 0.0), ticks)
    }

    /// The frequency in Hz, with all its digits.
    pub fn freq(&self, ticks: &Ticks) -> DoubleDouble {
        unfixed(self.f, 96 - ticks.k)
    }

    /// The first derivative, Hz/s.
    pub fn fdot(&self, ticks: &Ticks) -> f64 {
        2.0 * unfixed(self.g, 160 - 2 * ticks.k).value()
    }

    /// The second derivative, Hz/s².
    pub fn fddot(&self, ticks: &Ticks) -> f64 {
        6.0 * unfixed(self.h, 224 - 3 * ticks.k).value()
    }

    /// This ephemeris with `count·step` added to its frequency; exact. Derivatives of `step` are ignored.
    #[must_use]
    pub fn stepped(&self, step: &Spin, count: i64) -> Spin {
        Spin { f: self.f + step.f * i128::from(count), ..*self }
    }

    /// The phase at `t` ticks from the reference, in units of 2⁻⁶⁴ cycle, without whole cycles. Accurate to 2⁻³² cycle.
    #[inline]
    pub fn phase(&self, t: i64) -> u64 {
        let mut f = self.f;
        if self.g != 0 || self.h != 0 {
            let g = self.g + upper(self.h, t);
            f += upper(g, t);
        }
        // ⌊F·t/2³²⌋ modulo 2⁶⁴ with F = a·2³² + b and t = c·2³² + d: a·t + b·c + ⌊b·d/2³²⌋; nothing is lost but multiples of 2⁶⁴.
        let (a, b) = ((f >> 32) as i64, f as u32);
        let (c, d) = (t >> 32, t as u32);
        let low = ((u64::from(b) * u64::from(d)) >> 32) as i64;
        a.wrapping_mul(t).wrapping_add(i64::from(b).wrapping_mul(c)).wrapping_add(low) as u64
    }

    /// The three fixed-point numbers as words of 32 bits, three each, lowest word first, in two's complement: the form
    /// that shaders read.
    pub fn words(&self) -> [u32; 9] {
        let word = |x: i128, i: usize| (x >> (32 * i)) as u32;
        std::array::from_fn(|i| word([self.f, self.g, self.h][i / 3], i % 3))
    }
}

/// `⌊c·t/2⁶⁴⌋` of `|c| < 2⁹⁵`, whose product does not fit into 128 bits.
#[inline]
fn upper(c: i128, t: i64) -> i128 {
    let t = i128::from(t);
    ((c >> 32) * t + ((t * (c & 0xffff_ffff)) >> 32)) >> 32
}

/// `x·2^exponent` rounded to a whole number, each part to the nearest; `None` where it does not fit.
fn fixed(x: DoubleDouble, exponent: i32) -> Option<i128> {
    fixed_part(x.hi, exponent)?.checked_add(fixed_part(x.lo, exponent)?)
}

fn fixed_part(x: f64, exponent: i32) -> Option<i128> {
    if x == 0.0 {
        return Some(0);
    }
    if !x.is_finite() {
        return None;
    }
    let bits = x.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    let significand = i128::from((bits & ((1 << 52) - 1)) | if field > 0 { 1 << 52 } else { 0 });
    let shift = field.max(1) - 1075 + exponent;
    let magnitude = match shift {
        74.. => return None,
        0.. => significand << shift,
        -60..0 => (significand + (1 << (-shift - 1))) >> -shift,
        _ => 0,
    };
    Some(if x < 0.0 { -magnitude } else { magnitude })
}

/// `x/2^exponent` in double-double.
fn unfixed(x: i128, exponent: i32) -> DoubleDouble {
    let hi = x as f64;
    let lo = (x - hi as i128) as f64;
    let scale = |y: f64| y * 2f64.powi(-exponent / 2) * 2f64.powi(-(exponent - exponent / 2));
    DoubleDouble::sum(scale(hi), scale(lo))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;
    use crate::base::random::Random;

    /// A finite f64 as `m·2^e`.
    fn parts(x: f64) -> (BigInt, i64) {
        let field = ((x.to_bits() >> 52) & 0x7ff) as i64;
        let m = (x.to_bits() & ((1 << 52) - 1)) | if field > 0 { 1 << 52 } else { 0 };
        let m = BigInt::from(m);
        (if x < 0.0 { -m } else { m }, field.max(1) - 1075)
    }

    /// Units of `2⁻ᵇ` in a sum of two f64, exactly; b is large enough that nothing is lost.
    fn exact(x: DoubleDouble, b: i64) -> BigInt {
        [x.hi, x.lo].into_iter().map(parts).map(|(m, e)| m << (e + b).max(0) as usize).sum()
    }

    /// `|phase − truth|` in units of 2⁻³² cycle, wrapped, where the truth is that of the ephemeris at `t` ticks exactly.
    fn error(e: &Ephemeris, ticks: &Ticks, t: i64) -> f64 {
        const B: i64 = 1200;
        let k = i64::from(ticks.k) as usize;
        let t_big = BigInt::from(t);
        let [f, g, h] = [e.freq, e.fdot, e.fddot].map(|x| exact(x, B));
        // 6·2^(B + 3k) cycles.
        let sum = f * 6 * &t_big * (BigInt::from(1) << (2 * k))
            + g * 3 * &t_big * &t_big * (BigInt::from(1) << k)
            + h * &t_big * &t_big * &t_big;
        let cycle = BigInt::from(6) << (B as usize + 3 * k);
        let spin = Spin::new(e, ticks).unwrap();
        let ours = BigInt::from(spin.phase(t)) * (&cycle >> 64usize);
        let mut rest = (ours - sum) % &cycle;
        let half: BigInt = &cycle >> 1usize;
        if rest > half {
            rest -= &cycle;
        } else if rest < -half {
            rest += &cycle;
        }
        // 2⁻³² cycle is 2^-32 of it; twenty more bits for the fraction.
        let units = (rest << 52usize) / &cycle;
        i64::try_from(units).unwrap().unsigned_abs() as f64 / 2f64.powi(20)
    }

    #[test]
    fn phases_are_exact_to_two_to_the_minus_32_of_a_cycle() {
        let mut random = Random::new(1);
        let mut worst = [0f64; 4];
        let sign = |random: &mut Random, x: f64| if random.below(2) == 0 { x } else { -x };
        for case in 0..1_000_000 {
            let kind = case % 4;
            let span = match kind {
                0 => 6.4e8,
                1 => 2f64.powf(30.0 * random.uniform()),
                2 => 1e5,
                _ => random.pick(&[1.0, 2.9, 1e4, 3.2e7, 6.4e8]),
            };
            let ticks =
                Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(-span), DoubleDouble::from(span)).unwrap();
            let limit = (span / ticks.seconds()) as i64;
            let (t, freq, fdot, fddot) = if kind == 3 {
                let t = [limit, -limit, limit - 1, 1, -1, 0, 1 << 32, -(1 << 31)][random.below(8)].clamp(-limit, limit);
                let freq = random.pick(&[2000.0, 2000.0f64.next_down(), 1.0 / 3.0, 1e-9, 716.35, -641.9, 5e-324, 0.0]);
                let fdot = random.pick(&[0.0, -1e-15, 1e-9, -3.7e-10, 1e-300, 0.1 / span]);
                (t, freq, fdot, random.pick(&[0.0, 1e-20, -1e-12, 0.1 / span / span]))
            } else {
                let t = ((2.0 * random.uniform() - 1.0) * limit as f64) as i64;
                let fdot = 10f64.powf(-16.0 + 10.0 * random.uniform());
                let fdot = sign(&mut random, fdot.min(1000.0 / span));
                let fddot = 10f64.powf(-28.0 + 15.0 * random.uniform());
                let fddot = sign(&mut random, fddot.min(1000.0 / span / span));
                (t, 2000.0 * random.uniform(), fdot, fddot)
            };
            let low = freq * 2f64.powi(-54) * random.uniform();
            let e = Ephemeris {
                freq: DoubleDouble::sum(freq, low),
                ..Ephemeris::new(DoubleDouble::ZERO, freq, fdot, fddot)
            };
            let off = error(&e, &ticks, t);
            worst[kind] = worst[kind].max(off);
            assert!(off < 1.0, "{off} units: {e:?} at {t} of {ticks:?}");
        }
        eprintln!("largest errors of the phase, 2^-32 cycle: {worst:?}");
        // The coefficients' rounding is there to be seen: the bound is no empty one.
        assert!(worst[0] > 0.01 && worst[0] < 0.34, "{worst:?}");
    }

    #[test]
    fn raw_times_of_satellites_lose_nothing() {
        let mut random = Random::new(2);
        let reference = DoubleDouble::sum(3.1e8, 1.7e-9);
        let ticks = Ticks::spanning(reference, DoubleDouble::from(3.09e8), DoubleDouble::from(3.2e8)).unwrap();
        let raw = ticks.raw(DoubleDouble::sum(3.378, 1e-17));
        for _ in 0..10_000 {
            let (a, b) = (3.1e8 + 1e6 * random.uniform(), 3.1e8 - 1e6 * random.uniform());
            // Differences of f64 of one binade are f64.
            assert_eq!((raw.of(a) - raw.of(b)) as f64 * ticks.seconds(), a - b);
            let frame = DoubleDouble::from(a) + DoubleDouble::sum(3.378, 1e-17);
            assert!((raw.of(a) - ticks.of(frame)).abs() <= 1);
        }
        assert_eq!(raw.of(1e300), i64::MAX);
    }

    #[test]
    fn fixed_point_returns_and_refuses() {
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(1e5)).unwrap();
        let e = Ephemeris::new(DoubleDouble::ZERO, 641.928, -3.8e-10, 1e-20);
        let spin = Spin::new(&e, &ticks).unwrap();
        assert_eq!(spin.freq(&ticks).value(), 641.928);
        assert!((spin.fdot(&ticks) / -3.8e-10 - 1.0).abs() < 1e-12);
        assert!((spin.fddot(&ticks) / 1e-20 - 1.0).abs() < 1e-3);
        for bad in [f64::NAN, f64::INFINITY, 1e40] {
            assert!(
                Spin::from_frequency(bad, &ticks).is_err()
                    && Ticks::spanning(DoubleDouble::from(bad), DoubleDouble::ZERO, DoubleDouble::ZERO).is_err()
            );
        }
        let next = e.at_phase_zero_near(DoubleDouble::from(1e4));
        assert!((next.epoch.value() - 1e4).abs() < 0.5 / 641.0);
        let (whole, rest) = (e.cycles(next.epoch), e.cycles(next.epoch).wrapped());
        assert!(whole.value() > 6.4e6 && rest.value().abs() < 1e-22, "{whole:?} {rest:?}");
        // The same phase everywhere.
        let apart = e.cycles(DoubleDouble::from(2e4)) - next.cycles(DoubleDouble::from(2e4));
        assert!(apart.wrapped().value().abs() < 1e-21, "{apart:?}");
        let moved = e.at(DoubleDouble::from(1e4));
        assert!((moved.freq.value() - (641.928 - 3.8e-6 + 5e-13)).abs() < 1e-12, "{moved:?}");
    }
}
