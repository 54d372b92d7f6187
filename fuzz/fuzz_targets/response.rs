//! Responses: bands of their energies are ranges of their channels, or an error.
#![no_main]
use std::sync::LazyLock;

use eagleray::Warnings;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::io::InputFile;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static GOOD: LazyLock<EventFile> = LazyLock::new(|| {
    let path = eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD));
    let source = InputFile::open(&path).expect("a good file");
    std::fs::remove_file(path).expect("a temporary file can be removed");
    EventFile::from_input_file(source, &OpenOptions::default(), &mut Warnings::default()).expect("a good file")
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::fits(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let mut file = LazyLock::force(&GOOD).clone();
    let Some((how, bytes)) = eagleray_fuzz::drawn(data) else { return };
    if file.use_response(&eagleray_fuzz::written(&bytes)).is_err() {
        return;
    }
    let scale = file.scale.expect("a response gives a scale");
    let lo = f64::from(how) / 10.0;
    for (lo, hi) in [(lo, lo + 0.1), (0.0, 1e14), (-1e300, lo), (f64::NAN, lo)] {
        if let Ok(band) = scale.band(lo, hi) {
            assert!(band.lo <= band.hi);
            scale.energy(band.lo);
        }
    }
});
