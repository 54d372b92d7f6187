//! Options that power spectra and cross spectra share.

use clap::Args;

use super::choice::choice;
use super::input::{Compat, seconds};
use crate::number::{counting, number, positive, range};
use eagleray::Segmentation;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::science::{DeadTimeKind, DeadTimeNoise, DeadTimeValue, NoiseLevel, Norm, Rebin};

/// From events to averaged spectra.
#[derive(Args, Debug)]
pub struct SpectrumArgs {
    /// Bin width, s: 0.001, 1/256, 2^-13 [default: 1/1024 s or the frame time; of a light curve, its own]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub dt: Option<f64>,
    /// Length of a segment, s [default: a power of two of bins, at least 50 segments]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub segment_size: Option<f64>,
    /// Normalisation
    #[arg(long, default_value = "leahy", value_parser = choice::<Norm>())]
    pub norm: Norm,
    /// Normalise by the common mean of all segments, in whose fractional rms they count by the squares of their rates; or each segment by its own, by which in frac
    /// they count alike
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub use_common_mean: bool,
    /// Average this many frequencies into one
    #[arg(long, value_name = "N", value_parser = counting, conflicts_with = "rebin_log")]
    pub rebin: Option<usize>,
    /// Average frequencies into bins whose widths grow by 1+F
    #[arg(long, value_name = "F", value_parser = number)]
    pub rebin_log: Option<f64>,
    /// Follow a peer's rules where this program's differ
    #[arg(long, value_enum)]
    pub compat: Option<Compat>,
    /// Light curves: bins with less of their time exposed count as missing
    #[arg(long, value_name = "F", value_parser = number, default_value = "0.9")]
    pub min_fracexp: f64,
    /// Rows read at a time; changes memory, not results
    #[arg(long, value_name = "N", value_parser = counting, default_value_t = CHUNK_EVENTS)]
    pub chunk_events: usize,
}

impl SpectrumArgs {
    /// How time is cut.
    pub fn segmentation(&self) -> Segmentation {
        let mut made = Segmentation::default();
        (made.dt, made.segment_size, made.compat_stingray) = (self.dt, self.segment_size, self.compat.is_some());
        made
    }

    /// How frequencies are rebinned.
    pub fn rebinning(&self) -> Rebin {
        match (self.rebin, self.rebin_log) {
            (Some(by), _) => Rebin::Linear(by),
            (None, Some(growth)) => Rebin::Geometric(growth),
            (None, None) => Rebin::None,
        }
    }
}

/// Dead time in the noise level.
#[derive(Args, Debug)]
pub struct DeadTimeArgs {
    /// Dead time of the detectors in s, or fit:LO:HI to fit it to the powers from LO to HI Hz, where the source must not vary: the
    /// noise level becomes that of Zhang et al. 1995, at each frequency, from the mean rate as recorded
    #[arg(long, value_name = "S|fit:LO:HI", value_parser = dead_time, conflicts_with = "noise")]
    dead_time: Option<DeadTimeValue>,
    /// Events that arrive in a dead time prolong it (exact model), instead of being lost alone
    #[arg(long, requires = "dead_time")]
    paralysable: bool,
    /// Independent detectors that share the rate [default: the number of merged files, else 1; RXTE's PCUs are one each]
    #[arg(long, value_name = "N", requires = "dead_time")]
    dead_time_detectors: Option<usize>,
    /// Rate of all events that block, counts/s, where the spectrum has only some (other energies) [default: the spectrum's]
    #[arg(long, value_name = "RATE", requires = "dead_time", value_parser = positive)]
    dead_time_rate: Option<f64>,
}

impl DeadTimeArgs {
    /// The noise level with the dead time of so many merged inputs; as `given` where there is none.
    pub fn noise(&self, given: NoiseLevel, merged: usize) -> NoiseLevel {
        let Some(dead_time) = self.dead_time else { return given };
        let kind = if self.paralysable { DeadTimeKind::Paralysable } else { DeadTimeKind::NonParalysable };
        let detectors = self.dead_time_detectors.unwrap_or(merged);
        NoiseLevel::DeadTime(DeadTimeNoise { dead_time, kind, detectors, rate: self.dead_time_rate })
    }
}

/// A noise level as users write it.
pub fn noise_level(text: &str) -> Result<NoiseLevel, String> {
    match text.trim() {
        "poisson" => Ok(NoiseLevel::Poisson),
        "none" => Ok(NoiseLevel::None),
        text if text.contains(':') => range(text).map(|band| NoiseLevel::Band(band.lo, band.hi)),
        text => match number(text) {
            Ok(level) if level >= 0.0 => Ok(NoiseLevel::Value(level)),
            Ok(_) => Err(format!("'{text}': a noise level is not negative")),
            Err(_) => Err(format!("'{text}' is none of poisson, none, a level, and LO:HI in Hz")),
        },
    }
}

fn dead_time(text: &str) -> Result<DeadTimeValue, String> {
    match text.trim().strip_prefix("fit:") {
        Some(band) => range(band).map(|band| DeadTimeValue::Fit(band.lo, band.hi)),
        None => match number(text) {
            Ok(seconds) if seconds >= 0.0 => Ok(DeadTimeValue::Seconds(seconds)),
            Ok(_) => Err(format!("'{text}': a dead time is not negative")),
            Err(_) => Err(format!("'{text}' is neither seconds nor fit:LO:HI in Hz")),
        },
    }
}
