//! Products read back: what was written is read, and written again is the same; bad files are refused with what is wrong where.

use std::path::{Path, PathBuf};

use eagleray::science::{AveragedCrossSpectrum, AveragedPowerSpectrum};

use crate::program::{json, refused, root, simulate, succeed};

/// Commands whose products are read back, by a name.
fn products(folder: &Path) -> Vec<(&'static str, String)> {
    let bands = simulate(
        folder,
        "two.evt",
        "--mission nustar --bands 3:10,10:30 --lag 0.02 --rate 300 --length 400 --gap-every 100:30 --seed 3",
    );
    let other = simulate(folder, "other.evt", "--mission nustar --rate 250 --length 400 --gap-every 100:30 --seed 4");
    let b1509 = root("examples/data/b1509.fits").display().to_string();
    let segments = "--dt 1/64 --segment-size 16";
    let pds = format!("pds {b1509} --dt 1/64 --segment-size 64 --backend cpu");
    let energies = format!("varenergy {bands} --energies 3:30:4:log --backend cpu {segments}");
    let cs = format!("cs {bands} --subject 3:10 --ref 10:30 --backend cpu {segments}");
    vec![
        ("plain", pds.clone()),
        ("rebinned", format!("{pds} --rebin-log 0.05 --norm frac --background 1.5 --subtract-noise --intervals")),
        ("fitted", format!("{pds} --rms 1:26 --noise 16:30 --pulsed-limit 6:7")),
        ("own_means", format!("{pds} --norm frac --use-common-mean false --dead-time 0.001")),
        ("tapers", format!("multitaper {b1509} --dt 1/8 --segment-size 256 --adaptive")),
        ("cross", cs.clone()),
        ("full", format!("{cs} --rebin 7 --norm abs --fullspec")),
        ("lags", format!("{energies} --freq 0.5:2")),
        ("rms", format!("{energies} --freq 0.5:2 --kind rms --norm abs")),
        ("counts", format!("varenergy {bands} --energies 3:30:4 --kind count")),
        ("dyn", format!("dyn {bands} {segments} --rebin-log 0.1 --backend cpu")),
        ("dyn_cross", format!("dyn {bands} --subject 3:10 --ref 10:30 {segments} --backend cpu")),
        ("lc", format!("lc {bands} --dt 0.3")),
        ("fold", format!("fold {b1509} --f 6.594 --nbin 16 --backend cpu")),
        ("search", format!("search {b1509} --freq 6.5:6.7 --backend cpu")),
        ("ffa", format!("search {b1509} --freq 6.5:6.7 --method ef --algorithm ffa --backend cpu")),
        ("accel", format!("accel {b1509} --freq 6.5:6.7 --fdot -1e-6:1e-6 --backend cpu")),
        ("fad", format!("cs {bands} {other} --fad {segments} --backend cpu")),
        ("bispectrum", format!("bispectrum {b1509} --dt 1/8 --segment-size 16")),
        ("cumulant", format!("bispectrum {b1509} --dt 1/8 --segment-size 16 --compat stingray")),
        ("bin", format!("bin {b1509} --times 537721730:537725230:40")),
        ("bin_energies", format!("bin {bands} --times 300000000:300000400:10 --energies 3:30:5:log")),
        ("bin_channels", format!("bin {bands} --times 300000000:300000400:3 --channels 35:700:2")),
    ]
}

