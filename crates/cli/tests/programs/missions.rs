//! Every mission's files: simulated ones in their layout are read back to the photon, and their traps are known.

use crate::common::fits_file;
use std::path::Path;

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti};
use crate::program::{codes as json_codes, json};
use eagleray::Warnings;
use eagleray::data::EventBalance;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::io::EventStream;
use eagleray::internal::io::Selection;
use eagleray::missions::{EnergyRule, GENERIC, Mission, RXTE, imitated};
use eagleray::simulate::{FrameTime, PhotonSpectrum, Simulation};
use eagleray::time::DoubleDouble;

/// Energy of a channel in keV by the formula that docs/missions.md has; `None` for channels without one.
fn kev(mission: &Mission, channel: i32) -> Option<f64> {
    let pi = f64::from(channel);
    match mission.name {
        "nustar" => Some(0.04 * pi + 1.62),
        "nicer" | "swift" => Some(0.01 * pi),
        "xmm" | "erosita" => Some(0.001 * pi),
        "chandra" => Some(0.0146 * (pi - 0.5)),
        "ixpe" => Some(0.04 * pi),
        "laxpc" => Some(0.1 * pi),
        "resolve" => Some(0.0005 * pi),
        "xtend" => Some(0.006 * pi),
        "lat" => Some(1000.0 * pi),
        // The edges of the simulated EBOUNDS are in one ratio.
        "gbm" => {
            let edge = |k: f64| f64::from((4.5f64 * (2000.0f64 / 4.5).powf(k / 128.0)) as f32);
            Some((edge(pi) + edge(pi + 1.0)) / 2.0)
        }
        name => match mission.energy {
            // By the decimals of its own file, which nothing here repeats.
            EnergyRule::Linear { gain, offset } => {
                Some(gain.parse::<f64>().unwrap() * pi + offset.parse::<f64>().unwrap())
            }
            EnergyRule::None | EnergyRule::Response => None,
            EnergyRule::ByFile { .. } if name == "xte" => None,
            _ => panic!("what are the energies of {name}?"),
        },
    }
}

fn simulation(mission: &'static Mission) -> Simulation {
    Simulation {
        mission,
        rate: vec![40.0],
        length: 300.0,
        gaps: vec![(100.0, 130.0)],
        energies: PhotonSpectrum { index: 1.0, range: None },
        frame_time: FrameTime::Mission,
        ..Simulation::default()
    }
}

fn open(path: &Path) -> (EventFile, Warnings) {
    let mut warnings = Warnings::default();
    (EventFile::open(path, &OpenOptions::default(), &mut warnings).unwrap(), warnings)
}

fn selected(file: &EventFile, selection: Selection) -> (Vec<f64>, EventBalance) {
    let mut stream = EventStream::open(file, selection, &mut Warnings::default()).unwrap();
    let mut times = Vec::new();
    while stream.next_chunk(1000, &mut times).unwrap() {}
    (times, stream.balance)
}

#[test]
fn every_simulated_mission_is_read_back_to_the_photon() {
    let folder = tempfile::tempdir().unwrap();
    for mission in imitated() {
        let name = mission.name;
        let simulation = simulation(mission);
        let path = folder.path().join(name);
        simulation.write(&path, false).unwrap();
        let written = simulation.events().unwrap();
        let (file, warnings) = open(&path);
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        assert_eq!(file.mission.is_generic(), mission == &GENERIC, "{name}: {:?}", file.mission);
        let (times, balance) = selected(&file, Selection::default());
        assert_eq!(times, written.iter().map(|e| e.time).collect::<Vec<_>>(), "{name}");
        assert_eq!((balance.read, balance.not_photons), (written.len() as u64, 0), "{name}");
        assert_eq!(file.gti.exposure(), 270.0, "{name}");
        let start = DoubleDouble::from(simulation.start()) + file.clock.event_offset;
        assert!((file.gti.ends().unwrap().0 - start).value().abs() <= 2.0, "{name}: intervals and events are apart");

        // Energies, and the number of photons in a band.
        let scale = file.scale.as_ref();
        assert_eq!(scale.is_some(), kev(mission, 50).is_some() || mission == &RXTE, "{name}");
        if let (Some(scale), true) = (scale, mission != &RXTE) {
            let energy = |pi: i32| kev(mission, pi).unwrap();
            let mut all: Vec<f64> = written.iter().map(|e| energy(e.pi)).collect();
            all.sort_by(f64::total_cmp);
            // Between two channels, where rounding decides nothing.
            let middle = |a: f64| a * (1.0 + 1e-6);
            let (lo, hi) = (middle(all[all.len() / 4]), middle(all[3 * all.len() / 4]));
            let expected = all.iter().filter(|e| lo <= **e && **e < hi).count();
            let channels = Some(scale.band(lo, hi).unwrap());
            let (times, balance) = selected(&file, Selection { channels, detectors: None });
            assert_eq!(times.len(), expected, "{name}: {lo} to {hi} keV");
            assert_eq!(balance.filtered, (written.len() - expected) as u64, "{name}");
            assert!(expected > written.len() / 3, "{name}: {expected}");
        }

        // Detectors.
        let there = file.detectors().unwrap().unwrap_or_default();
        let one_has = |d: i64| written.iter().filter(|e| i64::from(e.detector) == d).count();
        for &detector in &there {
            let (times, _) = selected(&file, Selection { channels: None, detectors: Some(vec![detector]) });
            assert_eq!(times.len(), one_has(detector), "{name}: detector {detector}");
        }
        assert_eq!(there.iter().map(|&d| one_has(d)).sum::<usize>(), if there.is_empty() { 0 } else { written.len() });
    }
}

