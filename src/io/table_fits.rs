//! Tables as FITS binary tables.
#![expect(clippy::indexing_slicing, reason = "the columns of a product are of one length")]

use std::io::{Cursor, Seek, Write};

use serde_json::Value as Json;

use super::fits_writer::{FitsWriter, WrittenColumn};
use crate::base::error::{Error, Result};
use crate::data::header::{CardValue, HeaderCards, is_keyword};
use crate::data::table::{Column, Table, Values};

/// A FITS file of one table; scalars of the metadata are keywords, and all of it is in [`metadata`].
pub(super) fn encode(product: &Table) -> Result<Vec<u8>> {
    write(product).map(Cursor::into_inner).map_err(|e| Error::io("(FITS product)", e))
}

fn write(product: &Table) -> std::io::Result<Cursor<Vec<u8>>> {
    let mut writer = FitsWriter::new(Cursor::new(Vec::new()), &HeaderCards::new())?;
    table(&mut writer, product.name, &product.columns, &cards(&product.meta)?)?;
    metadata(&mut writer, &product.meta)?;
    writer.finish()
}

/// A binary table of columns of one length.
pub(super) fn table<W: Write + Seek>(
    writer: &mut FitsWriter<W>,
    name: &str,
    columns: &[Column],
    cards: &HeaderCards,
) -> std::io::Result<()> {
    let forms: Vec<WrittenColumn> = columns
        .iter()
        .map(|c| {
            let form = match c.values {
                Values::Real(_) => "D",
                Values::Count(_) => "K",
                Values::Complex(..) => "M",
            };
            WrittenColumn::new(c.name, form, &c.unit)
        })
        .collect();
    writer.table(name, &forms, cards)?;
    let mut row = Vec::with_capacity(8 * columns.len());
    for i in 0..columns.first().map_or(0, |c| c.values.len()) {
        row.clear();
        for column in columns {
            match &column.values {
                Values::Real(v) => row.extend(v[i].to_be_bytes()),
                Values::Count(v) => row.extend(v[i].to_be_bytes()),
                Values::Complex(re, im) => [re[i], im[i]].iter().for_each(|x| row.extend(x.to_be_bytes())),
            }
        }
        writer.rows(&row)?;
    }
    Ok(())
}

/// The extension METADATA: one row, whose column JSON has all metadata under their own names, exactly. Keywords cannot: they
/// have eight characters, one value, and in an OGIP file at times another meaning (`EXPOSURE` of a spectrum for XSPEC).
pub(super) fn metadata<W: Write + Seek>(writer: &mut FitsWriter<W>, meta: &Json) -> std::io::Result<()> {
    // Strings in a table are ASCII; JSON can escape what is not.
    let mut text = String::new();
    for unit in meta.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => text.push(char::from(byte)),
            _ => text += &format!("\\u{unit:04x}"),
        }
    }
    let mut header = HeaderCards::new();
    header.push("CONTENT", "METADATA", "all metadata of the product as one JSON object")?;
    writer.table("METADATA", &[WrittenColumn::new("JSON", &format!("{}A", text.len()), "")], &header)?;
    writer.rows(text.as_bytes())
}

/// Keywords for scalars: names that are keywords, and longer ones shortened as listed; others are in [`metadata`] alone.
pub(super) fn cards(meta: &Json) -> std::io::Result<HeaderCards> {
    let mut header = HeaderCards::new();
    let Json::Object(meta) = meta else { return Ok(header) };
    for (name, value) in meta {
        let keyword = match name.as_str() {
            "segment_size" => "SEGSIZE",
            "skipped_segments" => "NSKIPPED",
            "barycentred" => "BARYCENT",
            "noise_mean" => "NOISE",
            "noise1_mean" => "NOISE1",
            "noise2_mean" => "NOISE2",
            "noise_mean_err" => "NOISEERR",
            "countrate1" => "CRATE1",
            "countrate2" => "CRATE2",
            "background1" => "BACKGR1",
            "background2" => "BACKGR2",
            "variance1" => "VARIANC1",
            "variance2" => "VARIANC2",
            "power_type" => "POWTYPE",
            "err_dist" => "ERRDIST",
            "use_common_mean" => "COMMEAN",
            "exposure_total" => "EXPOSURE",
            "noise_subtracted" => "NOISESUB",
            "dead_time" => "DEADTIME",
            "dead_time_err" => "DEADTERR",
            "dead_time_model" => "DEADTMOD",
            "dead_time_rate" => "DEADTRAT",
            "dead_time_rms_factor" => "DEADTRMS",
            "rms_upper_limit" => "RMSUPLIM",
            "rms_variance" => "RMSVAR",
            "rms_variance_err" => "RMSVARER",
            "interval_confidence" => "INTCONF",
            "pulsed_freq" => "PULSFREQ",
            "pulsed_leahy_power" => "PULSPOW",
            "pulsed_log10_p" => "PULSLOGP",
            "pulsed_trials" => "PULSTRIA",
            "pulsed_upper_limit" => "PULSUPLI",
            "pulsed_binning_loss" => "PULSLOSS",
            "pulsed_corrections" => "PULSCORR",
            "pulsed_fraction" => "PULSFRAC",
            "pulsed_fraction_lo" => "PULSFRLO",
            "pulsed_fraction_hi" => "PULSFRHI",
            "algorithm" => "ALGORITH",
            "oversample" => "OVERSAMP",
            "independent_frequencies" => "NFREQIND",
            "epoch_mjd" => "EPOCHMJD",
            "detection_probability" => "DETPROB",
            "detection_level" => "DETLEVEL",
            "detection_log10_p" => "DETLOGP",
            "background" => "BACKGRND",
            "z2_log10_p" => "Z2LOGP",
            "h_harmonics" => "HNHARM",
            "h_log10_p" => "HLOGP",
            "h_plain_harmonics" => "HPLAINNH",
            "chi2_log10_p" => "CHI2LOGP",
            "subject_inside_reference" => "INSIDE",
            "reference_inside_subject" => "REFINSID",
            "fad_delta" => "FADDELTA",
            "channels" => "BYCHANNL",
            "precision" => "PRECISN",
            "eagleray_version" => "CREATOR",
            short if is_keyword(&short.to_ascii_uppercase()) => short,
            // It is in METADATA.
            _ => continue,
        }
        .to_ascii_uppercase();
        let value: CardValue = match value {
            Json::Bool(b) => (*b).into(),
            Json::Number(x) if x.is_f64() => x.as_f64().unwrap_or(0.0).into(),
            Json::Number(x) => x.as_i64().unwrap_or(i64::MAX).into(),
            Json::String(text) if keyword == "CREATOR" => format!("eagleray {text}").as_str().into(),
            Json::String(text) => text.as_str().into(),
            Json::Null | Json::Array(_) | Json::Object(_) => continue,
        };
        header.push(&keyword, value, "")?;
    }
    Ok(header)
}
