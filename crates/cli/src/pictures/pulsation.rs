//! Pictures of searches and profiles.

use std::f64::consts::LN_10;

use plotters::prelude::*;

use super::Drawn;
use super::axes::{Picture, RIGHT_MARGIN, SIZE, mesh, save, tick};
use eagleray::Result;
use eagleray::internal::engine::pulsation::fold::Phaseogram;
use eagleray::pulsation::{Candidate, PulseProfile, SearchResult, Toa, Toas};
use eagleray::time::DoubleDouble;

/// Draws the statistic against frequency, with its detection level and the candidates' numbers.
///
/// # Errors
/// See [`save`].
pub fn search(found: &SearchResult, path: &str, overwrite: bool) -> Result<()> {
    save(&SearchPicture(found), path, overwrite)
}

impl Drawn for SearchResult {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        search(self, path, overwrite)
    }
}

impl Drawn for PulseProfile {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        profile(self, path, overwrite)
    }
}

/// Draws the statistic by frequency and its first derivative.
///
/// # Errors
/// See [`save`].
pub fn search_map(found: &SearchResult, path: &str, overwrite: bool) -> Result<()> {
    let (Some(first), Some(last)) = (found.freq.first(), found.freq.last()) else { return Ok(()) };
    // Rows of one first derivative are next to each other only for one second derivative; the largest of them counts.
    let mut fdots: Vec<f64> = found.rows.iter().map(|row| row[0]).collect();
    fdots.sort_by(f64::total_cmp);
    fdots.dedup();
    let mut rows = vec![Vec::new(); fdots.len()];
    for (row, values) in found.rows.iter().zip(&found.map) {
        let place = fdots.partition_point(|fdot| *fdot < row[0]);
        let Some(kept) = rows.get_mut(place) else { continue };
        match kept.is_empty() {
            true => *kept = values.clone(),
            false => kept.iter_mut().zip(values).for_each(|(a, b)| *a = a.max(*b)),
        }
    }
    let half = if found.meta.dfdot > 0.0 { found.meta.dfdot / 2.0 } else { 1e-12 };
    let probability = !found.ln_p.is_empty() && found.meta.method.is_of_profiles();
    let drawn = if probability { ONE_TRIAL.to_string() } else { statistic(found) };
    let darker = if found.meta.method.falls() { "smaller" } else { "larger" };
    let heat = Heat {
        title: format!("{}: {}, darker is {darker}", named(&found.meta.record), drawn),
        x: ("frequency (Hz)", *first, last + found.meta.df),
        y: ("frequency derivative (Hz/s)", fdots[0] - half, fdots[fdots.len() - 1] + half),
        rows,
        cycles: 1,
    };
    save(&heat, path, overwrite)
}

/// Draws two cycles of a profile with errors.
///
/// # Errors
/// See [`save`].
pub fn profile(profile: &PulseProfile, path: &str, overwrite: bool) -> Result<()> {
    let title =
        format!("{}: {} Hz, {} events", named(&profile.meta.record), hertz(profile.meta.freq), profile.meta.nphots);
    save(&ProfilePicture { title, curves: vec![(String::new(), profile)], relative: false }, path, overwrite)
}

/// Draws two cycles of the profiles of energy bands, each over its mean.
///
/// # Errors
/// See [`save`].
pub fn bands(bands: &[(f64, f64, PulseProfile)], path: &str, overwrite: bool) -> Result<()> {
    let curves: Vec<(String, &PulseProfile)> =
        bands.iter().map(|(lo, hi, p)| (format!("{lo} to {hi} keV"), p)).collect();
    let title =
        curves.first().map_or(String::new(), |(_, p)| format!("{}: {} Hz", named(&p.meta.record), hertz(p.meta.freq)));
    save(&ProfilePicture { title, curves, relative: true }, path, overwrite)
}