/// `plot` reads a product, draws it and writes it again.
#[test]
fn what_is_read_and_written_again_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let products = products(folder.path());
    let cross_of_curves = {
        let lc = folder.path().join("lc-a.fits").display().to_string();
        ("ls_cross", format!("ls {lc} --ref {lc} --freq 0.01:0.5"))
    };
    for (name, command) in products.into_iter().chain([cross_of_curves]) {
        for format in ["ecsv", "csv", "json", "fits"] {
            let path = |which: &str| folder.path().join(format!("{name}-{which}.{format}"));
            let (first, second, picture) = (path("a"), path("b"), folder.path().join(format!("{name}-{format}.svg")));
            let [from, to, drawn] = [&first, &second, &picture].map(|path| path.display().to_string());
            succeed(&[&command.split(' ').collect::<Vec<_>>()[..], &["--quiet", "-o", &from]].concat());
            succeed(&["plot", &from, "--plot", &drawn, "-o", &to, "--quiet"]);
            assert!(std::fs::read_to_string(&picture).unwrap().starts_with("<svg"), "{name}.{format}");
            let (before, after) = (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
            let place = before.iter().zip(&after).position(|(a, b)| a != b).unwrap_or(before.len().min(after.len()));
            let around = |bytes: &[u8]| {
                String::from_utf8_lossy(&bytes[place.saturating_sub(60)..(place + 60).min(bytes.len())]).into_owned()
            };
            assert!(before == after, "{name}.{format} at {place}:\n{}\n{}", around(&before), around(&after));
        }
    }
}

/// Numbers of a product read back are those that the program printed, in every format.
#[test]
fn what_is_read_gives_the_numbers_of_the_one_that_was_computed() {
    let folder = tempfile::tempdir().unwrap();
    let b1509 = root("examples/data/b1509.fits").display().to_string();
    for options in ["", "--norm frac --background 1.5", "--norm abs --noise 16:30", "--norm none --subtract-noise"] {
        for format in ["ecsv", "csv", "json", "fits"] {
            let path = folder.path().join(format!("a.{format}"));
            let command = format!(
                "pds {b1509} --dt 1/64 --segment-size 64 --backend cpu --rms 1:26 --json --overwrite {options} -o {}",
                path.display()
            );
            let said: serde_json::Value =
                serde_json::from_slice(&succeed(&command.split_whitespace().collect::<Vec<_>>()).stdout).unwrap();
            let read = AveragedPowerSpectrum::read(&path).unwrap();
            let rms = read.rms(1.0, 26.0).unwrap();
            assert_eq!(said["rms"].as_f64(), rms.rms, "{options} {format}");
            assert_eq!(said["rms_err"].as_f64(), rms.rms_err, "{options} {format}");
            let significant = serde_json::to_value(read.significant(5)).unwrap();
            assert_eq!(said["significant"], significant, "{options} {format}");
            assert_eq!(read.meta.record.inputs.len(), 1);
        }
    }
}

fn changed(folder: &Path, from: &Path, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, change(&std::fs::read_to_string(from).unwrap())).unwrap();
    path
}

