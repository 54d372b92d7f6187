//! Lags between two energy bands of one file, which is read once.
//!
//! `cargo run --release --example two_bands`

use eagleray::{CrossSpectrum, Observation, PhotonBand, Rebin, Session};

fn main() -> eagleray::Result<()> {
    let observation = Observation::open(["examples/data/b1509.fits"])?;
    let bands = [PhotonBand::Energy(5.0, 10.0), PhotonBand::Energy(2.0, 5.0)];
    let analysis = CrossSpectrum::default().bands(bands).dt(1.0 / 64.0).segment_size(64.0).rebin(Rebin::Geometric(0.2));
    let spectrum = Session::auto()?.run(&analysis, &observation)?;

    println!("subject 5 to 10 keV, reference 2 to 5 keV; {}", spectrum.meta.lag_sign);
    for k in (0..spectrum.len()).step_by(5) {
        let (freq, lag, error) = (spectrum.freq[k], spectrum.lag_time[k], spectrum.lag_time_err[k]);
        println!("{freq:9.4} Hz: lag {:9.3} ± {:.3} ms", 1e3 * lag, 1e3 * error);
    }
    Ok(())
}