/// Every product of every mission's file says where each photon went, and `info` what the file was taken for.
#[test]
fn every_product_of_every_mission_has_an_exact_balance() {
    let folder = tempfile::tempdir().unwrap();
    for mission in imitated() {
        let name = mission.name;
        let path = folder.path().join(name);
        simulation(mission).write(&path, false).unwrap();
        let path = path.display().to_string();
        let info = &json(&["info", &path])[0];
        let rows = info["events"].as_u64().unwrap();
        assert_eq!(info["mission"] == "generic", mission == &GENERIC, "{name}: {info}");
        // Photons spread evenly over the logarithm; no channel or energy is at the middle.
        let edge = |i: usize| info["channels"][i].as_f64().unwrap();
        let middle = (edge(0) * edge(1)).sqrt().floor();
        let (below, above) = (format!("{}:{middle}.52", edge(0)), format!("{middle}.54:{}", edge(1)));
        let bands = ["--subject-pi", &below, "--ref-pi", &above];
        for options in [
            vec!["pds", "--dt", "1", "--segment-size", "16"],
            vec!["lc", "--dt", "10"],
            [&["cs", "--dt", "1", "--segment-size", "16"][..], &bands].concat(),
        ] {
            let backend: &[&str] = if options[0] == "lc" { &[] } else { &["--backend", "cpu"] };
            let summary = json(&[&options[..1], &[path.as_str()], &options[1..], backend].concat());
            let photons = summary["photons"].as_object().unwrap_or_else(|| panic!("{name} {options:?}: {summary}"));
            let count = |key: &str| photons[key].as_u64().unwrap();
            let sum: u64 = photons.keys().filter(|key| *key != "read").map(|key| count(key)).sum();
            assert_eq!((sum, count("read")), (rows, rows), "{name} {options:?}: {photons:?}");
            assert!(count("used") > 0, "{name} {options:?}: {photons:?}");
        }
        if let Some(detectors) = info["detectors"].as_array().filter(|d| d.len() > 1) {
            let wanted = detectors[1].to_string();
            let one = &json(&["info", &path, "--detector", &wanted])[0]["selected"]["events"];
            assert!((1..rows).contains(&one.as_u64().unwrap()), "{name}: {one} of {rows}");
            let run = ["pds", &path, "--dt", "1", "--segment-size", "16", "--backend", "cpu", "--detector", &wanted];
            assert_eq!(rows - json(&run)["photons"]["filtered"].as_u64().unwrap(), one.as_u64().unwrap(), "{name}");
        }
    }
}

const TIMES: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn time() -> Column {
    Column::f64("TIME", &TIMES)
}

fn of(tables: &[Table]) -> eagleray::Result<(EventFile, Warnings)> {
    Folder::new().open(&file(tables), &OpenOptions::default())
}

fn seconds(file: &EventFile) -> Vec<(f64, f64)> {
    file.gti.intervals().iter().map(|(a, b)| (a.value(), b.value())).collect()
}

fn erosita(energies: &[f32], cameras: &[u8]) -> Table {
    events(vec![time(), Column::f32("PI", energies).with("TUNIT", "'eV'"), Column::u8("TM_NR", cameras)])
        .set("TELESCOP", "'eROSITA'")
        .set("MISSION", "'SRG'")
        .set("FRAMETIM", "50.0")
}

