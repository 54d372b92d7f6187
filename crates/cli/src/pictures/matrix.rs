//! Pictures of matrices: colour for value over two axes, with a scale of the colours beside them.

use plotters::prelude::*;

use super::axes::{Picture, RIGHT_MARGIN, SIZE, mesh, save, tick, ticks};
use eagleray::Result;

/// Most columns and lines of cells that are drawn; beyond them cells are averaged.
const MOST: [usize; 2] = [400, 240];
/// Pixels that the scale of the colours takes, its labels included.
const SCALE_WIDTH: i32 = 110;
/// Steps of the scale.
const SHADES: usize = 160;

/// Colours from low to high that are told apart in grey and by the colour-blind (viridis, sampled at eight places).
const COLOURS: [[f64; 3]; 8] = [
    [68.0, 1.0, 84.0],
    [70.0, 50.0, 127.0],
    [54.0, 92.0, 141.0],
    [39.0, 127.0, 142.0],
    [31.0, 161.0, 135.0],
    [74.0, 194.0, 109.0],
    [159.0, 218.0, 58.0],
    [253.0, 231.0, 37.0],
];

/// An axis of a matrix: the cells' edges, in order; between cells there may be gaps.
pub struct Axis {
    pub name: String,
    pub edges: Vec<(f64, f64)>,
    pub log: bool,
}

/// A matrix to draw: one line of cells along `y` for each cell along `x`; NaN is nothing.
pub struct MatrixPicture<'a> {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub values: &'a [f64],
    /// What the colours mean.
    pub name: String,
    /// Colours by the logarithm of the values.
    pub log: bool,
    /// A line over the cells: x, y.
    pub trace: Vec<(f64, f64)>,
}

/// Draws a matrix.
///
/// # Errors
/// The name is neither .svg nor .png, the file exists, or it cannot be written.
pub fn matrix(picture: &MatrixPicture, path: &str, overwrite: bool) -> Result<()> {
    save(picture, path, overwrite)
}

