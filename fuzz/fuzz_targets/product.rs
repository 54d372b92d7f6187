//! Products read back, from FITS, JSON, ECSV and CSV: what can be read is written and read again as it was, rebinned, normalised and
//! joined, or an error.
#![no_main]
use std::path::Path;

use eagleray::data::Product;
use eagleray::files::TableFormat;
use eagleray::internal::io::product_name;
use eagleray::pulsation::{PulseProfile, SearchResult};
use eagleray::science::{
    AveragedCrossSpectrum, AveragedPowerSpectrum, DynamicalCrossSpectrum, DynamicalPowerSpectrum, EnergySpectrum,
};
use eagleray::{LightCurve, Norm, Rebin, Result};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::product(data, size, max_size, seed)
});

/// Written in every format and read again, the table is as it was.
fn round<P: Product>(product: &P, read: impl Fn(&Path) -> Result<P>) {
    let text = |product: &P| product.table().encode(TableFormat::Ecsv).expect("memory");
    for format in [TableFormat::Ecsv, TableFormat::Csv, TableFormat::Json, TableFormat::Fits] {
        let path = eagleray_fuzz::written(&product.table().encode(format).expect("memory"));
        let again = read(&path).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        // JSON has no infinities.
        if format != TableFormat::Json {
            assert_eq!(String::from_utf8_lossy(&text(&again)), String::from_utf8_lossy(&text(product)), "{format:?}");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = eagleray_fuzz::drawn(data) else { return };
    let bytes = if how & 128 == 0 && !eagleray_fuzz::looks_like_fits(&data[1..]) { data[1..].to_vec() } else { bytes };
    let path = eagleray_fuzz::written(&bytes);
    let Ok(Some(_)) = product_name(&path) else { return };
    let rebin =
        if how & 1 == 0 { Rebin::Linear(usize::from(how % 8)) } else { Rebin::Geometric(f64::from(how) / 64.0) };
    let norm = [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None][usize::from(how / 8 % 4)];
    if let Ok(one) = AveragedPowerSpectrum::read(&path) {
        round(&one, |path: &Path| AveragedPowerSpectrum::read(path));
        let _ = (one.rebin(rebin), one.to_norm(norm), AveragedPowerSpectrum::join(&[one.clone(), one.clone()]));
        let _ = one.peak();
    } else if let Ok(one) = AveragedCrossSpectrum::read(&path) {
        round(&one, |path: &Path| AveragedCrossSpectrum::read(path));
        let _ = (one.rebin(rebin), one.to_norm(norm), AveragedCrossSpectrum::join(&[one.clone(), one]));
    } else if let Ok(one) = EnergySpectrum::read(&path) {
        round(&one, |path: &Path| EnergySpectrum::read(path));
    } else if let Ok(one) = LightCurve::read(&path) {
        let _ = (one.rebin(u64::from(how % 8)), LightCurve::join(&[one.clone(), one]));
    } else if let Ok(one) = PulseProfile::read(&path) {
        round(&one, |path: &Path| PulseProfile::read(path));
    } else if let Ok(one) = SearchResult::read(&path) {
        round(&one, |path: &Path| SearchResult::read(path));
    } else if let Ok(one) = DynamicalPowerSpectrum::read(&path) {
        let found = one.follow_maximum(f64::from(how), f64::from(how) + 8.0);
        let near: Vec<f64> = found.iter().flatten().map(|peak| peak.freq).collect();
        let _ = one.shift_and_add(&near, usize::from(how % 8));
    } else if let Ok(one) = DynamicalCrossSpectrum::read(&path) {
        let _ = (one.shift_and_add(&vec![f64::from(how); one.axes.time.len()], usize::from(how % 8)), one.lag_phase());
    }
});
