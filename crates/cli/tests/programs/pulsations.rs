//! `eagleray search` and `eagleray fold` as their users run them.

use crate::program::{B1509, codes, json, near, real, refused, simulate, stderr, succeed};

const SGR: &str = "tests/data/sgr1830kgfilt.evt";

fn columns(table: &str) -> Vec<Vec<f64>> {
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| row.split(' ').map(|x| x.parse().expect("a number")).collect()).collect()
}

#[test]
fn the_pulsar_b1509_is_found_blind() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("search.ecsv").display().to_string();
    let found = json(&["search", B1509, "--freq", "1:30", "--backend", "cpu", "-o", &table]);
    let fits = folder.path().join("search.fits").display().to_string();
    succeed(&["search", B1509, "--freq", "6:7", "--backend", "cpu", "--quiet", "-o", &fits]);
    let list = found["candidates"].as_array().unwrap();
    // Stingray 2.3.2 has Z²_2 = 656.514 there (tests/peer/pulsations.py).
    near(&list[0]["freq"], 6.596_096, 2e-6);
    near(&list[0]["stat"], 656.514, 1e-3);
    assert!(real(&list[0]["log10_p"]) < -130.0 && list[0]["harmonic"] == "1/1");
    assert_eq!((&list[1]["harmonic"], &list[2]["harmonic"]), (&"1/2".into(), &"2/1".into()));
    assert!(list.iter().all(|c| c["group"] == 0), "nothing but the pulsar: {list:?}");
    assert_eq!(codes(&found), ["W-DATASUM", "W-BARYCENTRE"]);
    assert_eq!(found["photons"]["used"], found["nphots"]);
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("\nfreq fdot stat log10_p\n") && text.contains("unit: \"Hz s-1\""));
    let rows = columns(&text);
    assert_eq!(rows.len() as u64, found["trials"].as_u64().unwrap());
    let best = rows.iter().max_by(|a, b| a[2].total_cmp(&b[2])).unwrap();
    near(&list[0]["grid_stat"], best[2], 0.0);
    // Noise is uniform in p but for the trials: of 101,500 independent frequencies few are below the level by chance.
    let level = real(&found["detection_level"]);
    assert!(rows.iter().all(|row| (row[2] < level) == (row[3] > -2.0)), "the level is where log10 p is -2");
}

#[test]
fn the_magnetar_has_its_period_of_ten_seconds() {
    for method in [&["--method", "z2"][..], &["--method", "h"], &["--method", "ef", "--nbin", "20"]] {
        let found = json(&[&["search", SGR, "--freq", "0.02:1", "--backend", "cpu"], method].concat());
        let best = &found["candidates"][0];
        near(&best["period"], 10.416, 0.02);
        // One bin of 468 events alone makes such a χ² of 20 bins with a probability of 1e-188.
        assert!(real(&best["log10_p"]) < -180.0, "{method:?}: {best}");
    }
}

