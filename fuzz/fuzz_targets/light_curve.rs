//! Light curves as FITS, text and CSV: columns of one length on a grid, or an error.
#![no_main]
use eagleray::{LightCurve, Warnings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::fits_or_text(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = eagleray_fuzz::drawn(data) else { return };
    let Ok(lc) = LightCurve::open(&eagleray_fuzz::written(&bytes), &mut Warnings::default()) else { return };
    check(&lc);
    if let Ok(coarser) = lc.rebin(u64::from(how % 16) + 1) {
        check(&coarser);
    }
    for part in lc.split_by_gti().iter().chain(&lc.split_at_gaps(1.0)) {
        check(part);
    }
    lc.stretches(0.5);
});

fn check(lc: &LightCurve) {
    let n = lc.len();
    let lengths = [lc.bin.len(), lc.time.len(), lc.counts.len(), lc.rate.len(), lc.rate_err.len(), lc.fracexp.len()];
    assert_eq!(lengths, [n; 6]);
    assert!(lc.bin.windows(2).all(|w| w[0] < w[1]));
    assert!(lc.rate.iter().all(|r| r.is_finite()) && lc.grid.dt > 0.0);
}
