//! `--weights`: events that count as much as a column says.

use clap::Args;

use super::device::DeviceArgs;
use super::input::InputArgs;
use super::output::OutputArgs;
use crate::device_choice::BackendArg;
use eagleray::Observation;
use eagleray::error::Mend;
use eagleray::internal::engine::WeightSummary;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::{Error, Result};

/// The weights of events.
#[derive(Args, Clone, Debug)]
pub struct WeightArgs {
    /// Column with a weight of each event, 0 or more: the probability that it is the source's, as for Fermi's LAT; on the CPU
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
}

impl WeightArgs {
    /// True where weights are asked for.
    pub fn is_given(&self) -> bool {
        self.weights.is_some()
    }

    /// Where the work is done: weights are summed on the CPU alone.
    ///
    /// # Errors
    /// Options that contradict each other; a GPU is asked for.
    pub fn device(&self, device: &DeviceArgs, out: &OutputArgs) -> Result<DeviceArgs> {
        device.check()?;
        match &self.weights {
            None => Ok(device.clone()),
            Some(column) if device.backend == BackendArg::Gpu || !device.adapter.is_empty() => {
                let mend = [Mend::set("backend", "cpu")];
                Err(Error::argument("weights", column, "are summed on the CPU alone").mended_by(mend))
            }
            Some(_) => {
                if device.backend == BackendArg::Auto {
                    out.say("weights are summed on the CPU");
                }
                Ok(DeviceArgs { backend: BackendArg::Cpu, ..device.clone() })
            }
        }
    }

    /// [`InputArgs::observation`], weighted where that is asked for.
    ///
    /// # Errors
    /// See [`InputArgs::observation`] and [`Observation::weights`].
    pub fn observation(&self, input: &InputArgs, out: &OutputArgs) -> Result<Observation> {
        let made = input.observation(false, &mut |text| out.say(text))?;
        match &self.weights {
            Some(column) => made.weights(column),
            None => Ok(made),
        }
    }
}

/// What the weights are, in a line; nothing without any.
pub fn summary(weights: Option<&WeightSummary>) -> String {
    weights.map_or(String::new(), |all| {
        format!(
            "weights {}: sum {}, of squares {}, as good as {} events of one weight; {} of weight 0\n",
            all.column,
            ShortNumber(all.sum),
            ShortNumber(all.squares),
            ShortNumber(all.effective_events),
            count(all.zeros, "event")
        )
    })
}
