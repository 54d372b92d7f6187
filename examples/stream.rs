//! Reads a big event file in bounded memory, with an energy band, a plan and progress.
//!
//! `cargo run --release --example stream -- FILE LO HI` (energies in keV; without arguments: a small file)

use std::ops::ControlFlow;

use eagleray::{Observation, PowerSpectrum, Session};

fn main() -> eagleray::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("examples/data/b1509.fits", String::as_str);
    let bound = |i: usize, default: f64| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);

    let observation = Observation::open([path])?.energy(bound(1, 5.0)..bound(2, 10.0))?;
    let session = Session::auto()?.watched_by(|done, total| {
        println!("{done} of {total} events read");
        ControlFlow::Continue(())
    });
    let analysis = PowerSpectrum::default();
    let plan = session.plan(&analysis, &observation)?;
    println!("{} segments, {} s of {} s of good time", plan.segments, plan.exposure_used(), plan.exposure);

    let spectrum = session.run(&analysis, &observation)?;
    println!("{} segments; photons: {}", spectrum.meta.segments, spectrum.meta.record.photons);
    Ok(())
}
