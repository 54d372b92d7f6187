//! Good time intervals from text and from FITS, given for a good event file: in order and apart, or an error.
#![no_main]
use std::sync::LazyLock;

use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::io::InputFile;
use eagleray::time::DoubleDouble;
use eagleray::{Gti, Warnings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static GOOD: LazyLock<InputFile> = LazyLock::new(|| {
    let path = eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD));
    let kept = path.with_extension("good");
    std::fs::rename(path, &kept).expect("a temporary file can be renamed");
    InputFile::open(&kept).expect("a good file")
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::fits_or_text(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = eagleray_fuzz::drawn(data) else { return };
    let good = LazyLock::force(&GOOD).clone();
    let path = eagleray_fuzz::written(&bytes).display().to_string();
    let given = if how & 2 == 0 { path } else { format!("{path}[GTI]") };
    let options = OpenOptions { gti: GtiSource::Given(given), compat_stingray: how & 1 != 0, ..OpenOptions::default() };
    let Ok(file) = EventFile::from_input_file(good, &options, &mut Warnings::default()) else { return };
    let gti: &Gti = &file.gti;
    let list = gti.intervals();
    assert!(!list.is_empty() && list.iter().all(|(a, b)| a < b && a.is_finite() && b.is_finite()));
    assert!(list.windows(2).all(|w| w[0].1 <= w[1].0));
    assert_eq!(&gti.intersect(gti), gti);
    let (start, stop) = gti.ends().expect("some");
    assert!(gti.complement(start, stop).intersect(gti).is_empty());
    assert!(gti.contains(start) && !gti.contains(stop));
    assert!(gti.trimmed(0.5, 1.0).intervals().iter().all(|(a, b)| a < b));
    let _ = gti.split_at_gaps(1.0);
    let shifted = gti.shifted(DoubleDouble::from(1.0));
    assert_eq!(shifted.intervals().len(), list.len());
});
