//! Pictures of cross spectra: powers, lags and coherence against frequency, one above the other.

use std::ops::Range;

use clap::ValueEnum;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::Drawn;
use super::axes::{Picture, RIGHT_MARGIN, SIZE, mesh, save, ticks, title};
use eagleray::Result;
use eagleray::science::cross_powers::CrossPowers;
use eagleray::science::{AveragedCrossSpectrum, FadSpectrum, Norm};

/// What of the cross spectrum is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PowerType {
    /// Real and imaginary part.
    All,
    /// The real part: the co-spectrum.
    Real,
    /// The modulus.
    Absolute,
}

/// Which lag is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LagKind {
    /// In radians.
    Phase,
    /// In seconds.
    Time,
}

/// Draws a cross spectrum.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn cross_spectrum(
    spectrum: &AveragedCrossSpectrum,
    shown: PowerType,
    lag: LagKind,
    path: &str,
    overwrite: bool,
) -> Result<()> {
    let s = spectrum;
    let curve = |name, color, value: &[f64], error: &[f64]| Curve::new(name, color, &s.freq, value, error);
    let powers_err = |power: &[f64]| power.iter().zip(&s.m).map(|(p, &m)| p / (m as f64).sqrt()).collect::<Vec<f64>>();
    let mut powers = vec![
        curve("subject", BLUE, &s.power1, &powers_err(&s.power1)),
        curve("reference", RED, &s.power2, &powers_err(&s.power2)),
    ];
    match shown {
        PowerType::Absolute => powers.push(curve("|cross|", GREEN, &s.modulus(), &s.power_err)),
        PowerType::Real => powers.push(curve("co-spectrum", GREEN, &s.power_re, &s.cross_err_re)),
        PowerType::All => {
            powers.push(curve("real part", GREEN, &s.power_re, &s.cross_err_re));
            powers.push(curve("imaginary part", ORANGE, &s.power_im, &s.cross_err_im));
        }
    }
    let (lag, lag_name) = match lag {
        LagKind::Phase => (curve("", BLUE, &s.lag_phase, &s.lag_phase_err), "phase lag (rad)"),
        LagKind::Time => (curve("", BLUE, &s.lag_time, &s.lag_time_err), "time lag (s)"),
    };
    let known = |errors: &[f64]| errors.iter().map(|&e| if e < 1.0 { e } else { f64::NAN }).collect::<Vec<f64>>();
    let coherence = vec![
        curve("raw", BLUE, &s.coherence_raw, &s.coherence_raw_err),
        curve("intrinsic, where its error is below 1", RED, &s.coherence_intrinsic, &known(&s.coherence_intrinsic_err)),
    ];
    let picture = Stack {
        title: title(&s.meta.record, s.meta.segments, s.meta.segment_size),
        panels: vec![
            Panel { name: power_name(s.meta.norm), log: true, curves: powers, note: "", range: None },
            Panel {
                name: lag_name,
                log: false,
                range: Some(symmetric(&lag)),
                curves: vec![lag],
                note: eagleray::science::cross::LAG_SIGN,
            },
            Panel { name: "coherence", log: false, curves: coherence, note: "", range: Some(-0.1..1.15) },
        ],
    };
    save(&picture, path, overwrite)
}

/// Draws corrected spectra.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn fad(s: &FadSpectrum, path: &str, overwrite: bool) -> Result<()> {
    let curve = |name, color, value: &[f64], error: &[f64]| Curve::new(name, color, &s.freq, value, error);
    let powers = vec![
        curve("first detector", BLUE, &s.power1, &s.power1_err),
        curve("second detector", RED, &s.power2, &s.power2_err),
        curve("both together", ORANGE, &s.power_total, &s.power_total_err),
    ];
    let cross = curve("co-spectrum", GREEN, &s.power_re, &s.cross_err_re);
    let picture = Stack {
        title: title(&s.meta.record, s.meta.segments, s.meta.segment_size),
        panels: vec![
            Panel {
                name: power_name(s.meta.norm),
                log: true,
                curves: powers,
                note: "dead time corrected",
                range: None,
            },
            Panel { name: "co-spectrum", log: false, range: Some(symmetric(&cross)), curves: vec![cross], note: "" },
        ],
    };
    save(&picture, path, overwrite)
}

