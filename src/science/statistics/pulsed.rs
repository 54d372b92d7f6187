//! From the power of a sinusoidal pulsation to its amplitude, and back.
//!
//! A rate `r·(1 + a·sin 2πft)` binned in steps of `dt` gives, in a segment of `N` photons and above the noise of 2, the Leahy
//! power
//!
//! ```text
//! P = N·a²/2 · sinc²(πf·dt) · sinc²(π(f − f_k)T)        sinc x = sin x / x
//! ```
//!
//! (Leahy et al. 1983, doi:10.1086/160766; van der Klis 1989, in "Timing Neutron Stars"). The first sinc² is what binning takes:
//! `(2/π)² = 0.405` at the Nyquist frequency. The second is what an offset from the centre `f_k` of the frequency bin takes in a
//! segment of length `T`; for an unknown frequency its mean over the bin is [`MEAN_OFFSET_LOSS`]. `a` is the pulsed fraction
//! `(max − min)/(max + min)`; `a/√2` the fractional rms. Unpulsed background `r_b` in `r` dilutes the source's own pulsed
//! fraction `a·r/(r − r_b)`.

use std::f64::consts::PI;

/// Mean of `sinc²(πx)` over `|x| < ½`: the power that is left, on average, of a signal anywhere in its frequency bin.
pub const MEAN_OFFSET_LOSS: f64 = 0.773_695_009_902_816_2;

/// `sinc²(πf·dt)`: the part of a signal's power at `frequency` (Hz) that is left by bins of `dt` seconds.
pub fn binning_loss(frequency: f64, dt: f64) -> f64 {
    let x = PI * frequency * dt;
    if x == 0.0 { 1.0 } else { (x.sin() / x).powi(2) }
}

/// Pulsed amplitude `a` of a Leahy `signal_power` (noise subtracted) in segments of `nphots` photons: `√(2P/(N·loss))`.
///
/// `loss` is [`binning_loss`], times [`MEAN_OFFSET_LOSS`] where the frequency is not known within its bin. NaN for negative power.
///
/// ```
/// use eagleray::science::statistics::pulsed;
/// let loss = pulsed::binning_loss(100.0, 1.0 / 1024.0);
/// let power = pulsed::power(0.1, 5000.0, loss);
/// assert!((pulsed::amplitude(power, 5000.0, loss) - 0.1).abs() < 1e-15);
/// ```
pub fn amplitude(signal_power: f64, nphots: f64, loss: f64) -> f64 {
    (2.0 * signal_power / (nphots * loss)).sqrt()
}

/// Leahy power above the noise of a pulsation of `amplitude` in segments of `nphots` photons: `N·a²/2·loss`.
pub fn power(amplitude: f64, nphots: f64, loss: f64) -> f64 {
    0.5 * nphots * amplitude * amplitude * loss
}

/// Fractional rms of a sinusoid: `a/√2`.
pub fn rms(amplitude: f64) -> f64 {
    amplitude * std::f64::consts::FRAC_1_SQRT_2
}

/// Amplitude of a sinusoid of fractional rms: `√2·rms`.
pub fn amplitude_of_rms(rms: f64) -> f64 {
    rms * std::f64::consts::SQRT_2
}

/// Pulsed fraction of the source alone, `a·r/(r − r_b)`, for a total rate `r` and an unpulsed background `r_b` in it (counts/s).
pub fn source_fraction(amplitude: f64, rate: f64, background: f64) -> f64 {
    amplitude * rate / (rate - background)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses() {
        assert_eq!(binning_loss(0.0, 0.1), 1.0);
        assert!((binning_loss(5.0, 0.1) - 4.0 / (PI * PI)).abs() < 1e-15);
        let n = 100_000;
        let mean = (0..n).map(|i| binning_loss((f64::from(i) + 0.5) / f64::from(n) - 0.5, 1.0)).sum::<f64>();
        assert!((mean / f64::from(n) - MEAN_OFFSET_LOSS).abs() < 1e-9, "{}", mean / f64::from(n));
    }

    #[test]
    fn conversions_return() {
        assert!((amplitude_of_rms(rms(0.3)) - 0.3).abs() < 1e-16);
        assert!((source_fraction(0.2, 30.0, 10.0) - 0.3).abs() < 1e-15);
        assert!(amplitude(-1.0, 100.0, 1.0).is_nan());
    }
}
