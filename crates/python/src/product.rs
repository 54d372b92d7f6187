//! Products: their columns as arrays that share the memory of the product, their metadata, files and methods.

use std::any::Any;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use eagleray::data::Histogram;
use eagleray::data::product::{ColumnKind, ColumnUnit, ProductKind};
use eagleray::data::table::Values;
use eagleray::files::TableFormat;
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
    FadSpectrum, Norm,
};
use eagleray::{Error, LightCurve};
use numpy::ndarray::ArrayView1;
use numpy::{Element, IntoPyArray, PyArray1};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert::{Named, rebinning};
use crate::errors::exception;

/// A product of any kind.
pub trait Held: eagleray::Product + Any + Send + Sync {
    /// The name of its class in Python.
    fn class(&self) -> &'static str;
    /// Writes it in the format that the name asks for.
    fn save(&self, path: &std::path::Path, overwrite: bool) -> eagleray::Result<()>;
    /// Itself, to be told from others.
    fn any(&self) -> &dyn Any;
}

type Reader = fn(&std::path::Path) -> eagleray::Result<Product>;

macro_rules! products {
    ($($product:ident: $kind:expr;)+) => {
        $(impl Held for $product {
            fn class(&self) -> &'static str {
                stringify!($product)
            }
            fn save(&self, path: &std::path::Path, overwrite: bool) -> eagleray::Result<()> {
                self.write(path, overwrite)
            }
            fn any(&self) -> &dyn Any {
                self
            }
        })+

        /// The class of each kind of product, and how it is read.
        const KINDS: &[(&str, &ProductKind, Reader)] = &[
            $((stringify!($product), $kind, |path| $product::read(path).map(Product::new))),+
        ];
    };
}

products! {
    AveragedPowerSpectrum: &POWER_SPECTRUM;
    AveragedCrossSpectrum: &CROSS_SPECTRUM;
    CrossPowers: &CROSS_POWERS;
    FadSpectrum: &FAD_SPECTRUM;
    EnergySpectrum: &ENERGY_SPECTRUM;
    DynamicalPowerSpectrum: &DYNAMICAL_POWER;
    DynamicalCrossSpectrum: &DYNAMICAL_CROSS;
    Bispectrum: &BISPECTRUM;
    CumulantBispectrum: &CUMULANT_BISPECTRUM;
    LightCurve: &eagleray::data::columns::LIGHT_CURVE;
    Histogram: &eagleray::data::columns::HISTOGRAM;
    SearchResult: &eagleray::internal::engine::pulsation::columns::SEARCH;
    PulseProfile: &eagleray::internal::engine::pulsation::columns::PULSE_PROFILE;
}

/// A product, which never changes.
#[pyclass(frozen, module = "eagleray._eagleray")]
pub struct Product {
    held: Arc<dyn Held>,
}

impl Product {
    /// A product as Python has it.
    pub fn new(product: impl Held + 'static) -> Product {
        Product { held: Arc::new(product) }
    }

    /// The product, where it is of this type.
    pub fn get<P: 'static>(&self) -> Option<&P> {
        self.held.any().downcast_ref()
    }

    /// The product of a type that has some method.
    fn which<P: 'static>(&self, method: &str) -> PyResult<&P> {
        let message = || PyTypeError::new_err(format!("a {} has no {method}", self.held.kind().name));
        self.get().ok_or_else(message)
    }
}

/// An array that shares the memory of a product, and keeps it.
fn shared<'py, T: Element>(values: &[T], owner: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the values are a part of the product that `owner` holds; it is frozen, and the array keeps it alive.
    let array = unsafe { PyArray1::borrow_from_array(&ArrayView1::from(values), owner.clone()) };
    read_only(array.into_any())
}

/// An array that cannot be written to, as all of a product are.
fn read_only(array: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let write = PyDict::new(array.py());
    write.set_item("write", false)?;
    array.call_method("setflags", (), Some(&write))?;
    Ok(array)
}