#[test]
fn the_other_pixels_of_a_pattern_of_erosita_are_no_photons() {
    let own = |camera: u8, list: &[(f64, f64)]| gti(list).set("EXTNAME", &format!("'GTI{camera}'"));
    let table = erosita(&[300.0, -300.0, 900.0, 2000.0, -2000.0, 2400.0], &[1, 1, 2, 2, 2, 1]);
    let (file, warnings) = of(&[table, own(1, &[(0.0, 7.0)]), own(2, &[(2.0, 5.5)])]).unwrap();
    let (times, balance) = selected(&file, Selection::default());
    assert_eq!((times, balance.not_photons), (vec![1.0, 3.0, 4.0, 6.0], 2));
    let band = file.scale.as_ref().unwrap().band(0.3, 2.0).ok();
    assert_eq!(selected(&file, Selection { channels: band, detectors: None }).0, [1.0, 3.0]);
    assert_eq!(file.clock.timedel, 0.05);
    // Each camera has its own intervals; what both have counts, and what that costs is said.
    assert_eq!(seconds(&file), [(2.0, 5.5)]);
    let lost = warnings.iter().find(|w| w.code == "W-GTI-COMMON").unwrap();
    assert!(lost.message.contains("3.5 s in common, of 7 s"), "{lost}");
    let one = OpenOptions { detectors: Some(vec![1]), ..OpenOptions::default() };
    let table = erosita(&[300.0; 6], &[1, 1, 2, 2, 2, 1]);
    let bytes = fits_file::file(&[table, own(1, &[(0.0, 7.0)]), own(2, &[(2.0, 5.5)])]);
    let (file, warnings) = Folder::new().open(&bytes, &one).unwrap();
    assert_eq!((seconds(&file), warnings.is_empty()), (vec![(0.0, 7.0)], true), "{warnings:?}");
}

#[test]
fn ccds_of_chandra_have_intervals_by_keyword_and_hrc_has_no_energies() {
    let acis = events(vec![time(), Column::i16("ccd_id", &[7, 7, 6, 6, 7, 7]), Column::i32("pi", &[100; 6])]);
    let acis = acis.set("TELESCOP", "'CHANDRA'").set("MISSION", "'AXAF'").set("INSTRUME", "'ACIS'");
    let own = |ccd: u8, list: &[(f64, f64)]| gti(list).set("CCD_ID", &ccd.to_string());
    let (file, _) = of(&[acis.clone(), own(5, &[(0.0, 1.0)]), own(6, &[(0.0, 4.5)]), own(7, &[(1.5, 9.0)])]).unwrap();
    assert_eq!(seconds(&file), [(1.5, 4.5)]);
    // One table for all.
    let (file, warnings) = of(&[acis, gti(&[(0.0, 9.0)])]).unwrap();
    assert_eq!((seconds(&file), warnings.is_empty()), (vec![(0.0, 9.0)], true), "{warnings:?}");
    let hrc = events(vec![time(), Column::i16("pi", &[100; 6]), Column::i16("chip_id", &[1, 2, 3, 1, 1, 2])]);
    let hrc = hrc.set("TELESCOP", "'CHANDRA'").set("INSTRUME", "'HRC'");
    let (file, _) = of(&[hrc, gti(&[(0.0, 9.0)])]).unwrap();
    assert!(file.scale.is_none());
    assert_eq!(selected(&file, Selection { channels: None, detectors: Some(vec![2]) }).0, [2.0, 6.0]);
}

#[test]
fn a_frame_time_rounded_to_milliseconds_is_warned_of() {
    let xmm = |ms: &str| events(vec![time()]).set("TELESCOP", "'XMM'").set("FRMTIME", ms);
    for (table, timedel, warned) in [
        (xmm("73"), 0.073, true),
        (xmm("73.36496"), 0.07336496, false),
        (xmm("73").set("TIMEDEL", "0.07336496"), 0.07336496, false),
    ] {
        let (file, warnings) = of(&[table, gti(&[(0.0, 9.0)])]).unwrap();
        assert!((file.clock.timedel - timedel).abs() < 1e-12, "{}", file.clock.timedel);
        assert_eq!(codes(&warnings).contains(&"W-FRAME-TIME"), warned, "{timedel}");
    }
}

#[test]
fn a_change_of_the_detectors_that_are_on_is_warned_of_where_it_is_in_good_time() {
    let nicer = events(vec![time(), Column::u8("DET_ID", &[0, 11, 12, 0, 67, 1])]).set("TELESCOP", "'NICER'");
    // 56 places; at 3 s two detectors go off, at 8 s all.
    let row = |on: i16| (0..56).flat_map(|place: i16| i16::from(place < on).to_be_bytes()).collect::<Vec<u8>>();
    let selected = |times: &[f64], on: &[i16]| {
        let places = Column::raw("FPM_SEL", "56I", on.iter().map(|&on| row(on)).collect());
        Table::new("FPM_SEL", vec![Column::f64("TIME", times), places])
    };
    let table = selected(&[1.0, 2.0, 3.0, 8.0], &[52, 52, 50, 0]);
    let of = |stop: f64| of(&[nicer.clone(), gti(&[(0.5, stop)]), table.clone()]).unwrap();
    let (file, warnings) = of(7.0);
    let warning = warnings.iter().find(|w| w.code == "W-DETECTORS-ON").unwrap();
    assert!(warning.message.contains("50 to 52 detectors are on"), "{warning}");
    assert!(file.facts.contains(&("detectors on", "50 to 52".to_string())), "{:?}", file.facts);
    let (file, warnings) = of(2.5);
    assert!(warnings.is_empty() && file.facts.contains(&("detectors on", "52".to_string())), "{warnings:?}");
    // The main intervals count, never those of single detectors.
    assert_eq!(seconds(&file), [(0.5, 2.5)]);
}