/// Draws a cross spectrum without errors: powers, the modulus of the cross spectrum and the phase lag.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn cross_powers(s: &CrossPowers, path: &str, overwrite: bool) -> Result<()> {
    let none = vec![0.0; s.freq.len()];
    let curve = |name, color, value: &[f64]| Curve::new(name, color, &s.freq, value, &none);
    let modulus: Vec<f64> = s.power_re.iter().zip(&s.power_im).map(|(re, im)| re.hypot(*im)).collect();
    let powers =
        vec![curve("subject", BLUE, &s.power1), curve("reference", RED, &s.power2), curve("|cross|", GREEN, &modulus)];
    let lag = curve("", BLUE, &s.lag_phase());
    let picture = Stack {
        title: title(&s.meta.record, s.meta.segments, s.meta.segment_size),
        panels: vec![
            Panel { name: power_name(s.meta.norm), log: true, curves: powers, note: "", range: None },
            Panel {
                name: "phase lag (rad)",
                log: false,
                range: Some(symmetric(&lag)),
                curves: vec![lag],
                note: eagleray::science::cross::LAG_SIGN,
            },
        ],
    };
    save(&picture, path, overwrite)
}

impl Drawn for AveragedCrossSpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        cross_spectrum(self, PowerType::Absolute, LagKind::Phase, path, overwrite)
    }
}

impl Drawn for FadSpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        fad(self, path, overwrite)
    }
}

impl Drawn for CrossPowers {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        cross_powers(self, path, overwrite)
    }
}

const BLUE: RGBColor = RGBColor(20, 80, 150);
const RED: RGBColor = RGBColor(200, 60, 40);
const GREEN: RGBColor = RGBColor(40, 130, 70);
const ORANGE: RGBColor = RGBColor(235, 150, 40);

fn power_name(norm: Norm) -> &'static str {
    match norm {
        Norm::Leahy => "Leahy power",
        Norm::Frac => "(rms/mean)²/Hz",
        Norm::Abs => "(counts/s)²/Hz",
        Norm::None => "|F|²",
    }
}

/// A range around 0 that holds nine tenths of the values with their errors, as some frequencies have noise alone, and words above.
fn symmetric(curve: &Curve) -> Range<f64> {
    let mut sizes: Vec<f64> = curve.marks.iter().map(|m| m.low.abs().max(m.high.abs()) + m.error).collect();
    sizes.sort_by(f64::total_cmp);
    let most = sizes.get(sizes.len() * 9 / 10).or(sizes.last()).copied().filter(|m| *m > 0.0).unwrap_or(1.0);
    -1.4 * most..1.4 * most
}

/// A bin, or all bins that share a pixel, from the lowest to the highest value.
struct FrequencyMark {
    freq: f64,
    low: f64,
    high: f64,
    /// 0 for several bins.
    error: f64,
}

struct Curve {
    name: &'static str,
    color: RGBColor,
    marks: Vec<FrequencyMark>,
}

impl Curve {
    /// Of positive frequencies, and values and errors that are numbers.
    fn new(name: &'static str, color: RGBColor, freq: &[f64], value: &[f64], error: &[f64]) -> Curve {
        let positive = || freq.iter().copied().filter(|f| *f > 0.0);
        let (first, last) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        let scale = f64::from(SIZE.0) / (last / first).ln().max(1e-9);
        let (mut marks, mut pixel): (Vec<FrequencyMark>, f64) = (Vec::new(), f64::NAN);
        for ((&freq, &value), &error) in freq.iter().zip(value).zip(error) {
            if !(freq > 0.0 && value.is_finite() && error.is_finite()) {
                continue;
            }
            let here = ((freq / first).ln() * scale).floor();
            match marks.last_mut() {
                Some(mark) if here == pixel => {
                    *mark = FrequencyMark {
                        freq: mark.freq,
                        low: mark.low.min(value),
                        high: mark.high.max(value),
                        error: 0.0,
                    };
                }
                _ => marks.push(FrequencyMark { freq, low: value, high: value, error }),
            }
            pixel = here;
        }
        Curve { name, color, marks }
    }
}

struct Panel {
    name: &'static str,
    /// Logarithmic values, positive ones alone.
    log: bool,
    curves: Vec<Curve>,
    /// Words inside.
    note: &'static str,
    /// Values shown; of a logarithmic panel all.
    range: Option<Range<f64>>,
}

