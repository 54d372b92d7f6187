//! Ends a search after a while: it leaves nothing behind.
//!
//! `cargo run --release --example cancel`

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use eagleray::{Error, Observation, PulseSearch, Session};

fn main() -> eagleray::Result<()> {
    let observation = Observation::open(["examples/data/b1509.fits"])?;
    let begun = Instant::now();
    let session = Session::cpu()?.watched_by(move |done, total| {
        println!("{done} of {total} trials");
        if begun.elapsed() > Duration::from_secs(1) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match session.run(&PulseSearch::new(1.0, 500.0).fdot((-1e-7, 1e-7)), &observation) {
        Err(Error::Cancelled) => println!("cancelled after {:.1} s", begun.elapsed().as_secs_f64()),
        Err(error) => return Err(error),
        Ok(found) => println!("done before that: {} candidates", found.candidates.len()),
    }
    Ok(())
}
