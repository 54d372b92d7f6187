//! The files for XSPEC, read by cfitsio: the keywords that the OGIP memos demand, and the arithmetic of spectrum and response.

use std::process::Output;

use crate::program::{B1509, eagleray};
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
            assert!((rate[i] - power[i] * df[i]).abs() <= 1e-7 * rate[i].abs(), "{i}");
            assert!((stat_err[i] - err[i] * df[i]).abs() <= 1e-7 * stat_err[i], "{i}");
            // The edges have 24 bits.
            assert!((folded[i] / rate[i] - 1.0).abs() <= 2e-7 * freq[i] / df[i] + 2e-7, "{i}");
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
