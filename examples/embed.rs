//! Embeds the library in an application: one spectrum of one file, on the best device there is.
//!
//! `cargo run --release --example embed`

use eagleray::{DeviceChoice, Norm, PowerOptions, PowerSpectrumOptions, Rebin, Warnings};

fn main() -> eagleray::Result<()> {
    let mut warnings = Warnings::default();
    let mut backend = eagleray::open(&DeviceChoice::default(), &mut warnings)?;
    println!("device: {} ({})", backend.info().backend, backend.info().adapter);

    let options = PowerSpectrumOptions {
        dt: Some(1.0 / 256.0),
        segment_size: Some(64.0),
        power: PowerOptions { norm: Norm::Leahy, rebin: Rebin::None, ..PowerOptions::default() },
        ..PowerSpectrumOptions::default()
    };
    let spectrum = eagleray::spectrum_of_files(&["examples/data/b1509.fits"], &options, backend.as_mut())?;

    let meta = &spectrum.meta;
    println!("{} segments of {} s; photons: {}", meta.segments, meta.segment_size, meta.record.photons);
    if let Some(k) = spectrum.peak() {
        println!("largest power {:.2} at {:.4} Hz: PSR B1509-58 spins at 6.6 Hz", spectrum.power[k], spectrum.freq[k]);
    }
    for warning in meta.record.warnings.iter() {
        println!("warning: {warning}");
    }
    Ok(())
}
