//! Ephemeris files and orbits: phases against references of 50 digits (tests/data/phases.txt, made by tests/peer/orbit.py), and pulsars
//! in binaries whose arrival times come from a forward model of other formulas.

use crate::common::fits_file;
use std::f64::consts::TAU;

use crate::common::fits_file::{Column, Folder, file, gti};
use crate::program::{codes, json, near, real, refused, stderr, succeed};
use eagleray::Combine;
use eagleray::data::phase::Spin;
use eagleray::files::ParFile;
use eagleray::internal::Progress;
use eagleray::internal::engine::PulseEvents;
use eagleray::internal::engine::{CHUNK_EVENTS, Events};
use eagleray::internal::random::Random;
use eagleray::time::{DoubleDouble, MjdRef};
use eagleray::{Gti, Warnings};

const MJDREF: MjdRef = MjdRef { day: 56_658, fraction: 7.775925925925926e-4 };

fn emitted(times: &[f64], timing: &eagleray::science::orbit::TimingModel, chunk: usize) -> PulseEvents {
    let mut warnings = Warnings::default();
    let gti = Gti::from_seconds(&[(times[0] - 1.0, times[times.len() - 1] + 1.0)]).unwrap();
    let inputs = vec![Events::from_slice(times, gti, &mut warnings)];
    PulseEvents::read_emitted(inputs, Combine::Average, timing, chunk, warnings, &Progress::default()).unwrap()
}

#[test]
fn phases_agree_with_mpmath_to_a_thousandth_of_a_millionth_of_a_cycle() {
    let folder = Folder::new();
    let mut worst = 0f64;
    let text = include_str!("../../../../tests/data/phases.txt");
    let cases: Vec<&str> = text.split("par ").skip(1).collect();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let (par, lines) = case.split_once('\n').unwrap();
        let path = folder.write("a.par", par.replace('|', "\n").as_bytes());
        let ephemeris = ParFile::read(&path).unwrap();
        assert!(ephemeris.warnings().is_empty());
        let timing = ephemeris.in_frame(MJDREF);
        let value = |line: &str| line.split_once(' ').map(|(t, p)| (t.parse().unwrap(), p.parse().unwrap())).unwrap();
        let mut points: Vec<(f64, f64)> = lines.lines().map(value).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let times: Vec<f64> = points.iter().map(|p| p.0).collect();
        let events = emitted(&times, &timing, CHUNK_EVENTS);
        assert_eq!(events.times, emitted(&times, &timing, 5).times);
        let spin = Spin::new(&events.timing.as_ref().unwrap().ephemeris, &events.ticks).unwrap();
        for (&t, &(_, expected)) in events.times.iter().zip(&points) {
            let apart = (spin.phase(t) as f64 * 2f64.powi(-64) - expected + 0.5).rem_euclid(1.0) - 0.5;
            worst = worst.max(apart.abs());
            assert!(apart.abs() < 1e-9, "{apart:e} cycle at {t}: {par}");
        }
    }
    eprintln!("largest error of a phase: {worst:.1e} cycle");
}

/// A binary in two models, and its phase; seconds from `ORIGIN`.
struct Binary {
    par: &'static str,
    freq: f64,
    fdot: f64,
    period: f64,
    axis: f64,
    e: f64,
    omega: f64,
}

/// Seconds of the frame that PEPOCH, T0 and TASC below are.
const ORIGIN: f64 = 86_400.0 * 1000.0;

const BINARIES: [Binary; 2] = [
    Binary {
        par: "PEPOCH 56000.5\nF0 401.21\nF1 -2e-9\nBINARY ELL1\nA1 1.3\nFB0 0.0001220703125\nTASC 56000.5\nEPS1 0\nEPS2 0\n",
        freq: 401.21,
        fdot: -2e-9,
        period: 8192.0,
        axis: 1.3,
        e: 0.0,
        omega: 0.0,
    },
    Binary {
        par: "PEPOCH 56000.5\nF0 8.125\nBINARY DD\nA1 24\nFB0 0.000030517578125\nT0 56000.5\nECC 0.35\nOM 90\n",
        freq: 8.125,
        fdot: 0.0,
        period: 32_768.0,
        axis: 24.0,
        e: 0.35,
        omega: 90.0,
    },
];

