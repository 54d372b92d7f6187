//! Arithmetic rates of a device: chains of integer and of floating-point steps, `x ← (x xor x/8)·a + b` modulo 2^32 and
//! `x ← a·x + b`. What comes of them is checked as for every kernel, so that no compiler can leave steps out.

use rayon::prelude::*;

use super::case::words;
use super::{
    Access, CaseData, CaseShape, CaseValues, Dispatch, Fill, GRID, Job, Kernel, KernelCase, Limits, Shader, Timed,
    no_memory, shared_struct, threads_only,
};
use crate::numerics::precision::Precision;

const STEPS_A_ROUND: u32 = 8;
/// Rounds of a case at most, whose definition takes so long.
const CASE_ROUNDS: usize = 64;
/// Items of a case at most.
const CASE_ITEMS: usize = 1 << 18;
/// The definition is computed for one item of so many.
const SAMPLED: usize = 37;
/// Factor and summand of integers: those of Knuth's generator (The Art of Computer Programming 2, 3.3.4).
const INTEGER: [u32; 2] = [1_664_525, 1_013_904_223];
/// Factor and summand of floating-point numbers, exact in f32; chains end near summand/(1 − factor) = 0.4.
const FLOAT: [f32; 2] = [-0.75, 0.7];

shared_struct! {
    /// Parameters of `rate.wgsl`.
    RateParams as "Params" {
        /// Items.
        items: u32,
        /// Rounds of eight steps.
        rounds: u32,
        /// Bits of the factor.
        factor: u32,
        /// Bits of the summand.
        summand: u32,
    }
}

const RATE: &str = include_str!("../../shaders/rate.wgsl");
const STEP_U32: &str = include_str!("../../shaders/lib/step_u32.wgsl");
const STEP_F32: &str = include_str!("../../shaders/lib/step_f32.wgsl");

const fn shader(name: &'static str, fragments: &'static [&'static str]) -> Shader {
    Shader {
        name,
        entry: "rate",
        fragments,
        bindings: &[("params", Access::Uniform), ("results", Access::ReadWrite)],
        layouts: &[RateParams::LAYOUT],
        constants: threads_only,
        workgroup_bytes: no_memory,
        f64: false,
    }
}

static SHADERS: [Shader; 2] =
    [shader("rate.u32", &[GRID, STEP_U32, RATE]), shader("rate.f32", &[GRID, STEP_F32, RATE])];

/// The kernel's entry in the table.
pub static KERNEL: Kernel = Kernel {
    name: "rate",
    shaders: &[&SHADERS[0], &SHADERS[1]],
    variants: &["u32", "f32"],
    needs_f64: |_| false,
    shapes,
    timed: Timed { lengths: &[], quick: &[], ..Timed::ONE_LENGTH },
    case: |variant, shape, _: CaseData, _| {
        let (items, rounds) = ((shape.n * shape.rows).min(CASE_ITEMS), shape.events.min(CASE_ROUNDS));
        Box::new(RateCase { float: variant == 1, items, rounds: rounds as u32 })
    },
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let t = limits.threads as usize;
    let list = [(0, 3), (1, 0), (1, 1), (t - 1, 2), (t, 7), (t + 1, 64), (40 * t + 3, 64)];
    list.map(|(n, events)| CaseShape { n, rows: 1, events }).into()
}

/// Operations of a job: integer or floating-point ones, of four numbers an item.
pub fn operations(variant: usize, items: usize, rounds: u32) -> f64 {
    let of_step = if variant == 0 { 4.0 } else { 2.0 };
    4.0 * of_step * f64::from(STEPS_A_ROUND) * f64::from(rounds) * items as f64
}

/// The device's work for so many items and rounds of eight steps.
pub fn job(variant: usize, items: usize, rounds: u32, limits: &Limits) -> Job {
    let [factor, summand] = if variant == 0 { INTEGER } else { FLOAT.map(f32::to_bits) };
    let params = RateParams { items: items as u32, rounds, factor, summand };
    let dispatch = Dispatch {
        shader: &SHADERS[variant],
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: vec![0],
        workgroups: limits.grid_of_items(items as u64),
        bytes: 16 * items as u64,
    };
    Job { buffers: vec![Fill::Zeros(16 * items as u64)], dispatches: vec![dispatch], outputs: vec![0] }
}

/// One case; its values are four numbers an item.
struct RateCase {
    float: bool,
    items: usize,
    rounds: u32,
}

impl RateCase {
    /// The definition for number `place`.
    fn one(&self, place: usize) -> f64 {
        let steps = self.rounds * STEPS_A_ROUND;
        if self.float {
            let [a, b] = FLOAT.map(f64::from);
            let first = (place / 4 % 1024) as f64 + 0.25 * (place % 4) as f64;
            (0..steps).fold(first, |x, _| a * x + b)
        } else {
            let [a, b] = INTEGER;
            f64::from((0..steps).fold(place as u32, |x, _| (x ^ (x >> 3)).wrapping_mul(a).wrapping_add(b)))
        }
    }
}

impl KernelCase for RateCase {
    fn reference(&self) -> CaseValues {
        let at: Vec<usize> = (0..4 * self.items).step_by(SAMPLED).collect();
        CaseValues { values: at.iter().map(|&place| self.one(place)).collect(), at: Some(at) }
    }
    fn cpu(&self) -> CaseValues {
        CaseValues { at: None, values: (0..4 * self.items).into_par_iter().map(|place| self.one(place)).collect() }
    }
    fn job(&self, limits: &Limits) -> Job {
        job(usize::from(self.float), self.items, self.rounds, limits)
    }
    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        if self.float { words(outputs, f32::from_le_bytes) } else { words(outputs, u32::from_le_bytes) }
    }
    /// Integers are exact. Each step of an f32 chain rounds twice at most, and 0.75 of the error goes on to the next, so that
    /// in the end it is at most 4 · 2 · 2^-24 times the largest number met since: 1024 without rounds, 1.5 when the beginning
    /// has faded, in any case less than 0.75^steps · 1024 + 1.5 some steps ago.
    fn tolerance(&self, _expected: &CaseValues, _precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let steps = f64::from(self.rounds * STEPS_A_ROUND);
        let error = 8.0 * 2f64.powi(-24) * (1.5 + 1024.0 * steps * 0.75f64.powf(steps));
        let bound = if self.float && self.rounds > 0 { error } else { 0.0 };
        Box::new(move |_| bound)
    }
    fn perturb(&self, job: &mut Job) {
        let changed: &mut RateParams = bytemuck::from_bytes_mut(&mut job.dispatches[0].params);
        changed.summand = if self.float { 0.701f32.to_bits() } else { changed.summand + 1 };
    }
    fn pipelines(&self, limits: &Limits) -> Vec<&'static str> {
        let launched = !limits.grid_of_items(self.items as u64).contains(&0);
        if launched { vec![SHADERS[usize::from(self.float)].name] } else { Vec::new() }
    }
}
