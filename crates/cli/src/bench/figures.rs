//! Plots of a run, as SVG to stand inside a page.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::record::{BenchRecord, BenchTiming};
use super::report::escaped;
use super::scaling::Scaling;
use crate::pictures::axes::{tick, ticks, use_font};
use eagleray::internal::trace::Trace;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (860, 430);
/// Colours that differ for most eyes, the first six from Okabe & Ito 2008.
const COLOURS: [RGBColor; 18] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 150, 150),
    RGBColor(190, 175, 30),
    RGBColor(90, 60, 140),
    RGBColor(130, 70, 30),
    RGBColor(60, 60, 60),
    RGBColor(150, 210, 140),
    RGBColor(250, 180, 180),
    RGBColor(0, 90, 70),
    RGBColor(255, 130, 90),
    RGBColor(110, 120, 210),
    RGBColor(150, 20, 40),
    RGBColor(0, 190, 190),
];
/// Threads that wait.
const WAITING: RGBColor = RGBColor(228, 228, 228);
/// Stages in the order of the colours that they have on every timeline; passes of GPUs follow by their names.
const STAGES: [&str; 11] = [
    "transform",
    "bin",
    "check and hash",
    "accumulate",
    "merge",
    "read",
    "segments",
    "spectrum",
    "decode",
    "submit",
    "prepare",
];
/// Boxes of a timeline at most; shorter spans than fit are left out.
const MOST_BOXES: usize = 2500;

fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// Points of one kind.
struct PlotSeries {
    name: String,
    points: Vec<(f64, f64)>,
    line: bool,
}

/// An axis: its name, and from where to where.
struct AxisRange<'a>(&'a str, f64, f64);

fn svg(size: (u32, u32), draw: impl FnOnce(Area) -> Result<(), String>) -> Option<String> {
    use_font();
    let mut text = String::new();
    draw(SVGBackend::with_string(&mut text, size).into_drawing_area()).ok()?;
    Some(text)
}

/// Names and their colours, as HTML to stand below a plot.
fn legend<'a>(names: impl Iterator<Item = (&'a str, RGBColor)>) -> String {
    let one = |(name, RGBColor(r, g, b)): (&str, _)| {
        format!("<span class=\"key\" style=\"background:rgb({r},{g},{b})\"></span>{} ", escaped(name))
    };
    format!("<p class=\"legend\">{}</p>\n", names.map(one).collect::<String>())
}

/// Series on two logarithmic axes.
fn logarithmic(x: AxisRange, y: AxisRange, series: &[PlotSeries]) -> Option<String> {
    let plot = svg(SIZE, |area| {
        let failed = |e: DrawingAreaErrorKind<_>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(44)
            .y_label_area_size(76)
            .build_cartesian_2d(
                (x.1..x.2).log_scale().with_key_points(ticks(x.1, x.2)),
                (y.1..y.2).log_scale().with_key_points(ticks(y.1, y.2)),
            )
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(x.0).y_desc(y.0).label_style(("sans-serif", 14)).axis_desc_style(("sans-serif", 15));
        mesh.x_label_formatter(&tick).y_label_formatter(&tick);
        mesh.light_line_style(TRANSPARENT).bold_line_style(RGBColor(225, 225, 225)).draw().map_err(failed)?;
        for (i, PlotSeries { points, line, .. }) in series.iter().enumerate() {
            let style = colour(i);
            let drawn = match line {
                true => chart.draw_series(LineSeries::new(points.iter().copied(), style.stroke_width(2))),
                false => chart.draw_series(points.iter().map(|&at| Circle::new(at, 4, style.filled()))),
            };
            drawn.map_err(failed)?;
        }
        area.present().map_err(failed)
    })?;
    Some(plot + &legend(series.iter().enumerate().map(|(i, series)| (series.name.as_str(), colour(i)))))
}

/// The smallest and largest of some positive numbers, with some room.
fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let positive = values.filter(|x| x.is_finite() && *x > 0.0);
    let (low, high) = positive.fold((f64::INFINITY, 0f64), |(low, high), x| (low.min(x), high.max(x)));
    (low <= high).then_some((low / 1.6, high * 1.6))
}

