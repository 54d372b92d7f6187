//! Embeds the library in an application: one spectrum of one file, on the best device there is.
//!
//! `cargo run --release --example embed`

use eagleray::{Observation, PowerSpectrum, Session};

fn main() -> eagleray::Result<()> {
    let session = Session::auto()?;
    let observation = Observation::open(["examples/data/b1509.fits"])?;
    let spectrum = session.run(&PowerSpectrum::default().dt(1.0 / 256.0).segment_size(64.0), &observation)?;

    let meta = &spectrum.meta;
    println!("{} segments of {} s on {}", meta.segments, meta.segment_size, meta.record.device.adapter);
    println!("photons: {}", meta.record.photons);
    if let Some(k) = spectrum.peak() {
        println!("largest power {:.2} at {:.4} Hz: PSR B1509-58 spins at 6.6 Hz", spectrum.power[k], spectrum.freq[k]);
    }
    for warning in meta.record.warnings.iter() {
        println!("warning: {warning}");
    }
    Ok(())
}
