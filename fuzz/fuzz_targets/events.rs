//! Event files, from the header to the spectrum: no photon is lost, times are in order.
#![no_main]
use std::num::NonZeroUsize;

use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::Progress;
use eagleray::internal::engine::Events;
use eagleray::internal::engine::pulsation::PulseEvents;
use eagleray::internal::io::EventStream;
use eagleray::internal::io::Selection;
use eagleray::{Combine, Observation, PowerSpectrum, Session, Warnings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::fits(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = eagleray_fuzz::drawn(data) else { return };
    let set = |bit: u8| how & bit != 0;
    let options = OpenOptions {
        salvage: set(1),
        gti: if set(2) { GtiSource::Span } else { GtiSource::File },
        compat_stingray: set(4),
        detectors: set(8).then(|| vec![0, 4]),
        ..OpenOptions::default()
    };
    let mut warnings = Warnings::default();
    let path = eagleray_fuzz::written(&bytes);
    let Ok(file) = EventFile::open(&path, &options, &mut warnings) else { return };
    assert!(file.gti.intervals().iter().all(|(a, b)| a < b));
    file.check_datasum(&mut warnings).expect("the file can be read");
    file.channel_range().expect("the file can be read");
    let channels = file.scale.as_ref().filter(|_| set(16)).and_then(|scale| scale.band(0.3, 10.0).ok());
    let selection = Selection { channels, detectors: options.detectors.clone() };
    let Ok(mut stream) = EventStream::open(&file, selection.clone(), &mut warnings) else { return };
    let mut times = Vec::new();
    while stream.next_chunk(64, &mut times).expect("the file can be read") {}
    let b = &stream.balance;
    assert_eq!(b.read, file.rows() as u64);
    assert_eq!(b.read, times.len() as u64 + b.filtered + b.not_photons + b.dropped);
    assert!(times.iter().all(|t| t.is_finite()) && times.is_sorted());
    if set(32) {
        // A column of numbers as weights: one for each time that is kept.
        let weighted = Events::from_unread_file(&file, selection.clone()).and_then(|input| input.weighted("PI"));
        let read =
            |input| PulseEvents::read(vec![input], Combine::Average, None, 64, warnings.clone(), &Progress::default());
        if let Ok(events) = weighted.and_then(|input| read(input)) {
            let weights = events.each_weight().expect("weights were asked for");
            assert_eq!(weights.len(), events.times.len());
            assert!(weights.iter().all(|w| w.is_finite() && *w >= 0.0));
            assert!(events.record.photons.is_exact() && events.record.photons.read == file.rows() as u64);
        }
    }
    // Months of good time are honestly transformed, which is not what is looked for here.
    if file.gti.exposure() < 1e3 {
        // A light curve may stand beside the events.
        let Ok(all) = Observation::open_with([&path], &options) else { return };
        if all.files().is_empty() {
            return;
        }
        let observation = if set(16) { all.clone().energy(0.3..10.0).unwrap_or(all) } else { all };
        let analysis = PowerSpectrum::default().dt(0.5).segment_size(4.0);
        let session = Session::threads(NonZeroUsize::MIN).expect("a CPU");
        if let Ok(s) = observation.examine().and_then(|_| session.run(&analysis, &observation)) {
            let photons = &s.meta.record.photons;
            assert!(photons.is_exact() && photons.read == file.rows() as u64, "{photons}");
        }
    }
});
