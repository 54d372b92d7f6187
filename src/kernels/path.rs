//! Cases of the whole way from samples to power, one segment a sum: what users get of the transform, its last steps included, where
//! the cases of single kernels have the passes and the power apart.

use super::fft::FftCase;
use super::power::{self, PowerBuffers};
use super::{CaseData, CaseShape, CaseValues, Dispatch, Fill, Job, KernelCase, Limits, power_pass};
use crate::numerics::precision::Precision;

/// Variants: counts and flux in single precision, then in double.
pub const VARIANTS: [&str; 4] = ["counts", "flux", "counts.f64", "flux.f64"];

/// A case of `shape.n ≥ 3` samples: its values are those of the transform (`re, im` of F_k row by row), then the moduli |F_k| that
/// come out of the power's shader, all with the bound of an amplitude.
pub fn case(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> Box<dyn KernelCase> {
    Box::new(PathCase { transform: FftCase::from_variant(variant, shape, data, seed), rows: shape.rows })
}

struct PathCase {
    transform: FftCase,
    rows: usize,
}

/// Appends the moduli of `re, im` pairs.
fn with_moduli(amplitudes: CaseValues) -> CaseValues {
    let CaseValues { at, mut values } = amplitudes;
    let moduli: Vec<f64> = values.chunks(2).map(|f| f[0].hypot(f[1])).collect();
    values.extend(moduli);
    CaseValues { at, values }
}

impl PathCase {
    /// The sum of |F_k|² of each row alone, of what the transform's launches leave in `spectra` or, before their last, in `points`.
    fn dispatch(&self, limits: &Limits, spectra: usize, points: usize) -> Dispatch {
        let plan = self.transform.plan(limits);
        let places = |spectra| PowerBuffers { tables: 2, spectra, rows: 1, dropped: 7, runs: 8, sums: 9 };
        power_pass::dispatch(&plan, self.rows, self.rows, 0, &places(points), limits)
            .unwrap_or_else(|| power::dispatch(&plan, self.rows, self.rows, 0, &places(spectra), limits))
    }
}

impl KernelCase for PathCase {
    fn reference(&self) -> CaseValues {
        let CaseValues { at, values } = with_moduli(self.transform.reference());
        let all = 2 * self.rows * self.transform.count();
        let at = at.map(|at| at.iter().copied().chain(at.iter().step_by(2).map(|place| all + place / 2)).collect());
        CaseValues { at, values }
    }

    fn cpu(&self) -> CaseValues {
        with_moduli(self.transform.cpu())
    }

    fn job(&self, limits: &Limits) -> Job {
        let Job { mut buffers, mut dispatches, mut outputs } = self.transform.job(limits);
        let (spectra, plan) = (outputs[0], self.transform.plan(limits));
        // Launches take turns with two buffers.
        let points = if spectra == 5 { 6 } else { 5 };
        let sums = self.rows * self.transform.count() * self.precision().complex_bytes() as usize / 2;
        let runs: Vec<[u32; 2]> = (0..self.rows as u32).map(|row| [row, row + 1]).collect();
        // The factor of the plan goes along to where the sums are read.
        let factor = Fill::from_values(&[plan.power_factor()]);
        buffers.extend([Fill::Zeros(4 * self.rows as u64), Fill::from_values(&runs), Fill::Zeros(sums as u64), factor]);
        dispatches.push(self.dispatch(limits, spectra, points));
        outputs.extend([9, 10]);
        Job { buffers, dispatches, outputs }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        let factor = Precision::Double.reals(&outputs[2])[0];
        let mut values = self.transform.decode(&outputs[..1]).values;
        values.iter_mut().for_each(|value| *value *= factor.sqrt());
        values.extend(self.precision().reals(&outputs[1]).iter().map(|sum| (sum * factor).sqrt()));
        CaseValues { at: None, values }
    }

    /// That of the amplitudes, whose moduli err by no more.
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let count = expected.values.len() / 3 * 2;
        let at = expected.at.as_ref().map(|at| at[..count].to_vec());
        let bound = self.transform.tolerance(&CaseValues { at, values: expected.values[..count].to_vec() }, precision);
        Box::new(move |i| bound(if i < count { i } else { 2 * (i - count) }))
    }

    fn perturb(&self, job: &mut Job) {
        self.transform.perturb(job);
    }

    fn precision(&self) -> Precision {
        self.transform.precision()
    }

    fn pipelines(&self, limits: &Limits) -> Vec<&'static str> {
        let mut names = self.transform.pipelines(limits);
        names.push(self.dispatch(limits, 5, 6).shader.name);
        names
    }
}
