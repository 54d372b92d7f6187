//! Finds a pulsar and folds at its frequency.
//!
//! `cargo run --release --example pulsar`

use eagleray::{Fold, Observation, PulseSearch, Session};

fn main() -> eagleray::Result<()> {
    let observation = Observation::open(["examples/data/b1509.fits"])?;
    let session = Session::auto()?;

    let found = session.run(&PulseSearch::new(6.0, 7.0), &observation)?;
    let best = &found.candidates[0];
    println!("{:.6} ± {:.6} Hz, Z² {:.1}, log10 p {:.1}", best.freq, best.freq_err, best.stat, best.log10_p);

    let profile = session.run(&Fold::new(best.freq).nbin(16), &observation)?;
    let fraction = profile.meta.pulsed_fraction.fourier;
    println!("pulsed fraction {:.1} % ± {:.1} %", 100.0 * fraction.value, 100.0 * fraction.error);
    for (phase, rate) in profile.phase.iter().zip(&profile.rate) {
        println!("{phase:.3} {}", "*".repeat((rate / 2.0) as usize));
    }
    Ok(())
}