#[test]
fn bad_files_are_refused_with_the_place_and_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let b1509 = root("examples/data/b1509.fits").display().to_string();
    for format in ["ecsv", "csv", "json", "fits"] {
        let out = at(&format!("a.{format}")).display().to_string();
        succeed(&["pds", &b1509, "--dt", "1/64", "--segment-size", "64", "--backend", "cpu", "--quiet", "-o", &out]);
        let found = AveragedCrossSpectrum::read(Path::new(&out)).unwrap_err().to_string();
        assert!(found.contains(&out) && found.contains("holds a power spectrum; wanted: cross spectrum"), "{found}");
    }
    let refuse = |path: &Path, said: &[&str]| {
        let found = AveragedPowerSpectrum::read(path).unwrap_err().to_string();
        for said in said {
            assert!(found.contains(said), "{found} lacks {said}");
        }
    };
    let rows = |text: &str, change: &dyn Fn(usize, &str) -> String| -> String {
        let mut row = 0;
        let one = |line: &str| {
            if line.starts_with('#') {
                return format!("{line}\n");
            }
            row += 1;
            format!("{}\n", change(row - 1, line))
        };
        text.lines().map(one).collect()
    };
    let swap = |text: &str, row: usize, from: usize, to: &str, separator: char| {
        rows(text, &|number, line| {
            let mut cells: Vec<&str> = line.split(separator).collect();
            if number == row {
                cells[from] = to;
            }
            cells.join(&separator.to_string())
        })
    };
    for (format, separator) in [("ecsv", ' '), ("csv", ',')] {
        let from = at(&format!("a.{format}"));
        let header = std::fs::read_to_string(&from).unwrap().lines().position(|line| !line.starts_with('#')).unwrap();
        let name = |what: &str| format!("{what}.{format}");
        let bad = changed(folder.path(), &from, &name("text"), |text| swap(text, 3, 2, "many", separator));
        refuse(&bad, &[&format!("line {}, column power", header + 4), "`many` is no number"]);
        let bad = changed(folder.path(), &from, &name("short"), |text| {
            rows(text, &|number, line| if number == 2 { "1.0".into() } else { line.into() })
        });
        refuse(&bad, &[&format!("line {}", header + 3), "1 values, and 6 columns were announced"]);
        let bad = changed(folder.path(), &from, &name("lost"), |text| swap(text, 0, 4, "raw", separator));
        refuse(&bad, &["column unnorm_power", "missing"]);
        let bad = changed(folder.path(), &from, &name("kind"), |text| text.replace("\"power spectrum\"", "\"sonata\""));
        refuse(&bad, &["holds a sonata; wanted: power spectrum"]);
        let bad = changed(folder.path(), &from, &name("yaml"), |text| text.replace("norm: \"leahy\"", "norm: leahy"));
        refuse(&bad, &["metadata, norm", "`leahy` is not as this program writes it"]);
        let bad = changed(folder.path(), &from, &name("key"), |text| text.replace("nphots: ", "photons_each: "));
        refuse(&bad, &["metadata", "nphots"]);
    }
    let json = at("a.json");
    let with = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        changed(folder.path(), &json, name, |text| {
            let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
            change(&mut value);
            value.to_string()
        })
    };
    refuse(&with("b.json", &|v| v["columns"]["power"][7] = "x".into()), &["columns, power[7]", "`\"x\"` is no number"]);
    let cut = |v: &mut serde_json::Value| _ = v["columns"]["noise"].as_array_mut().unwrap().pop();
    refuse(&with("c.json", &cut), &["column noise", "2046 values, and freq has 2047"]);
    refuse(&with("d.json", &|v| v["meta"]["norm"] = "loud".into()), &["metadata", "loud"]);
    refuse(&with("e.json", &|v| _ = v["columns"].as_object_mut().unwrap().remove("freq")), &["column freq", "missing"]);
    refuse(&with("f.json", &|v| _ = v.as_object_mut().unwrap().remove("meta")), &["`meta` and `columns`"]);
    std::fs::write(at("g.json"), "{").unwrap();
    refuse(&at("g.json"), &["JSON"]);
    std::fs::write(at("h.csv"), [0xff, 0xf0, 0x00]).unwrap();
    refuse(&at("h.csv"), &["neither FITS nor text"]);
    std::fs::write(at("i.csv"), [0xff, 0xfe, 0x23, 0x00]).unwrap();
    refuse(&at("i.csv"), &["i.csv", "UTF-16", "save it as UTF-8"]);
    // Events are no product.
    refuse(Path::new(&b1509), &["no extension METADATA"]);
    // A file that ends too early.
    let bytes = std::fs::read(at("a.fits")).unwrap();
    std::fs::write(at("i.fits"), &bytes[..bytes.len() / 2]).unwrap();
    assert!(AveragedPowerSpectrum::read(at("i.fits")).is_err());
}

fn pds(file: &str, options: &str, out: &Path) {
    let words = format!(
        "pds {file} --dt 1/64 --segment-size 16 --backend cpu --quiet --overwrite {options} -o {}",
        out.display()
    );
    succeed(&words.split_whitespace().collect::<Vec<_>>());
}

fn columns(path: &Path) -> serde_json::Value {
    serde_json::from_slice::<serde_json::Value>(&std::fs::read(path).unwrap()).unwrap()["columns"].clone()
}

