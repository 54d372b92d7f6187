//! Streams a big event file in bounded memory, with an energy band and progress.
//!
//! `cargo run --release --example stream -- FILE LO HI` (energies in keV; without arguments: a small file)

use eagleray::{DeviceChoice, EventFile, Events, OpenOptions, PowerSpectrumOptions, Progress, Selection, Warnings};

fn main() -> eagleray::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("examples/data/b1509.fits", String::as_str);
    let bound = |i: usize, default: f64| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);

    let mut warnings = Warnings::default();
    let file = EventFile::open(path.as_ref(), &OpenOptions::default(), &mut warnings)?;
    println!("{}: {} events, {} s of good time", file.path(), file.rows(), file.gti.exposure());

    // A band becomes a range of channels once, exactly; files without known energies are read whole.
    let channels = file.scale.as_ref().map(|scale| scale.band(bound(1, 5.0), bound(2, 10.0))).transpose()?;
    let events = Events::from_file(&file, Selection { channels, ..Selection::default() }, &mut warnings)?;

    let mut backend = eagleray::open(&DeviceChoice::default(), &mut warnings)?;
    let progress = Progress::default();
    let spectrum = eagleray::spectrum_of_events(
        vec![events],
        &PowerSpectrumOptions::default(),
        backend.as_mut(),
        warnings,
        &progress,
    )?;
    println!(
        "{} rows read; {} segments; photons: {}",
        progress.state().0,
        spectrum.meta.segments,
        spectrum.meta.record.photons
    );
    Ok(())
}