/// What a device computes against what it moves, and the roof over both; for each device that has kernels with known
/// operations.
pub fn rooflines(record: &BenchRecord) -> Vec<(String, String)> {
    let mut devices: Vec<&str> = record.timings.iter().map(|timing| timing.device.as_str()).collect();
    devices.sort_unstable();
    devices.dedup();
    devices.into_iter().filter_map(|device| Some((device.to_string(), roofline(record, device)?))).collect()
}

fn roofline(record: &BenchRecord, device: &str) -> Option<String> {
    let (arithmetic, copy) = (record.rate(device, "f32 arithmetic")?, record.rate(device, "copy")?);
    let mut series: Vec<PlotSeries> = Vec::new();
    for timing in record.timings.iter().filter(|t| t.device == device && t.kind == "kernel") {
        let Some((intensity, seconds)) =
            timing.limit.as_ref().and_then(|l| Some((l.intensity?, l.terms.get("arithmetic")?)))
        else {
            continue;
        };
        let point = (intensity, seconds * arithmetic / timing.median * 1e-9);
        let name = timing.name.clone();
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => series.push(PlotSeries { name, points: vec![point], line: false }),
        }
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let (low, high) = span(points().map(|p| p.0).chain([0.1, arithmetic / copy]))?;
    let roof = |x: f64| (x, (x * copy).min(arithmetic) * 1e-9);
    let ridge = (arithmetic / copy).clamp(low, high);
    let (bottom, top) = span(points().map(|p| p.1).chain([roof(low).1, arithmetic * 1e-9]))?;
    series.push(PlotSeries { name: "limit".into(), points: vec![roof(low), roof(ridge), roof(high)], line: true });
    let y = AxisRange("billion operations a second", bottom, top);
    logarithmic(AxisRange("operations a byte of device memory", low, high), y, &series)
}

/// Limit over time of every kernel that has a limit, by the length of its rows.
pub fn fractions(record: &BenchRecord) -> Option<String> {
    let mut series: Vec<PlotSeries> = Vec::new();
    for timing in record.timings.iter().filter(|timing| timing.kind == "kernel") {
        let (Some(fraction), Some(&n)) = (timing.fraction, timing.size.get("bins")) else { continue };
        let name = format!("{}, {}", timing.name, super::table::device(&timing.device, &timing.profile));
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push((n as f64, fraction)),
            None => series.push(PlotSeries { name, points: vec![(n as f64, fraction)], line: false }),
        }
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let (left, right) = span(points().map(|p| p.0))?;
    let (low, high) = span(points().map(|p| p.1).chain([1.0]))?;
    logarithmic(AxisRange("bins of a row", left, right), AxisRange("fraction of the limit", low, high), &series)
}

/// Time against threads, sample by sample, with the law that was fitted and the ideal.
pub fn scaling(scaling: &Scaling) -> Option<String> {
    let mut series: Vec<PlotSeries> = Vec::new();
    for point in &scaling.points {
        let name = format!("{}, chunks of {}", point.scheduling, point.chunk_events);
        let samples = point.samples.iter().map(|s| (point.threads as f64, s * 1e3));
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.extend(samples),
            None => series.push(PlotSeries { name, points: samples.collect(), line: false }),
        }
    }
    let (low, high) = span(series.iter().flat_map(|series| &series.points).map(|p| p.1))?;
    let most = scaling.points.iter().map(|point| point.threads).max()? as f64;
    let one = scaling.points.iter().find(|point| point.threads == 1)?.median * 1e3;
    let along = |law: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        (0..=60).map(|i| most.powf(f64::from(i) / 60.0)).map(|n| (n, law(n))).filter(|p| p.1 > 0.0).collect()
    };
    if let Some(fit) = &scaling.fit {
        series.push(PlotSeries {
            name: "T_s + T_p/N + K ln N".into(),
            points: along(&|n| 1e3 * fit.at(n)),
            line: true,
        });
    }
    series.push(PlotSeries { name: "ideal".into(), points: along(&|n| one / n), line: true });
    let low = low.min(one / most / 1.3);
    logarithmic(AxisRange("threads", 0.9, most.max(2.0) * 1.1), AxisRange("time, ms", low, high), &series)
}