/// What a command makes of a product is what the analysis itself makes with that option.
#[test]
fn products_are_rebinned_normalised_and_drawn_as_analyses_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let b1509 = root("examples/data/b1509.fits").display().to_string();
    for format in ["ecsv", "fits"] {
        let plain = at(&format!("plain.{format}"));
        pds(&b1509, "", &plain);
        let plain = plain.display().to_string();
        for (command, options) in
            [("rebin", "--rebin 7"), ("rebin", "--rebin-log 0.05"), ("norm", "--norm abs"), ("norm", "--norm frac")]
        {
            pds(&b1509, options, &at("expected.json"));
            let words = format!(
                "{command} {plain} {options} --quiet --overwrite --plot {} -o {}",
                text("a.svg"),
                text("got.json")
            );
            succeed(&words.split_whitespace().collect::<Vec<_>>());
            let (got, expected) = (columns(&at("got.json")), columns(&at("expected.json")));
            let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&got), keys(&expected), "{options}");
            for (name, values) in expected.as_object().unwrap() {
                for (a, b) in got[name].as_array().unwrap().iter().zip(values.as_array().unwrap()) {
                    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                    assert!((a - b).abs() <= 1e-12 * b.abs(), "{options} {name}: {a} {b}");
                }
            }
            assert!(std::fs::read_to_string(at("a.svg")).unwrap().contains("<svg"));
        }
    }
    // What made it travels along.
    let read = AveragedPowerSpectrum::read(at("got.json")).unwrap();
    assert!(read.meta.record.inputs[0].name.ends_with("b1509.fits"));
    assert_eq!(read.meta.record.options["norm"], "frac");
    let both =
        simulate(folder.path(), "two.evt", "--mission nustar --bands 3:10,10:30 --rate 300 --length 200 --seed 3");
    let cs = |options: &str, out: &str| {
        let words = format!(
            "cs {both} --subject 3:10 --ref 10:30 --dt 1/64 --segment-size 8 --backend cpu --quiet --overwrite {options} -o {out}"
        );
        succeed(&words.split_whitespace().collect::<Vec<_>>());
    };
    cs("", &text("cross.csv"));
    for (command, options) in [("rebin", "--rebin-log 0.1"), ("norm", "--norm abs")] {
        cs(options, &text("expected.json"));
        let words = format!("{command} {} {options} --quiet --overwrite -o {}", text("cross.csv"), text("got.json"));
        succeed(&words.split_whitespace().collect::<Vec<_>>());
        let (got, expected) = (columns(&at("got.json")), columns(&at("expected.json")));
        for (name, values) in expected.as_object().unwrap() {
            for (a, b) in got[name].as_array().unwrap().iter().zip(values.as_array().unwrap()) {
                let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
                assert!(
                    (a - b).abs() <= 1e-9 * b.abs().max(1e-6) || a.is_nan() && b.is_nan(),
                    "{options} {name}: {a} {b}"
                );
            }
        }
    }
    succeed(&["lc", &b1509, "--dt", "1", "-o", &text("lc.json"), "--quiet"]);
    succeed(&[
        "rebin",
        &text("lc.json"),
        "--rebin",
        "4",
        "-o",
        &text("lc4.json"),
        "--quiet",
        "--plot",
        &text("lc.png"),
    ]);
    succeed(&["lc", &b1509, "--dt", "4", "-o", &text("lc_4.json"), "--quiet"]);
    assert_eq!(columns(&at("lc4.json"))["counts"], columns(&at("lc_4.json"))["counts"]);
    for (product, picture) in [("cross.csv", "c.svg"), ("lc.json", "l.svg"), ("plain.fits", "p.png")] {
        let said = succeed(&["plot", &text(product), "--plot", &text(picture), "--json"]);
        assert!(String::from_utf8_lossy(&said.stdout).contains("\"product\""));
        assert!(std::fs::metadata(at(picture)).unwrap().len() > 1000);
    }
}

