//! A spectrum in two halves, which may be summed on two machines: the same bits as in one run.
//!
//! `cargo run --release --example halves`

use eagleray::{Observation, PlanPart, PowerSpectrum, Session};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::auto()?;
    let analysis = PowerSpectrum::default().dt(1.0 / 128.0).segment_size(16.0);
    let observation = Observation::open(["examples/data/b1509.fits"])?;

    // Each half is a value that can be saved, sent and read back.
    let mut saved = Vec::new();
    for segments in session.parts(&analysis, &observation, 2)? {
        println!("segments {segments:?}");
        saved.push(serde_json::to_string(&session.part(&analysis, &observation, segments)?)?);
    }

    // Whoever has all makes the spectrum; the order does not matter.
    let mut all: PlanPart = serde_json::from_str(&saved[1])?;
    all.merge(serde_json::from_str(&saved[0])?)?;
    let spectrum = session.finish(&analysis, &observation, all)?;
    assert_eq!(spectrum.power, session.run(&analysis, &observation)?.power);
    println!("{} segments, as in one run", spectrum.meta.segments);
    Ok(())
}
