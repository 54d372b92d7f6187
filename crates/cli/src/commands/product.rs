//! `eagleray rebin`, `norm`, `plot` and `join`: products read back, and what can be made of them. What made them travels along.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use crate::arguments::choice::choice;
use crate::arguments::output::{Delivery, OutputArgs};
use crate::number::positive;
use crate::pictures::Drawn;
use eagleray::data::Histogram;
use eagleray::data::columns::{HISTOGRAM, LIGHT_CURVE};
use eagleray::data::product::ProductKind;
use eagleray::internal::engine::pulsation::columns::{PULSE_PROFILE, SEARCH};
use eagleray::internal::io::product_name;
use eagleray::pulsation::{PulseProfile, SearchResult};
use eagleray::science::bispectrum::Bispectrum;
use eagleray::science::columns::{
    BISPECTRUM, CROSS_POWERS, CROSS_SPECTRUM, CUMULANT_BISPECTRUM, DYNAMICAL_CROSS, DYNAMICAL_POWER, ENERGY_SPECTRUM,
    FAD_SPECTRUM, POWER_SPECTRUM,
};
use eagleray::science::cross_powers::CrossPowers;
use eagleray::science::cumulant::CumulantBispectrum;
use eagleray::science::{
    AveragedCrossSpectrum, AveragedPowerSpectrum, DynamicalCrossSpectrum, DynamicalPowerSpectrum, EnergySpectrum,
    FadSpectrum,
};
use eagleray::{Error, LightCurve, Norm, Rebin, Result};

/// A power or cross spectrum, or a light curve, read back and rebinned
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bins").args(["rebin", "rebin_log"]).required(true))]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray rebin pds.ecsv --rebin-log 0.03 -o rebinned.ecsv"
)]
pub struct RebinArgs {
    /// Power spectrum, cross spectrum or light curve, as a command wrote it: .ecsv, .csv, .json or .fits
    product: PathBuf,
    /// Combine every K frequencies, or bins of time
    #[arg(long, value_name = "K", conflicts_with = "rebin_log")]
    rebin: Option<usize>,
    /// Combine frequencies to bins that are each 1 + F times as wide as the one before
    #[arg(long, value_name = "F", value_parser = positive)]
    rebin_log: Option<f64>,
    #[command(flatten)]
    out: OutputArgs,
}

/// A power or cross spectrum read back and brought to another normalisation
#[derive(Args, Debug)]
#[command(after_help = "Example: eagleray norm pds.ecsv --norm frac -o frac.ecsv")]
pub struct NormArgs {
    /// Power or cross spectrum, as a command wrote it: .ecsv, .csv, .json or .fits
    product: PathBuf,
    /// The normalisation wanted
    #[arg(long, value_parser = choice::<Norm>())]
    norm: Norm,
    #[command(flatten)]
    out: OutputArgs,
}

/// A product read back and drawn
#[derive(Args, Debug)]
#[command(after_help = "Example: eagleray plot pds.ecsv --plot pds.svg")]
pub struct PlotArgs {
    /// Any product that a command wrote: spectrum, light curve, histogram, bispectrum, pulse profile or search: .ecsv, .csv, .json or .fits
    product: PathBuf,
    #[command(flatten)]
    out: OutputArgs,
}

/// Power spectra read back and averaged, or light curves put together
#[derive(Args, Debug)]
#[command(after_help = "Example: eagleray join a.ecsv b.ecsv -o both.ecsv")]
pub struct JoinArgs {
    /// Power spectra, or cross spectra, of the same segments and bins, to be averaged; or light curves of the same bins, to be put together
    #[arg(required = true, num_args = 2..)]
    products: Vec<PathBuf>,
    /// Allow products of several missions, instruments, time systems (of spectra) or selections of energies
    #[arg(long)]
    mixed: bool,
    #[command(flatten)]
    out: OutputArgs,
}

/// A product that was read: of a kind that is rebinned, normalised or joined, or one that is drawn alone.
enum ReadProduct {
    Power(AveragedPowerSpectrum),
    Cross(AveragedCrossSpectrum),
    LightCurve(LightCurve),
    Drawn(Box<dyn Drawn>),
}

/// Reads a product of one kind.
type Reader = fn(&Path) -> Result<ReadProduct>;

/// The kinds of products that are read, and how.
const READERS: &[(&ProductKind, Reader)] = &[
    (&POWER_SPECTRUM, |path| Ok(ReadProduct::Power(AveragedPowerSpectrum::read(path)?))),
    (&CROSS_SPECTRUM, |path| Ok(ReadProduct::Cross(AveragedCrossSpectrum::read(path)?))),
    (&LIGHT_CURVE, |path| Ok(ReadProduct::LightCurve(LightCurve::read(path)?))),
    (&HISTOGRAM, |path| drawn(Histogram::read(path)?)),
    (&ENERGY_SPECTRUM, |path| drawn(EnergySpectrum::read(path)?)),
    (&FAD_SPECTRUM, |path| drawn(FadSpectrum::read(path)?)),
    (&CROSS_POWERS, |path| drawn(CrossPowers::read(path)?)),
    (&DYNAMICAL_POWER, |path| drawn(DynamicalPowerSpectrum::read(path)?)),
    (&DYNAMICAL_CROSS, |path| drawn(DynamicalCrossSpectrum::read(path)?)),
    (&BISPECTRUM, |path| drawn(Bispectrum::read(path)?)),
    (&CUMULANT_BISPECTRUM, |path| drawn(CumulantBispectrum::read(path)?)),
    (&PULSE_PROFILE, |path| drawn(PulseProfile::read(path)?)),
    (&SEARCH, |path| drawn(SearchResult::read(path)?)),
];

