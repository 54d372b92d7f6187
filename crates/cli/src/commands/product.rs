//! `eagleray rebin`, `norm`, `plot` and `join`: products read back, and what can be made of them. What made them travels along.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use crate::arguments::choice::choice;
use crate::arguments::output::{Delivery, OutputArgs};
use crate::number::positive;
use crate::pictures;
use eagleray::data::Product;
use eagleray::data::columns::LIGHT_CURVE;
use eagleray::internal::engine::pulsation::columns::{PULSE_PROFILE, SEARCH};
use eagleray::internal::io::product_name;
use eagleray::pulsation::{PulseProfile, SearchResult};
use eagleray::science::columns::{CROSS_SPECTRUM, ENERGY_SPECTRUM, POWER_SPECTRUM};
use eagleray::science::{AveragedCrossSpectrum, AveragedPowerSpectrum, EnergySpectrum};
use eagleray::{Error, LightCurve, Norm, Rebin, Result};

/// Options of `rebin`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bins").args(["rebin", "rebin_log"]).required(true))]
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

/// Options of `norm`.
#[derive(Args, Debug)]
pub struct NormArgs {
    /// Power or cross spectrum, as a command wrote it: .ecsv, .csv, .json or .fits
    product: PathBuf,
    /// The normalisation wanted
    #[arg(long, value_parser = choice::<Norm>())]
    norm: Norm,
    #[command(flatten)]
    out: OutputArgs,
}

/// Options of `plot`.
#[derive(Args, Debug)]
pub struct PlotArgs {
    /// Power, cross or energy spectrum, light curve, pulse profile or search, as a command wrote it: .ecsv, .csv, .json or .fits
    product: PathBuf,
    #[command(flatten)]
    out: OutputArgs,
}

/// Options of `join`.
#[derive(Args, Debug)]
pub struct JoinArgs {
    /// Power spectra, or cross spectra, of the same segments and bins, to be averaged; or light curves of the same bins, to be put together
    #[arg(required = true, num_args = 2..)]
    products: Vec<PathBuf>,
    /// Allow products of several missions or instruments
    #[arg(long)]
    mixed: bool,
    #[command(flatten)]
    out: OutputArgs,
}

/// A product that was read.
enum AnyProduct {
    Power(AveragedPowerSpectrum),
    Cross(AveragedCrossSpectrum),
    Energy(EnergySpectrum),
    LightCurve(LightCurve),
    Profile(Box<PulseProfile>),
    Search(Box<SearchResult>),
}

impl AnyProduct {
    fn read(path: &Path) -> Result<AnyProduct> {
        let Some(name) = product_name(path)? else {
            let message = "is no product of this program (0.2.0 or later): it has no metadata with `product`";
            return Err(Error::argument("product", path.display(), message));
        };
        Ok(match name.as_str() {
            name if name == POWER_SPECTRUM.name => AnyProduct::Power(AveragedPowerSpectrum::read(path)?),
            name if name == CROSS_SPECTRUM.name => AnyProduct::Cross(AveragedCrossSpectrum::read(path)?),
            name if name == ENERGY_SPECTRUM.name => AnyProduct::Energy(EnergySpectrum::read(path)?),
            name if name == LIGHT_CURVE.name => AnyProduct::LightCurve(LightCurve::read(path)?),
            name if name == PULSE_PROFILE.name => AnyProduct::Profile(Box::new(PulseProfile::read(path)?)),
            name if name == SEARCH.name => AnyProduct::Search(Box::new(SearchResult::read(path)?)),
            name => {
                return Err(Error::argument(
                    "product",
                    path.display(),
                    format!("holds a {name}, which this command does not take"),
                ));
            }
        })
    }

    fn product(&self) -> &dyn Product {
        match self {
            AnyProduct::Power(product) => product,
            AnyProduct::Cross(product) => product,
            AnyProduct::Energy(product) => product,
            AnyProduct::LightCurve(product) => product,
            AnyProduct::Profile(product) => &**product,
            AnyProduct::Search(product) => &**product,
        }
    }

    fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        match self {
            AnyProduct::LightCurve(curve) => curve.write(path, overwrite),
            other => other.product().table().write(path, overwrite),
        }
    }

    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        use pictures::axes::{PlotY, Style};
        use pictures::cross::{LagKind, PowerType};
        match self {
            AnyProduct::Power(spectrum) => {
                let style = Style { y: PlotY::Power, harmonics: None, detection: None };
                pictures::axes::power_spectrum(spectrum, style, path, overwrite)
            }
            AnyProduct::Cross(spectrum) => {
                pictures::cross::cross_spectrum(spectrum, PowerType::Absolute, LagKind::Phase, path, overwrite)
            }
            AnyProduct::Energy(spectrum) => pictures::energy::energy_spectrum(spectrum, path, overwrite),
            AnyProduct::LightCurve(curve) => pictures::light_curve::light_curve(curve, path, overwrite),
            AnyProduct::Profile(profile) => pictures::pulsation::profile(profile, path, overwrite),
            AnyProduct::Search(found) => pictures::pulsation::search(found, path, overwrite),
        }
    }

    /// Table, picture and summary, as asked for.
    fn deliver(&self, out: &OutputArgs) -> Result<()> {
        let table = self.product().table();
        let text = || {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            format!("{}: {} rows of {}\n", self.product().kind().name, table.rows(), names.join(", "))
        };
        let (write, draw) = (|path: &str| self.write(path, out.overwrite), |path: &str| self.draw(path, out.overwrite));
        out.deliver(&Delivery { write: &write, draw: &draw, json: &|| table.meta.clone(), text: &text }, &[])
    }
}

fn cannot(path: &Path, product: &AnyProduct, what: &str) -> Error {
    let message = format!("holds a {}, which {what}", product.product().kind().name);
    Error::argument("product", path.display(), message)
}

/// Runs `rebin`.
///
/// # Errors
/// A product that is not rebinned; everything that the library refuses.
pub fn rebin(args: &RebinArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let rebin = match (args.rebin, args.rebin_log) {
        (Some(by), _) => Rebin::Linear(by),
        (None, growth) => Rebin::Geometric(growth.unwrap_or(0.0)),
    };
    let made = match (AnyProduct::read(&args.product)?, args.rebin) {
        (AnyProduct::Power(spectrum), _) => AnyProduct::Power(spectrum.rebin(rebin)?),
        (AnyProduct::Cross(spectrum), _) => AnyProduct::Cross(spectrum.rebin(rebin)?),
        (AnyProduct::LightCurve(curve), Some(by)) => AnyProduct::LightCurve(curve.rebin(by as u64)?),
        (other, _) => return Err(cannot(&args.product, &other, "is not rebinned like that")),
    };
    made.deliver(&args.out)
}

/// Runs `norm`.
///
/// # Errors
/// A product that has no normalisation; everything that the library refuses.
pub fn norm(args: &NormArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let made = match AnyProduct::read(&args.product)? {
        AnyProduct::Power(spectrum) => AnyProduct::Power(spectrum.to_norm(args.norm)?),
        AnyProduct::Cross(spectrum) => AnyProduct::Cross(spectrum.to_norm(args.norm)?),
        other => return Err(cannot(&args.product, &other, "has no powers to normalise")),
    };
    made.deliver(&args.out)
}

/// Runs `plot`.
///
/// # Errors
/// There is no picture to draw; everything that the library refuses.
pub fn plot(args: &PlotArgs) -> Result<()> {
    if args.out.plot.is_none() {
        return Err(Error::argument("plot", "", "the picture needs a name, .svg or .png"));
    }
    args.out.check(&[], &[])?;
    AnyProduct::read(&args.product)?.deliver(&args.out)
}

/// Runs `join`.
///
/// # Errors
/// Products of several kinds, or of one that is not joined; everything that the library refuses.
pub fn join(args: &JoinArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let (mut spectra, mut cross, mut curves) = (Vec::new(), Vec::new(), Vec::new());
    for path in &args.products {
        match AnyProduct::read(path)? {
            AnyProduct::Power(spectrum) if curves.is_empty() && cross.is_empty() => spectra.push(spectrum),
            AnyProduct::Cross(spectrum) if curves.is_empty() && spectra.is_empty() => cross.push(spectrum),
            AnyProduct::LightCurve(curve) if spectra.is_empty() && cross.is_empty() => curves.push(curve),
            other => return Err(cannot(path, &other, "is not joined, or not with the products before it")),
        }
    }
    let made = match (spectra.is_empty(), cross.is_empty(), args.mixed) {
        (false, _, false) => AnyProduct::Power(AveragedPowerSpectrum::join(&spectra)?),
        (false, _, true) => AnyProduct::Power(AveragedPowerSpectrum::join_mixed(&spectra)?),
        (true, false, false) => AnyProduct::Cross(AveragedCrossSpectrum::join(&cross)?),
        (true, false, true) => AnyProduct::Cross(AveragedCrossSpectrum::join_mixed(&cross)?),
        (true, true, false) => AnyProduct::LightCurve(LightCurve::join(&curves)?),
        (true, true, true) => AnyProduct::LightCurve(LightCurve::join_mixed(&curves)?),
    };
    made.deliver(&args.out)
}
