//! Templates of pulses: a shift of zero against their own profile, or an error.
#![no_main]
use eagleray::pulsation::PulseTemplate;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const WORDS: &[&str] =
    &["counts", "rate", "phase", "rate_err", "exposure", "10", "20", "3", "0.5", "1.25", "# %ECSV 1.0", "# ---"];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::text(data, size, max_size, seed, WORDS)
});

fuzz_target!(|data: &[u8]| {
    let Ok(template) = PulseTemplate::read(&eagleray_fuzz::written(data)) else { return };
    assert!(template.nbin() >= 3 && template.harmonics() >= 1);
    // Any profile: two pulses on a background.
    let rate: Vec<f64> = (0..template.nbin()).map(|i| 1.0 + f64::from(u8::from(i % 7 == 0))).collect();
    if let Some(shift) = template.shift(&rate, &rate) {
        assert!(shift.shift.is_finite() && shift.shift.abs() <= 0.5, "{shift:?}");
    }
});
