//! What `pds` says of a source: rates, noise levels, rms, significances, intervals; on real and simulated files, with the expected
//! figures worked out here.

use crate::program::{B1509, codes, json, near, real, refused, simulate, stderr, succeed};
use serde_json::Value;

/// The JSON summary of `pds` on the CPU; `options` are words apart by spaces.
fn pds(files: &[&str], options: &str) -> Value {
    let words: Vec<&str> = options.split_whitespace().collect();
    json(&[&["pds", "--backend", "cpu"], files, &words].concat())
}

/// Names and columns of the table of `pds`.
fn table(files: &[&str], options: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let words: Vec<&str> = options.split_whitespace().collect();
    let output = succeed(&[&["pds", "--quiet", "--backend", "cpu", "-o", "-"], files, &words].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().filter(|l| !l.starts_with('#'));
    let names: Vec<String> = lines.next().unwrap().split(' ').map(str::to_string).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines {
        line.split(' ').zip(&mut columns).for_each(|(x, c)| c.push(x.parse().unwrap()));
    }
    (names, columns)
}

/// Power that is left of a sinusoid by bins of `dt`.
fn loss(f: f64, dt: f64) -> f64 {
    let x = std::f64::consts::PI * f * dt;
    (x.sin() / x).powi(2)
}

#[test]
fn the_pulsar_is_the_most_significant_in_every_normalisation() {
    for norm in ["leahy", "frac", "abs", "none"] {
        let s = pds(&[B1509], &format!("--dt 1/256 --segment-size 64 --norm {norm} --background 2"));
        let bins = s["significant"].as_array().unwrap();
        assert_eq!(bins.len(), 5);
        let first = &bins[0];
        near(&first["freq"], 6.59375, 1e-9);
        assert_eq!((&first["trials"], &first["m"], &first["k"]), (&8191.into(), &54.into(), &1.into()));
        near(&first["leahy_power"], 12.8257, 5e-4);
        assert_eq!(first["power"], s["peak"]["power"], "{norm}");
        // Q(54, x) = e⁻ˣ·Σ_{k<54} xᵏ/k! with x = 54·P/2, times the trials.
        let x = 27.0 * real(&first["leahy_power"]);
        let (mut term, mut sum) = (1.0, 1.0);
        for k in 1..54 {
            term *= x / f64::from(k);
            sum += term;
        }
        let log10_p = (f64::ln(sum) - x + 8191f64.ln()) / std::f64::consts::LN_10;
        near(&first["log10_p"], log10_p, 1e-9);
        let p: Vec<f64> = bins.iter().map(|b| real(&b["log10_p"])).collect();
        assert!(p.is_sorted() && p[1] > -3.0 && p[4] <= 0.0, "{p:?}");
        assert!(s["significant_null"].as_str().unwrap().contains("white noise"));
    }
}

#[test]
fn significances_count_the_values_of_rebinned_powers() {
    let s = pds(&[B1509], "--dt 1/256 --segment-size 64 --rebin 4");
    let first = &s["significant"][0];
    assert_eq!((&first["m"], &first["k"], &first["trials"]), (&54.into(), &4.into(), &2048.into()));
    assert!((6.5..6.7).contains(&real(&first["freq"])));
    // 216 values of mean 2 + 2.7: less significant than the one alone, and far from chance.
    assert!((-60.0..-30.0).contains(&real(&first["log10_p"])), "{first}");
    // Each segment normalised by the square of its own photons: noise has the mean of their levels, and weights 1/N.
    let own = pds(&[B1509], "--dt 1/256 --segment-size 64 --norm frac --use-common-mean false");
    let first = &own["significant"][0];
    near(&first["freq"], 6.59375, 1e-9);
    assert!((-85.0..-75.0).contains(&real(&first["log10_p"])), "{first}");
    assert!(real(&own["m_eff"]) < 54.0 && real(&own["own_noise_mean"]) > 2.0 * 64.0 / real(&own["nphots"]), "{own}");
}

#[test]
fn the_summary_in_words_names_the_null() {
    let output = succeed(&["pds", B1509, "--dt", "1/256", "--segment-size", "64", "--backend", "cpu", "--rms", "6:7"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("8191 trials, against white noise of mean 2 (leahy)"), "{text}");
    assert!(text.contains("6.593750 Hz  power 12.8257  log10 p -81.45"), "{text}");
    assert!(text.contains("rms from 6 to 7 Hz: 12.377 % ± 2.340 %"), "{text}");
}

#[test]
fn noise_levels_are_known_fitted_or_none() {
    let common = "--dt 1/64 --segment-size 64";
    let (names, plain) = table(&[B1509], common);
    assert_eq!(names, ["freq", "width", "power", "power_err", "unnorm_power", "noise"]);
    let quiet: Vec<f64> =
        plain[0].iter().zip(&plain[2]).filter(|(f, _)| (16.0..30.0).contains(*f)).map(|(_, p)| *p).collect();
    let mean = quiet.iter().sum::<f64>() / quiet.len() as f64;
    let scatter = 2.0 / (54.0 * quiet.len() as f64).sqrt();
    assert!((mean - 2.0).abs() < 4.0 * scatter);
    for (noise, level) in [("poisson", 2.0), ("1.875", 1.875), ("16:30", mean), ("none", 0.0)] {
        let (_, kept) = table(&[B1509], &format!("{common} --noise {noise}"));
        let (_, subtracted) = table(&[B1509], &format!("{common} --noise {noise} --subtract-noise"));
        assert_eq!(kept[2], plain[2]);
        assert_eq!(subtracted[3], plain[3], "errors are those of the power with its noise");
        for i in 0..plain[2].len() {
            assert!((kept[5][i] - level).abs() < 1e-12 && (plain[2][i] - level - subtracted[2][i]).abs() < 1e-12);
        }
    }
    let s = pds(&[B1509], &format!("{common} --noise 16:30"));
    near(&s["noise_mean_err"], scatter, 0.05 * scatter);
    // The error of the level is part of that of the rms: 25 Hz of it.
    let band = |noise: &str| pds(&[B1509], &format!("{common} --rms 1:26 --noise {noise}"));
    let (fitted, known) = (band("30:31.9"), band("2"));
    let rate = real(&fitted["nphots"]) / 64.0;
    let added = 25.0 * real(&fitted["noise_mean_err"]) / rate;
    let expected = real(&known["rms_variance_err"]).hypot(added);
    near(&fitted["rms_variance_err"], expected, 1e-9 * expected);
    assert!(added > real(&known["rms_variance_err"]));
}

#[test]
fn intervals_follow_the_promised_columns() {
    let common = "--dt 1/64 --segment-size 512 --rebin-log 0.1 --intervals";
    let (names, c) = table(&[B1509], common);
    assert_eq!(names[..8], ["freq", "width", "power", "power_err", "unnorm_power", "noise", "k", "m"]);
    assert_eq!(names[8..], ["power_lo", "power_hi"]);
    // 6 values: χ² of 12 degrees of freedom is above 16.76494 and below 7.240137 with 15.87 % each.
    assert_eq!((c[6][0], c[7][0]), (1.0, 6.0));
    assert!((c[8][0] / c[2][0] - 12.0 / 16.764945).abs() < 1e-6 && (c[9][0] / c[2][0] - 12.0 / 7.240137).abs() < 1e-6);
    for (i, &power) in c[2].iter().enumerate() {
        let (below, above) = ((power - c[8][i]) / c[3][i], (c[9][i] - power) / c[3][i]);
        assert!(below > 0.6 && below < 1.0 && above > 1.0 && above < 2.0, "{below} {above}");
        if c[7][i] > 1000.0 {
            assert!((below - 1.0).abs() < 0.05 && (above - 1.0).abs() < 0.05);
        }
    }
    let (_, subtracted) = table(&[B1509], &format!("{common} --subtract-noise"));
    assert!((c[8][3] - subtracted[8][3] - 2.0).abs() < 1e-12 && (c[9][3] - subtracted[9][3] - 2.0).abs() < 1e-12);
}

#[test]
fn rms_is_the_same_in_every_normalisation_and_recorded_in_the_product() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let common = "--dt 1/64 --segment-size 64 --rms 6.59:6.6 --background 1.5";
    let leahy = pds(&[B1509], common);
    // A hundredth of a hertz inside one bin of 1/64 Hz: 2 (P − 2)/N·… = (P − 2)·r/(r − r_b)²·0.01.
    let rate = real(&leahy["nphots"]) / 64.0;
    let power = real(&leahy["peak"]["power"]);
    let factor = 0.01 * rate / (rate - 1.5).powi(2);
    near(&leahy["rms_variance"], (power - 2.0) * factor, 1e-12);
    near(&leahy["rms_variance_err"], power * factor / 54f64.sqrt(), 1e-12);
    let rms = real(&leahy["rms"]);
    near(&leahy["rms_variance"], rms * rms, 1e-12);
    near(&leahy["rms_err"], real(&leahy["rms_variance_err"]) / (2.0 * rms), 1e-12);
    near(&leahy["rms_abs"], rms * (rate - 1.5), 1e-12);
    assert_eq!(leahy["rms_band"], serde_json::json!([6.59, 6.6]));
    for more in ["--norm frac", "--norm abs", "--norm none", "--subtract-noise", "--norm frac --subtract-noise"] {
        let s = pds(&[B1509], &format!("{common} {more}"));
        near(&s["rms"], rms, 1e-12);
        near(&s["rms_err"], real(&leahy["rms_err"]), 1e-12);
    }
    let words: Vec<&str> = common.split_whitespace().collect();
    for name in ["a.json", "a.fits", "a.ecsv"] {
        succeed(&[&["pds", B1509, "--backend", "cpu", "--quiet", "-o", &path(name)], &words[..]].concat());
    }
    let json: Value = serde_json::from_slice(&std::fs::read(path("a.json")).unwrap()).unwrap();
    assert_eq!(json["meta"]["rms"], leahy["rms"]);
    let mut fits = fitsio::FitsFile::open(path("a.fits")).unwrap();
    let hdu = fits.hdu("SPECTRUM").unwrap();
    assert!((hdu.read_key::<f64>(&mut fits, "RMS").unwrap() - rms).abs() < 1e-15);
    assert!(hdu.read_key::<f64>(&mut fits, "RMSVARER").unwrap() > 0.0);
    assert!(std::fs::read_to_string(path("a.ecsv")).unwrap().contains("#   rms: 0.1"));
}

/// One count a segment on average: most of the information is in segments that hold 0 or 2.
#[test]
fn a_faint_source_has_an_unbiased_rate_and_rms() {
    let folder = tempfile::tempdir().unwrap();
    let options = "--rate 1 --length 40000 --seed 4";
    let pulsed = simulate(folder.path(), "pulsed.evt", &format!("{options} --model pulsar:5:0.6"));
    let s = pds(&[&pulsed], "--dt 1/64 --segment-size 1 --rms 4.5:5.5");
    assert_eq!((&s["m"], &s["skipped_segments"]), (&40_000.into(), &0.into()));
    near(&s["nphots"], 1.0, 4.0 / 200.0);
    let truth = 0.18 * loss(5.0, 1.0 / 64.0);
    let error = real(&s["rms_variance_err"]);
    near(&s["rms_variance"], truth, 4.0 * error);
    // 2 in Leahy's normalisation over 1 Hz at 1 count/s, from 40,000 values, and a little of the signal.
    assert!((0.01..0.0115).contains(&error), "{error}");
    near(&s["rms"], truth.sqrt(), 4.0 * real(&s["rms_err"]));
    assert_eq!(s["rms_upper_limit"], Value::Null);
    // The peer leaves out the 74 % of segments with fewer than 2 photons: the others have (1 − e⁻¹)/(1 − 2e⁻¹) = 2.39 on average,
    // and of their signal, which is in pairs of photons, E[N(N − 1)]/E[N]² = 0.66 is left.
    let peer = pds(&[&pulsed], "--dt 1/64 --segment-size 1 --rms 4.5:5.5 --compat stingray");
    let (e, kept) = ((-1f64).exp(), 1.0 - 2.0 * (-1f64).exp());
    near(&peer["m"], 40_000.0 * kept, 4.0 * (40_000.0 * kept * (1.0 - kept)).sqrt());
    let mean = (1.0 - e) / kept;
    near(&peer["nphots"], mean, 4.0 * (0.5 / real(&peer["m"])).sqrt());
    let (biased, peers_error) = (truth / kept / (mean * mean), real(&peer["rms_variance_err"]));
    near(&peer["rms_variance"], biased, 4.0 * peers_error);
    assert!(truth - biased > 5.0 * peers_error, "{truth} {biased} ± {peers_error}");
    let white = simulate(folder.path(), "white.evt", options);
    let s = pds(&[&white], "--dt 1/64 --segment-size 1 --rms 4.5:5.5");
    near(&s["rms_variance"], 0.0, 4.0 * error);
    let limit = real(&s["rms_upper_limit"]);
    assert!((0.05..0.25).contains(&limit), "{limit}");
}

/// Two modules of 20 and 30 counts/s with one pulsation and intervals of their own.
#[test]
fn two_modules_give_the_figures_worked_out_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let common = "--mission nustar --length 2000 --model pulsar:5:0.3";
    let a = simulate(folder.path(), "a.evt", &format!("{common} --rate 20 --gaps 500:600 --seed 1"));
    let b = simulate(folder.path(), "b.evt", &format!("{common} --rate 30 --gaps 1200:1290 --seed 2"));
    let options = "--dt 1/32 --segment-size 16 --norm frac --rms 4.9:5.1";
    let variance = 0.045 * loss(5.0, 1.0 / 32.0);
    // The band of 0.2 Hz holds three bins of 1/16 Hz in full and a little of the next two.
    let check = |s: &Value, m: u64, rate: f64, variance: f64| {
        assert_eq!(s["m"].as_u64(), Some(m));
        near(&s["nphots"], 16.0 * rate, 4.0 * (16.0 * rate / m as f64).sqrt());
        let measured = real(&s["nphots"]) / 16.0;
        near(&s["noise_mean"], 2.0 / measured, 1e-12);
        near(&s["rms_variance"], variance, 4.0 * real(&s["rms_variance_err"]));
        let rms = variance.sqrt();
        near(&s["rms"], rms, 4.0 * real(&s["rms_err"]));
        assert!(real(&s["rms_err"]) < 0.1 * rms);
    };
    // Common intervals 0–500, 600–1200, 1290–2000 s: 31 + 37 + 44 segments of 50 counts/s.
    let merged = pds(&[&a, &b], &format!("{options} --combine merge"));
    check(&merged, 112, 50.0, variance);
    // 31 + 87 and 75 + 44 segments; the raw powers of 20² and 30² are averaged and divided by 25².
    let averaged = pds(&[&a, &b], &format!("{options} --combine average"));
    check(&averaged, 237, (118.0 * 20.0 + 119.0 * 30.0) / 237.0, variance * 650.0 / 625.0);
    for (s, name) in [(&merged, "merge"), (&averaged, "average")] {
        near(&s["significant"][0]["freq"], 5.0, 1e-12);
        // White noise between the harmonics, fitted, is that of Poisson.
        let fitted = pds(&[&a, &b], &format!("{options} --combine {name} --noise 6:9"));
        near(&fitted["noise_mean"], real(&s["noise_mean"]), 4.0 * real(&fitted["noise_mean_err"]));
        assert_ne!(fitted["noise_mean"], s["noise_mean"]);
        // Background of half the rate: twice the fractional rms, the same in counts/s.
        let half = format!("{options} --combine {name} --background {}", real(&s["nphots"]) / 32.0);
        let source = pds(&[&a, &b], &half);
        near(&source["rms"], 2.0 * real(&s["rms"]), 1e-9);
        near(&source["rms_abs"], real(&s["rms_abs"]), 1e-9);
        near(&source["noise_mean"], 4.0 * real(&s["noise_mean"]), 1e-9);
    }
}

