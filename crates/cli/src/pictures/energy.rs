//! Pictures of variability against energy.

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::Drawn;
use super::axes::{Picture, RIGHT_MARGIN, mesh, save, tick, ticks};
use eagleray::Result;
use eagleray::science::{EnergyKind, EnergySpectrum};

/// Draws the values with their errors against the bands' energies.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn energy_spectrum(spectrum: &EnergySpectrum, path: &str, overwrite: bool) -> Result<()> {
    save(&EnergyPicture(spectrum), path, overwrite)
}

impl Drawn for EnergySpectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        energy_spectrum(self, path, overwrite)
    }
}

struct EnergyPicture<'a>(&'a EnergySpectrum);

impl EnergyPicture<'_> {
    fn title(&self) -> String {
        let meta = &self.0.meta;
        let unit = if meta.channels { "" } else { " keV" };
        let mut title = format!("{} {}", meta.record.telescop, meta.record.object).trim().to_string();
        if let Some(segments) = &meta.averaged {
            let [lo, hi] = segments.freq_band.map(|f| tick(&f));
            title +=
                &format!(": {lo} to {hi} Hz, {} segments of {} s", segments.segments, tick(&segments.segment_size));
        }
        if let Some(reference) = meta.reference {
            title += &format!(", reference {} to {}{unit}", reference.lo, reference.hi);
        }
        title.trim_start_matches(": ").to_string()
    }

    fn quantity(&self) -> &'static str {
        match (self.0.meta.kind, self.0.meta.norm.as_str()) {
            (EnergyKind::Lag, _) => "time lag (s); positive: later than the reference",
            (EnergyKind::Covariance, "frac") => "fractional covariance",
            (EnergyKind::Covariance, _) => "covariance (counts/s)",
            (EnergyKind::Rms, "frac") => "fractional rms",
            (EnergyKind::Rms, _) => "rms (counts/s)",
            (EnergyKind::Excvar, "frac") => "fractional excess variance",
            (EnergyKind::Excvar, _) => "excess variance ((counts/s)²)",
            (EnergyKind::Count, _) => "photons",
        }
    }
}

impl Picture for EnergyPicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> std::result::Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let (Some(&first), Some(last)) = (self.0.energy_lo.first(), (0..self.0.len()).last()) else {
            return Err("no band to draw".into());
        };
        // Energies are drawn on a logarithmic axis where they have logarithms.
        let last = self.end(last);
        match !self.0.meta.channels && first > 0.0 {
            true => self.draw_on(area, (first..last).log_scale().with_key_points(ticks(first, last))),
            false => self.draw_on(area, first..last),
        }
    }
}

impl EnergyPicture<'_> {
    /// Where a band ends; a last channel is in it.
    fn end(&self, band: usize) -> f64 {
        self.0.energy_hi[band] + if self.0.meta.channels { 1.0 } else { 0.0 }
    }

    fn draw_on<B: DrawingBackend, X: AsRangedCoord<Value = f64>>(
        &self,
        area: DrawingArea<B, plotters::coord::Shift>,
        x: X,
    ) -> std::result::Result<(), String>
    where
        B::ErrorType: 'static,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let s = self.0;
        let error = |i: usize| if s.value_err[i].is_finite() { s.value_err[i] } else { 0.0 };
        let shown: Vec<usize> = (0..s.len()).filter(|&i| s.value[i].is_finite()).collect();
        // Errors that dwarf all values would hide them.
        let largest = shown.iter().fold(0.0f64, |a, &i| a.max(s.value[i].abs()));
        let bound = |i: usize| error(i).min(2.0 * largest);
        let low = shown.iter().map(|&i| s.value[i] - bound(i)).fold(0.0, f64::min);
        let high = shown.iter().map(|&i| s.value[i] + bound(i)).fold(0.0, f64::max);
        if low == high {
            return Err("no value to draw: all are nan or zero".into());
        }
        let margin = 0.05 * (high - low);
        let (low, high) = (if low < 0.0 { low - margin } else { low }, high + margin);
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title(), ("sans-serif", 20))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(90)
            .build_cartesian_2d(x, low..high)
            .map_err(failed)?;
        let energy = if s.meta.channels { "channel" } else { "energy (keV)" };
        mesh(&mut chart, energy, self.quantity(), 16).draw().map_err(failed)?;
        if low < 0.0 {
            let ends = vec![(s.energy_lo[0], 0.0), (self.end(s.len() - 1), 0.0)];
            chart.draw_series([PathElement::new(ends, RGBColor(120, 120, 120))]).map_err(failed)?;
        }
        let line = RGBColor(20, 80, 150);
        let crosses = shown.iter().flat_map(|&i| {
            let (a, b, value) = (s.energy_lo[i], self.end(i), s.value[i]);
            let middle = if a > 0.0 && !s.meta.channels { (a * b).sqrt() } else { (a + b) / 2.0 };
            let (down, up) = ((value - error(i)).max(low), (value + error(i)).min(high));
            [vec![(a, value), (b, value)], vec![(middle, down), (middle, up)]]
        });
        chart.draw_series(crosses.map(|path| PathElement::new(path, line.stroke_width(2)))).map_err(failed)?;
        area.present().map_err(failed)
    }
}