#[test]
fn a_fold_has_rates_exposures_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (table, fits, bands) = (file("profile.ecsv"), file("profile.fits"), file("bands.csv"));
    let fold = ["fold", SGR, "--f", "0.0959924", "--nbin", "16", "--backend", "cpu", "--overwrite"];
    let made = json(
        &[
            &fold[..],
            &[
                "-o",
                &table,
                "--plot",
                &file("p.svg"),
                "--phaseogram",
                &file("g.png"),
                "--energies",
                "1,2,3,8",
                "--energy-phase",
                &bands,
            ],
        ]
        .concat(),
    );
    assert!(real(&made["h_plain"]) > 1.0 && real(&made["z2_plain"]) != real(&made["z2"]), "few cycles fit an interval");
    let told = stderr(&succeed(&fold));
    assert!(told.contains(&format!(
        "exposure: Z²_2 {:.3}, H {:.3} with",
        real(&made["z2_plain"]),
        real(&made["h_plain"])
    )));
    succeed(&[&fold[..], &["-o", &fits, "--quiet", "--energies", "1,3,8", "--energy-phase", &file("e.svg")]].concat());
    for name in ["p.svg", "g.png", "e.svg", "profile.fits"] {
        assert!(std::fs::metadata(file(name)).unwrap().len() > 1000, "{name}");
    }
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("\nphase counts rate rate_err exposure\n"));
    let rows = columns(&text);
    assert_eq!(rows.len(), 16);
    let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>();
    assert_eq!(sum(1), real(&made["nphots"]));
    assert!((sum(4) / real(&made["exposure_total"]) - 1.0).abs() < 1e-9);
    // 985 s are 94 periods and a half, so that bins are not exposed alike.
    assert!(rows.iter().any(|row| row[4] < 0.999 * sum(4) / 16.0));
    assert!(rows.iter().all(|row| (row[2] - row[1] / row[4]).abs() < 1e-9 * row[2]));
    let f = &made["pulsed_fraction"];
    for name in ["minmax", "area", "rms", "fourier"] {
        let (value, error) = (real(&f[name]["value"]), real(&f[name]["error"]));
        assert!(value > 0.25 && value < 0.8 && error > 0.003 && error < 0.1, "{name}: {value} ± {error}");
    }
    // A background makes the source's fraction larger.
    let less = json(&[&fold[..], &["--background", "2"]].concat());
    let ratio = real(&made["mean"]) / (real(&made["mean"]) - 2.0);
    near(&less["pulsed_fraction"]["rms"]["value"], real(&f["rms"]["value"]) * ratio, 2e-3);
    let bands = std::fs::read_to_string(&bands).unwrap();
    let rows: Vec<&str> = bands.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!((rows[0], rows.len()), ("energy_lo,energy_hi,phase,counts,rate,rate_err,exposure", 1 + 3 * 16));
    // A search's epoch is the fold's, unless another is given: a quarter of a period later, phases are a quarter less.
    let epoch = format!("{}s", real(&made["epoch"]) + 0.25 / 0.0959924);
    succeed(&[&fold[..], &["-o", &table, "--quiet", "--epoch", &epoch]].concat());
    let moved = columns(&std::fs::read_to_string(&table).unwrap());
    let before = columns(&text);
    let differ: f64 = (0..16).map(|b| (moved[b][1] - before[(b + 4) % 16][1]).abs()).sum();
    assert!(differ <= 2.0, "{differ}");
}

#[test]
fn maps_and_limits_of_noise() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "noise.evt", "--rate 20 --length 300 --seed 8");
    let map = folder.path().join("map.png").display().to_string();
    let found = json(&["search", &path, "--freq", "5:5.4", "--fdot", "-1e-4:1e-4", "--map", &map, "--backend", "cpu"]);
    assert!(std::fs::metadata(&map).unwrap().len() > 1000);
    assert_eq!(found["candidates"].as_array().unwrap().len(), 1, "noise has its largest peak alone");
    assert!(real(&found["candidates"][0]["log10_p"]) > -2.0);
    let limit = real(&found["pulsed_upper_limit"]);
    assert!(limit > 0.03 && limit < 0.2, "{limit}");
    let output = succeed(&["search", &path, "--freq", "5:5.4", "--backend", "cpu"]);
    assert!(stderr(&output).contains("detection level") && output.stdout.is_empty());
}

