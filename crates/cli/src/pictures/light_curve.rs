//! Pictures of light curves.

use plotters::prelude::*;

use super::Drawn;
use super::axes::{Picture, RIGHT_MARGIN, SIZE, mesh, save};
use eagleray::Result;
use eagleray::data::LightCurve;

/// Draws the rates with their errors against the time since the first bin; gaps stay empty.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn light_curve(curve: &LightCurve, path: &str, overwrite: bool) -> Result<()> {
    save(&CurvePicture(curve), path, overwrite)
}

impl Drawn for LightCurve {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        light_curve(self, path, overwrite)
    }

    fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        self.write(path, overwrite)
    }
}

struct CurvePicture<'a>(&'a LightCurve);

/// Bins that share a pixel: where they are, and their lowest and highest rate.
struct TimeMark {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
    error: f64,
}

fn marks(curve: &LightCurve, zero: f64, span: f64) -> Vec<TimeMark> {
    let mut marks: Vec<TimeMark> = Vec::new();
    let (mut pixel, half) = (f64::NAN, curve.grid.dt / 2.0);
    for i in (0..curve.len()).filter(|&i| curve.rate[i].is_finite()) {
        let (t, rate) = (curve.time[i] - zero, curve.rate[i]);
        let here = (t / span * f64::from(SIZE.0)).floor();
        match marks.last_mut() {
            Some(mark) if here == pixel => {
                mark.to = t + half;
                mark.low = mark.low.min(rate);
                mark.high = mark.high.max(rate);
                mark.error = 0.0;
            }
            _ => {
                let error = if curve.rate_err[i].is_finite() { curve.rate_err[i] } else { 0.0 };
                marks.push(TimeMark { from: t - half, to: t + half, low: rate, high: rate, error });
            }
        }
        pixel = here;
    }
    marks
}

impl Picture for CurvePicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let curve = self.0;
        let (Some(first), Some(last)) = (curve.bin.first(), curve.bin.last()) else {
            return Err("no bin to draw".into());
        };
        let zero = curve.grid.edge(*first).value();
        let span = (last + 1 - first) as f64 * curve.grid.dt;
        let marks = marks(curve, zero, span);
        let low = marks.iter().map(|m| m.low - m.error).fold(f64::INFINITY, f64::min).min(0.0);
        let high = marks.iter().map(|m| m.high + m.error).fold(f64::NEG_INFINITY, f64::max);
        let high = if high > low { high } else { low + 1.0 };
        let meta = &curve.meta;
        let title =
            format!("{} {} {}: bins of {} s", meta.record.telescop, meta.record.instrume, meta.record.object, meta.dt);
        let mut chart = ChartBuilder::on(&area)
            .caption(title.trim(), ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..span, low..high + 0.05 * (high - low))
            .map_err(failed)?;
        mesh(&mut chart, &format!("time (s) since {zero} s"), "rate (counts/s)", 16).draw().map_err(failed)?;
        let line = RGBColor(20, 80, 150);
        let bars = marks.iter().filter(|m| m.error > 0.0 && marks.len() < 300).map(|m| {
            let t = (m.from + m.to) / 2.0;
            PathElement::new(vec![(t, m.low - m.error), (t, m.high + m.error)], line.mix(0.45))
        });
        chart.draw_series(bars).map_err(failed)?;
        // A stretch without a gap is one line; neighbours in pixels or in bins touch.
        let near = |a: &TimeMark, b: &TimeMark| b.from - a.to < 0.5 * curve.grid.dt;
        let paths = marks.chunk_by(near).map(|stretch| {
            let steps = stretch.iter().flat_map(|m| [(m.from, m.low), (m.from, m.high), (m.to, m.high)]);
            PathElement::new(steps.collect::<Vec<_>>(), line)
        });
        chart.draw_series(paths).map_err(failed)?;
        area.present().map_err(failed)
    }
}
