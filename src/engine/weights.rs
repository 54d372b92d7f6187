//! Weights of events: the probabilities that they are the source's, as for Fermi's LAT, or any others.

use serde::Serialize;

use super::whole_numbers::to_whole_numbers;
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;
use crate::io::is_weight;

/// Sums of squares between which no power over- or underflows.
const USABLE_SQUARES: std::ops::RangeInclusive<f64> = 1e-100..=1e100;
/// [`WeightSummary::noise_events`] below which noise is warned of.
const ENOUGH_NOISE_EVENTS: f64 = 100.0;

/// What is known of the weights of all events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightSummary {
    /// The column that they are from.
    pub column: String,
    /// `Σw`.
    pub sum: f64,
    /// `Σw²`.
    pub squares: f64,
    /// `(Σw)²/Σw²`: as many events of one weight would measure as well.
    pub effective_events: f64,
    /// `(Σw²)²/Σw⁴`, never more than that: sums of as many events of one weight are as normal as noise is.
    pub noise_events: f64,
    /// Events of weight 0: they are used, and change nothing.
    pub zeros: u64,
}

/// Weights, one an event.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Finite, 0 or more; in the order of the times.
    pub values: Vec<f64>,
    /// What is known of all.
    pub all: WeightSummary,
}

impl Weights {
    /// Warns of fewer than 100 [`WeightSummary::noise_events`]: the laws of noise rest on the central limit.
    ///
    /// # Errors
    /// A weight that is negative or not finite; all are 0, or so large or small that their powers are not numbers.
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

    /// The weights as whole numbers below 2^32, and their unit: sums of them have no order. Whole weights are exact, others within half a unit,
    /// less than 2^-31 of the largest.
    pub fn whole(&self) -> (Vec<u32>, f64) {
        to_whole_numbers(&self.values, 0.0, self.values.iter().copied().fold(0.0, f64::max))
    }
}
