//! A power spectrum from an iterator of flux segments: no file, nothing held but the sums.
//!
//! `cargo run --release --example iterator`

use eagleray::{DeviceChoice, FluxOptions, FluxSegment, Norm, PowerOptions, Warnings};

fn main() -> eagleray::Result<()> {
    let (n, dt) = (1024, 0.125);
    // A 0.5 Hz oscillation of 10 % on a flux of 100 counts/s, as a light curve of any origin would give it.
    let flux = |time: f64| 100.0 * (1.0 + 0.1 * (std::f64::consts::TAU * 0.5 * time).sin());
    let segments = (0..200).map(|segment| {
        let values = (0..n).map(|bin| flux(f64::from(segment * n + bin) * dt)).collect::<Vec<f64>>();
        FluxSegment::from(values)
    });

    let mut backend = eagleray::open(&DeviceChoice::default(), &mut Warnings::default())?;
    let power = PowerOptions { norm: Norm::Frac, ..PowerOptions::default() };
    let options = FluxOptions { dt, rates: true, power };
    let spectrum = eagleray::spectrum_of_flux(segments, &options, backend.as_mut(), Warnings::default())?;

    // In this normalisation the power times the resolution is the squared fractional rms: 0.1²/2.
    if let Some(k) = spectrum.peak() {
        println!("{} Hz: fractional rms {:.6}", spectrum.freq[k], (spectrum.power[k] * spectrum.width[k]).sqrt());
    }
    Ok(())
}
