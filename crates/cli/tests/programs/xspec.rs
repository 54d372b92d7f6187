//! The files for XSPEC, read by cfitsio: the keywords that the OGIP memos demand, and the arithmetic of spectrum and response.

use std::process::Output;

use crate::program::{B1509, eagleray, simulate, succeed};
use fitsio::FitsFile;
use serde_json::Value;

fn pds(options: &[&str]) -> Output {
    let common = ["pds", B1509, "--dt", "1/64", "--segment-size", "64", "--backend", "cpu", "--quiet"];
    eagleray(&[&common[..], options].concat())
}

fn text(fits: &mut FitsFile, extension: &str, key: &str) -> String {
    let hdu = fits.hdu(extension).unwrap();
    hdu.read_key::<String>(fits, key).unwrap_or_else(|e| panic!("{extension} {key}: {e}"))
}

fn number(fits: &mut FitsFile, extension: &str, key: &str) -> f64 {
    let hdu = fits.hdu(extension).unwrap();
    hdu.read_key::<f64>(fits, key).unwrap_or_else(|e| panic!("{extension} {key}: {e}"))
}

fn column<T: fitsio::tables::ReadsCol>(fits: &mut FitsFile, extension: &str, name: &str) -> Vec<T> {
    let hdu = fits.hdu(extension).unwrap();
    hdu.read_col(fits, name).unwrap_or_else(|e| panic!("{extension} {name}: {e}"))
}

#[test]
fn spectrum_and_response_follow_the_memos_and_fold_to_the_powers() {
    for rebin in [&["--rebin-log", "0.05"][..], &["--rebin", "7", "--subtract-noise", "--norm", "frac"], &[]] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let output = pds(&[rebin, &["-o", &path("a.json"), "--xspec", &path("a")]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: Value = serde_json::from_slice(&std::fs::read(path("a.json")).unwrap()).unwrap();
        let of = |name: &str| -> Vec<f64> { serde_json::from_value(json["columns"][name].clone()).unwrap() };
        let (freq, df, power, err) = (of("freq"), of("width"), of("power"), of("power_err"));
        let n = freq.len();

        let mut pha = FitsFile::open(path("a.pha")).unwrap();
        let expected = [
            ("HDUCLASS", "OGIP"),
            ("HDUCLAS1", "SPECTRUM"),
            ("HDUCLAS3", "RATE"),
            ("HDUCLAS4", "TYPE:I"),
            ("HDUVERS", "1.2.1"),
            ("TELESCOP", "XTE"),
            ("INSTRUME", "PCA"),
            ("FILTER", "none"),
            ("BACKFILE", "none"),
            ("CORRFILE", "none"),
            ("ANCRFILE", "none"),
            ("RESPFILE", "a.rsp"),
            ("CHANTYPE", "PI"),
        ];
        for (key, value) in expected {
            assert_eq!(text(&mut pha, "SPECTRUM", key), value, "{key}");
        }
        for key in ["EXPOSURE", "AREASCAL", "BACKSCAL", "CORRSCAL"] {
            assert_eq!(number(&mut pha, "SPECTRUM", key), 1.0, "{key}");
        }
        assert_eq!(number(&mut pha, "SPECTRUM", "DETCHANS"), n as f64);
        let hdu = pha.hdu("SPECTRUM").unwrap();
        assert!(!hdu.read_key::<bool>(&mut pha, "POISSERR").unwrap());
        let channels: Vec<i32> = column(&mut pha, "SPECTRUM", "CHANNEL");
        assert_eq!(channels, (1..=n as i32).collect::<Vec<_>>());
        let (rate, stat_err): (Vec<f64>, Vec<f64>) =
            (column(&mut pha, "SPECTRUM", "RATE"), column(&mut pha, "SPECTRUM", "STAT_ERR"));

        let mut rsp = FitsFile::open(path("a.rsp")).unwrap();
        for (extension, second, version) in [("MATRIX", "RSP_MATRIX", "1.3.0"), ("EBOUNDS", "EBOUNDS", "1.2.0")] {
            let expected = [("HDUCLASS", "OGIP"), ("HDUCLAS1", "RESPONSE"), ("HDUCLAS2", second), ("HDUVERS", version)];
            let same = [("TELESCOP", "XTE"), ("INSTRUME", "PCA"), ("FILTER", "none"), ("CHANTYPE", "PI")];
            for (key, value) in expected.iter().chain(&same) {
                assert_eq!(text(&mut rsp, extension, key), *value, "{extension} {key}");
            }
            assert_eq!(number(&mut rsp, extension, "DETCHANS"), n as f64);
        }
        assert_eq!(number(&mut rsp, "MATRIX", "TLMIN4"), 1.0);
        assert_eq!(number(&mut rsp, "MATRIX", "NUMELT"), n as f64);
        let (lo, hi): (Vec<f32>, Vec<f32>) =
            (column(&mut rsp, "MATRIX", "ENERG_LO"), column(&mut rsp, "MATRIX", "ENERG_HI"));
        let (low, high): (Vec<f32>, Vec<f32>) =
            (column(&mut rsp, "EBOUNDS", "E_MIN"), column(&mut rsp, "EBOUNDS", "E_MAX"));
        assert_eq!((&lo, &hi), (&low, &high));
        assert!(lo[0] > 0.0 && lo.iter().zip(&hi).all(|(a, b)| a < b));
        assert!(hi[..n - 1] == lo[1..], "edges are contiguous");
        let groups: Vec<i32> = column(&mut rsp, "MATRIX", "N_GRP");
        let first: Vec<i32> = column(&mut rsp, "MATRIX", "F_CHAN");
        let count: Vec<i32> = column(&mut rsp, "MATRIX", "N_CHAN");
        let matrix: Vec<f64> = column(&mut rsp, "MATRIX", "MATRIX");
        let bounds: Vec<i32> = column(&mut rsp, "EBOUNDS", "CHANNEL");
        assert_eq!((&first, &bounds), (&channels, &channels));
        assert!(groups.iter().chain(&count).all(|&g| g == 1));

        // A model that is the measured power density in each bin, integrated over the bin and folded, is the rate.
        let mut folded = vec![0.0; n];
        for row in 0..n {
            let flux = power[row] * (f64::from(hi[row]) - f64::from(lo[row]));
            folded[first[row] as usize - 1] += flux * matrix[row];
        }
        for i in 0..n {
            assert!((f64::from(lo[i]) - (freq[i] - df[i] / 2.0)).abs() <= 1e-7 * freq[i]);
            // Rates are those of the widths that the edges have in single precision.
            let width = f64::from(hi[i]) - f64::from(lo[i]);
            assert!((rate[i] - power[i] * width).abs() <= 1e-7 * rate[i].abs(), "{i}");
            assert!((stat_err[i] - err[i] * width).abs() <= 1e-7 * stat_err[i], "{i}");
            assert!((folded[i] / rate[i] - 1.0).abs() <= 1e-7, "{i}");
            assert!((width - df[i]).abs() <= 2e-7 * freq[i], "{i}");
        }
    }
}

#[test]
fn a_name_of_a_spectrum_file_is_enough_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    assert!(pds(&["-o", &path("b.pha")]).status.success());
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["b.pha", "b.rsp"]);
    std::fs::remove_file(path("b.pha")).unwrap();
    let refused = pds(&["--xspec", &path("b")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("b.rsp"));
    assert!(pds(&["--xspec", &path("b"), "--overwrite"]).status.success());
}

