//! Power spectra for XSPEC: a spectrum file (PHA, OGIP/92-007) and a diagonal response (RSP, CAL/GEN/92-002).
//!
//! XSPEC compares `RATE` of a channel with the integral of a model over the channel's energies, folded through the
//! response. With the frequency in Hz in the place of the energy in keV, a response of ones on the diagonal, and
//! `RATE = P·df`, `STAT_ERR = δP·df`, a model in XSPEC is a power density `P(f)`, additive components and all. `df` is the width
//! between the edges that the response has, which are in single precision.
//!
//! The errors `δP = P/√m` are those of the powers that were observed, so that low powers weigh more: a constant fitted by χ² is
//! `⟨1/P⟩/⟨1/P²⟩ = μ·(1 − 2/m)`, P having the law of μ·χ²/2m with 2m degrees of freedom. [`fit_bias`] says so.
#![expect(clippy::indexing_slicing, reason = "the columns of a spectrum are of one length")]

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use super::fits_writer::{FitsWriter, WrittenColumn};
use super::table_fits::{cards, metadata};
use super::table_write::{check_output, write_bytes};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;
use crate::data::header::HeaderCards;
use crate::data::product::Product;
use crate::science::AveragedPowerSpectrum;

/// Relative bias of fits that is not worth a warning.
const SMALL_BIAS: f64 = 0.01;

/// The two files that XSPEC needs to read a power spectrum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XspecFiles {
    /// The spectrum, `STEM.pha`.
    pub pha: PathBuf,
    /// The response, `STEM.rsp`, in the same folder.
    pub rsp: PathBuf,
}

impl XspecFiles {
    /// The files `STEM.pha` and `STEM.rsp`; a stem that ends in `.pha` is taken without it.
    pub fn from_stem(stem: &str) -> XspecFiles {
        let stem = stem.strip_suffix(".pha").unwrap_or(stem);
        XspecFiles { pha: format!("{stem}.pha").into(), rsp: format!("{stem}.rsp").into() }
    }

    /// Checks that [`XspecFiles::write`] could write, before a long run begins.
    ///
    /// # Errors
    /// The stem has no name, one of the files exists and `overwrite` is false, or their folder does not exist.
    pub fn check(&self, overwrite: bool) -> Result<()> {
        if self.pha.file_name().is_some_and(|name| name == "-.pha" || name == ".pha") {
            let message =
                "two files are written, FILE.pha and FILE.rsp, so standard output cannot hold them; give a name";
            return Err(Error::argument("stem", self.pha.with_extension("").display(), message));
        }
        check_output(&text(&self.pha), overwrite)?;
        check_output(&text(&self.rsp), overwrite)
    }

    /// Writes both files, the response first, so that a spectrum that exists has its response.
    ///
    /// # Errors
    /// See [`XspecFiles::check`]; frequencies that are equal in single precision, which the formats ask for.
    pub fn write(&self, spectrum: &AveragedPowerSpectrum, overwrite: bool) -> Result<()> {
        self.check(overwrite)?;
        let edges = edges(spectrum)?;
        let failed = |e| Error::io(&self.pha, e);
        let rsp = response(spectrum, &edges).map_err(failed)?;
        let pha = self.spectrum(spectrum, &edges).map_err(failed)?;
        write_bytes(&text(&self.rsp), overwrite, &rsp)?;
        write_bytes(&text(&self.pha), overwrite, &pha)
    }