#[test]
fn halves_of_goodxenon_events_are_refused_with_the_tool_that_joins_them() {
    let table = |mode: &str| {
        Table::new("XTE_SE", vec![time(), Column::raw("EVENT", "16X", vec![vec![0x80, 1]; 6])])
            .set("TELESCOP", "'XTE'")
            .set("DATAMODE", &format!("'{mode}'"))
    };
    for half in ["GoodXenon1_2s", "GoodXenon2_16s", "Good_Xenon1_2s", "GoodXenonwithPropane2_16s"] {
        let e = of(&[table(half), gti(&[(0.0, 9.0)])]).err().unwrap_or_else(|| panic!("{half} is read")).to_string();
        assert!(e.contains("DATAMODE") && e.contains("make_se"), "{e}");
    }
    for joined in ["GoodXenon_2s", "Good_Xenon_16s", "E_125us_64M_0_1s"] {
        assert!(of(&[table(joined), gti(&[(0.0, 9.0)])]).is_ok(), "{joined}");
    }
}

#[test]
fn energies_in_columns_have_their_units() {
    let lat = |unit: &str| {
        events(vec![time(), Column::f32("ENERGY", &[50.0, 100.0, 200.0, 300.0, 1e4, 2e5]).with("TUNIT", unit)])
            .set("TELESCOP", "'GLAST'")
            .set("INSTRUME", "'LAT'")
    };
    let count = |table: Table, lo: f64, hi: f64| {
        let (file, _) = of(&[table, gti(&[(0.0, 9.0)])]).unwrap();
        let channels = file.scale.as_ref().unwrap().band(lo, hi).ok();
        selected(&file, Selection { channels, detectors: None }).0
    };
    // 100 MeV to 1 GeV.
    assert_eq!(count(lat("'MeV'"), 1e5, 1e6), [2.0, 3.0, 4.0]);
    assert_eq!(count(lat("''"), 1e5, 1e6), [2.0, 3.0, 4.0]);
    assert_eq!(count(lat("'keV'"), 100.0, 300.0), [2.0, 3.0]);
    let laxpc = events(vec![time(), Column::f32("Energy", &[2.0, 3.0, 9.99, 10.0, 80.0, f32::NAN])])
        .set("TELESCOP", "'ASTROSAT'")
        .set("INSTRUME", "'LAXPC'");
    assert_eq!(count(laxpc, 3.0, 10.0), [2.0, 3.0]);
    // Another instrument of AstroSat is a generic event list.
    let sxt = events(vec![time(), Column::i16("PI", &[100; 6])]).set("TELESCOP", "'ASTROSAT'").set("INSTRUME", "'SXT'");
    assert!(of(&[sxt, gti(&[(0.0, 9.0)])]).unwrap().0.scale.is_none());
}

#[test]
fn info_says_what_a_file_was_taken_for() {
    let folder = Folder::new();
    let swift = events(vec![time(), Column::i16("PI", &[100; 6])])
        .set("TELESCOP", "'SWIFT'")
        .set("INSTRUME", "'XRT'")
        .set("DATAMODE", "'WINDOWED'")
        .set("CLOCKAPP", "F")
        .set("UTCFINIT", "-15.12854");
    let path = folder.write("swift.evt", &file(&[swift, gti(&[(0.0, 9.0)])]));
    let info = &json(&["info", &path.display().to_string()])[0];
    let facts = info["facts"].to_string();
    for word in ["WINDOWED", "not applied; UTCFINIT is -15.12854 s", "0.01 keV x channel"] {
        assert!(facts.contains(word), "{word} is not in {facts}");
    }
    assert!(
        json_codes(&json(&["pds", "tests/data/sgr1830kgfilt.evt", "--backend", "cpu"]))
            .iter()
            .all(|c| *c != "W-DETECTORS-ON")
    );
    let info = &json(&["info", "tests/data/sgr1830kgfilt.evt"])[0];
    assert_eq!(
        (info["detector_column"].as_str(), info["detectors"].as_array().map(Vec::len)),
        (Some("DET_ID"), Some(47))
    );
}
