//! A source that drifts by a derivative that was not searched: its spectrum is as wide as its drift, and has several peaks, each of which would stand as a source.
//!
//! About a peak, frequencies and drifts of one derivative more are tried. Where one of them has clearly more power than the peak, and what it has elsewhere takes other
//! sources with it, these are what one drifting source leaves.

use rayon::prelude::*;

use super::PulseEvents;
use super::candidate::{Candidate, Relation};
use super::refine::{IntervalHarmonics, RefinedPeak, TrialPeak};
use super::relations::{self, Drift, Listing};
use super::search_options::SearchOptions;
use super::window::SourceWindow;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warning;
use crate::data::phase::{Ephemeris, Spin};

/// The largest drift that is tried, Fourier bins over the observation: stretches of time are short enough for it.
const MOST_DRIFT: f64 = 64.0;
/// Steps of frequency and drift, Fourier bins.
const STEPS: [f64; 2] = [0.5, 2.0];
/// By how much the power of a drift exceeds that of the peak: as a factor, and as noise does among all that are tried.
const LEAST_RATIO: f64 = 1.2;
/// See [`LEAST_RATIO`].
const LEAST_GAIN: f64 = 25.0;
/// Harmonics that are looked at.
const MOST_HARMONICS: usize = 2;

/// The list of candidates, with what was found to be one drifting source, and warnings of it.
pub(super) fn told(found: Vec<RefinedPeak>, window: &SourceWindow, asked: &Listing) -> (Vec<Candidate>, Vec<Warning>) {
    let (plain, _) = relations::list(found.clone(), window, asked, &[]);
    let one = |i: usize| Some(Drift { freq: plain[i].freq, with: (asked.drifting)(&plain[i])? });
    let mut drifts: Vec<Drift> = crowded(&plain, window.span).into_iter().filter_map(one).collect();
    let sources = |list: &[Candidate]| -> Vec<f64> {
        list.iter().filter(|c| c.relation == Relation::Source).map(|c| c.freq).collect()
    };
    let before = sources(&plain);
    while !drifts.is_empty() {
        let (list, _) = relations::list(found.clone(), window, asked, &drifts);
        // What stood as a source and belongs to the drift now.
        let taken = |drift: &Drift| -> Vec<f64> {
            let first = list.iter().position(|c| c.relation == Relation::Source && c.freq == drift.freq);
            let its = |i: usize, c: &&Candidate| c.relation != Relation::Source && Some(i) == first;
            list.iter().filter(|c| its(c.group, c) && before.contains(&c.freq)).map(|c| c.freq).collect()
        };
        let told: Vec<Warning> = drifts
            .iter()
            .map(|drift| (drift, taken(drift)))
            .filter(|(_, taken)| !taken.is_empty())
            .map(|(drift, taken)| warning(window.span, drift, &taken))
            .collect();
        if told.len() == drifts.len() {
            let beyond = relations::beyond(&found, &list, asked);
            return (list, [told, beyond].concat());
        }
        drifts.retain(|drift| !taken(drift).is_empty());
    }
    let beyond = relations::beyond(&found, &plain, asked);
    (plain, beyond)
}

/// The sources of a list that several may be one of: those with others closer than drifts are wide, the first of each.
fn crowded(found: &[Candidate], span: f64) -> Vec<usize> {
    let sources: Vec<usize> = (0..found.len()).filter(|&i| found[i].relation == Relation::Source).collect();
    let near = |&a: &usize, &b: &usize| (found[a].freq - found[b].freq).abs() * span < MOST_DRIFT;
    let mut firsts: Vec<usize> = Vec::new();
    for (place, one) in sources.iter().enumerate() {
        if !firsts.iter().any(|first| near(first, one)) && sources[place + 1..].iter().any(|other| near(one, other)) {
            firsts.push(*one);
        }
    }
    firsts
}

/// The trial about a candidate with the derivative that was not searched, where it has the most power; none where that is no more than the candidate has.
/// `ranges` are those of the search.
pub(super) fn trial(
    events: &PulseEvents,
    options: &SearchOptions,
    window: &SourceWindow,
    one: &Candidate,
    ranges: [(f64, f64); 3],
    progress: &Progress,
) -> Option<TrialPeak> {
    let span = window.span;
    if ranges[1].1 > ranges[1].0 {
        return None;
    }
    let ephemeris = |freq: f64, fdot: f64| Ephemeris {
        epoch: events.ticks.reference(),
        freq: DoubleDouble::from(freq),
        fdot: DoubleDouble::from(fdot),
        fddot: DoubleDouble::from(one.fddot),
    };
    let harmonics = options.harmonics().min(MOST_HARMONICS).min(one.signal_harmonics.max(1));
    let spin = Spin::new(&ephemeris(one.freq, one.fdot), &events.ticks).ok()?;
    let stretches = IntervalHarmonics::new(events, &spin, harmonics, progress);
    // Noise taken off.
    let power = |off: &[f64; 3]| stretches.z2(off).last().copied().unwrap_or(0.0) - 2.0 * harmonics as f64;
    let most = MOST_DRIFT / harmonics as f64;
    let steps = STEPS.map(|step| step / harmonics as f64);
    let drifts = (most / steps[1]) as i32;
    let of_drift = |i: i32| {
        let z = f64::from(i) * steps[1];
        // It sweeps across the peak.
        let wide = (0.5 * z.abs() / steps[0]).ceil() as i32 + 1;
        let of_place = |j: i32| {
            let fdot = z / (span * span);
            let off = [f64::from(j) * steps[0] / span - fdot * window.middle(), fdot, 0.0];
            (power(&off), off)
        };
        (-wide..=wide).map(of_place).max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let all: Vec<(f64, [f64; 3])> = (-drifts..=drifts).into_par_iter().filter_map(of_drift).collect();
    let (best, off) = all.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let own = power(&[0.0; 3]);
    if best < LEAST_RATIO * own || best < own + LEAST_GAIN {
        return None;
    }
    let (freq, fdot) = (one.freq + off[0], one.fdot + off[1]);
    let about = |value: f64, by: f64| (value - by, value + by);
    Some(TrialPeak {
        start: Spin::new(&ephemeris(freq, fdot), &events.ticks).ok()?,
        rates: [fdot, one.fddot],
        steps: [steps[0] / span, steps[1] / (span * span), 0.0],
        ranges: [about(freq, 4.0 / span), about(fdot, 8.0 / (span * span)), (one.fddot, one.fddot)],
        stat: 0.0,
        ln_p: None,
        around: 0.0,
    })
}

/// Says that candidates look like one source that drifts.
fn warning(span: f64, drift: &Drift, taken: &[f64]) -> Warning {
    let Candidate { freq, fdot, .. } = drift.with.candidate;
    let far = taken.iter().map(|other| (other - drift.freq).abs()).fold(0.0, f64::max);
    let message = format!(
        "{} candidates within {} Hz ({} independent frequencies) of {} Hz look like one source that drifts by {} Hz/s, {} independent frequencies over the \
         observation, which was not searched: they belong to it, and their frequencies and errors are not its own",
        taken.len() + 1,
        ShortNumber(far),
        ShortNumber((far * span).round()),
        ShortNumber(freq),
        ShortNumber(fdot),
        ShortNumber((fdot * span * span).abs().round()),
    );
    let wide = ShortNumber(1.5 * fdot.abs());
    Warning::new("W-DRIFT", message).mended_by([Mend::set("fdot", format!("-{wide}:{wide}"))])
}