#[pymethods]
impl Product {
    /// The name of the class of the product.
    #[getter]
    fn class_name(&self) -> &'static str {
        self.held.class()
    }

    /// The kind of the product, in words.
    #[getter]
    pub fn kind(&self) -> &'static str {
        self.held.kind().name
    }

    /// The metadata as JSON.
    fn metadata(&self) -> String {
        self.held.metadata().to_string()
    }

    /// The warnings of the run: code, message and how often.
    fn warnings(&self) -> Vec<(String, String, u64)> {
        let metadata = self.held.metadata();
        let listed = metadata["warnings"].as_array().into_iter().flatten();
        let text = |warning: &serde_json::Value, key: &str| warning[key].as_str().unwrap_or_default().to_string();
        listed.map(|w| (text(w, "code"), text(w, "message"), w["count"].as_u64().unwrap_or(1))).collect()
    }

    /// The names of the columns that the product has, with their units.
    fn columns(&self) -> Vec<(&'static str, String)> {
        let declared = self.held.kind().columns.iter();
        let unit = |column: &eagleray::data::product::ColumnDeclaration| match column.unit {
            ColumnUnit::Fixed(unit) => unit.to_string(),
            ColumnUnit::Power | ColumnUnit::Varies(_) => self.held.unit(column).to_string(),
        };
        declared.filter(|column| self.held.values(column.name).is_some()).map(|c| (c.name, unit(c))).collect()
    }

    /// A column: an array that shares the memory of the product, unless its values are complex or computed.
    fn column<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let owner = slf.as_any();
        match this.held.values(name) {
            None => Err(PyKeyError::new_err(name.to_string())),
            Some(Values::Real(Cow::Borrowed(values))) => shared(values, owner),
            Some(Values::Real(Cow::Owned(values))) => read_only(values.into_pyarray(py).into_any()),
            // Counts are below 2^63, and signed numbers can be subtracted.
            Some(Values::Count(Cow::Borrowed(values))) => shared(bytemuck::cast_slice::<u64, i64>(values), owner),
            Some(Values::Count(Cow::Owned(values))) => {
                read_only(values.into_iter().map(u64::cast_signed).collect::<Vec<_>>().into_pyarray(py).into_any())
            }
            Some(Values::Complex(re, im)) => {
                let values: Vec<_> = re.iter().zip(&*im).map(|(&re, &im)| numpy::Complex64::new(re, im)).collect();
                read_only(values.into_pyarray(py).into_any())
            }
            Some(_) => Err(PyTypeError::new_err(format!("column {name} has values of a new type"))),
        }
    }

    /// Times and frequencies of a dynamical spectrum.
    fn axes<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let this = slf.get();
        let axes = match (this.get::<DynamicalPowerSpectrum>(), this.get::<DynamicalCrossSpectrum>()) {
            (Some(spectrum), _) => &spectrum.axes,
            (_, Some(spectrum)) => &spectrum.axes,
            _ => return Err(PyTypeError::new_err(format!("a {} has no axes", this.kind()))),
        };
        Ok((shared(&axes.time, slf.as_any())?, shared(&axes.freq, slf.as_any())?))
    }

    /// Writes the product; the format is that of the name.
    fn write(&self, py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<()> {
        py.detach(|| self.held.save(&path, overwrite)).map_err(exception)
    }

    /// The product as a file of JSON.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let encoded = py.detach(|| self.held.table().encode(TableFormat::Json)).map_err(exception)?;
        Ok(PyBytes::new(py, &encoded))
    }

    /// The product with other bins.
    fn rebin(&self, rebin: Option<usize>, rebin_log: Option<f64>) -> PyResult<Product> {
        let bins = rebinning(rebin, rebin_log)?;
        if let Some(spectrum) = self.get::<AveragedPowerSpectrum>() {
            return spectrum.rebin(bins).map(Product::new).map_err(exception);
        }
        if let (Some(curve), Some(by)) = (self.get::<LightCurve>(), rebin) {
            return curve.rebin(by as u64).map(Product::new).map_err(exception);
        }
        self.which::<AveragedCrossSpectrum>("bins of that kind")?.rebin(bins).map(Product::new).map_err(exception)
    }

    /// The spectrum in another normalisation.
    fn to_norm(&self, norm: Named<Norm>) -> PyResult<Product> {
        if let Some(spectrum) = self.get::<AveragedPowerSpectrum>() {
            return spectrum.to_norm(norm.0).map(Product::new).map_err(exception);
        }
        self.which::<AveragedCrossSpectrum>("normalisation")?.to_norm(norm.0).map(Product::new).map_err(exception)
    }

    /// The fractional rms of a band of frequencies, as JSON.
    fn rms(&self, lo: f64, hi: f64) -> PyResult<String> {
        let found = self.which::<AveragedPowerSpectrum>("rms")?.rms(lo, hi).map_err(exception)?;
        Ok(serde_json::json!(found).to_string())
    }

    /// The limit of a pulsed fraction in a band of frequencies, as JSON.
    fn pulsation(&self, lo: f64, hi: f64, probability: f64) -> PyResult<String> {
        let spectrum = self.which::<AveragedPowerSpectrum>("limit of a pulsed fraction")?;
        let found = spectrum.pulsation(lo, hi, probability).map_err(exception)?;
        Ok(serde_json::json!(found).to_string())
    }

    /// The most significant powers, as JSON.
    fn significant(&self, count: usize) -> PyResult<String> {
        let found = self.which::<AveragedPowerSpectrum>("significant powers")?.significant(count);
        Ok(serde_json::json!(found).to_string())
    }

    /// The power that noise reaches in each bin with a probability, trials included.
    fn detection_level<'py>(&self, py: Python<'py>, probability: f64) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let spectrum = self.which::<AveragedPowerSpectrum>("detection level")?;
        let levels = spectrum.detection_levels(probability);
        let of = |i: usize| {
            let level = levels.iter().find(|level| level.m * level.k == spectrum.m[i]);
            level.map_or(f64::NAN, |level| spectrum.detection_power(level, i))
        };
        Ok((0..spectrum.len()).map(of).collect::<Vec<_>>().into_pyarray(py))
    }

    /// The lag of a band of frequencies, as JSON.
    fn lag(&self, lo: f64, hi: f64) -> PyResult<String> {
        let found = self.which::<AveragedCrossSpectrum>("lag")?.lag(lo, hi).map_err(exception)?;
        Ok(serde_json::json!(found).to_string())
    }

    /// The candidates and facts of a search, as JSON.
    fn summary(&self) -> PyResult<String> {
        Ok(self.which::<SearchResult>("candidates")?.summary().to_string())
    }
}

