//! Pictures of histograms: counts against time, or over time and energy.

use plotters::prelude::*;

use super::Drawn;
use super::axes::{Picture, RIGHT_MARGIN, mesh, save};
use super::matrix::{Axis, MatrixPicture, matrix};
use eagleray::Result;
use eagleray::data::Histogram;
use eagleray::data::histogram::EnergyAxis;

impl Drawn for Histogram {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        histogram(self, path, overwrite)
    }
}

/// Draws the counts of each bin: as steps against time, or, with bins of energy, as colours over time and energy.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn histogram(made: &Histogram, path: &str, overwrite: bool) -> Result<()> {
    let name = match made.axis {
        EnergyAxis::None => return save(&Steps(made), path, overwrite),
        EnergyAxis::Energy => "energy (keV)",
        EnergyAxis::Channel => "channel",
    };
    let counts: Vec<f64> = made.counts.iter().map(|&count| count as f64).collect();
    let zero = made.times.first().copied().unwrap_or(0.0);
    let edges = |edges: &[f64], zero: f64| edges.windows(2).map(|e| (e[0] - zero, e[1] - zero)).collect();
    // Widths that grow want an axis on which they are alike.
    let growing = made.energies.first().is_some_and(|lowest| *lowest > 0.0)
        && made.energies.windows(3).any(|e| e[2] - e[1] > 1.001 * (e[1] - e[0]));
    let picture = MatrixPicture {
        title: title(made),
        x: Axis { name: since(zero), edges: edges(&made.times, zero), log: false },
        y: Axis { name: name.into(), edges: edges(&made.energies, 0.0), log: growing },
        values: &counts,
        name: "counts".into(),
        log: false,
        trace: Vec::new(),
    };
    matrix(&picture, path, overwrite)
}

fn title(made: &Histogram) -> String {
    let record = &made.meta.record;
    format!("{} {} {}", record.telescop, record.instrume, record.object).trim().to_string()
}

fn since(zero: f64) -> String {
    format!("time (s) since {zero} s")
}

/// Counts against time.
struct Steps<'a>(&'a Histogram);

impl Picture for Steps<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let made = self.0;
        let (Some(zero), Some(last)) = (made.times.first(), made.times.last()) else {
            return Err("no bin to draw".into());
        };
        let most = made.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let mut chart = ChartBuilder::on(&area)
            .caption(title(made), ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..last - zero, 0.0..1.05 * most)
            .map_err(failed)?;
        mesh(&mut chart, &since(*zero), "counts", 16).draw().map_err(failed)?;
        let steps = made.times.windows(2).zip(&made.counts);
        let points = steps.flat_map(|(t, &count)| [(t[0] - zero, count as f64), (t[1] - zero, count as f64)]);
        chart.draw_series([PathElement::new(points.collect::<Vec<_>>(), RGBColor(20, 80, 150))]).map_err(failed)?;
        area.present().map_err(failed)
    }
}
