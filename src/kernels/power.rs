//! Power and its sum over segments: `S_k += w·|F_k|²` for `k = 1 … ceil(n/2) − 1`.

use rustfft::num_complex::Complex;

use super::trial::{Random, words};
use super::{
    Access, Data, Dispatch, Fill, GRID, Job, Kernel, Limits, Precision, Shader, Shape, Trial, Values, no_memory,
    shared_struct, threads_only,
};

/// Frequencies kept of a transform of `n` samples: `k = 1 … ceil(n/2) − 1`; zero and Nyquist are dropped.
pub fn frequencies(n: usize) -> usize {
    n.div_ceil(2).saturating_sub(1)
}

/// Weight of a segment of `photons` photons in the sum of powers: `N^−exponent`; an empty segment weighs nothing.
pub fn weight(photons: u64, exponent: u32) -> f64 {
    if exponent == 0 {
        1.0
    } else if photons == 0 {
        0.0
    } else {
        (photons as f64).powi(-(exponent as i32))
    }
}

/// Reference: `Σ_rows w_row·|F_row,k|²` in index order; `spectra` holds whole transforms, `k = 0` first.
pub fn reference(spectra: &[Vec<Complex<f64>>], weights: &[f64], n: usize) -> Vec<f64> {
    (1..=frequencies(n))
        .map(|k| spectra.iter().zip(weights).map(|(f, w)| w * (f[k].re * f[k].re + f[k].im * f[k].im)).sum())
        .collect()
}

/// Production path on one core: adds one segment's `w·|F_k|²` to `sum`; `spectrum` starts at `k = 0`.
pub fn cpu(spectrum: &[Complex<f64>], weight: f64, sum: &mut [f64]) {
    for (s, f) in sum.iter_mut().zip(&spectrum[1..]) {
        *s += weight * (f.re * f.re + f.im * f.im);
    }
}

shared_struct! {
    /// Parameters of `power.wgsl`.
    PowerParams as "Params" {
        /// Runs.
        runs: u32,
        /// Complex amplitudes a row, `n/2`.
        h: u32,
        /// Exponent `p` of the weights `N^−p`, 0 without.
        exponent: u32,
    }
}

shared_struct! {
    /// One segment, as `power.wgsl` reads it.
    PowerRow as "PowerRow" {
        /// 1 for a segment that counts, 0 for one that is skipped.
        include: f32,
        /// Events in the segment's range.
        events: u32,
    }
}

/// Power summed over the segments of a run.
pub static POWER: Shader = Shader {
    name: "power",
    entry: "power",
    fragments: &[GRID, include_str!("../../shaders/power.wgsl")],
    bindings: &[
        ("params", Access::Uniform),
        ("spectra", Access::Read),
        ("rows", Access::Read),
        ("dropped", Access::Read),
        ("runs", Access::Read),
        ("sums", Access::ReadWrite),
    ],
    layouts: &[PowerParams::LAYOUT, PowerRow::LAYOUT],
    constants: threads_only,
    workgroup_bytes: no_memory,
    f64: false,
};

/// The launch: buffers are spectra (rows × h complex f32), rows ([`PowerRow`]), dropped (rows, u32), runs (first row and
/// one past the last, u32), sums (runs × blocks × (h − 1), f32).
pub fn dispatch(params: PowerParams, buffers: [usize; 5], limits: &Limits) -> Dispatch {
    Dispatch {
        shader: &POWER,
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: buffers.to_vec(),
        workgroups: limits.grid_of_items(u64::from(params.runs) * u64::from(params.h.saturating_sub(1))),
    }
}

/// The power sum's entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "power",
    shaders: &[&POWER],
    variants: &["plain", "weighted"],
    needs_f64: |_| false,
    shapes,
    trial: |variant, shape, data, seed| Box::new(PowerTrial::new(variant == 1, shape, data, seed)),
};

fn shapes(limits: &Limits) -> Vec<Shape> {
    let t = limits.threads as usize;
    let list = [
        (2, 3),
        (4, 0),
        (4, 1),
        (8, 130),
        (64, 257),
        (2 * t, 66),
        (2 * t + 2, 7),
        (2 * t + 4, 64),
        (194, 129),
        (1 << 15, 9),
    ];
    list.map(|(n, rows)| Shape { n, rows, events: 0 }).into()
}

/// One case of the power sum; its values are runs × blocks × frequencies.
struct PowerTrial {
    h: usize,
    exponent: u32,
    /// rows × h amplitudes, exact in f32.
    spectra: Vec<Complex<f32>>,
    rows: Vec<PowerRow>,
    dropped: Vec<u32>,
    runs: Vec<[u32; 2]>,
}