/// Draws rates by time and phase.
///
/// # Errors
/// See [`save`].
pub fn phaseogram(profile: &PulseProfile, gram: &Phaseogram, path: &str, overwrite: bool) -> Result<()> {
    let heat = Heat {
        title: format!("{}: {} Hz, darker is brighter", named(&profile.meta.record), hertz(profile.meta.freq)),
        x: ("phase", 0.0, 2.0),
        y: ("time since the epoch (s)", gram.time[0], gram.time[gram.time.len() - 1]),
        rows: gram.rate.clone(),
        cycles: 2,
    };
    save(&heat, path, overwrite)
}

/// Draws the residuals of times of arrival against time.
///
/// # Errors
/// See [`save`].
pub fn residuals(toas: &Toas, profile: &PulseProfile, path: &str, overwrite: bool) -> Result<()> {
    let title = format!("{}: {} Hz", named(&profile.meta.record), hertz(profile.meta.freq));
    save(&Residuals { title, toas }, path, overwrite)
}

/// A frequency with at most twelve decimals.
fn hertz(freq: f64) -> f64 {
    format!("{freq:.12}").parse().unwrap_or(freq)
}

fn named(made: &eagleray::data::Record) -> String {
    format!("{} {} {}", made.telescop, made.instrume, made.object).trim().to_string()
}

fn statistic(found: &SearchResult) -> String {
    if found.meta.templates.is_some() { ONE_TRIAL.into() } else { found.meta.symbol() }
}

/// What is drawn of trials that have laws of their own.
const ONE_TRIAL: &str = "−log10 of the probability in one trial";
const GRID: RGBColor = RGBColor(225, 225, 225);

struct SearchPicture<'a>(&'a SearchResult);

impl Picture for SearchPicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let found = self.0;
        let (Some(&first), Some(&last)) = (found.freq.first(), found.freq.last()) else {
            return Err("no trial to draw".into());
        };
        let last = last.max(first + found.meta.df);
        // Statistics of trials that have laws of their own are not comparable, probabilities are.
        let own_level = found.meta.detection_log10_p.filter(|_| !found.ln_p.is_empty());
        let probabilities: Vec<f64> = found.ln_p.iter().map(|ln_p| -ln_p / LN_10).collect();
        let values = if own_level.is_some() { &probabilities } else { &found.stat };
        let level = own_level.map_or(found.meta.detection_level, |level| -level);
        let value = |c: &Candidate| own_level.and(c.trial_log10_p).map_or(c.stat, |log10_p| -log10_p);
        let small = found.meta.method.falls() && own_level.is_none();
        let drawn = || found.candidates.iter().map(value).chain(values.iter().copied());
        let high = drawn().fold(level, f64::max) * 1.08;
        // θ hardly differs from 1 where there is nothing, and is small where there is something.
        let (low, high) = if small {
            let (low, high) = (drawn().fold(level, f64::min), drawn().fold(level, f64::max));
            ((low - 0.12 * (high - low)).max(0.0), high + 0.05 * (high - low))
        } else {
            (0.0, high)
        };
        let mut chart = ChartBuilder::on(&area)
            .caption(named(&found.meta.record), ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(first..last, low..high)
            .map_err(failed)?;
        let axis = if own_level.is_some() { ONE_TRIAL.to_string() } else { statistic(found) };
        mesh(&mut chart, "frequency (Hz)", &axis, 16).bold_line_style(GRID).draw().map_err(failed)?;
        // One stroke a pixel, from the lowest to the highest value in it.
        let mut strokes: Vec<(i64, f64, f64, f64)> = Vec::new();
        for (f, stat) in found.freq.iter().zip(values) {
            let pixel = ((f - first) / (last - first) * f64::from(SIZE.0)) as i64;
            match strokes.last_mut() {
                Some(stroke) if stroke.0 == pixel => (stroke.2, stroke.3) = (stroke.2.min(*stat), stroke.3.max(*stat)),
                _ => strokes.push((pixel, *f, *stat, *stat)),
            }
        }
        let line = strokes.iter().flat_map(|s| [(s.1, s.2), (s.1, s.3)]);
        chart.draw_series(LineSeries::new(line, RGBColor(20, 80, 150))).map_err(failed)?;
        let green = RGBColor(40, 130, 70);
        let ends = [(first, level), (last, level)];
        let label =
            format!("detection level, false alarm {} % of searches", tick(&(100.0 * found.meta.detection_probability)));
        chart
            .draw_series(DashedLineSeries::new(ends, 7, 4, green.into()))
            .map_err(failed)?
            .label(label)
            .legend(move |(x, y)| plotters::element::DashedPathElement::new([(x, y), (x + 24, y)], 7, 4, green));
        let orange = RGBColor(215, 125, 20);
        let significant = found
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| if small { value(c) <= level } else { value(c) >= level });
        let numbers = significant.map(|(i, c)| {
            let style = ("sans-serif", 18).into_font().color(&orange);
            let beside = if small { value(c) } else { (value(c) + 0.03 * high).min(high) };
            Text::new(format!(" {}", i + 1), (c.freq, beside), style)
        });
        chart.draw_series(numbers).map_err(failed)?;
        let mut legend = chart.configure_series_labels();
        let corner = if small { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperRight };
        legend.position(corner).label_font(("sans-serif", 16)).margin(8);
        legend.draw().map_err(failed)?;
        area.present().map_err(failed)
    }
}

