//! Random numbers of a simulation: one ChaCha stream for each piece of work, so that pieces can be made in any order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for; streams of one seed never overlap.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    /// The events of one time block.
    Block(u64),
    /// The dead times of the events of one time block.
    DeadTime(u64),
    /// The amplitudes of one run of frequencies of one Gaussian series.
    Noise {
        /// Which of the independent series.
        series: u64,
        /// Which run of frequencies.
        chunk: u64,
    },
    /// Where the window lies in the long series.
    Window,
}

/// The random numbers of one stream.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// Opens a stream of a seed.
    pub(super) fn new(seed: u64, stream: Stream) -> Random {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(match stream {
            Stream::Block(block) => block,
            Stream::DeadTime(block) => (1 << 61) + block,
            Stream::Noise { series, chunk } => (1 << 62) + (series << 48) + chunk,
            Stream::Window => 1 << 63,
        });
        Random(rng)
    }

    /// Uniform 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in (0, 1], a multiple of 2^-53: its logarithm is finite.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Exponential with mean 1: the waiting time of a Poisson process of rate 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Two independent standard normal deviates (Box & Muller 1958, doi:10.1214/aoms/1177706645).
    pub(super) fn normals(&mut self) -> [f64; 2] {
        let radius = (2.0 * self.exponential()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        [radius * cos, radius * sin]
    }

    /// An integer below `n ≥ 1`; biased by at most n/2^64.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }
}
