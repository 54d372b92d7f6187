//! Pictures of dynamical spectra: power, or the modulus of the cross spectrum, over time and frequency.

use clap::ValueEnum;

use super::Drawn;
use super::axes::title;
use super::matrix::{Axis, MatrixPicture, matrix};
use eagleray::Result;
use eagleray::science::dynamical::{Axes, RowPeak};
use eagleray::science::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, Norm};

/// Colours of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourScale {
    /// By the logarithm of the value.
    Log,
    /// By the value.
    Linear,
}

/// Draws powers, and a line along `trace`; colours by `None` are by the logarithm where no power is negative.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn dynamical_power(
    spectrum: &DynamicalPowerSpectrum,
    trace: &[RowPeak],
    scale: Option<ColourScale>,
    path: &str,
    overwrite: bool,
) -> Result<()> {
    let meta = &spectrum.meta;
    let title = title(&meta.record, meta.segments, meta.segment_size);
    let values = (spectrum.power.as_slice(), unit(meta.norm).to_string());
    picture(&spectrum.axes, title, values, trace, scale, path, overwrite)
}

/// Draws the modulus of a cross spectrum.
///
/// # Errors
/// As for [`dynamical_power`].
pub fn dynamical_cross(
    spectrum: &DynamicalCrossSpectrum,
    scale: Option<ColourScale>,
    path: &str,
    overwrite: bool,
) -> Result<()> {
    let meta = &spectrum.meta;
    let modulus: Vec<f64> = spectrum.power_re.iter().zip(&spectrum.power_im).map(|(re, im)| re.hypot(*im)).collect();
    let name = format!("modulus of the cross spectrum, {}", meta.norm);
    let title = title(&meta.record, meta.segments, meta.segment_size);
    picture(&spectrum.axes, title, (&modulus, name), &[], scale, path, overwrite)
}

impl Drawn for DynamicalPowerSpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        dynamical_power(self, &[], None, path, overwrite)
    }

    fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        self.write(path, overwrite)
    }
}

impl Drawn for DynamicalCrossSpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        dynamical_cross(self, None, path, overwrite)
    }

    fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        self.write(path, overwrite)
    }
}

/// Unit of power on a picture.
fn unit(norm: Norm) -> &'static str {
    match norm {
        Norm::Leahy => "Leahy power",
        Norm::Frac => "power ((rms/mean)²/Hz)",
        Norm::Abs => "power ((counts/s)²/Hz)",
        Norm::None => "power |F|²",
    }
}

/// Draws values with their name over time and frequency.
fn picture(
    axes: &Axes,
    title: String,
    (values, name): (&[f64], String),
    trace: &[RowPeak],
    scale: Option<ColourScale>,
    path: &str,
    overwrite: bool,
) -> Result<()> {
    let zero = axes.start.first().copied().unwrap_or(0.0);
    let edges = |(f, df): (&f64, &f64)| (f - df / 2.0, f + df / 2.0);
    let frequencies: Vec<(f64, f64)> = axes.freq.iter().zip(&axes.width).map(edges).collect();
    // Widths that grow want an axis on which they are alike, and two decades one that does not show the highest alone.
    let widths = axes.width.first().zip(axes.width.iter().rev().nth(1));
    let growing = widths.is_some_and(|(first, last)| last > first);
    let wide = axes.freq.first().zip(axes.freq.last()).is_some_and(|(first, last)| *last >= 100.0 * first);
    let picture = MatrixPicture {
        title,
        x: Axis {
            name: format!("time (s) since {zero} s"),
            edges: axes.start.iter().zip(&axes.stop).map(|(a, b)| (a - zero, b - zero)).collect(),
            log: false,
        },
        y: Axis { name: "frequency (Hz)".into(), edges: frequencies, log: wide || growing },
        values,
        name,
        log: scale.map_or_else(|| values.iter().all(|p| *p >= 0.0), |scale| scale == ColourScale::Log),
        trace: trace.iter().map(|peak| (peak.time - zero, peak.freq)).collect(),
    };
    matrix(&picture, path, overwrite)
}