struct ProfilePicture<'a> {
    title: String,
    curves: Vec<(String, &'a PulseProfile)>,
    /// Rates over their mean.
    relative: bool,
}

impl Picture for ProfilePicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let scale = |p: &PulseProfile| if self.relative { p.meta.mean.max(f64::MIN_POSITIVE) } else { 1.0 };
        let bounds = |sign: f64| {
            let curves = self.curves.iter();
            curves.flat_map(move |(_, p)| p.rate.iter().zip(&p.rate_err).map(move |(r, e)| (r + sign * e) / scale(p)))
        };
        let finite = |x: &f64| x.is_finite();
        let low = bounds(-1.0).filter(finite).fold(f64::INFINITY, f64::min);
        let high = bounds(1.0).filter(finite).fold(f64::NEG_INFINITY, f64::max);
        if high <= low {
            return Err("no rate to draw".into());
        }
        let room = 0.08 * (high - low);
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..2.0, low - room..high + room)
            .map_err(failed)?;
        let weighted = self.curves.iter().any(|(_, p)| p.weight.is_some());
        let rate = match (self.relative, weighted) {
            (true, _) => "rate over its mean",
            (false, true) => "weighted rate (1/s)",
            (false, false) => "rate (counts/s)",
        };
        mesh(&mut chart, "phase", rate, 16).bold_line_style(GRID).draw().map_err(failed)?;
        for (i, (label, p)) in self.curves.iter().enumerate() {
            let colour = Palette99::pick(i).to_rgba();
            let colour = if self.relative { colour } else { RGBColor(20, 80, 150).to_rgba() };
            let (half, by) = (0.5 / p.phase.len() as f64, scale(p));
            let cycles =
                |j: f64| p.phase.iter().zip(&p.rate).zip(&p.rate_err).map(move |((x, r), e)| (x + j, r / by, e / by));
            let bins: Vec<(f64, f64, f64)> = cycles(0.0).chain(cycles(1.0)).collect();
            let known = |b: &(f64, f64, f64)| b.1.is_finite();
            let errors = bins.iter().filter(|b| known(b));
            let errors = errors.map(|(x, r, e)| PathElement::new(vec![(*x, r - e), (*x, r + e)], colour.mix(0.5)));
            chart.draw_series(errors).map_err(failed)?;
            // A bin without exposure breaks the line.
            let stretches = bins.chunk_by(|a, b| known(a) == known(b)).filter(|s| s.first().is_some_and(known));
            let lines = stretches.map(|s| {
                PathElement::new(
                    s.iter().flat_map(|(x, r, _)| [(x - half, *r), (x + half, *r)]).collect::<Vec<_>>(),
                    colour,
                )
            });
            let series = chart.draw_series(lines).map_err(failed)?;
            if !label.is_empty() {
                series.label(label).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 24, y)], colour));
            }
        }
        if self.relative {
            let mut legend = chart.configure_series_labels();
            legend.position(SeriesLabelPosition::UpperRight).label_font(("sans-serif", 16)).margin(8);
            legend.draw().map_err(failed)?;
        }
        area.present().map_err(failed)
    }
}

