//! Products that are sums over segments of events: planned, summed as a whole or in parts, and made of the sums.

use std::ops::Range;

use super::analysis::{Analysis, PlanReport};
use super::memory;
use super::observation::Observation;
use super::plan::Plan;
use super::plan_rows::{PlanRows, stretches};
use super::plan_sums::{PlanSums, SegmentSink, no_events, sum_part, sum_plan, sums_of_part};
use super::run::Run;
use super::time_source::Events;
use crate::base::error::Result;
use crate::base::footprint::Footprint;
use crate::base::sums::Sums;
use crate::data::Record;
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec};
use crate::segment::PlanPart;

/// An analysis whose sums over segments of events can be made apart: by several processes, or one after the other. See
/// [`Session::part`](super::Session::part).
#[allow(private_interfaces)]
pub trait InParts: Analysis {
    #[doc(hidden)]
    fn summation<'o>(&'o self, observation: &'o Observation, run: &mut Run) -> Result<Summation<'o, Self::Product>>;
}

/// What is summed, and what is made of it.
pub(crate) struct Summation<'o, P> {
    pub plan: Plan,
    pub inputs: Vec<Events<'o>>,
    /// The options, as the product's record has them.
    pub asked: serde_json::Value,
    pub finish: Finish<'o, P>,
}

/// How a product is made of the sums of a plan and of what they were made of, with the device, the options and the warnings.
pub(crate) enum Finish<'o, P> {
    /// Of the sums of all segments.
    Sums(FromSums<'o, P>),
    /// Of the rows that segments are averaged into, as they come.
    Rows(Box<DynamicalSpec>, FromRows<'o, P>),
}

type FromSums<'o, P> = Box<dyn FnOnce(&Plan, Sums, Record) -> Result<P> + 'o>;
type FromRows<'o, P> = Box<dyn FnOnce(DynamicalRows, Record) -> Result<P> + 'o>;

impl<P> Summation<'_, P> {
    /// Sums all segments.
    pub fn product(self, run: &mut Run) -> Result<P> {
        self.made_by(run, sum_plan)
    }

    /// Takes the sums of all segments from parts that were merged. No event is used, but files are read for their checksums.
    pub fn product_of(self, part: PlanPart, run: &mut Run) -> Result<P> {
        self.made_by(run, |plan, inputs, keep, run| sums_of_part(plan, inputs, part, keep, run))
    }

    /// Sums some segments, whole runs of the plan.
    pub fn part(self, segments: Range<u64>, run: &mut Run) -> Result<PlanPart> {
        sum_part(self.plan, segments, self.inputs, run)
    }

    /// What a run would do.
    pub fn report(&self, run: &mut Run) -> Result<PlanReport> {
        PlanReport::of_events(&self.plan, &self.inputs, self.rows()?, run)
    }

    /// What rows of segments take.
    fn rows(&self) -> Result<Footprint> {
        match &self.finish {
            Finish::Sums(_) => Ok(Footprint::default()),
            Finish::Rows(recipe, _) => recipe.footprint(self.plan.total_segments(), stretches(&self.plan)),
        }
    }

    fn made_by(
        self,
        run: &mut Run,
        sum: impl FnOnce(&Plan, Vec<Events>, SegmentSink, &mut Run) -> Result<PlanSums>,
    ) -> Result<P> {
        let rows = self.rows()?;
        let Summation { plan, inputs, asked, finish } = self;
        match finish {
            Finish::Sums(finish) => {
                let PlanSums { sums, made } = sum(&plan, inputs, SegmentSink::SumsAlone, run)?;
                finish(&plan, sums, Record { options: asked, warnings: run.take_warnings(), ..made })
            }
            Finish::Rows(recipe, finish) => {
                let reader = memory::reader_bytes(&plan, &inputs, run.device);
                memory::check(&plan.spec, &memory::of_sums(&plan.spec, reader, run.device).with(rows))?;
                let mut rows = PlanRows::new(&plan, *recipe)?;
                let PlanSums { sums, made } = sum(&plan, inputs, SegmentSink::Rows(&mut rows), run)?;
                if sums.series.is_empty() || sums.series.iter().any(|series| series.photons == 0) {
                    return Err(no_events(&plan, &made));
                }
                finish(rows.rows, Record { options: asked, warnings: run.take_warnings(), ..made })
            }
        }
    }
}