#[test]
fn spectra_of_several_observations_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let early = simulate(folder.path(), "early.evt", "--rate 50 --length 400 --seed 1");
    let late = simulate(folder.path(), "late.evt", "--rate 80 --length 600 --seed 2 --tstart 80010000");
    for options in ["", "--norm frac --rebin-log 0.1", "--norm abs --subtract-noise"] {
        pds(&early, options, &at("a.ecsv"));
        pds(&late, options, &at("b.fits"));
        pds(&format!("{early} {late}"), options, &at("both.json"));
        succeed(&["join", &text("a.ecsv"), &text("b.fits"), "-o", &text("joined.json"), "--overwrite", "--quiet"]);
        let (got, expected) = (columns(&at("joined.json")), columns(&at("both.json")));
        for (name, values) in expected.as_object().unwrap() {
            for (a, b) in got[name].as_array().unwrap().iter().zip(values.as_array().unwrap()) {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                // How much rates scatter inside the parts, and powers inside bins, is known of each part alone.
                let bound = if name == "power_err" { 0.03 } else { 1e-9 };
                assert!((a - b).abs() <= bound * b.abs().max(1e-3), "{options} {name}: {a} {b}");
            }
        }
        let read = AveragedPowerSpectrum::read(at("joined.json")).unwrap();
        assert_eq!((read.meta.segments, read.meta.record.inputs.len()), (25 + 37, 2));
        assert!(read.meta.record.photons.is_exact());
    }
    pds(&early, "", &at("c.ecsv"));
    pds(&late, "--norm frac", &at("d.ecsv"));
    refused(&["join", &text("c.ecsv"), &text("c.ecsv")], 2, "is in two of the products");
    refused(&["join", &text("c.ecsv"), &text("d.ecsv")], 2, "its normalisation is frac, that of the first leahy");
}

#[test]
fn cross_spectra_of_several_observations_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let bands = "--mission nicer --bands 0.3:2,2:10 --lag 0.05 --model lorentzian:1:2:0.4";
    let early = simulate(folder.path(), "early.evt", &format!("--rate 100 --length 300 --seed 1 {bands}"));
    let late =
        simulate(folder.path(), "late.evt", &format!("--rate 160 --length 500 --seed 2 {bands} --tstart 80010000"));
    let cross = |files: &[&str], options: &str, output: &str| {
        let fixed = "--subject 2:10 --ref 0.3:2 --dt 1/16 --segment-size 16 --backend cpu --overwrite --quiet";
        let options = [fixed.split_whitespace(), options.split_whitespace()].into_iter().flatten();
        succeed(
            &["cs"].into_iter().chain(files.iter().copied()).chain(options).chain(["-o", output]).collect::<Vec<_>>(),
        );
    };
    for options in ["", "--norm frac --rebin-log 0.1", "--norm abs --background 3,5"] {
        cross(&[&early], options, &text("a.ecsv"));
        cross(&[&late], options, &text("b.fits"));
        cross(&[&early, &late], options, &text("both.json"));
        succeed(&["join", &text("a.ecsv"), &text("b.fits"), "-o", &text("joined.json"), "--overwrite", "--quiet"]);
        let (got, expected) = (columns(&at("joined.json")), columns(&at("both.json")));
        for (name, values) in expected.as_object().unwrap() {
            for (i, (a, b)) in got[name].as_array().unwrap().iter().zip(values.as_array().unwrap()).enumerate() {
                // The delay that the frequencies of a bin have in common is that of the parts, each by its cross power.
                if name == "lag_time"
                    && options.contains("rebin")
                    && let (Some(a), Some(b), Some(error)) =
                        (a.as_f64(), b.as_f64(), expected["lag_time_err"][i].as_f64())
                {
                    assert!((a - b).abs() <= 0.2 * error, "{options} {name}: {a} {b} ± {error}");
                    continue;
                }
                // How much rates scatter inside the parts, and powers inside bins, is known of each part alone.
                let bound = match name.as_str() {
                    "lag_time_err" => 0.2,
                    name if name.contains("err") || name.contains("coherence") => 0.03,
                    _ => 1e-8,
                };
                let same = match (a.as_f64(), b.as_f64()) {
                    (Some(a), Some(b)) => (a - b).abs() <= bound * b.abs().max(1e-3),
                    (a, b) => a == b,
                };
                assert!(same, "{options} {name}: {a} {b}");
            }
        }
    }
    cross(&[&early], "--norm leahy", &text("c.ecsv"));
    pds(&late, "", &at("d.ecsv"));
    refused(&["join", &text("c.ecsv"), &text("c.ecsv")], 2, "is in two of the products");
    refused(&["join", &text("c.ecsv"), &text("d.ecsv")], 2, "is not joined, or not with the products before it");
}

