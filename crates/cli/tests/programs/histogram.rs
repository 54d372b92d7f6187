//! Histograms over any edges, against counting one event after the other by the definition.

use crate::common::fits_file::{Column, Folder, codes, events, file, gti};
use crate::common::front::telling;
use crate::program::{json, refused, simulate, succeed};
use eagleray::data::histogram::EnergyAxis;
use eagleray::files::OpenOptions;
use eagleray::internal::random::Random;
use eagleray::{Binning, Combine, Counting, Gti, Observation, Session};

fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut random = Random::new(seed);
    move || random.uniform()
}

/// Edges at random distances, some of them the times of events.
fn edges(count: usize, times: &[f64], next: &mut impl FnMut() -> f64) -> Vec<f64> {
    let mut edges: Vec<f64> = (0..count).map(|_| 1000.0 * next()).collect();
    edges.extend(times.iter().step_by(701).filter(|t| t.is_finite()));
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

const GTIS: [(f64, f64); 3] = [(100.0, 400.0), (400.5, 401.0), (420.0, 995.0)];
const CHANNELS: [f64; 5] = [20.0, 21.0, 50.0, 50.5, 200.0];

#[test]
fn counts_are_those_of_the_definition_in_any_order_of_events() {
    let folder = Folder::new();
    for (seed, few) in [(1, 40), (2, 30_000)] {
        let mut next = random(seed);
        let mut times: Vec<f64> = (0..60_001).map(|_| 1000.0 * next()).collect();
        let channels: Vec<u8> = times.iter().map(|_| (256.0 * next()) as u8).collect();
        times.sort_by(f64::total_cmp);
        times[77] = f64::NAN;
        let mut shuffled = times.clone();
        for i in 0..shuffled.len() {
            shuffled.swap(i, (next() * times.len() as f64) as usize);
        }
        let edges = edges(few, &times, &mut next);
        for (times, sorted) in [(&times, true), (&shuffled, false)] {
            let bytes = file(&[
                events(vec![Column::f64("TIME", times), Column::u8("PI", &channels)]).set("DATASUM", "'1'"),
                gti(&GTIS),
            ]);
            for energies in [&[][..], &CHANNELS] {
                let columns = energies.len().saturating_sub(1).max(1);
                let mut expected = vec![0; (edges.len() - 1) * columns];
                let (mut outside_gti, mut outside, mut filtered) = (0, 0, 0);
                for (&t, &channel) in times.iter().zip(&channels).filter(|(t, _)| t.is_finite()) {
                    let channel = f64::from(channel);
                    let band = energies.windows(2).position(|w| w[0] <= channel && channel < w[1]);
                    let Some(band) = band.or(energies.is_empty().then_some(0)) else {
                        filtered += 1;
                        continue;
                    };
                    let good = GTIS.iter().any(|&(a, b)| a <= t && t < b);
                    let bin = edges.partition_point(|&edge| edge <= t);
                    match (good, bin) {
                        (false, _) => outside_gti += 1,
                        (true, 0) => outside += 1,
                        (true, bin) if bin == edges.len() => outside += 1,
                        (true, bin) => expected[(bin - 1) * columns + band] += 1,
                    }
                }
                let axis = if energies.is_empty() { EnergyAxis::None } else { EnergyAxis::Channel };
                let analysis = Counting::new(edges.clone()).energies(energies.to_vec()).axis(axis);
                let observation = folder.observe(&bytes, &OpenOptions::default()).unwrap();
                let (session, told) = telling(Session::cpu().unwrap());
                let made = session.run(&analysis, &observation).unwrap();
                assert!(made.counts == expected, "{few} edges, {columns} columns, sorted {sorted}");
                let photons = &made.meta.record.photons;
                assert!(photons.is_exact() && photons.dropped == 1, "{photons}");
                let found = (photons.outside_gti, photons.outside_segments, photons.filtered);
                assert_eq!(found, (outside_gti, outside, filtered), "{photons}");
                assert_eq!((made.meta.nphots, told.rows()), (expected.iter().sum(), 60_001));
                let warned = codes(&made.meta.record.warnings);
                assert_eq!(warned.contains(&"W-TIME-UNSORTED"), !sorted);
                assert!(warned.contains(&"W-TIME-NAN") && warned.contains(&"W-DATASUM"));
            }
        }
    }
}

#[test]
fn exposure_is_the_good_time_in_a_bin_and_merged_inputs_share_it() {
    let times: Vec<f64> = (0..1000).map(f64::from).collect();
    let folder = Folder::new();
    // Files of the same content would be refused.
    let paths = ["one", "other"].map(|name| {
        let table = events(vec![Column::f64("TIME", &times)]).set("OBJECT", &format!("'{name}'"));
        folder.write(name, &file(&[table, gti(&GTIS)]))
    });
    let (session, observation) = (Session::cpu().unwrap(), Observation::open(paths).unwrap());
    let analysis = Counting::new(vec![0.0, 50.0, 200.0, 400.75, 420.0, 2000.0]);
    let refused = session.run(&analysis, &observation.clone().combine(Combine::Average));
    assert!(refused.is_err_and(|e| e.to_string().contains("overlaps")));
    let made = session.run(&analysis, &observation.combine(Combine::Merge)).unwrap();
    assert_eq!(made.exposure, [0.0, 100.0, 200.25, 0.25, 575.0]);
    // 400 s is in no interval, 401 s neither.
    assert_eq!(made.counts, [0, 200, 400, 0, 1150]);
}

#[test]
fn the_program_writes_histograms_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "a.evt", "--mission nicer --rate 200 --length 500 --seed 5");
    let text = folder.path().join("edges.txt");
    let info = json(&["info", &path]);
    let start = info[0]["gti"][0][0].as_f64().unwrap();
    let table = |options: &[&str]| {
        let out = succeed(&[&["bin", &path, "-o", "-", "--quiet"], options].concat());
        String::from_utf8(out.stdout).unwrap()
    };
    let times = format!("{}:{}:5", start, start + 500.0);
    std::fs::write(&text, format!("# edges\n{start}\n{}  # the second\n", start + 250.0)).unwrap();
    let rows = |text: &str| text.lines().filter(|l| !l.starts_with('#')).count() - 1;
    assert_eq!(rows(&table(&["--times", &times])), 5);
    assert_eq!(rows(&table(&["--times", &text.display().to_string()])), 1);
    let two = table(&["--times", &times, "--energies", "0.3:10:4:log"]);
    assert_eq!(rows(&two), 20);
    assert!(
        two.contains("name: energy_lo, unit: \"keV\"") && two.contains("name: counts, unit: \"ct\", datatype: int64")
    );
    for extension in ["csv", "json", "fits"] {
        let out = folder.path().join(format!("a.{extension}")).display().to_string();
        succeed(&["bin", &path, "--times", &times, "--channels", "0,50,100", "-o", &out]);
    }
    refused(&["bin", &path, "--times", "2:1:4"], 2, "each above the one before");
    refused(&["bin", &path, "--times", "no-such-file"], 2, "a file that is not there");
    refused(&["bin", &path, "--times", &times, "--energies", "3:2:4"], 2, "each above");
}

/// A light curve that is read once, in any order, has the same bits and photons as one of times in memory, in order.
#[test]
fn light_curves_read_files_once_in_any_order() {
    let folder = Folder::new();
    let mut next = random(9);
    let mut times: Vec<f64> = (0..60_001).map(|_| 1000.0 * next()).collect();
    times.sort_by(f64::total_cmp);
    let mut reversed = times.clone();
    reversed.reverse();
    let session = Session::cpu().unwrap();
    for dt in [0.001, 0.3, 50.0] {
        let good = Gti::from_seconds(&GTIS).unwrap();
        let analysis = Binning::default().dt(dt);
        let expected = session.run(&analysis, &Observation::times(times.clone(), good)).unwrap();
        for times in [&times, &reversed] {
            let bytes = file(&[events(vec![Column::f64("TIME", times)]), gti(&GTIS)]);
            let found = session.run(&analysis, &folder.observe(&bytes, &OpenOptions::default()).unwrap()).unwrap();
            assert!(found.counts == expected.counts && found.bin == expected.bin, "{dt}");
            assert_eq!(found.meta.record.photons, expected.meta.record.photons);
            assert_eq!(found.meta.record.inputs[0].crc32.len(), 8);
        }
    }
}
