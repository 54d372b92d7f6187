//! What inputs are, for whoever looks at them before an analysis.

use serde_json::{Value, json};

use super::light_curve_plan::LightCurvePlan;
use super::observation::{Observation, ObservationKind};
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::data::LightCurve;
use crate::io::{EventFile, InputFile};
use crate::segment::plan::{Resolution, ResolutionRequest};

/// Bins of which a smaller fraction is exposed are missing, as [`PowerSpectrum`](crate::PowerSpectrum) has it.
const MIN_FRACEXP: f64 = 0.9;

impl Observation {
    /// What each input holds: mission, events or bins, clock, intervals, channels, and the resolution that is suggested for a power
    /// spectrum; the keys are those of `eagleray info --json`. Times are read once. Times in memory have no facts.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn facts(&self) -> Result<Vec<Value>> {
        match self.kind() {
            ObservationKind::Events | ObservationKind::EventPair => self.files().into_iter().map(of_events).collect(),
            ObservationKind::LightCurve => Ok(vec![of_light_curve(&self.light_curve()?)?]),
            ObservationKind::LightCurvePair => self.pair_of_light_curves()?.iter().map(of_light_curve).collect(),
        }
    }
}

fn of_events(file: &EventFile) -> Result<Value> {
    let scan = file.scan_times()?;
    let clock = &file.clock;
    let gtis = [&file.gti];
    let request = ResolutionRequest {
        dt: None,
        segment_size: None,
        timedel: clock.timedel,
        barycentred: clock.is_barycentred(),
        gtis: &gtis,
        compat_stingray: false,
    };
    let suggested = Resolution::choose(&request, &mut Warnings::default()).ok();
    let offset = clock.event_offset.value();
    let finite = |t: f64| t.is_finite().then_some(t + offset);
    let intervals: Vec<[f64; 2]> = file.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
    let channels = file.channel_range()?;
    let energies = file.scale.as_ref().zip(channels).map(|(s, (lo, hi))| [s.energy(lo), s.energy(hi)]);
    Ok(json!({
        "file": file.path(), "kind": "events", "telescop": file.telescop, "instrume": file.instrument,
        "object": file.object, "mission": if file.mission.is_generic() { "generic" } else { file.mission.telescop },
        "table": file.place(), "events": file.rows(), "row_size": file.row_size(), "gzip": file.compressed(),
        "sorted": scan.sorted, "not_finite": scan.not_finite, "first": finite(scan.first), "last": finite(scan.last),
        "mjdref": clock.mjdref, "timesys": clock.timesys, "timeref": clock.timeref, "plephem": clock.plephem,
        "barycentred": clock.is_barycentred(), "timedel": clock.timedel, "time_offset": offset,
        "exposure": file.gti.exposure(), "gti": intervals, "channel_column": file.channel_name(),
        "channels": channels.map(|(lo, hi)| [lo, hi]), "energy_kev": energies,
        "detector_column": file.detector_name(), "detectors": file.detectors()?,
        "facts": file.facts.iter().map(|(word, what)| json!([word, what])).collect::<Vec<_>>(),
        "suggested": suggested.map(suggestion),
    }))
}

fn of_light_curve(curve: &LightCurve) -> Result<Value> {
    let made = &curve.meta.record;
    let format = match made.inputs.first() {
        Some(input) if InputFile::open(input.name.as_ref())?.is_fits() => "FITS",
        Some(_) => "text",
        None => "memory",
    };
    let plan = LightCurvePlan::new(curve, None, MIN_FRACEXP, &mut Warnings::default());
    let suggested = plan.ok().and_then(|plan| plan.report().resolution);
    let edge = |bin: Option<&u64>, further: u64| bin.map(|&k| curve.grid.edge(k + further).value());
    Ok(json!({
        "file": made.inputs.first().map(|i| &i.name), "kind": "light curve", "format": format,
        "telescop": made.telescop, "instrume": made.instrume, "object": made.object,
        "bins": curve.len(), "dt": curve.grid.dt, "gaps": curve.gaps(), "values": curve.values_in_words(),
        "units": { "time": "s", "counts": "ct", "rate": "ct/s", "rate_err": "ct/s" },
        "first": edge(curve.bin.first(), 0), "last": edge(curve.bin.last(), 1),
        "counts": curve.meta.nphots, "mean_rate": curve.meta.mean,
        "mjdref": made.mjdref, "timesys": made.timesys, "timeref": made.timeref, "plephem": made.plephem,
        "barycentred": made.barycentred, "exposure": curve.meta.exposure, "gti": made.gti,
        "suggested": suggested.map(suggestion),
    }))
}

fn suggestion(r: Resolution) -> Value {
    json!({ "dt": r.dt, "segment_size": r.segment_size, "n": r.n })
}