#[test]
fn mistakes_are_usage_errors_that_say_what_is_possible() {
    for (options, text) in [
        ("--noise loud", "none of poisson"),
        ("--noise=-1", "not negative"),
        ("--noise 3:2", "3:2"),
        ("--noise 3000:4000", "no frequency in it"),
        ("--rms 7:6", "7:6"),
        ("--rms 7", "LO:HI"),
        ("--rms 300:400", "127.98"),
        ("--background 8", "below the mean rate of 7.37"),
        ("--background=-1", "must not be negative"),
        ("--background 1 --norm frac --use-common-mean false", "use --use-common-mean true"),
    ] {
        let words: Vec<&str> = options.split_whitespace().collect();
        let base = ["pds", B1509, "--dt", "1/256", "--segment-size", "64", "--backend", "cpu"];
        refused(&[&base[..], &words].concat(), 2, text);
    }
    let s = pds(&[B1509], "--dt 1/256 --segment-size 64 --rms 100:200");
    assert_eq!(codes(&s), ["W-DATASUM", "W-RMS-BAND"]);
}

/// A Lorentzian of Q = 20 and 40 % rms is warned of with figures, on the terminal and in the file; 10 %, and wide noise, are not.
#[test]
fn what_positive_rates_do_to_a_spectrum_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.evt").display().to_string();
    let told = |model: &str| {
        let simulate = ["simulate", "-o", &path, "--overwrite", "--rate", "50", "--length", "1000", "--model", model];
        let said = stderr(&succeed(&simulate));
        let file = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("HISTORY W-SIM-SPECTRUM");
        assert_eq!(said.contains("W-SIM-SPECTRUM"), file, "{said}");
        said
    };
    let strong = told("lorentzian:1:Q=20:0.4");
    assert!(
        strong.contains("% of the variance at other frequencies than the model: from ")
            && strong.contains(" times the model's")
    );
    for model in ["lorentzian:1:Q=20:0.1", "lorentzian:0:0.5:0.3", "white", "pulsar:1:0.9"] {
        assert!(!told(model).contains("W-SIM-SPECTRUM"), "{model}");
    }
}
