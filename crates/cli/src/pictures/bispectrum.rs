//! Pictures of bispectra: a value for each pair of frequencies.

use super::Drawn;
use super::axes::title;
use super::matrix::{Axis, MatrixPicture, matrix};
use eagleray::Result;
use eagleray::science::bispectrum::{Bispectrum, BispectrumMetadata};
use eagleray::science::cumulant::CumulantBispectrum;

impl Drawn for Bispectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        let plane = Plane {
            freq: [&self.freq1, &self.freq2],
            names: ["higher frequency", "lower frequency"],
            values: &self.bicoherence,
            name: "squared bicoherence",
        };
        plane.draw_of(&self.meta, path, overwrite)
    }
}

impl Drawn for CumulantBispectrum {
    fn draw(&self, path: &str, overwrite: bool) -> Result<()> {
        let plane = Plane {
            freq: [&self.freq1, &self.freq2],
            names: ["first frequency", "second frequency"],
            values: &self.magnitude,
            name: "magnitude of the bispectrum (counts³)",
        };
        plane.draw_of(&self.meta, path, overwrite)
    }
}

/// Values over two frequencies, which are multiples of `df`; a pair a value.
struct Plane<'a> {
    freq: [&'a [f64]; 2],
    names: [&'static str; 2],
    values: &'a [f64],
    name: &'static str,
}

impl Plane<'_> {
    fn draw_of(&self, meta: &BispectrumMetadata, path: &str, overwrite: bool) -> Result<()> {
        let df = meta.df;
        let number = |f: &f64| (f / df).round() as i64;
        let ends = self.freq.map(|freq| {
            let numbers = || freq.iter().map(number);
            (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0))
        });
        let [width, height] = ends.map(|(first, last)| (last - first + 1) as usize);
        let mut values = vec![f64::NAN; width * height];
        for (i, value) in self.values.iter().enumerate() {
            let [x, y] = [0, 1].map(|axis| (number(&self.freq[axis][i]) - ends[axis].0) as usize);
            values[x * height + y] = *value;
        }
        let axis = |i: usize| Axis {
            name: format!("{} (Hz)", self.names[i]),
            edges: (ends[i].0..=ends[i].1).map(|k| ((k as f64 - 0.5) * df, (k as f64 + 0.5) * df)).collect(),
            log: false,
        };
        let picture = MatrixPicture {
            title: title(&meta.record, meta.segments, meta.segment_size),
            x: axis(0),
            y: axis(1),
            values: &values,
            name: self.name.into(),
            log: false,
            trace: Vec::new(),
        };
        matrix(&picture, path, overwrite)
    }
}