fn drawn(product: impl Drawn + 'static) -> Result<ReadProduct> {
    Ok(ReadProduct::Drawn(Box::new(product)))
}

impl ReadProduct {
    fn read(path: &Path) -> Result<ReadProduct> {
        let Some(name) = product_name(path)? else {
            let message = "is no product of this program (0.2.0 or later): it has no metadata with `product`";
            return Err(Error::argument("product", path.display(), message));
        };
        let Some((_, read)) = READERS.iter().find(|(kind, _)| kind.name == name) else {
            let message = format!("holds a {name}, which this command does not take");
            return Err(Error::argument("product", path.display(), message));
        };
        read(path)
    }

    fn product(&self) -> &dyn Drawn {
        match self {
            ReadProduct::Power(product) => product,
            ReadProduct::Cross(product) => product,
            ReadProduct::LightCurve(product) => product,
            ReadProduct::Drawn(product) => &**product,
        }
    }

    /// Table, picture and summary, as asked for.
    fn deliver(&self, out: &OutputArgs) -> Result<()> {
        let product = self.product();
        let table = product.table();
        let text = || {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            format!("{}: {} rows of {}\n", product.kind().name, table.rows(), names.join(", "))
        };
        let write = |path: &str| product.write(path, out.overwrite);
        let draw = |path: &str| product.draw(path, out.overwrite);
        out.deliver(&Delivery { write: &write, draw: &draw, json: &|| table.meta.clone(), text: &text }, &[])
    }
}

fn cannot(path: &Path, product: &ReadProduct, what: &str) -> Error {
    let message = format!("holds a {}, which {what}", product.product().kind().name);
    Error::argument("product", path.display(), message)
}

/// Runs `rebin`.
///
/// # Errors
/// A product that is not rebinned; everything that the library refuses.
pub fn rebin(args: RebinArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let rebin = match (args.rebin, args.rebin_log) {
        (Some(by), _) => Rebin::Linear(by),
        (None, growth) => Rebin::Geometric(growth.unwrap_or(0.0)),
    };
    let made = match (ReadProduct::read(&args.product)?, args.rebin) {
        (ReadProduct::Power(spectrum), _) => ReadProduct::Power(spectrum.rebin(rebin)?),
        (ReadProduct::Cross(spectrum), _) => ReadProduct::Cross(spectrum.rebin(rebin)?),
        (ReadProduct::LightCurve(curve), Some(by)) => ReadProduct::LightCurve(curve.rebin(by as u64)?),
        (other, _) => return Err(cannot(&args.product, &other, "is not rebinned like that")),
    };
    made.deliver(&args.out)
}

/// Runs `norm`.
///
/// # Errors
/// A product that has no normalisation; everything that the library refuses.
pub fn norm(args: NormArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let made = match ReadProduct::read(&args.product)? {
        ReadProduct::Power(spectrum) => ReadProduct::Power(spectrum.to_norm(args.norm)?),
        ReadProduct::Cross(spectrum) => ReadProduct::Cross(spectrum.to_norm(args.norm)?),
        other => return Err(cannot(&args.product, &other, "has no powers to normalise")),
    };
    made.deliver(&args.out)
}

/// Runs `plot`.
///
/// # Errors
/// There is no picture to draw; everything that the library refuses.
pub fn plot(args: PlotArgs) -> Result<()> {
    if args.out.plot.is_none() {
        return Err(Error::argument("plot", "", "the picture needs a name, .svg or .png"));
    }
    args.out.check(&[], &[])?;
    ReadProduct::read(&args.product)?.deliver(&args.out)
}

/// Runs `join`.
///
/// # Errors
/// Products of several kinds, or of one that is not joined; everything that the library refuses.
pub fn join(args: JoinArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let (mut spectra, mut cross, mut curves) = (Vec::new(), Vec::new(), Vec::new());
    for path in &args.products {
        match ReadProduct::read(path)? {
            ReadProduct::Power(spectrum) if curves.is_empty() && cross.is_empty() => spectra.push(spectrum),
            ReadProduct::Cross(spectrum) if curves.is_empty() && spectra.is_empty() => cross.push(spectrum),
            ReadProduct::LightCurve(curve) if spectra.is_empty() && cross.is_empty() => curves.push(curve),
            other => return Err(cannot(path, &other, "is not joined, or not with the products before it")),
        }
    }
    let made = match (spectra.is_empty(), cross.is_empty(), args.mixed) {
        (false, _, false) => ReadProduct::Power(AveragedPowerSpectrum::join(&spectra)?),
        (false, _, true) => ReadProduct::Power(AveragedPowerSpectrum::join_mixed(&spectra)?),
        (true, false, false) => ReadProduct::Cross(AveragedCrossSpectrum::join(&cross)?),
        (true, false, true) => ReadProduct::Cross(AveragedCrossSpectrum::join_mixed(&cross)?),
        (true, true, false) => ReadProduct::LightCurve(LightCurve::join(&curves)?),
        (true, true, true) => ReadProduct::LightCurve(LightCurve::join_mixed(&curves)?),
    };
    made.deliver(&args.out)
}