/// 300 photons of a pulsar among 6000 of the background, told apart by their places, as Fermi's LAT does: `w` is the probability that a
/// photon at the squared distance x (in units of the width of the point spread function) is the pulsar's.
#[test]
fn weights_find_a_pulsar_that_counts_do_not() {
    use crate::common::fits_file::{Column, Folder, events, file, gti};
    use eagleray::internal::random::Random;
    let mut random = Random::new(41);
    let pulsed = crate::common::pulses::pulsar(&mut random, 0.015, 20_000.0, 1.0, [3.3, 0.0]);
    let of_source = pulsed.iter().map(|&t| (t, -(1.0 - random.uniform()).ln())).collect::<Vec<_>>();
    let others = (0..6000).map(|_| (20_000.0 * random.uniform(), 25.0 * random.uniform())).collect::<Vec<_>>();
    let photons: Vec<(f64, f64)> = of_source.into_iter().chain(others).collect();
    let weight = |x: f64| 300.0 * (-x).exp() / (300.0 * (-x).exp() + 6000.0 / 25.0);
    let (times, weights): (Vec<f64>, Vec<f32>) = photons.iter().map(|&(t, x)| (t, weight(x) as f32)).unzip();
    let folder = Folder::new();
    // The pulsar's photons come first in the file.
    let table = events(vec![Column::f64("TIME", &times), Column::f32("PSR J0001", &weights)]);
    let path = folder.write("lat.fits", &file(&[gti(&[(0.0, 20_000.0)]), table])).display().to_string();
    let run = |command: &[&str]| json(&[&[command[0], &path, "--backend", "cpu"], &command[1..]].concat());
    let search = ["search", "--freq", "3.2:3.4", "--nharm", "1"];
    let weighing = ["--weights", "psr j0001"];
    let plain = run(&search);
    assert!(real(&plain["candidates"][0]["log10_p"]) > -1.0 && plain["weights"].is_null(), "{}", plain["candidates"]);
    for method in ["z2", "h", "ef"] {
        let found = run(&[&search[..], &weighing, &["--method", method, "--nbin", "8"]].concat());
        let best = &found["candidates"][0];
        near(&best["freq"], 3.3, 2e-5);
        assert!(real(&best["log10_p"]) < -5.0, "{best}");
        // All photons are used, and of their weights only the sums count.
        assert_eq!((&found["photons"]["used"], found["nphots"].as_u64()), (&found["nphots"], Some(times.len() as u64)));
        assert_eq!((codes(&found), &found["backend"]), (vec!["W-TIME-UNSORTED", "W-BARYCENTRE"], &"cpu".into()));
        let sums = &found["weights"];
        assert_eq!(sums["column"], "PSR J0001");
        near(&sums["sum"], weights.iter().map(|&w| f64::from(w)).sum(), 1e-9);
        near(&sums["effective_events"], real(&sums["sum"]).powi(2) / real(&sums["squares"]), 1e-9);
    }
    let best = &run(&[&search[..], &weighing].concat())["candidates"][0].clone();
    // Among drifts, on the grid and by matched filters.
    let drifts = ["--freq", "3.29:3.31", "--fdot", "-3e-8:3e-8", "--nharm", "1"];
    let [grid, filters] = ["search", "accel"].map(|command| run(&[&[command], &drifts[..], &weighing].concat()));
    let [a, b] = [&grid, &filters].map(|found| &found["candidates"][0]);
    near(&b["stat"], real(&a["stat"]), 1e-3);
    assert!(real(&b["grid_stat"]) > 0.8 * real(&a["grid_stat"]) && real(&a["stat"]) >= real(&best["stat"]), "{a} {b}");
    // Folded at what was found.
    let name = |name: &str| folder.0.path().join(name).display().to_string();
    let (table, plot) = (name("profile.ecsv"), name("profile.svg"));
    let freq = format!("{}", real(&best["freq"]));
    let fold = ["fold", &path, "--f", &freq, "--nbin", "20", "--nharm", "1", "--overwrite", "--weights", "PSR J0001"];
    let output = succeed(&[&fold[..], &["-o", &table, "--plot", &plot, "--phaseogram", &name("g.png")]].concat());
    let told = stderr(&output);
    assert!(told.contains("eagleray: weights are summed on the CPU\n"), "{told}");
    assert!(told.contains("\nweights PSR J0001: sum ") && told.contains("0 events of weight 0"), "{told}");
    assert!(std::fs::read_to_string(&plot).unwrap().contains("weighted rate (1/s)"));
    let folded = run(&[&["fold"], &fold[2..]].concat());
    near(&folded["z2"], real(&best["stat"]), 1e-6 * real(&best["stat"]));
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("\nphase counts rate rate_err exposure weight weight_err\n"));
    let rows = columns(&text);
    let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>();
    assert_eq!(sum(1) as usize, times.len());
    assert!((sum(5) / real(&folded["weights"]["sum"]) - 1.0).abs() < 1e-12);
    assert!(
        rows.iter().all(|row| (row[2] * row[4] / row[5] - 1.0).abs() < 1e-12 && row[3] * row[4] / row[6] < 1.0 + 1e-12)
    );

    let search = [&["search", &path[..], "--freq", "3.2:3.4"], &weighing[..]].concat();
    let refuse = |options: &[&str], status, text| refused(&[&search[..], options].concat(), status, text);
    refuse(&["--backend", "gpu"], 2, "--weights = psr j0001: are summed on the CPU alone");
    refuse(&["--adapter", "0"], 2, "use --backend cpu");
    refuse(&["--method", "ef", "--algorithm", "ffa"], 2, "--algorithm fold");
    refuse(&["--algorithm", "fold"], 2, "--algorithm fft");
    refused(&["search", &path, "--freq", "3:4", "--weights", "TIMES"], 1, "the columns are TIME, PSR J0001");
    let tim = name("a.tim");
    refused(&[&fold[..], &["--toas", &tim, "--toa-length", "5000"]].concat(), 2, "not for times of arrival");
}

