//! Weights of events, such as the probabilities that they come from the source (Fermi's LAT).

use serde::{Deserialize, Serialize};

use super::whole_numbers::to_whole_numbers;
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;
use crate::io::is_weight;

/// Sums of squares between which no power over- or underflows.
const USABLE_SQUARES: std::ops::RangeInclusive<f64> = 1e-100..=1e100;
/// [`WeightSummary::noise_events`] below which noise is warned of.
const ENOUGH_NOISE_EVENTS: f64 = 100.0;

/// Numbers that describe the weights of all events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// Name of the column that has the weights.
    pub column: String,
    /// `Σw`.
    pub sum: f64,
    /// `Σw²`.
    pub squares: f64,
    /// `(Σw)²/Σw²`: the number of equal weights that would measure a signal as well.
    pub effective_events: f64,
    /// `(Σw²)²/Σw⁴`, never above `effective_events`: the number of equal weights whose sum would be as close to a
    /// normal distribution. Probabilities assume that this number is large.
    pub noise_events: f64,
    /// Number of events with weight 0. They are used, and change nothing.
    pub zeros: u64,
}

/// Weights of events, one an event.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The weights, finite and not negative, in the order of the event times.
    pub values: Vec<f64>,
    /// Numbers that describe all weights.
    pub all: WeightSummary,
}

impl Weights {
    /// Checks weights from the column `column`. Warns if [`WeightSummary::noise_events`] is below 100, because the
    /// noise distributions rest on the central limit theorem.
    ///
    /// # Errors
    /// A weight is negative or not finite, all weights are 0, or they are so large or small that sums of their powers
    /// overflow.
    pub fn new(column: &str, values: Vec<f64>, warnings: &mut Warnings) -> Result<Weights> {
        if let Some(bad) = values.iter().find(|w| !is_weight(**w)) {
            return Err(Error::argument("weights", bad, "must be finite and 0 or more"));
        }
        let [sum, squares, fourths] = values.iter().fold([0.0; 3], |[one, two, four], w| {
            let square = w * w;
            [one + w, two + square, four + square * square]
        });
        if !USABLE_SQUARES.contains(&squares) {
            let message = match sum {
                0.0 => "all weights are 0: no event says anything".to_string(),
                _ => format!("the squares of the weights sum to {squares:e}; scale them so that the largest is 1"),
            };
            return Err(Error::argument("weights", column, message));
        }
        let zeros = values.iter().filter(|w| **w == 0.0).count() as u64;
        // A quotient first: of weights of 1 it is the number of events to the bit.
        let (effective_events, noise_events) = (sum * (sum / squares), squares * (squares / fourths));
        let all = WeightSummary { column: column.into(), sum, squares, effective_events, noise_events, zeros };
        if noise_events < ENOUGH_NOISE_EVENTS {
            let message = format!(
                "{column}: noise is that of {noise_events:.1} events, which have most of the weight; with fewer than {ENOUGH_NOISE_EVENTS} its \
                 probabilities are rough"
            );
            warnings.push("W-WEIGHTS-FEW", message);
        }
        Ok(Weights { values, all })
    }

    /// The weights as whole numbers below 2^32, and the unit of these numbers. Sums of whole numbers do not depend on
    /// their order. Whole weights are exact, others within half a unit, which is less than 2^-31 of the largest weight.
    pub fn whole(&self) -> (Vec<u32>, f64) {
        to_whole_numbers(&self.values, 0.0, self.values.iter().copied().fold(0.0, f64::max))
    }
}
