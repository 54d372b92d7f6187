//! The one source of random numbers, of simulations and of tests: streams of ChaCha with eight rounds (Bernstein 2008), the same on every
//! machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random numbers of one stream of a seed; streams of one seed never overlap.
pub struct Random(ChaCha8Rng);

impl Random {
    /// Opens the first stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random::stream(seed, 0)
    }

    /// Opens a stream of a seed, so that pieces of work can be done in any order.
    pub fn stream(seed: u64, stream: u64) -> Random {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Random(rng)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in 0 ≤ x < 1, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Uniform in 0 < x ≤ 1, a multiple of 2^-53: its logarithm is finite.
    pub fn positive(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 * 2f64.powi(-53)
    }

    /// Uniform in 0 … n − 1, n ≥ 1; biased by at most n/2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// One of the values.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Exponential with mean 1: the waiting time of a Poisson process of rate 1.
    pub fn exponential(&mut self) -> f64 {
        -self.positive().ln()
    }

    /// Two independent standard normal deviates (Box & Muller 1958, doi:10.1214/aoms/1177706645).
    pub fn normals(&mut self) -> [f64; 2] {
        let radius = (2.0 * self.exponential()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.positive()).sin_cos();
        [radius * cos, radius * sin]
    }

    /// A standard normal deviate.
    pub fn normal(&mut self) -> f64 {
        self.normals()[0]
    }
}
