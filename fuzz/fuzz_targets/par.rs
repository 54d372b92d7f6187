//! Ephemerides: a good event file folded with one has every photon at a phase, and light that leaves arrives back, or an error.
#![no_main]
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use eagleray::files::ParFile;
use eagleray::time::{DoubleDouble, MjdRef};
use eagleray::{ArrivalTimes, Fold, Observation, Session};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static GOOD: LazyLock<Observation> = LazyLock::new(|| {
    let path = eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD)).with_extension("good");
    std::fs::write(&path, eagleray_fuzz::fits(eagleray_fuzz::GOOD)).expect("a temporary file can be written");
    Observation::open([path]).expect("a good file")
});

/// The keys that are understood, and some that are not.
const WORDS: &[&str] = &[
    "PSR",
    "F0",
    "F1",
    "F2",
    "F3",
    "P0",
    "PEPOCH",
    "START",
    "FINISH",
    "EPHEM",
    "UNITS",
    "RAJ",
    "DECJ",
    "ELONG",
    "ELAT",
    "BINARY",
    "A1",
    "PB",
    "FB0",
    "FB1",
    "TASC",
    "EPS1",
    "EPS2",
    "T0",
    "ECC",
    "OM",
    "OMDOT",
    "GAMMA",
    "PBDOT",
    "XDOT",
    "SINI",
    "M2",
    "TZRMJD",
    "TZRFRQ",
    "TZRSITE",
    "DM",
    "DM1",
    "DMX_0001",
    "GLEP_1",
    "WAVE1",
    "JUMP",
    "-fe",
    "MJD",
    "TEL",
    "@",
    "C",
    "#",
    "ELL1",
    "BT",
    "DD",
    "DDGR",
    "TDB",
    "TCB",
    "DE405",
    "DE440",
    "1",
    "12:34:56.789",
    "-01:02:03",
    "55000.123456789012345678",
    "641.92822212345678901D0",
    "-3.8D-15",
    "56658.0001",
    "1e-7",
    "0.25",
    "1.5",
    "inf",
    "ssb",
    "coe",
];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::text(data, size, max_size, seed, WORDS)
});

fuzz_target!(|data: &[u8]| {
    let Ok(par) = ParFile::read(&eagleray_fuzz::written(data)) else { return };
    let timing = par.in_frame(MjdRef { day: 56_658, fraction: 7.7e-4 });
    for t in [-1e9, 0.0, 1.5, 3e8] {
        let t = DoubleDouble::from(t);
        let back = timing.emission(timing.arrival(t));
        // Where the axis has hardly grown since the epoch, speeds are as the file was judged by.
        if let Some(orbit) =
            timing.orbit.filter(|orbit| (orbit.xdot * (t - orbit.epoch).value()).abs() < 1e-3 * orbit.axis)
        {
            let rounding =
                1e-15 * (orbit.delay(t).abs() + orbit.omdot.abs() * (t - orbit.epoch).value().abs() * orbit.axis);
            assert!((back - t).value().abs() < 1e-9 + 64.0 * rounding, "{} s of {orbit:?}", (back - t).value());
        }
    }
    let session = Session::threads(NonZeroUsize::MIN).expect("a CPU");
    let fold = Fold::new(1.0).ephemeris(par).nbin(8);
    if let Ok(profile) = session.run(&fold, &GOOD) {
        let photons = &profile.meta.record.photons;
        assert!(photons.is_exact() && photons.read == 4, "{photons}");
        assert_eq!(profile.counts.iter().sum::<u64>(), photons.used);
    }
    let _ = session.run(&ArrivalTimes::new(fold, 3.0), &GOOD);
});
