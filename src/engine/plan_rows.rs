//! Which row of a dynamical spectrum the segments of a plan are in.

use super::plan::{InputPlan, Plan};
use crate::base::error::Result;
use crate::base::sums::{PartialSums, Sums};
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec, SegmentPlace};

/// Stretches without a gap, of all inputs.
pub(super) fn stretches(plan: &Plan) -> u64 {
    plan.observations().map(|input| input.segments.stretches()).sum()
}

/// Where each segment of a plan lies: they are asked for in order.
struct SegmentPlaces<'a> {
    observations: Vec<&'a InputPlan>,
    across_gaps: bool,
    /// The observation that was asked for last, and the stretches before it.
    observation: usize,
    stretches: u64,
}

impl<'a> SegmentPlaces<'a> {
    fn new(plan: &'a Plan, across_gaps: bool) -> SegmentPlaces<'a> {
        SegmentPlaces { observations: plan.observations().collect(), across_gaps, observation: 0, stretches: 0 }
    }

    fn get(&mut self, index: u64) -> SegmentPlace {
        while index >= self.observations[self.observation].indices().end {
            self.stretches += self.observations[self.observation].segments.stretches();
            self.observation += 1;
        }
        let InputPlan { segments, first, .. } = self.observations[self.observation];
        let (start, stretch, number) = segments.place(index - first);
        let start = start.value();
        match self.across_gaps {
            true => SegmentPlace { start, stretch: 0, number: index },
            false => SegmentPlace { start, stretch: self.stretches + stretch, number },
        }
    }
}

/// The rows of a plan's segments.
pub(super) struct PlanRows<'a> {
    plan: &'a Plan,
    places: SegmentPlaces<'a>,
    pub rows: DynamicalRows,
}

impl<'a> PlanRows<'a> {
    pub fn new(plan: &'a Plan, recipe: DynamicalSpec) -> Result<PlanRows<'a>> {
        let places = SegmentPlaces::new(plan, recipe.time.across_gaps);
        let rows = DynamicalRows::new(recipe, plan.total_segments(), stretches(plan))?;
        Ok(PlanRows { plan, places, rows })
    }

    /// Takes sums of segments, which come in order.
    pub fn take(&mut self, sums: &mut PartialSums) {
        sums.take_runs().for_each(|(segment, sums)| self.rows.add(self.places.get(segment), sums));
    }

    /// Forgets what came.
    pub fn begin_again(&mut self) {
        self.rows.clear();
        self.places = SegmentPlaces::new(self.plan, self.places.across_gaps);
    }

    /// All segments together, without their powers.
    pub fn total(&self) -> Sums {
        self.rows.total.clone()
    }
}
