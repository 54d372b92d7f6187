//! A power spectrum of flux segments that come once: no file, nothing held but the sums.
//!
//! `cargo run --release --example iterator`

use eagleray::{FluxSegment, FluxValues, Norm, PowerSpectrum, Session};

fn main() -> eagleray::Result<()> {
    let (n, dt) = (1024, 0.125);
    // A 0.5 Hz oscillation of 10 % on a flux of 100 counts/s, as a light curve of any origin would give it.
    let flux = |time: f64| 100.0 * (1.0 + 0.1 * (std::f64::consts::TAU * 0.5 * time).sin());

    let session = Session::auto()?;
    let mut feed = session.begin(&PowerSpectrum::default().dt(dt).norm(Norm::Frac), FluxValues::Rates);
    for segment in 0..200 {
        let values: Vec<f64> = (0..n).map(|bin| flux(f64::from(segment * n + bin) * dt)).collect();
        feed.push(FluxSegment::from(values))?;
    }
    let spectrum = feed.finish()?;

    // In this normalisation the power times the resolution is the squared fractional rms: 0.1²/2.
    if let Some(k) = spectrum.peak() {
        println!("{} Hz: fractional rms {:.6}", spectrum.freq[k], (spectrum.power[k] * spectrum.width[k]).sqrt());
    }
    Ok(())
}