/// Reads a product that was written.
#[pyfunction]
pub fn read(py: Python<'_>, path: PathBuf) -> PyResult<Product> {
    let made = py.detach(|| {
        let Some(name) = eagleray::internal::io::product_name(&path)? else {
            let message =
                "this is no product of eagleray (0.2.0 or later); event files and light curves are what analyses take";
            return Err(Error::format(path.display(), "metadata without `product`", message));
        };
        let Some((_, _, read)) = KINDS.iter().find(|(_, kind, _)| kind.name == name) else {
            return Err(Error::format(path.display(), "product", format!("a {name} is not read")));
        };
        read(&path)
    });
    made.map_err(exception)
}

/// Power spectra, cross spectra or light curves as one.
#[pyfunction]
pub fn join(py: Python<'_>, parts: Vec<PyRef<'_, Product>>, mixed: bool) -> PyResult<Product> {
    fn all<P: Clone + 'static>(parts: &[PyRef<'_, Product>]) -> Option<Vec<P>> {
        parts.iter().map(|part| part.get::<P>().cloned()).collect()
    }
    if let Some(parts) = all::<AveragedPowerSpectrum>(&parts) {
        let join = if mixed { AveragedPowerSpectrum::join_mixed } else { AveragedPowerSpectrum::join };
        return py.detach(|| join(&parts)).map(Product::new).map_err(exception);
    }
    if let Some(parts) = all::<AveragedCrossSpectrum>(&parts) {
        let join = if mixed { AveragedCrossSpectrum::join_mixed } else { AveragedCrossSpectrum::join };
        return py.detach(|| join(&parts)).map(Product::new).map_err(exception);
    }
    let Some(parts) = all::<LightCurve>(&parts) else {
        let kinds: Vec<&str> = parts.iter().map(|part| part.kind()).collect();
        let message = "must be power spectra, cross spectra or light curves, all of one kind";
        return Err(exception(Error::argument("parts", kinds.join(", "), message)));
    };
    let join = if mixed { LightCurve::join_mixed } else { LightCurve::join };
    py.detach(|| join(&parts)).map(Product::new).map_err(exception)
}

/// All classes of products: their name, what they are, and their columns with kind, unit, meaning, formula and source, as JSON.
#[pyfunction]
pub fn kinds() -> String {
    let column = |c: &eagleray::data::product::ColumnDeclaration| {
        let unit = match c.unit {
            ColumnUnit::Fixed(unit) => unit.to_string(),
            ColumnUnit::Power => "that of powers in the normalisation".to_string(),
            ColumnUnit::Varies(by) => by.to_string(),
        };
        let kind = match c.kind {
            ColumnKind::Real => "float64",
            ColumnKind::Count => "int64",
            ColumnKind::Complex => "complex128",
        };
        serde_json::json!({
            "name": c.name, "kind": kind, "unit": unit, "meaning": c.meaning, "formula": c.formula, "source": c.source,
            "when": c.when,
        })
    };
    let of = |(class, kind, _): &(&str, &ProductKind, Reader)| {
        let columns: Vec<_> = kind.columns.iter().map(column).collect();
        serde_json::json!({ "class": class, "kind": kind.name, "meaning": kind.meaning, "columns": columns })
    };
    serde_json::Value::Array(KINDS.iter().map(of).collect()).to_string()
}
