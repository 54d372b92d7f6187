//! Light curves, and pairs of them, cut into segments.

use super::analysis::PlanReport;
use super::flux::{FluxPair, FluxSegment};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::light_curve::TimeGrid;
use crate::data::{EventBalance, Gti, LightCurve, Record};
use crate::segment::plan::{Resolution, ResolutionRequest, no_segments};

/// The segments of a light curve: each range of usable bins without a gap ([`LightCurve::stretches`]) is filled from
/// its start with as many segments as fit.
pub struct LightCurvePlan {
    /// Bin width, and bins and length of a segment.
    pub resolution: Resolution,
    /// First row of each segment.
    pub starts: Vec<usize>,
    /// The ranges of usable bins as good time intervals, seconds of the frame.
    pub gti: Gti,
}

impl LightCurvePlan {
    /// Plans the segments.
    ///
    /// # Errors
    /// `segment_size` is not positive or makes fewer than 3 bins, `min_fracexp` is out of range, no range of usable
    /// bins holds one segment, or some bins have errors and some have not.
    pub fn new(
        light_curve: &LightCurve,
        segment_size: Option<f64>,
        min_fracexp: f64,
        warnings: &mut Warnings,
    ) -> Result<LightCurvePlan> {
        if !(0.0..=1.0).contains(&min_fracexp) {
            return Err(Error::argument("min_fracexp", min_fracexp, "must be between 0 and 1"));
        }
        let stretches = light_curve.stretches(min_fracexp);
        if stretches.is_empty() {
            too_little_exposed(light_curve, min_fracexp)?;
        }
        let spans: Vec<(DoubleDouble, DoubleDouble)> = stretches.iter().map(|rows| light_curve.span(rows)).collect();
        let gti = Gti::from_sorted(&spans);
        let gtis = [&gti];
        let request = ResolutionRequest {
            dt: Some(light_curve.grid.dt),
            segment_size,
            timedel: 0.0,
            barycentred: false,
            gtis: &gtis,
            compat_stingray: false,
        };
        let resolution = Resolution::choose(&request, warnings)?;
        let n = resolution.n;
        let starts: Vec<usize> =
            stretches.iter().flat_map(|rows| (0..rows.len() / n).map(move |k| rows.start + k * n)).collect();
        if starts.is_empty() {
            return Err(no_segments(&gtis, &resolution));
        }
        let plan = LightCurvePlan { resolution, starts, gti };
        light_curve.errors_known(plan.rows())?;
        Ok(plan)
    }

    /// The rows of all segments.
    fn rows(&self) -> impl Iterator<Item = usize> + Clone {
        self.starts.iter().flat_map(|&from| from..from + self.resolution.n)
    }

    /// Says what a product of the segments of a light curve was made of: what its record has of the device and the warnings stays.
    /// The segments of the numbers `skipped` were not used.
    pub(super) fn complete(&self, record: &mut Record, of: &LightCurve, skipped: &[u64], asked: serde_json::Value) {
        let (made, done) = (&of.meta.record, std::mem::take(record));
        *record = Record {
            gti: self.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect(),
            options: asked,
            photons: self.photons([of, of], skipped),
            series: true,
            device: done.device,
            warnings: done.warnings,
            ..made.clone()
        };
    }

    /// What became of the photons of a light curve, of whose bins those of `common` were cut into segments.
    fn photons(&self, [whole, common]: [&LightCurve; 2], skipped: &[u64]) -> EventBalance {
        // Rows of the whole light curve whose bins are in these rows of the other.
        let of_whole = |rows: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
            rows.filter_map(|i| whole.bin.binary_search(&common.bin[i]).ok()).collect()
        };
        let mut balance = whole.balance_of(of_whole(&mut self.rows()).into_iter());
        let starts = skipped.iter().filter_map(|&number| self.starts.get(number as usize));
        let in_skipped = of_whole(&mut starts.flat_map(|&from| from..from + self.resolution.n));
        let lost = whole.photons(in_skipped.into_iter()).min(balance.used);
        (balance.used, balance.in_skipped_segments) = (balance.used - lost, balance.in_skipped_segments + lost);
        balance
    }

    /// What a run would do.
    pub(super) fn report(&self) -> PlanReport {
        PlanReport::of_light_curve(self.resolution, self.starts.len(), self.gti.exposure())
    }

    /// The segments of the light curve that was planned: counts over exposure, or rates with their errors.
    /// A run that is cancelled has no further ones.
    pub(super) fn segments<'a>(
        &'a self,
        light_curve: &'a LightCurve,
        progress: &'a Progress,
    ) -> impl Iterator<Item = FluxSegment> + 'a {
        progress.begin(self.starts.len() as u64);
        // What has some errors alone was refused.
        let errors_known = light_curve.errors_known(self.rows()).unwrap_or(false);
        let going = move |_: &&usize| progress.advance(1).is_ok();
        self.starts.iter().take_while(going).map(move |&from| {
            let rows = from..from + self.resolution.n;
            let values = match light_curve.counted {
                true => rows.clone().map(|i| light_curve.counts[i] / light_curve.fracexp[i]).collect(),
                false => light_curve.rate[rows.clone()].to_vec(),
            };
            FluxSegment { values, errors: if errors_known { light_curve.rate_err[rows].to_vec() } else { Vec::new() } }
        })
    }
}

