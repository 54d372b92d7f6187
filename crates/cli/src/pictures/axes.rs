//! Pictures of products, SVG or PNG.

use std::path::Path;

use plotters::chart::MeshStyle;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::Drawn;
use eagleray::data::Record;
use eagleray::internal::io::fits_writer::write_file;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::{AveragedPowerSpectrum, Norm};
use eagleray::{Error, Result};

/// Size of a picture in pixels.
pub(super) const SIZE: (u32, u32) = (1000, 620);

/// So many marks of harmonics have a number beside them.
const NUMBERED: usize = 12;

/// Pixels right of the axes: half of the widest label, which may stand at their end.
pub(super) const RIGHT_MARGIN: u32 = 40;

/// What the vertical axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PlotY {
    /// Power.
    Power,
    /// Frequency times power.
    #[value(name = "fpower")]
    FrequencyTimesPower,
}

/// Refuses a name that is neither .svg nor .png.
///
/// # Errors
/// Another extension.
pub fn check_extension(path: &str) -> Result<bool> {
    match Path::new(path).extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Ok(true),
        Some("png") => Ok(false),
        _ => Err(Error::argument("plot", path, "the extension must be .svg or .png")),
    }
}

/// What can be drawn on any surface.
pub trait Picture {
    /// Draws everything.
    ///
    /// # Errors
    /// In words.
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static;
}

/// How a power spectrum is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The vertical axis.
    pub y: PlotY,
    /// Frequency, Hz, whose multiples are marked.
    pub harmonics: Option<f64>,
    /// False-alarm probability whose detection level is drawn.
    pub detection: Option<f64>,
}

struct SpectrumPicture<'a> {
    spectrum: &'a AveragedPowerSpectrum,
    style: Style,
}

impl Picture for SpectrumPicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        draw(area, self.spectrum, self.style)
    }
}

/// Draws a power spectrum with its noise level.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn power_spectrum(spectrum: &AveragedPowerSpectrum, style: Style, path: &str, overwrite: bool) -> Result<()> {
    save(&SpectrumPicture { spectrum, style }, path, overwrite)
}

impl Drawn for AveragedPowerSpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        let style = Style { y: PlotY::Power, harmonics: None, detection: None };
        power_spectrum(self, style, path, overwrite)
    }
}

/// Draws a picture into a file.
pub fn save(picture: &impl Picture, path: &str, overwrite: bool) -> Result<()> {
    let svg = check_extension(path)?;
    use_font();
    let failed = |e: String| Error::io(path, std::io::Error::other(e));
    let bytes = if svg {
        let mut text = String::new();
        picture.draw(SVGBackend::with_string(&mut text, SIZE).into_drawing_area()).map_err(failed)?;
        text.into_bytes()
    } else {
        let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
        picture.draw(BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area()).map_err(failed)?;
        png(&pixels).map_err(failed)?
    };
    let path = Path::new(path);
    write_file(path, overwrite, |out| std::io::Write::write_all(out, &bytes).map_err(|e| Error::io(path, e)))
}

/// Makes the font of all pictures known.
pub(crate) fn use_font() {
    // A font that fails to register was registered before.
    let _ = register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
}

fn png(pixels: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(pixels).map_err(|e| e.to_string())?;
    drop(writer);
    Ok(bytes)
}

/// What a picture is of, and how many segments it averages.
pub fn title(made: &Record, m: u64, segment_size: f64) -> String {
    let (telescope, instrument, object) = (&made.telescop, &made.instrume, &made.object);
    let name = format!("{telescope} {instrument} {object}: {} of {} s", count(m, "segment"), ShortNumber(segment_size));
    name.trim_start_matches([' ', ':']).into()
}

/// The axes of a picture, with their names, labels of a size, and a grid at the labels; it has to be drawn.
pub fn mesh<'a, 'b, B: DrawingBackend, X, Y>(
    chart: &'b mut ChartContext<'a, B, Cartesian2d<X, Y>>,
    x: &str,
    y: &str,
    size: i32,
) -> MeshStyle<'a, 'b, X, Y, B>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x).y_desc(y).label_style(("sans-serif", size)).axis_desc_style(("sans-serif", size + 2));
    mesh.x_label_formatter(&tick).y_label_formatter(&tick);
    mesh.light_line_style(TRANSPARENT).bold_line_style(RGBColor(215, 215, 215));
    mesh
}

/// One horizontal step: a frequency bin, or all bins that share a pixel, from the lowest to the highest value.
struct FrequencyStep {
    /// The first of its bins.
    bin: usize,
    from: f64,
    to: f64,
    low: f64,
    high: f64,
    error: f64,
}