#[test]
fn mistakes_are_named() {
    let search = |options: &[&'static str]| [&["search", SGR, "--backend", "cpu"], options].concat();
    refused(&search(&["--freq", "1"]), 2, "LO:HI");
    refused(&search(&["--freq", "0:1"]), 2, "--freq = 0:1");
    refused(&search(&["--freq", "1:1e9"]), 2, "the most is");
    refused(&search(&["--freq", "1:2", "--method", "ef", "--algorithm", "fft"]), 2, "--algorithm = fft");
    refused(&search(&["--freq", "1:2", "--plot", "x.pdf"]), 2, "must be .svg or .png");
    refused(&search(&["--freq", "1:2", "-o", "-", "--json"]), 2, "share standard output");
    refused(&search(&["--freq", "1:2", "-o", SGR, "--overwrite"]), 2, "is one of the inputs");
    let fold = |options: &[&'static str]| [&["fold", SGR, "--backend", "cpu"], options].concat();
    refused(&fold(&[]), 2, "--f");
    refused(&fold(&["--f", "-1"]), 2, "above 0 Hz");
    refused(&fold(&["--f", "1", "--nbin", "5000"]), 2, "--nbin");
    refused(&fold(&["--f", "1", "--energies", "3,2", "--energy-phase", "x.ecsv"]), 2, "ascending");
    refused(&fold(&["--f", "1e30"]), 2, "too large");
    refused(&["fold", "tests/data/nomission.evt", "--f", "1", "--epoch", "1e300s"], 2, "epoch");
    refused(&["search", "tests/data/lcurveA.fits", "--freq", "1:2"], 2, "events");
}

#[test]
fn drifts_are_searched_by_matched_filters() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (table, map) = (file("accel.ecsv"), file("map.svg"));
    let range = ["--freq", "6:7", "--fdot", "-2e-7:2e-7", "--backend", "cpu", "--nharm", "2"];
    let found = json(&[&["accel", B1509, "-o", &table, "--plot", &map], &range[..]].concat());
    let best = &found["candidates"][0];
    near(&best["freq"], 6.596_096, 2e-6);
    assert!(best["nharm"] == 2 && real(&best["log10_p"]) < -120.0, "{best}");
    // The refined candidate is that of the search on the same grid.
    let plain = json(&[&["search", B1509], &range[..]].concat());
    near(&best["stat"], real(&plain["candidates"][0]["stat"]), 1e-3);
    assert_eq!((&found["trials"], &found["algorithm"]), (&plain["trials"], &"templates".into()));
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("\nfreq fdot stat log10_p nharm\n"));
    assert!(std::fs::metadata(&map).unwrap().len() > 1000);
    let told = stderr(&succeed(&[&["accel", B1509, "--detrend"], &range[..]].concat()));
    assert!(told.contains("of 1 harmonic, ") && told.contains("Z²_2"), "{told}");
    let told = succeed(&[
        "accel",
        B1509,
        "--freq",
        "6.59:6.6",
        "--fdot",
        "-1e-7:1e-7",
        "--fddot",
        "-1e-10:1e-10",
        "--backend",
        "cpu",
    ]);
    assert!(stderr(&told).contains(" Hz/s²"), "{told:?}");
    refused(&["accel", B1509, "--freq", "1:2", "--backend", "cpu"], 2, "--fdot");
    refused(&["accel", B1509, "--freq", "1:2", "--fdot", "-1:1", "--backend", "cpu"], 2, "the most is");
}

#[test]
fn long_periods_are_folded_fast() {
    let range = ["search", SGR, "--freq", "0.02:0.5", "--backend", "cpu", "--method", "ef", "--nbin", "16"];
    let found = json(&[&range[..], &["--algorithm", "ffa"]].concat());
    let best = &found["candidates"][0];
    near(&best["period"], 10.416, 0.02);
    assert!(real(&best["log10_p"]) < -170.0 && found["algorithm"] == "ffa", "{best}");
    // Trials of 16 to 31 bins have one level in probability.
    let list = found["candidates"].as_array().unwrap();
    let level = real(&found["detection_log10_p"]);
    assert!(list.windows(2).all(|two| real(&two[0]["trial_log10_p"]) <= real(&two[1]["trial_log10_p"])), "{list:?}");
    assert!(list.iter().all(|c| real(&c["trial_log10_p"]) <= level && (16..32).contains(&c["nbin"].as_u64().unwrap())));
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("ffa.svg").display().to_string();
    let told = stderr(&succeed(&[&range[..], &["--algorithm", "ffa", "--plot", &plot]].concat()));
    assert!(
        told.contains("χ² of 16 to 31 bins of ") && told.contains(&format!("log10 p {level:.2} in one trial")),
        "{told}"
    );
    assert!(told.contains(&format!("χ² of {} bins ", best["nbin"])), "{told}");
    assert!(std::fs::read_to_string(&plot).unwrap().contains("−log10 of the probability in one trial"));
    refused(&[&range[..], &["--algorithm", "ffa", "--fdot", "0:1e-9"]].concat(), 2, "constant periods");
    refused(&["search", SGR, "--freq", "1:2", "--backend", "cpu", "--algorithm", "ffa"], 2, "--method ef");
}