/// The bins that two light curves have in common, row by row, and the segments made of them.
pub struct LightCurvePairPlan {
    /// The segments; rows are those of the common bins.
    pub segments: LightCurvePlan,
    pub(super) subject: LightCurve,
    pub(super) reference: LightCurve,
    /// Both with all of their bins.
    whole: [LightCurve; 2],
}

impl LightCurvePairPlan {
    /// Keeps the bins that both light curves have, and plans the segments.
    ///
    /// # Errors
    /// The light curves differ in bin width, time system or reference position, or their grids are not whole bins apart; see
    /// [`LightCurvePlan::new`].
    pub fn new(
        [subject, reference]: &[LightCurve; 2],
        segment_size: Option<f64>,
        min_fracexp: f64,
        warnings: &mut Warnings,
    ) -> Result<LightCurvePairPlan> {
        let bad = |what: String| Err(Error::argument("light_curves", "", what));
        let (subject, mut reference) = (subject, reference.clone());
        if subject.meta.record.mjdref.is_some() != reference.meta.record.mjdref.is_some() {
            let message =
                "one of the light curves has no reference epoch (MJDREF): its times are taken to have the other's";
            warnings.push("W-NO-MJDREF", message);
            reference.meta.record.mjdref = subject.meta.record.mjdref;
        }
        let mut reference = reference.in_frame_of(&subject.meta.record)?;
        let (dt, own) = (subject.grid.dt, reference.grid.dt);
        if (own / dt - 1.0).abs() > 1e-9 {
            let bins = bad(format!("bins of {} s and of {} s", ShortNumber(dt), ShortNumber(own)));
            return bins.map_err(|e| e.mended_by([Mend::field("dt").doing("makes both coarser")]));
        }
        let apart = (reference.grid.origin - subject.grid.origin).value() / dt;
        if (apart - apart.round()).abs() > 1e-3 {
            let off = ShortNumber((apart - apart.floor()).abs());
            return bad(format!(
                "their bins are {off} of a bin off each other; a Lomb-Scargle cross spectrum needs no common grid"
            ));
        }
        reference.grid = TimeGrid { origin: subject.grid.origin + DoubleDouble::product(dt, apart.round()), dt };
        let usable = |light_curve: &LightCurve| {
            let spans: Vec<(DoubleDouble, DoubleDouble)> =
                light_curve.stretches(min_fracexp).iter().map(|r| light_curve.span(r)).collect();
            Gti::from_sorted(&spans)
        };
        for one in [subject, &reference] {
            if usable(one).is_empty() {
                too_little_exposed(one, min_fracexp)?;
            }
        }
        let common = usable(subject).intersect(&usable(&reference));
        let whole = [subject.clone(), reference];
        let [subject, reference] = whole.each_ref().map(|curve| curve.within(common.clone()));
        let segments = LightCurvePlan::new(&subject, segment_size, min_fracexp, warnings)?;
        if subject.len() != reference.len() {
            return bad("the rows that they have in common are not the same".into());
        }
        reference.errors_known(segments.rows())?;
        Ok(LightCurvePairPlan { segments, subject, reference, whole })
    }

    /// The segments of both, in counts a bin.
    pub(super) fn pairs<'a>(&'a self, progress: &'a Progress) -> impl Iterator<Item = FluxPair> + 'a {
        let counts = move |light_curve| {
            self.segments
                .segments(light_curve, progress)
                .map(move |s| in_counts(s, light_curve, self.segments.resolution.dt))
        };
        let pairs = counts(&self.subject).zip(counts(&self.reference));
        pairs.map(|(subject, reference)| FluxPair { subject, reference })
    }

    /// Says what a product of both was made of; the segments of the numbers `skipped` were not used.
    pub(super) fn complete(&self, record: &mut Record, skipped: &[u64], asked: serde_json::Value) {
        self.segments.complete(record, &self.subject, skipped, asked);
        let [subject, reference] = &self.whole;
        record.photons = self.segments.photons([subject, &self.subject], skipped);
        record.photons.add(&self.segments.photons([reference, &self.reference], skipped));
        record.inputs.extend(reference.meta.record.inputs.iter().cloned());
    }
}

/// Refuses a light curve that has bins, of which none is exposed for such a part.
pub(super) fn too_little_exposed(light_curve: &LightCurve, min_fracexp: f64) -> Result<()> {
    let most = light_curve.fracexp.iter().copied().fold(0.0, f64::max);
    if light_curve.is_empty() || most >= min_fracexp {
        return Ok(());
    }
    let message =
        format!("no bin is exposed for that part of its width; the most exposed one is for {}", ShortNumber(most));
    Err(Error::argument("min_fracexp", min_fracexp, message).mended_by([Mend::field("min_fracexp")]))
}

/// Counts a bin of a segment of a light curve, also where it has rates.
fn in_counts(segment: FluxSegment, light_curve: &LightCurve, dt: f64) -> FluxSegment {
    if light_curve.counted {
        return segment;
    }
    let times_dt = |values: Vec<f64>| values.into_iter().map(|x| x * dt).collect();
    FluxSegment { values: times_dt(segment.values), errors: times_dt(segment.errors) }
}
