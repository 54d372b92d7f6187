//! Writes a spectrum and carries on with what was written: rms of a band, lags between two energy bands.
//!
//! `cargo run --release --example save`

use eagleray::science::AveragedPowerSpectrum;
use eagleray::{CrossSpectrum, Norm, Observation, PowerSpectrum, Session};

fn main() -> eagleray::Result<()> {
    let folder = std::env::temp_dir();
    let observation = Observation::open(["examples/data/b1509.fits"])?;
    let session = Session::auto()?;

    let analysis = PowerSpectrum::default().norm(Norm::Frac).dt(1.0 / 64.0).segment_size(64.0);
    let path = folder.join("b1509-pds.fits");
    session.run(&analysis, &observation)?.write(&path, true)?;

    let spectrum = AveragedPowerSpectrum::read(&path)?;
    println!("{} segments, fractional rms from 6 to 7 Hz: {}", spectrum.meta.segments, spectrum.rms(6.0, 7.0)?);

    let lags =
        CrossSpectrum::default().bands([(5.0..10.0).into(), (2.0..5.0).into()]).dt(1.0 / 64.0).segment_size(64.0);
    let cross = session.run(&lags, &observation)?;
    for (lo, hi) in [(0.1, 6.0), (6.5, 6.7), (7.0, 30.0)] {
        let band = cross.lag(lo, hi)?;
        println!("{lo} to {hi} Hz: phase lag {:.3} ± {:.3} rad", band.lag_phase, band.lag_phase_err);
    }
    std::fs::remove_file(path).map_err(|e| eagleray::Error::io("b1509-pds.fits", e))
}