impl Binary {
    /// The projection of the radius, from the true anomaly; that from a step through Kepler's second law.
    fn delay(&self, t: f64) -> f64 {
        let mean = TAU * (t / self.period).rem_euclid(1.0);
        let (mut lo, mut hi) = (0.0, TAU);
        for _ in 0..60 {
            let middle = 0.5 * (lo + hi);
            if middle - self.e * f64::sin(middle) < mean { lo = middle } else { hi = middle }
        }
        let true_anomaly = 2.0 * (((1.0 + self.e) / (1.0 - self.e)).sqrt() * (0.5 * lo).tan()).atan();
        self.axis * (1.0 - self.e * self.e) / (1.0 + self.e * true_anomaly.cos())
            * (true_anomaly + self.omega.to_radians()).sin()
    }

    /// Times of emission and arrival, from `ORIGIN`, of `n` photons over `length` s at phases about 0.3, in order of arrival.
    fn photons(&self, n: usize, length: f64) -> [Vec<f64>; 2] {
        let mut random = Random::new(21);
        let mut both: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                let turn = (length * random.uniform() * self.freq).floor() + 0.3 + 0.02 * (random.uniform() - 0.5);
                let mut t = turn / self.freq;
                for _ in 0..3 {
                    t -= (self.freq * t + 0.5 * self.fdot * t * t - turn) / self.freq;
                }
                (t, t + self.delay(t))
            })
            .collect();
        both.sort_by(|a, b| a.1.total_cmp(&b.1));
        [both.iter().map(|p| ORIGIN + p.0).collect(), both.iter().map(|p| ORIGIN + p.1).collect()]
    }
}

fn event_file(folder: &Folder, name: &str, times: &[f64], barycentred: bool) -> String {
    let table = fits_file::events(vec![Column::f64("TIME", times)]).set("TIMESYS", "'TDB'").set("TELESCOP", "'PAR'");
    let table = if barycentred { table.set("TIMEREF", "'SOLARSYSTEM'") } else { table };
    // ORIGIN s after MJD 55000.5.
    let bytes = file(&[table, gti(&[(times[0] - 0.5, times[times.len() - 1] + 0.5)])]);
    folder.write(name, &bytes).display().to_string()
}

#[test]
fn orbits_are_removed_from_folds_and_searches() {
    let folder = Folder::new();
    for binary in &BINARIES {
        let [left, came] = binary.photons(3000, 1e5);
        let at_source = event_file(&folder, "emitted.evt", &left, true);
        let seen = event_file(&folder, "seen.evt", &came, true);
        let par = folder.write("b.par", binary.par.as_bytes()).display().to_string();
        let spin: String = binary
            .par
            .lines()
            .filter(|l| l.starts_with('F') && !l.starts_with("FB") || l.starts_with('P'))
            .map(|l| format!("{l}\n"))
            .collect();
        let alone = folder.write("alone.par", spin.as_bytes()).display().to_string();
        let fold = |events: &str, par: &str| {
            let table = folder.0.path().join("p.csv").display().to_string();
            let made =
                json(&["fold", events, "--par", par, "--backend", "cpu", "--nbin", "20", "-o", &table, "--overwrite"]);
            let text = std::fs::read_to_string(&table).unwrap();
            let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
            (made, rows.map(|row| row.split(',').nth(1).unwrap().parse().unwrap()).collect::<Vec<f64>>())
        };
        let (without, expected) = fold(&at_source, &alone);
        let (made, counts) = fold(&seen, &par);
        // All photons in the bins about phase 0.3, as if there were no orbit; f64 times are apart by up to 1.5e-8 s.
        assert_eq!((counts[5] + counts[6], expected[5] + expected[6]), (3000.0, 3000.0));
        near(&made["z2"], real(&without["z2"]), 1e-5 * real(&without["z2"]));
        // Phases spread by 0.01 cycle leave 1 − (2π·0.0058·h)² of harmonic h.
        assert!(real(&made["z2"]) > 0.995 * 4.0 * 3000.0, "{}", made["z2"]);
        assert_eq!(codes(&made), [""; 0]);
        assert_eq!(made["inputs"][1]["name"], par);
        // With its orbit left in, the pulsar is gone.
        let (smeared, _) = fold(&seen, &alone);
        assert!(real(&smeared["z2"]) < 0.1 * real(&made["z2"]), "{}", smeared["z2"]);
        let found = json(&["search", &seen, "--par", &par, "--backend", "cpu", "--nharm", "1"]);
        let best = &found["candidates"][0];
        near(&best["freq"], binary.freq + binary.fdot * 5e4, 1e-6);
        assert!(real(&best["stat"]) > 0.99 * 2.0 * 3000.0, "{best}");
    }
}