/// What every thread and GPU did when, in one run.
pub fn timeline(profile: &Trace) -> Option<String> {
    let tracks: Vec<_> = profile.tracks().into_iter().filter(|(_, spans)| !spans.is_empty()).collect();
    let spans = || tracks.iter().flat_map(|(_, spans)| spans);
    let begin = spans().map(|span| span.1).fold(f64::INFINITY, f64::min);
    let end = spans().map(|span| span.1 + span.2).fold(0.0, f64::max);
    let mut durations: Vec<f64> = spans().map(|span| span.2).collect();
    durations.sort_by(|a, b| b.total_cmp(a));
    let shortest = durations.get(MOST_BOXES).copied().unwrap_or(0.0).max((end - begin) / 4000.0);
    let mut names: Vec<&str> = spans().filter(|span| span.2 >= shortest).map(|span| span.0).collect();
    names.sort_unstable();
    names.dedup();
    let waits = |name: &str| name.starts_with("wait for ");
    let passes: Vec<&str> = names.iter().copied().filter(|name| !STAGES.contains(name) && !waits(name)).collect();
    let coloured = |name: &str| {
        if waits(name) {
            return WAITING;
        }
        let stage = STAGES.iter().position(|stage| *stage == name);
        colour(stage.unwrap_or_else(|| STAGES.len() + passes.iter().position(|pass| *pass == name).unwrap_or(0)))
    };
    let plot = svg((SIZE.0, 44 * tracks.len() as u32 + 36), |area| {
        let failed = |e: DrawingAreaErrorKind<_>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let scale = |t: f64| 150 + ((t - begin) / (end - begin) * f64::from(SIZE.0 - 170)) as i32;
        let font = ("sans-serif", 13).into_font();
        for (row, (name, spans)) in tracks.iter().enumerate() {
            let top = 10 + 44 * row as i32;
            let short: String = name.chars().take(20).collect();
            area.draw(&Text::new(short, (4, top + 12), font.clone())).map_err(failed)?;
            // Spans come in order, the outer before those inside.
            let mut open: Vec<f64> = Vec::new();
            for &(name, from, duration) in spans {
                open.retain(|&stop| stop > from);
                if duration >= shortest {
                    let (left, right) = (scale(from), scale(from + duration));
                    let corners = [(left, top + 8 * (open.len() as i32).min(3)), (right.max(left + 1), top + 34)];
                    area.draw(&Rectangle::new(corners, coloured(name).filled())).map_err(failed)?;
                }
                open.push(from + duration);
            }
        }
        let label = format!("{:.1} ms", (end - begin) * 1e3);
        area.draw(&Text::new(label, (scale(end) - 60, 12 + 44 * tracks.len() as i32), font)).map_err(failed)?;
        area.present().map_err(failed)
    })?;
    Some(plot + &legend(names.iter().map(|name| (*name, coloured(name)))))
}

/// Medians of workloads over several runs, relative to the oldest; `runs` are names and records in order of time.
pub fn history(runs: &[(String, BenchRecord)]) -> Option<String> {
    let mut series: Vec<PlotSeries> = Vec::new();
    for (place, (_, record)) in runs.iter().enumerate() {
        for timing in record.timings.iter().filter(|timing| timing.kind == "workload") {
            let first = |(_, record): &(String, BenchRecord)| {
                record.timings.iter().find(|t| t.id == timing.id).map(|t| t.median)
            };
            let Some(oldest) = runs.iter().find_map(first) else { continue };
            let point = ((place + 1) as f64, timing.median / oldest);
            let name = short_id(timing);
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(PlotSeries { name, points: vec![point], line: false }),
            }
        }
    }
    let lines: Vec<PlotSeries> = series
        .iter()
        .filter(|series| series.points.len() > 1)
        .map(|series| PlotSeries { name: series.name.clone(), points: series.points.clone(), line: true })
        .collect();
    let (low, high) = span(lines.iter().flat_map(|series| &series.points).map(|p| p.1))?;
    let x = AxisRange("run, as numbered in the table", 0.9, runs.len() as f64 * 1.1);
    logarithmic(x, AxisRange("median over that of the first run", low, high), &lines)
}

fn short_id(timing: &BenchTiming) -> String {
    format!("{}, {}", timing.name, super::table::device(&timing.device, &timing.profile))
}