    /// The PHA file: extension SPECTRUM with CHANNEL, RATE and STAT_ERR.
    fn spectrum(&self, s: &AveragedPowerSpectrum, edges: &[f32]) -> io::Result<Vec<u8>> {
        let rsp = self.rsp.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut header = common(
            s,
            &[("HDUCLAS1", "SPECTRUM"), ("HDUCLAS2", "TOTAL"), ("HDUCLAS3", "RATE"), ("HDUCLAS4", "TYPE:I")],
            "1.2.1",
        )?;
        header.push("EXPOSURE", 1.0, "[s] rates are P df, not counts in a time")?;
        header.push("AREASCAL", 1.0, "area scaling factor")?;
        header.push("BACKFILE", "none", "no background")?;
        header.push("BACKSCAL", 1.0, "background scaling factor")?;
        header.push("CORRFILE", "none", "no correction")?;
        header.push("CORRSCAL", 1.0, "correction scaling factor")?;
        header.push("RESPFILE", rsp.as_str(), "diagonal response: Hz for keV")?;
        header.push("ANCRFILE", "none", "no ancillary response")?;
        header.push("POISSERR", false, "errors are STAT_ERR")?;
        header.push("SYS_ERR", 0, "no systematic error")?;
        header.push("GROUPING", 0, "no grouping of channels")?;
        header.push("QUALITY", 0, "all channels are good")?;
        header.push("TLMIN1", 1, "first channel")?;
        header.push("TLMAX1", s.len() as i64, "last channel")?;
        let mut meta = serde_json::to_value(&s.meta).unwrap_or_default();
        if let Some(meta) = meta.as_object_mut() {
            ["telescop", "instrume", "exposure", "mjdref"].iter().for_each(|key| {
                meta.remove(*key);
            });
        }
        header.append(&cards(&meta)?);
        if let Some(m) = s.m.iter().min() {
            header.history(&bias_of(s.worth(*m)));
        }
        let columns = [
            WrittenColumn::new("CHANNEL", "J", ""),
            WrittenColumn::new("RATE", "E", "count/s"),
            WrittenColumn::new("STAT_ERR", "E", "count/s"),
        ];
        let mut writer = FitsWriter::new(Cursor::new(Vec::new()), &content("PHA SPECTRUM")?)?;
        writer.table("SPECTRUM", &columns, &header)?;
        for (i, edge) in edges.windows(2).enumerate() {
            let width = f64::from(edge[1]) - f64::from(edge[0]);
            let row = [
                (i as i32 + 1).to_be_bytes(),
                ((s.power[i] * width) as f32).to_be_bytes(),
                ((s.power_err[i] * width) as f32).to_be_bytes(),
            ];
            writer.rows(&row.concat())?;
        }
        metadata(&mut writer, &s.table().meta)?;
        writer.finish().map(Cursor::into_inner)
    }
}

/// What fits by χ² lose where `m` values are averaged.
fn bias_of(m: f64) -> String {
    let part = (2.0 / m.max(2.0)).min(1.0);
    format!(
        "powers fitted by chi-squared with errors P/sqrt(m) come out low by 2/m: {} % where m = {}",
        ShortNumber(100.0 * part),
        ShortNumber(m)
    )
}

/// A warning that χ² fits of this spectrum come out low by more than 1 %, as far as errors `P/√m` of few values go: `2/m` of the
/// power with its noise. It names the rebinning that avoids it.
pub fn fit_bias(spectrum: &AveragedPowerSpectrum) -> Option<Warning> {
    // The last bin may have what is left.
    let full = match &spectrum.m[..] {
        [rest @ .., last] if rest.last().is_some_and(|before| last < before) => rest,
        all => all,
    };
    let m = *full.iter().min()?;
    let enough = (2.0 / SMALL_BIAS).ceil();
    let m = spectrum.worth(m);
    let by = (enough / spectrum.meta.effective.m_eff.max(1.0)).ceil();
    let mend = [
        Mend::set("rebin", by).doing(format!("averages {enough} values or more in a bin")),
        Mend::field("segment_size").doing("shorter ones are more to average"),
    ];
    (m < enough).then(|| Warning::new("W-CHI2-BIAS", bias_of(m)).mended_by(mend))
}