struct Residuals<'a> {
    title: String,
    toas: &'a Toas,
}

impl Picture for Residuals<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let toas = &self.toas.toas;
        let (Some(first), Some(last)) = (toas.first(), toas.last()) else {
            return Err("no time of arrival to draw".into());
        };
        // Hours or days from a whole day.
        let day = first.mjd.value().floor();
        let x = |toa: &Toa| (toa.mjd - DoubleDouble::from(day)).value();
        let room = 0.04 * (x(last) - x(first)).max(1e-3);
        let low = toas.iter().map(|t| t.shift - t.shift_err).fold(0.0, f64::min);
        let high = toas.iter().map(|t| t.shift + t.shift_err).fold(0.0, f64::max);
        let above = 0.08 * (high - low).max(1e-9);
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(96)
            .build_cartesian_2d(x(first) - room..x(last) + room, low - above..high + above)
            .map_err(failed)?;
        let axis = format!("MJD − {day}");
        mesh(&mut chart, &axis, "residual (cycles)", 16).bold_line_style(GRID).draw().map_err(failed)?;
        let zero = [(x(first) - room, 0.0), (x(last) + room, 0.0)];
        chart.draw_series(DashedLineSeries::new(zero, 7, 4, RGBColor(40, 130, 70).into())).map_err(failed)?;
        let blue = RGBColor(20, 80, 150);
        let bars = toas.iter().map(|t| {
            PathElement::new(vec![(x(t), t.shift - t.shift_err), (x(t), t.shift + t.shift_err)], blue.mix(0.6))
        });
        chart.draw_series(bars).map_err(failed)?;
        chart.draw_series(toas.iter().map(|t| Circle::new((x(t), t.shift), 3, blue.filled()))).map_err(failed)?;
        area.present().map_err(failed)
    }
}

/// Values as shades: rows from the bottom up, repeated sideways.
struct Heat {
    title: String,
    x: (&'static str, f64, f64),
    y: (&'static str, f64, f64),
    rows: Vec<Vec<f64>>,
    cycles: usize,
}

/// Rows that a picture has; more share one, of which the largest values are shown.
const SHADES: usize = 256;

impl Picture for Heat {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 22))
            .margin(12)
            .margin_right(RIGHT_MARGIN)
            .x_label_area_size(48)
            .y_label_area_size(96)
            .build_cartesian_2d(self.x.1..self.x.2, self.y.1..self.y.2)
            .map_err(failed)?;
        mesh(&mut chart, self.x.0, self.y.0, 16).bold_line_style(GRID).draw().map_err(failed)?;
        let together = self.rows.len().div_ceil(SHADES).max(1);
        let rows: Vec<Vec<f64>> = self
            .rows
            .chunks(together)
            .map(|rows| {
                let largest = |c: usize| rows.iter().filter_map(|row| row.get(c).copied()).fold(f64::NAN, f64::max);
                (0..rows.first().map_or(0, Vec::len)).map(largest).collect()
            })
            .collect();
        let finite = || rows.iter().flatten().copied().filter(|v| v.is_finite());
        let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let (height, width) =
            ((self.y.2 - self.y.1) * together as f64 / self.rows.len().max(1) as f64, self.x.2 - self.x.1);
        let cells = rows.iter().enumerate().flat_map(|(i, row)| {
            let step = width / (row.len() * self.cycles) as f64;
            (0..row.len() * self.cycles).filter_map(move |c| {
                let value = row[c % row.len()];
                let share = if high > low { (value - low) / (high - low) } else { 0.0 };
                let shade = |full: f64| (255.0 - share * (255.0 - full)) as u8;
                let colour = RGBColor(shade(10.0), shade(40.0), shade(100.0)).filled();
                let (x, y) = (self.x.1 + c as f64 * step, self.y.1 + i as f64 * height);
                value.is_finite().then(|| Rectangle::new([(x, y), (x + step, (y + height).min(self.y.2))], colour))
            })
        });
        chart.draw_series(cells).map_err(failed)?;
        area.present().map_err(failed)
    }
}