/// Above 1024 Hz single precision has steps of 2^-13 Hz: bins of 1/1000 s⁻¹ are up to 10 % wider or narrower than they are.
#[test]
fn widths_that_single_precision_rounds_leave_powers_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let events = simulate(folder.path(), "long.evt", "--rate 2 --length 1000 --seed 2");
    let options = ["--dt", "1/4096", "--segment-size", "1000", "--xspec", &path("fine"), "-o", &path("fine.json")];
    succeed(&[&["pds", &events, "--quiet"], &options[..]].concat());
    let json: Value = serde_json::from_slice(&std::fs::read(path("fine.json")).unwrap()).unwrap();
    let power: Vec<f64> = serde_json::from_value(json["columns"]["power"].clone()).unwrap();
    let mut pha = FitsFile::open(path("fine.pha")).unwrap();
    let mut rsp = FitsFile::open(path("fine.rsp")).unwrap();
    let rate: Vec<f64> = column(&mut pha, "SPECTRUM", "RATE");
    let (lo, hi): (Vec<f32>, Vec<f32>) = (column(&mut rsp, "EBOUNDS", "E_MIN"), column(&mut rsp, "EBOUNDS", "E_MAX"));
    let widths: Vec<f64> = hi.iter().zip(&lo).map(|(hi, lo)| f64::from(*hi) - f64::from(*lo)).collect();
    assert!(widths.iter().any(|width| (width * 1000.0 - 1.0).abs() > 0.09));
    for i in 0..power.len() {
        assert!((rate[i] / widths[i] / power[i] - 1.0).abs() < 2e-7, "{i}: {} {}", rate[i], power[i]);
    }
}

/// What a fit by χ² loses is said by the program and in the file, and how to avoid it.
#[test]
fn the_bias_of_fits_is_said_where_few_values_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let history = |name: &str| String::from_utf8_lossy(&std::fs::read(path(name)).unwrap()).into_owned();
    let events = simulate(folder.path(), "noise.evt", "--rate 400 --length 54 --seed 3");
    let pds = |options: &[&str]| {
        let output = eagleray(&[&["pds", &events, "--dt", "1/512", "--segment-size", "1"], options].concat());
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = pds(&["--xspec", &path("few"), "-o", &path("few.json")]);
    assert!(said.contains("W-CHI2-BIAS") && said.contains("2/m: 3.7037") && said.contains("--rebin 4"), "{said}");
    assert!(history("few.pha").contains("3.7037"));
    // The constant that χ² likes best.
    let json: Value = serde_json::from_slice(&std::fs::read(path("few.json")).unwrap()).unwrap();
    let of = |name: &str| -> Vec<f64> { serde_json::from_value(json["columns"][name].clone()).unwrap() };
    let sum = |power: i32| of("power").iter().zip(of("power_err")).map(|(p, e)| p.powi(power) / e / e).sum::<f64>();
    let fitted = sum(1) / sum(0);
    assert!((fitted / (2.0 * (1.0 - 2.0 / 54.0)) - 1.0).abs() < 0.025, "{fitted}");
    // As it was told: 255 frequencies make 63 bins of 4 and one of 3, which does not count.
    assert!(!pds(&["--rebin", "4", "--xspec", &path("told")]).contains("W-CHI2-BIAS"));
    // And 51 bins of 5.
    let said = pds(&["--rebin", "5", "--xspec", &path("many")]);
    assert!(!said.contains("W-CHI2-BIAS") && history("many.pha").contains("0.74074"), "{said}");
    assert!(!pds(&[]).contains("W-CHI2-BIAS"));
}