/// The RSP file: extensions MATRIX (one group of one channel an energy) and EBOUNDS.
fn response(s: &AveragedPowerSpectrum, edges: &[f32]) -> io::Result<Vec<u8>> {
    let matrix = [
        WrittenColumn::new("ENERG_LO", "E", "keV"),
        WrittenColumn::new("ENERG_HI", "E", "keV"),
        WrittenColumn::new("N_GRP", "I", ""),
        WrittenColumn::new("F_CHAN", "J", ""),
        WrittenColumn::new("N_CHAN", "I", ""),
        WrittenColumn::new("MATRIX", "E", ""),
    ];
    let count = s.len() as i64;
    let mut header = common(s, &[("HDUCLAS1", "RESPONSE"), ("HDUCLAS2", "RSP_MATRIX"), ("HDUCLAS3", "FULL")], "1.3.0")?;
    header.push("TLMIN4", 1, "first channel")?;
    header.push("TLMAX4", count, "last channel")?;
    header.push("NUMGRP", count, "groups of channels")?;
    header.push("NUMELT", count, "elements of the matrix")?;
    header.push("LO_THRES", 0.0, "no element is left out for being small")?;
    let mut writer = FitsWriter::new(Cursor::new(Vec::new()), &content("RESPONSE")?)?;
    writer.table("MATRIX", &matrix, &header)?;
    for (pair, channel) in edges.windows(2).zip(1i32..) {
        let mut row = [pair[0].to_be_bytes(), pair[1].to_be_bytes()].concat();
        row.extend(1i16.to_be_bytes());
        row.extend(channel.to_be_bytes());
        row.extend(1i16.to_be_bytes());
        row.extend(1f32.to_be_bytes());
        writer.rows(&row)?;
    }
    let bounds = [
        WrittenColumn::new("CHANNEL", "J", ""),
        WrittenColumn::new("E_MIN", "E", "keV"),
        WrittenColumn::new("E_MAX", "E", "keV"),
    ];
    let mut header = common(s, &[("HDUCLAS1", "RESPONSE"), ("HDUCLAS2", "EBOUNDS")], "1.2.0")?;
    header.push("TLMIN1", 1, "first channel")?;
    header.push("TLMAX1", count, "last channel")?;
    writer.table("EBOUNDS", &bounds, &header)?;
    for (pair, channel) in edges.windows(2).zip(1i32..) {
        writer.rows(&[channel.to_be_bytes(), pair[0].to_be_bytes(), pair[1].to_be_bytes()].concat())?;
    }
    metadata(&mut writer, &s.table().meta)?;
    writer.finish().map(Cursor::into_inner)
}

/// The edges of the frequency bins, Hz: one more than there are bins, each shared by its neighbours.
fn edges(s: &AveragedPowerSpectrum) -> Result<Vec<f32>> {
    let lower = s.freq.first().zip(s.width.first()).map(|(f, df)| f - df / 2.0);
    let upper = s.freq.iter().zip(&s.width).map(|(f, df)| f + df / 2.0);
    let edges: Vec<f32> = lower.into_iter().chain(upper).map(|edge| edge as f32).collect();
    match edges.windows(2).position(|w| w[0] >= w[1]) {
        None => Ok(edges),
        Some(i) => {
            let message = format!(
                "bins of {} Hz at {} Hz are finer than a response file's single precision",
                s.width[i], s.freq[i]
            );
            let mend = [Mend::field("rebin"), Mend::field("rebin.Geometric")];
            Err(Error::argument("stem", "", message).mended_by(mend))
        }
    }
}

/// What every extension says.
fn common(s: &AveragedPowerSpectrum, classes: &[(&str, &str)], version: &str) -> io::Result<HeaderCards> {
    let known = |text: &str| if text.is_empty() { "UNKNOWN".to_string() } else { text.to_string() };
    let mut header = HeaderCards::new();
    header.push("HDUCLASS", "OGIP", "format conforms to OGIP standards")?;
    for (key, class) in classes {
        header.push(key, *class, "")?;
    }
    header.push("HDUVERS", version, "version of the format")?;
    header.push("TELESCOP", known(&s.meta.record.telescop).as_str(), "mission")?;
    header.push("INSTRUME", known(&s.meta.record.instrume).as_str(), "instrument")?;
    header.push("FILTER", "none", "filter")?;
    header.push("CHANTYPE", "PI", "channels are bins of frequency")?;
    header.push("DETCHANS", s.len() as i64, "channels")?;
    Ok(header)
}

fn content(what: &str) -> io::Result<HeaderCards> {
    let mut header = HeaderCards::new();
    header.push("CONTENT", what, "what the file holds")?;
    header.push("CREATOR", concat!("eagleray ", env!("CARGO_PKG_VERSION")), "")?;
    Ok(header)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