impl PowerTrial {
    fn new(weighted: bool, shape: Shape, data: Data, seed: u64) -> PowerTrial {
        let mut random = Random::new(seed);
        let h = shape.n / 2;
        let scale = if data == Data::Hostile { 1e9 } else { 30.0 };
        let spectra = (0..shape.rows * h)
            .map(|_| Complex::new((scale * random.normal()) as f32, (scale * random.normal()) as f32))
            .collect();
        let largest = if data == Data::Hostile { 2_000_000_000 } else { 3000 };
        let rows: Vec<PowerRow> = (0..shape.rows)
            .map(|_| PowerRow {
                include: if random.below(5) == 0 { 0.0 } else { 1.0 },
                events: if random.below(9) == 0 { 0 } else { random.below(largest) as u32 },
            })
            .collect();
        let dropped = rows.iter().map(|r| if random.below(9) == 0 { r.events } else { r.events / 100 }).collect();
        let mut runs = Vec::new();
        let mut begin = 0;
        while begin < shape.rows {
            let end = (begin + 1 + random.below(64)).min(shape.rows);
            runs.push([begin as u32, end as u32]);
            begin = end;
        }
        let exponent = if weighted { 1 + seed as u32 % 2 } else { 0 };
        PowerTrial { h, exponent, spectra, rows, dropped, runs }
    }

    fn blocks(&self) -> usize {
        1 + usize::from(self.exponent > 0)
    }

    /// `sum(run's spectra, weights)` for each run and block.
    fn sums(&self, sum: impl Fn(&[Vec<Complex<f64>>], &[f64]) -> Vec<f64>) -> Values {
        let mut values = Vec::new();
        for &[begin, end] in &self.runs {
            let range = begin as usize..end as usize;
            let spectra: Vec<Vec<Complex<f64>>> = range
                .clone()
                .map(|row| self.spectra[row * self.h..(row + 1) * self.h].iter())
                .map(|row| row.map(|f| Complex::new(f64::from(f.re), f64::from(f.im))).collect())
                .collect();
            for block in 0..self.blocks() {
                let weights: Vec<f64> = range
                    .clone()
                    .map(|row| {
                        let photons = u64::from(self.rows[row].events - self.dropped[row]);
                        f64::from(self.rows[row].include) * weight(photons, if block == 0 { 0 } else { self.exponent })
                    })
                    .collect();
                values.extend(sum(&spectra, &weights));
            }
        }
        Values { at: None, values }
    }
}

impl Trial for PowerTrial {
    fn reference(&self) -> Values {
        self.sums(|spectra, weights| reference(spectra, weights, 2 * self.h))
    }

    fn cpu(&self) -> Values {
        self.sums(|spectra, weights| {
            let mut sum = vec![0.0; frequencies(2 * self.h)];
            spectra.iter().zip(weights).for_each(|(f, &w)| cpu(f, w, &mut sum));
            sum
        })
    }

    fn job(&self, limits: &Limits) -> Job {
        let params = PowerParams { runs: self.runs.len() as u32, h: self.h as u32, exponent: self.exponent };
        let sums = 4 * self.runs.len() * self.blocks() * (self.h - 1);
        let spectra: Vec<[f32; 2]> = self.spectra.iter().map(|f| [f.re, f.im]).collect();
        Job {
            buffers: vec![
                Fill::of(&spectra),
                Fill::of(&self.rows),
                Fill::of(&self.dropped),
                Fill::of(&self.runs),
                Fill::Zeros(sums as u64),
            ],
            dispatches: vec![dispatch(params, [0, 1, 2, 3, 4], limits)],
            outputs: vec![4],
        }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> Values {
        words(outputs, f32::from_le_bytes)
    }

    /// Terms are not negative, so a sum of 64 errs by at most `(70 + 6·p)·ε` of itself: 63 additions, 3 operations a power,
    /// a product, and `p` divisions by a rounded N, each of 2 or 3 units in the last place (WGSL's bound is 2.5).
    fn tolerance(&self, expected: &Values, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let epsilon = 2f64.powi(if precision == Precision::Single { -24 } else { -53 });
        let relative = f64::from(70 + 6 * self.exponent) * epsilon;
        let values = expected.values.clone();
        Box::new(move |i| relative * values[i])
    }

    /// Forgets the last run.
    fn perturb(&self, job: &mut Job) {
        let runs = self.runs.len() as u32 - 1;
        job.dispatches[0].params[..4].copy_from_slice(&runs.to_le_bytes());
    }

    fn pipelines(&self, _: &Limits) -> Vec<&'static str> {
        if self.runs.is_empty() || self.h < 2 { vec![] } else { vec!["power"] }
    }
}