struct Stack {
    title: String,
    panels: Vec<Panel>,
}

impl Picture for Stack {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let area = area.margin(10, 0, 0, 0).titled(&self.title, ("sans-serif", 22)).map_err(failed)?;
        let freqs = || self.panels.iter().flat_map(|p| &p.curves).flat_map(|c| &c.marks).map(|m| m.freq);
        let (first, last) = (freqs().fold(f64::INFINITY, f64::min), freqs().fold(0.0, f64::max));
        if first > last {
            return Err("no value to draw".into());
        }
        let x = first / 1.1..last * 1.1;
        let areas = area.split_evenly((self.panels.len(), 1));
        for (i, (panel, area)) in self.panels.iter().zip(&areas).enumerate() {
            let bottom = i + 1 == self.panels.len();
            if panel.log {
                let values = || panel.curves.iter().flat_map(|c| &c.marks).flat_map(|m| [m.low, m.high]);
                let positive = || values().filter(|v| *v > 0.0);
                let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
                let range = if low <= high { low / 1.5..high * 1.5 } else { 0.1..1.0 };
                let coord = range.clone().log_scale().with_key_points(ticks(range.start, range.end));
                draw_panel(area, panel, &x, coord, &range, bottom)?;
            } else {
                let range = panel.range.clone().unwrap_or(-1.0..1.0);
                draw_panel(area, panel, &x, range.clone(), &range, bottom)?;
            }
        }
        area.present().map_err(failed)
    }
}

fn draw_panel<B: DrawingBackend, Y>(
    area: &DrawingArea<B, Shift>,
    panel: &Panel,
    x: &Range<f64>,
    y: Y,
    shown: &Range<f64>,
    bottom: bool,
) -> Result<(), String>
where
    B::ErrorType: 'static,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
    let mut chart = ChartBuilder::on(area)
        .margin_left(12)
        .margin_top(6)
        .margin_right(RIGHT_MARGIN)
        .x_label_area_size(if bottom { 46 } else { 22 })
        .y_label_area_size(84)
        .build_cartesian_2d(x.clone().log_scale().with_key_points(ticks(x.start, x.end)), y)
        .map_err(failed)?;
    let x_name = if bottom { "frequency (Hz)" } else { "" };
    mesh(&mut chart, x_name, panel.name, 15).y_labels(5).draw().map_err(failed)?;
    if shown.contains(&0.0) {
        let zero = PathElement::new(vec![(x.start, 0.0), (x.end, 0.0)], BLACK.mix(0.5));
        chart.draw_series([zero]).map_err(failed)?;
    }
    let inside = |v: f64| v.clamp(shown.start, shown.end);
    for curve in &panel.curves {
        let (color, many) = (curve.color, curve.marks.len() > 300);
        let marks = || curve.marks.iter().filter(|m| m.high >= shown.start && m.low <= shown.end);
        let bars = marks().filter(|m| m.low < m.high || !many).map(|m| {
            let (from, to) = (inside(m.low - m.error), inside(m.high + m.error));
            PathElement::new(vec![(m.freq, from), (m.freq, to)], color.mix(if m.low < m.high { 1.0 } else { 0.5 }))
        });
        chart.draw_series(bars).map_err(failed)?;
        let points = marks().filter(|m| m.low == m.high);
        let points = points.map(|m| Circle::new((m.freq, m.low), if many { 1 } else { 3 }, color.filled()));
        let series = chart.draw_series(points).map_err(failed)?;
        if !curve.name.is_empty() {
            series.label(curve.name).legend(move |(x, y)| Circle::new((x + 12, y), 4, color.filled()));
        }
    }
    if panel.curves.iter().any(|c| !c.name.is_empty()) {
        let mut legend = chart.configure_series_labels();
        // Powers fall towards high frequencies as a rule, where coherence is lost.
        let place = if panel.log { SeriesLabelPosition::LowerLeft } else { SeriesLabelPosition::UpperRight };
        legend.position(place).label_font(("sans-serif", 15)).margin(4);
        legend.background_style(WHITE.mix(0.8)).draw().map_err(failed)?;
    }
    if !panel.note.is_empty() {
        let note = Text::new(panel.note, (100, 10), ("sans-serif", 16));
        area.draw(&note).map_err(failed)?;
    }
    Ok(())
}