fn colour(part: f64) -> RGBColor {
    let place = part.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let i = (place as usize).min(COLOURS.len() - 2);
    let mix = |c: usize| (COLOURS[i][c] + (COLOURS[i + 1][c] - COLOURS[i][c]) * (place - i as f64)).round() as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

impl Axis {
    /// The ends of the axis.
    fn ends(&self) -> Option<(f64, f64)> {
        let ends = (self.edges.first()?.0, self.edges.iter().map(|e| e.1).fold(f64::NEG_INFINITY, f64::max));
        let from = if self.log && ends.0 <= 0.0 { ends.1.min(self.edges.get(1)?.0) / 2.0 } else { ends.0 };
        (ends.1 > from).then_some((from, ends.1))
    }

    /// The place of a value on the axis, 0 to 1.
    fn place(&self, ends: (f64, f64), value: f64) -> f64 {
        match self.log {
            true => (value.max(ends.0) / ends.0).ln() / (ends.1 / ends.0).ln(),
            false => (value - ends.0) / (ends.1 - ends.0),
        }
    }

    /// Neighbouring cells as `most` at most, none over a gap: ranges of cells.
    fn grouped(&self, ends: (f64, f64), most: usize) -> Vec<std::ops::Range<usize>> {
        let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
        let mut pixel = f64::NAN;
        for (i, edge) in self.edges.iter().enumerate() {
            let here = (self.place(ends, (edge.0 + edge.1) / 2.0) * most as f64).floor();
            match groups.last_mut() {
                Some(group) if here == pixel && self.touches(i) => group.end = i + 1,
                _ => groups.push(i..i + 1),
            }
            pixel = here;
        }
        groups
    }

    /// No gap lies before a cell.
    fn touches(&self, i: usize) -> bool {
        let (before, edge) = (self.edges[i - 1], self.edges[i]);
        edge.0 - before.1 < 0.5 * (edge.1 - edge.0)
    }
}

impl Picture for MatrixPicture<'_> {
    fn draw<B: DrawingBackend>(&self, area: DrawingArea<B, plotters::coord::Shift>) -> Result<(), String>
    where
        B::ErrorType: 'static,
    {
        let failed = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
        area.fill(&WHITE).map_err(failed)?;
        let (Some(xs), Some(ys)) = (self.x.ends(), self.y.ends()) else { return Err("no cell to draw".into()) };
        let (columns, lines) = (self.x.grouped(xs, MOST[0]), self.y.grouped(ys, MOST[1]));
        let height = self.y.edges.len();
        let mut cells = Vec::new();
        for column in &columns {
            for line in &lines {
                let inside =
                    column.clone().flat_map(|c| self.values[c * height..(c + 1) * height][line.clone()].iter());
                let (sum, count) = inside.filter(|v| v.is_finite()).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
                cells.push(sum / count);
            }
        }
        let usable = |v: &&f64| v.is_finite() && (!self.log || **v > 0.0);
        let mut order: Vec<f64> = cells.iter().filter(usable).copied().collect();
        order.sort_by(f64::total_cmp);
        let (Some(&least), Some(&high)) = (order.first(), order.last()) else {
            return Err("no positive value to draw by its logarithm; draw them linearly".into());
        };
        // The deepest chance minima of a logarithm would take most of the colours.
        let low = if self.log { order[order.len() / 20].min(high / 1.01) } else { least.min(high - 1e-9 * high.abs()) };
        let scale = Axis { name: self.name.clone(), edges: vec![(low, high)], log: self.log };
        let (main, side) = area.split_horizontally(SIZE.0 as i32 - SCALE_WIDTH);
        let shade = |v: f64| colour(scale.place((low, high), v));
        let boxes = columns.iter().enumerate().flat_map(|(c, column)| {
            let (cells, lines, shade) = (&cells, &lines, &shade);
            let x = (self.x.edges[column.start].0.max(xs.0), self.x.edges[column.end - 1].1);
            lines.iter().enumerate().filter_map(move |(l, line)| {
                let value = cells[c * lines.len() + l];
                // What is not positive is below all logarithms.
                let drawn = value.is_finite();
                let y = (self.y.edges[line.start].0.max(ys.0), self.y.edges[line.end - 1].1);
                drawn.then(|| Rectangle::new([(x.0, y.0), (x.1, y.1)], shade(value).filled()))
            })
        });
        let mut builder = ChartBuilder::on(&main);
        builder.caption(self.title.trim(), ("sans-serif", 22)).margin(12).margin_right(RIGHT_MARGIN / 2);
        builder.x_label_area_size(48).y_label_area_size(76);
        // An axis is linear or logarithmic by its type.
        macro_rules! chart {
            ($x:expr, $y:expr) => {{
                let mut chart = builder.build_cartesian_2d($x, $y).map_err(failed)?;
                chart.draw_series(boxes).map_err(failed)?;
                let line = self.trace.iter().map(|&at| Circle::new(at, 3, RGBColor(255, 60, 40).stroke_width(1)));
                chart.draw_series(line).map_err(failed)?;
                mesh(&mut chart, &self.x.name, &self.y.name, 16).disable_mesh().draw().map_err(failed)?;
            }};
        }
        let log = |ends: (f64, f64)| (ends.0..ends.1).log_scale().with_key_points(ticks(ends.0, ends.1));
        match (self.x.log, self.y.log) {
            (false, false) => chart!(xs.0..xs.1, ys.0..ys.1),
            (false, true) => chart!(xs.0..xs.1, log(ys)),
            (true, false) => chart!(log(xs), ys.0..ys.1),
            (true, true) => chart!(log(xs), log(ys)),
        }
        let mut builder = ChartBuilder::on(&side);
        builder.margin(12).margin_top(46).margin_bottom(60).margin_left(0).y_label_area_size(72);
        let step = |i: usize| match self.log {
            true => low * (high / low).powf(i as f64 / SHADES as f64),
            false => low + (high - low) * i as f64 / SHADES as f64,
        };
        let shades = (0..SHADES).map(|i| Rectangle::new([(0.0, step(i)), (1.0, step(i + 1))], shade(step(i)).filled()));
        macro_rules! scale {
            ($y:expr) => {{
                let mut chart = builder.build_cartesian_2d(0.0..1.0, $y).map_err(failed)?;
                chart.draw_series(shades).map_err(failed)?;
                let mut mesh = chart.configure_mesh();
                mesh.disable_mesh().disable_x_axis().y_desc(self.name.as_str()).y_label_formatter(&tick);
                mesh.label_style(("sans-serif", 16)).axis_desc_style(("sans-serif", 18)).draw().map_err(failed)?;
            }};
        }
        match self.log {
            true => scale!(log((low, high))),
            false => scale!(low..high),
        }
        area.present().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_joined_but_not_over_gaps() {
        let edges = |starts: &[f64]| starts.iter().map(|&s| (s, s + 1.0)).collect();
        let axis = Axis { name: String::new(), edges: edges(&[0.0, 1.0, 2.0, 7.0, 8.0, 9.0]), log: false };
        let ends = axis.ends().unwrap();
        assert_eq!(ends, (0.0, 10.0));
        assert_eq!(axis.grouped(ends, 100).len(), 6);
        assert_eq!(axis.grouped(ends, 1), [0..3, 3..6]);
        assert_eq!(axis.grouped(ends, 5), [0..2, 2..3, 3..4, 4..6]);
        assert_eq!((colour(-1.0), colour(2.0)), (RGBColor(68, 1, 84), RGBColor(253, 231, 37)));
    }
}