/// What the file says of the derivatives is known, and nothing but the frequency is looked for, whatever looks for it.
#[test]
fn derivatives_of_par_files_come_back() {
    let folder = Folder::new();
    let mut random = Random::new(23);
    let mut times: Vec<f64> = (0..2000).map(|_| ORIGIN + 1e4 * random.uniform()).collect();
    times.sort_by(f64::total_cmp);
    let noise = event_file(&folder, "noise.evt", &times, true);
    let text = b"PEPOCH 56000.5578703703703704\nF0 430.46\nF1 -1.4e-14\n";
    let par = folder.write("j0218.par", text).display().to_string();
    let asked: [&[&str]; 5] = [
        &["search"],
        &["search", "--method", "h"],
        &["search", "--method", "ef", "--nbin", "16"],
        &["search", "--freq", "430.458:430.462", "--algorithm", "fold"],
        &["accel", "--freq", "430.459:430.461", "--fdot=-1.4e-14:-1.4e-14", "--nharm", "1"],
    ];
    for words in asked {
        let made = json(&[&words[..1], &[&noise, "--par", &par, "--backend", "cpu"], &words[1..]].concat());
        for candidate in made["candidates"].as_array().unwrap() {
            assert_eq!(candidate["fdot"], -1.4e-14, "{words:?}: {candidate}");
        }
    }
}

#[test]
fn events_and_ephemerides_that_do_not_fit_are_told() {
    let folder = Folder::new();
    let binary = &BINARIES[0];
    let [_, came] = binary.photons(100, 500.0);
    let local = event_file(&folder, "local.evt", &came, false);
    let par = folder.write("b.par", format!("{}FINISH 56000\nNOSUCH 1\n", binary.par).as_bytes()).display().to_string();
    let made = json(&["fold", &local, "--par", &par, "--backend", "cpu"]);
    assert_eq!(codes(&made), ["W-PAR-KEY", "W-PAR-SPAN", "W-BARYCENTRE"]);
    let output = succeed(&["fold", &local, "--par", &par, "--backend", "cpu"]);
    assert!(stderr(&output).contains("0.506 days beyond START and FINISH"), "{}", stderr(&output));
    // A header that names another ephemeris of the solar system, and a position half a degree away.
    let sky = folder
        .write("s.par", b"PEPOCH 55000\nF0 10\nEPHEM DE440\nRAJ 17:48:00\nDECJ -20:30:00\n")
        .display()
        .to_string();
    let table =
        fits_file::events(vec![Column::f64("TIME", &came)]).set("TIMESYS", "'TDB'").set("PLEPHEM", "'JPL-DE200'");
    let table = table.set("RA_OBJ", "267.0").set("DEC_OBJ", "-20.0");
    let write = |place: &str| {
        let table = table.clone().set("TIMEREF", place);
        let bytes = file(&[table, gti(&[(came[0] - 0.5, came[99] + 0.5)])]);
        folder.write("sky.evt", &bytes).display().to_string()
    };
    let told = |events: &str| json(&["fold", events, "--par", &sky, "--backend", "cpu"]);
    let made = told(&write("'SOLARSYSTEM'"));
    assert_eq!(codes(&made), ["W-PAR-EPHEM", "W-PAR-POSITION"]);
    let text = made["warnings"].to_string();
    assert!(text.contains("is DE200;") && text.contains("1800.00 arcsec") && text.contains("4354.6"), "{text}");
    assert_eq!(codes(&told(&write("'LOCAL'"))), ["W-BARYCENTRE"]);
    let refuse = |options: &[&str], status, text: &str| refused(&[&["fold", &local], options].concat(), status, text);
    refuse(&["--par", &par, "--f", "1"], 2, "cannot be used with");
    refuse(&["--par", &par, "--epoch", "55000"], 2, "cannot be used with");
    refuse(&["--par", "nosuch.par"], 1, "nosuch.par");
    refuse(&[], 2, "--f");
    let glitch = folder.write("g.par", format!("{}GLF0_1 1e-7\n", binary.par).as_bytes()).display().to_string();
    refuse(&["--par", &glitch], 1, "GLF0_1: moves the phase");
    let unknown = fits_file::Table::new("EVENTS", vec![Column::f64("TIME", &came)]);
    let unknown = folder.write("u.evt", &file(&[unknown, gti(&[(came[0], came[99])])])).display().to_string();
    refused(&["fold", &unknown, "--par", &par], 2, "no MJDREF");
    // A long way from the epoch no digit is lost.
    let timing = ParFile::read(par.as_ref()).unwrap().in_frame(MJDREF);
    let late = emitted(&[9e8, 9.001e8], &timing, CHUNK_EVENTS);
    assert!(
        late.ticks.seconds() < 1e-11 && (late.ticks.reference() - DoubleDouble::from(9.0005e8)).value().abs() < 1.0
    );
}