/// A light curve of the program's own, and the events that it is of, searched by phase dispersion: one answer.
#[test]
fn light_curves_are_searched_by_phase_dispersion() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (curve, table) = (file("curve.fits"), file("search.ecsv"));
    succeed(&["lc", SGR, "--dt", "0.25", "--quiet", "-o", &curve]);
    let search = ["--method", "pdm", "--freq", "0.02:0.15", "--nbin", "16", "--backend", "cpu"];
    let pictures = ["--fdot", "-1e-5:1e-5", "--plot", &file("p.svg"), "--map", &file("m.png"), "-o", &table];
    let [of_curve, of_events] = [&["search", &curve][..], &["search", SGR, "--dt", "0.25", "--overwrite"]]
        .map(|input| json(&[input, &search, &pictures].concat()));
    let best = &of_curve["candidates"][0];
    near(&best["period"], 10.416, 0.02);
    assert!(real(&best["log10_p"]) < -100.0 && real(&best["stat"]) < 0.9, "{best}");
    assert_eq!(of_curve["candidates"], of_events["candidates"]);
    assert_eq!(of_curve["sampling"]["samples"], of_events["sampling"]["samples"]);
    assert_eq!((&of_curve["method"], &of_curve["sampling"]["dt"]), (&"pdm".into(), &0.25.into()));
    // What lies in no whole bin is accounted for.
    let photons = &of_events["photons"];
    assert_eq!((&photons["used"], &photons["read"]), (&of_events["nphots"], &9369.into()));
    assert!(real(&photons["used"]) + real(&photons["outside_segments"]) == 9369.0, "{photons}");
    let rows = columns(&std::fs::read_to_string(&table).unwrap());
    let smallest = rows.iter().map(|row| row[2]).fold(f64::INFINITY, f64::min);
    near(&best["grid_stat"], smallest, 0.0);
    let level = real(&of_curve["detection_level"]);
    assert!(rows.iter().all(|row| (row[2] > level) == (row[3] > -2.0)), "the level is where log10 p is -2");
    let drawn = std::fs::read_to_string(file("p.svg")).unwrap();
    assert!(drawn.contains("θ of 16 bins") && std::fs::metadata(file("m.png")).unwrap().len() > 1000);
    let told = stderr(&succeed(&[&["search", &curve][..], &search].concat()));
    assert!(told.contains("samples of 0.25 s in ") && told.contains("θ of 16 bins 0."), "{told}");
    let wide = stderr(&succeed(&["search", &curve, "--method", "pdm", "--freq", "0.02:0.3"]));
    assert!(wide.contains("W-PDM-ALIAS: from 0.0625 Hz on 64 bins"), "{wide}");
    let refuse = |options: &[&str], status: i32, text: &str| refused(&[&["search"], options].concat(), status, text);
    refuse(&[&[SGR][..], &search].concat(), 2, "--dt");
    refuse(&[SGR, "--freq", "0.02:0.15", "--dt", "0.25"], 2, "--method pdm");
    refuse(&[SGR, "--freq", "0.02:0.15", "--min-fracexp", "0.5"], 2, "--method pdm");
    refuse(&[&[SGR, "--dt", "1", "--weights", "PI"][..], &search].concat(), 2, "--weights");
    refuse(&[&[SGR, "--dt", "1", "--par", "none.par"][..], &search].concat(), 2, "--par");
    refuse(&[&[SGR, "--dt", "1", "--algorithm", "ffa"][..], &search].concat(), 2, "--method ef");
    refuse(&[&[&curve, "--dt", "0.3"][..], &search].concat(), 2, "whole multiples");
    refuse(&[&curve, "--freq", "0.02:0.15"], 2, "--method pdm");
    refused(&["fold", &curve, "--f", "0.1"], 2, "is made of events");
    refused(&["accel", &curve, "--freq", "0.02:0.15", "--fdot", "0:1e-9"], 2, "is made of events");
}
