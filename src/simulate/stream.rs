//! Which random numbers are whose.

use crate::base::random::Random;

/// What a stream of random numbers is for.
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

impl Stream {
    /// The numbers of this stream of a seed.
    pub(super) fn of(self, seed: u64) -> Random {
        Random::stream(
            seed,
            match self {
                Stream::Block(block) => block,
                Stream::DeadTime(block) => (1 << 61) + block,
                Stream::Noise { series, chunk } => (1 << 62) + (series << 48) + chunk,
                Stream::Window => 1 << 63,
            },
        )
    }
}