#[test]
fn commands_on_products_refuse_what_they_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let b1509 = root("examples/data/b1509.fits").display().to_string();
    pds(&b1509, "", &folder.path().join("plain.ecsv"));
    pds(&b1509, "--rebin 4", &folder.path().join("coarse.ecsv"));
    pds(&b1509, "--use-common-mean false", &folder.path().join("own.ecsv"));
    succeed(&["lc", &b1509, "--dt", "1", "-o", &at("lc.json"), "--quiet"]);
    refused(&["rebin", &at("coarse.ecsv"), "--rebin", "2"], 2, "those at the original ones are not in it");
    refused(&["rebin", &at("plain.ecsv"), "--rebin", "0"], 2, "--rebin");
    refused(&["rebin", &at("lc.json"), "--rebin-log", "0.1"], 2, "is not rebinned like that");
    refused(&["rebin", &at("plain.ecsv")], 2, "--rebin");
    refused(&["norm", &at("own.ecsv"), "--norm", "frac"], 2, "normalised by its own mean");
    refused(&["norm", &at("lc.json"), "--norm", "frac"], 2, "has no powers to normalise");
    refused(&["plot", &at("plain.ecsv")], 2, "--plot");
    refused(&["norm", &b1509, "--norm", "frac"], 2, "is no product of this program");
    refused(&["norm", &at("none.ecsv"), "--norm", "frac"], 1, "none.ecsv");
    refused(&["join", &at("plain.ecsv"), &at("lc.json")], 2, "is not joined");
    refused(&["norm", &at("plain.ecsv"), "--norm", "abs", "-o", &at("plain.ecsv")], 2, "is one of the inputs");
    refused(
        &["norm", &at("plain.ecsv"), "--norm", "abs", "-o", &at("plain.ecsv"), "--overwrite"],
        2,
        "one of the inputs",
    );
    refused(&["norm", &at("plain.ecsv"), "--norm", "abs", "-o", "-", "--json"], 2, "standard output");
}

/// Products of two missions are joined only where that is allowed.
#[test]
fn products_of_several_missions_are_joined_where_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for mission in ["nicer", "nustar"] {
        let events = simulate(
            folder.path(),
            &format!("{mission}.evt"),
            &format!("--rate 20 --length 100 --seed 1 --mission {mission}"),
        );
        succeed(&[
            "pds",
            &events,
            "--dt",
            "1/8",
            "--segment-size",
            "8",
            "--backend",
            "cpu",
            "-o",
            &at(&format!("{mission}.ecsv")),
        ]);
    }
    let both = [at("nicer.ecsv"), at("nustar.ecsv")];
    refused(&["join", &both[0], &both[1], "-o", &at("no.ecsv")], 2, "is of another mission");
    let joined = json(&["join", &both[0], &both[1], "--mixed", "-o", &at("both.ecsv")]);
    assert_eq!(joined["segments"], 24);
    // The events themselves likewise.
    let files = [at("nicer.evt"), at("nustar.evt")];
    let average = ["pds", &files[0], &files[1], "--dt", "1/8", "--segment-size", "8", "--backend", "cpu"];
    refused(&average, 2, "use --mixed");
    assert_eq!(json(&[&average[..], &["--mixed"]].concat())["segments"], 24);
}