fn steps(spectrum: &AveragedPowerSpectrum, y: PlotY) -> Vec<FrequencyStep> {
    let (Some(first), Some(last)) = (spectrum.freq.first(), spectrum.freq.last()) else { return Vec::new() };
    let pixels = f64::from(SIZE.0);
    let scale = pixels / (last / first).ln().max(1e-9);
    let mut steps: Vec<FrequencyStep> = Vec::new();
    let mut pixel = f64::NAN;
    for k in 0..spectrum.len() {
        let factor = if y == PlotY::Power { 1.0 } else { spectrum.freq[k] };
        let value = spectrum.power[k] * factor;
        if value <= 0.0 || !value.is_finite() {
            continue;
        }
        let half = spectrum.width[k] / 2.0;
        let (from, to) = (spectrum.freq[k] - half, spectrum.freq[k] + half);
        let here = ((spectrum.freq[k] / first).ln() * scale).floor();
        match steps.last_mut() {
            Some(step) if here == pixel => {
                step.to = to;
                step.low = step.low.min(value);
                step.high = step.high.max(value);
                step.error = 0.0;
            }
            _ => steps.push(FrequencyStep {
                bin: k,
                from,
                to,
                low: value,
                high: value,
                error: spectrum.power_err[k] * factor,
            }),
        }
        pixel = here;
    }
    steps
}

fn draw<B: DrawingBackend>(
    area: DrawingArea<B, plotters::coord::Shift>,
    s: &AveragedPowerSpectrum,
    style: Style,
) -> Result<(), String>
where
    B::ErrorType: 'static,
{
    let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
    area.fill(&WHITE).map_err(failed)?;
    let y = style.y;
    let steps = steps(s, y);
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        return Err("no positive power to draw on a logarithmic axis".into());
    };
    let low = steps.iter().map(|p| p.low).fold(f64::INFINITY, f64::min);
    let detection = detection(s, &steps, style);
    let high = steps.iter().map(|p| p.high).chain(detection.iter().map(|p| p.1)).fold(0.0, f64::max);
    let meta = &s.meta;
    let title = title(&meta.record, meta.segments, meta.segment_size);
    let unit = match (meta.norm, y) {
        (Norm::Leahy, PlotY::Power) => "Leahy power",
        (Norm::Leahy, _) => "frequency × Leahy power (Hz)",
        (Norm::Frac, PlotY::Power) => "power ((rms/mean)²/Hz)",
        (Norm::Frac, _) => "frequency × power ((rms/mean)²)",
        (Norm::Abs, PlotY::Power) => "power ((counts/s)²/Hz)",
        (Norm::Abs, _) => "frequency × power ((counts/s)²)",
        (Norm::None, PlotY::Power) => "power |F|²",
        (Norm::None, _) => "frequency × |F|² (Hz)",
    };
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(12)
        .margin_right(RIGHT_MARGIN)
        .x_label_area_size(48)
        .y_label_area_size(76)
        .build_cartesian_2d(
            (first.from..last.to).log_scale().with_key_points(ticks(first.from, last.to)),
            (low / 1.3..high * 1.3).log_scale().with_key_points(ticks(low / 1.3, high * 1.3)),
        )
        .map_err(failed)?;
    mesh(&mut chart, "frequency (Hz)", unit, 16).draw().map_err(failed)?;
    if let Some(f) = style.harmonics {
        let orange = RGBColor(235, 150, 40);
        let marks = marks(f, first.from, last.to);
        let numbers = marks.iter().filter(|_| marks.len() <= NUMBERED).map(|&at| {
            // Beside the line, at its top.
            Text::new(format!(" {}", (at / f).round()), (at, high * 1.3), ("sans-serif", 18).into_font().color(&orange))
        });
        chart.draw_series(numbers).map_err(failed)?;
        let lines = marks.into_iter().map(|f| PathElement::new(vec![(f, low / 1.3), (f, high * 1.3)], orange.mix(0.6)));
        let series = chart.draw_series(lines).map_err(failed)?;
        series
            .label(format!("multiples of {f} Hz"))
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 24, y)], orange));
    }
    let line = RGBColor(20, 80, 150);
    let bars = steps.iter().filter(|p| p.error > 0.0 && steps.len() < 300).map(|p| {
        let x = (p.from * p.to).sqrt();
        PathElement::new(vec![(x, (p.low - p.error).max(low / 1.3)), (x, p.high + p.error)], line.mix(0.45))
    });
    chart.draw_series(bars).map_err(failed)?;
    // A bin that is missing (not positive) breaks the line.
    for piece in steps.chunk_by(|a, b| b.from <= a.to * (1.0 + 1e-9)) {
        let path = piece.iter().flat_map(|p| [(p.from, p.low), (p.from, p.high), (p.to, p.high)]);
        chart.draw_series(LineSeries::new(path, line)).map_err(failed)?;
    }
    // Where the noise was subtracted, its level is no longer a level of this picture.
    if meta.noise_mean > 0.0 && !meta.noise_subtracted {
        let inside = |p: &(f64, f64)| p.1 > low / 1.3 && p.1 < high * 1.3;
        let level: Vec<(f64, f64)> = noise(s, y).into_iter().filter(inside).collect();
        let red = RGBColor(200, 60, 40);
        let series = chart.draw_series(LineSeries::new(level, red)).map_err(failed)?;
        series.label("noise level").legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 24, y)], red));
    }
    if let Some(probability) = style.detection.filter(|_| !detection.is_empty()) {
        let green = RGBColor(40, 130, 70);
        let inside = detection.into_iter().filter(|p| p.1 > low / 1.3);
        let series = chart.draw_series(DashedLineSeries::new(inside, 7, 4, green.into())).map_err(failed)?;
        let label = format!("detection level, false alarm {} % of spectra", tick(&(100.0 * probability)));
        series
            .label(label)
            .legend(move |(x, y)| plotters::element::DashedPathElement::new([(x, y), (x + 24, y)], 7, 4, green));
    }
    let mut legend = chart.configure_series_labels();
    legend.position(SeriesLabelPosition::UpperLeft).label_font(("sans-serif", 16)).margin(8);
    legend.draw().map_err(failed)?;
    area.present().map_err(failed)
}

