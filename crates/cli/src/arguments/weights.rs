//! `--weights`: events that count as much as a column says.

use clap::Args;

use super::device::DeviceArgs;
use super::input::InputArgs;
use super::output::OutputArgs;
use crate::device_choice::BackendArg;
use eagleray::engine::{Combine, Events, WeightSummary};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::io::EventFile;
use eagleray::{Error, Result, Warnings};

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
                let message = "weights are summed on the CPU alone; leave out --backend gpu and --adapter";
                Err(Error::argument("weights", column, message))
            }
            Some(_) => {
                if device.backend == BackendArg::Auto {
                    out.say("weights are summed on the CPU");
                }
                Ok(DeviceArgs { backend: BackendArg::Cpu, ..device.clone() })
            }
        }
    }

    /// [`InputArgs::inputs`], weighted where that is asked for.
    ///
    /// # Errors
    /// See [`InputArgs::inputs`] and [`Events::weighted`].
    pub fn inputs<'a>(
        &self,
        input: &InputArgs,
        files: &'a [EventFile],
        warnings: &mut Warnings,
        say: &mut dyn FnMut(String),
    ) -> Result<(Vec<Events<'a>>, Combine)> {
        let (mut inputs, combine) = input.unread_inputs(files, say)?;
        if let Some(column) = &self.weights {
            inputs = inputs.into_iter().map(|one| one.weighted(column)).collect::<Result<_>>()?;
        }
        inputs.iter_mut().try_for_each(|one| one.prepare(warnings))?;
        Ok((inputs, combine))
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
