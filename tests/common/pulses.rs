//! Simulated pulsars.

use eagleray::Combine;
use eagleray::device::Backend;
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::PulseEvents;
use eagleray::internal::engine::{CHUNK_EVENTS, Events};
use eagleray::internal::random::Random;
use eagleray::{DeviceChoice, Gti, Warnings};

/// Poisson events of `rate` counts/s, modulated by `1 + a·sin(2πφ)` of `rates`, `f` and its derivatives, at the middle of `length` s.
pub fn pulsar<const N: usize>(random: &mut Random, rate: f64, length: f64, a: f64, rates: [f64; N]) -> Vec<f64> {
    let (mut t, mut times) = (0.0, Vec::new());
    loop {
        t -= (1.0 - random.uniform()).ln() / (rate * (1.0 + a));
        if t >= length {
            return times;
        }
        let x = t - 0.5 * length;
        let phase = rates.iter().enumerate().rfold(0.0, |sum, (n, rate)| (sum + rate) * x / (n + 1) as f64);
        if random.uniform() * (1.0 + a) < 1.0 + a * (std::f64::consts::TAU * phase).sin() {
            times.push(t);
        }
    }
}

/// They and their intervals, read.
pub fn events(times: &[f64], gti: &[(f64, f64)]) -> PulseEvents {
    let mut warnings = Warnings::default();
    let inputs = vec![Events::from_slice(times, Gti::from_seconds(gti).unwrap(), &mut warnings)];
    PulseEvents::read(inputs, Combine::Average, None, CHUNK_EVENTS, warnings, &Progress::default()).unwrap()
}

/// All threads of the CPU.
pub fn cpu() -> Box<dyn Backend> {
    eagleray::internal::backend::open(&DeviceChoice::Cpu { threads: None }, &mut Warnings::default()).unwrap()
}
