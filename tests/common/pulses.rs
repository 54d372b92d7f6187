//! Simulated pulsars.

use eagleray::kernels::trial::Random;
use eagleray::pipeline::{CHUNK_EVENTS, Combine, Events};
use eagleray::pulsation::PulseEvents;
use eagleray::{Backend, DeviceChoice, Gti, Warnings};

/// Poisson events of `rate` counts/s, modulated by `1 + a·sin(2πφ)` of `f` and `fdot` at the middle of `length` s.
pub fn pulsar(random: &mut Random, rate: f64, length: f64, a: f64, [f, fdot]: [f64; 2]) -> Vec<f64> {
    let (mut t, mut times) = (0.0, Vec::new());
    loop {
        t -= (1.0 - random.uniform()).ln() / (rate * (1.0 + a));
        if t >= length {
            return times;
        }
        let x = t - 0.5 * length;
        let phase = f * x + 0.5 * fdot * x * x;
        if random.uniform() * (1.0 + a) < 1.0 + a * (std::f64::consts::TAU * phase).sin() {
            times.push(t);
        }
    }
}

/// They and their intervals, read.
pub fn events(times: &[f64], gti: &[(f64, f64)]) -> PulseEvents {
    let mut warnings = Warnings::default();
    let inputs = vec![Events::of_slice(times, Gti::from_seconds(gti).unwrap(), &mut warnings)];
    PulseEvents::read(inputs, Combine::Average, None, CHUNK_EVENTS, warnings, &mut |_| {}).unwrap()
}

/// All threads of the CPU.
pub fn cpu() -> Box<dyn Backend> {
    eagleray::open(&DeviceChoice::Cpu { threads: None }, &mut Warnings::default()).unwrap()
}