/// The detection level along the steps; empty without one.
fn detection(s: &AveragedPowerSpectrum, steps: &[FrequencyStep], style: Style) -> Vec<(f64, f64)> {
    let levels = style.detection.map_or(Vec::new(), |p| s.detection_levels(p));
    let of_step = |step: &FrequencyStep| {
        let level = levels.iter().find(|l| l.m * l.k == s.m[step.bin])?;
        let power = s.detection_power(level, step.bin);
        let at = |f: f64| (f, if style.y == PlotY::Power { power } else { power * f });
        Some([at(step.from), at(step.to)])
    };
    steps.iter().filter_map(of_step).flatten().collect()
}

/// The noise level, one point a pixel at most.
fn noise(s: &AveragedPowerSpectrum, y: PlotY) -> Vec<(f64, f64)> {
    let scale = f64::from(SIZE.0) / (s.freq[s.len() - 1] / s.freq[0]).ln().max(1e-9);
    let mut places: Vec<usize> = (0..s.len()).collect();
    places.dedup_by_key(|k| ((s.freq[*k] / s.freq[0]).ln() * scale).floor() as i64);
    let at = |f: f64, k: usize| (f, if y == PlotY::Power { s.noise[k] } else { s.noise[k] * f });
    // From the lower edge of the first bin to the upper one of the last.
    let last = s.len() - 1;
    let (lower, upper) = (at(s.freq[0] - s.width[0] / 2.0, 0), at(s.freq[last] + s.width[last] / 2.0, last));
    std::iter::once(lower).chain(places.into_iter().map(|k| at(s.freq[k], k))).chain([upper]).collect()
}

/// The multiples of `f` between two frequencies, as far as they stand apart on a logarithmic axis.
fn marks(f: f64, from: f64, to: f64) -> Vec<f64> {
    let apart = |k: &u32| (1.0 + 1.0 / f64::from(*k)).ln() * f64::from(SIZE.0) > 4.0 * (to / from).ln();
    (1..).take_while(apart).map(|k| f64::from(k) * f).skip_while(|&f| f < from).take_while(|&f| f <= to).collect()
}

/// Labelled values of a logarithmic axis: decades, with 2 and 5 times them on short axes, and even steps on very short ones.
pub(crate) fn ticks(from: f64, to: f64) -> Vec<f64> {
    let decades = (to / from).log10();
    if decades < 0.8 {
        let power = 10f64.powf((to - from).log10().floor() - 1.0);
        let step = [1.0, 2.0, 5.0, 10.0, 20.0].map(|k| k * power).into_iter().find(|step| (to - from) / step <= 7.0);
        let step = step.unwrap_or(20.0 * power);
        let first = (from / step).ceil() as i64;
        return (first..first + 8).map(|k| k as f64 * step).take_while(|&x| x <= to).collect();
    }
    let parts: &[f64] = if decades < 3.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let values = powers.flat_map(|k| parts.iter().map(move |part| part * 10f64.powi(k)));
    values.filter(|x| (from..=to).contains(x)).collect()
}

/// A label of a decade axis.
pub(crate) fn tick(x: &f64) -> String {
    // Sums of binary steps have tails that no label needs.
    let x: f64 = format!("{x:.6e}").parse().unwrap_or(*x);
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) { format!("{x}") } else { format!("{x:e}") }
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn every_axis_has_a_few_labels() {
        for (from, to) in [(1.1, 1.2), (1.3, 4.0), (1.0, 6.4), (0.9, 15.0), (1e-5, 1.0), (1e-12, 1e6), (1999.0, 2001.0)]
        {
            let ticks = ticks(from, to);
            assert!((3..=20).contains(&ticks.len()) && ticks.is_sorted(), "{from} to {to}: {ticks:?}");
            assert!(ticks.iter().all(|x| (from..=to).contains(x)), "{from} to {to}: {ticks:?}");
        }
    }
}
