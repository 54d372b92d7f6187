//! A source that drifts by a derivative that was not searched: its spectrum is as wide as its drift, and has several peaks, each of which would stand as a source.
//!
//! About a peak, frequencies and drifts of one derivative more, or beyond the range of it, are tried. Where one of them has clearly more power than the peak, and what it has
//! elsewhere takes other sources with it, these are what one drifting source leaves. Brighter ones beside it, which drift or do not, are taken off.

use rayon::prelude::*;

use super::PulseEvents;
use super::candidate::{Candidate, Relation};
use super::refine::{IntervalHarmonics, RefinedPeak, TrialPeak};
use super::relations::{self, Drift, Listing};
use super::search_options::SearchOptions;
use super::tones::Tones;
use super::window::{Bright, SourceWindow};
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
/// The part of a candidate's power that a drift leaves at most.
const MOST_LEFT: f64 = 0.5;
/// Sources of a list that are tried, at most.
const MOST_TRIED: usize = 20;
/// Harmonics that are looked at.
const MOST_HARMONICS: usize = 2;

/// The list of candidates, with what was found to be drifting sources, and warnings of them. The largest sources are tried first; what these and the drifts
/// found before them have in the peaks of others is taken off.
pub(super) fn told(found: Vec<RefinedPeak>, window: &SourceWindow, asked: &Listing) -> (Vec<Candidate>, Vec<Warning>) {
    let mut list = relations::list(found.clone(), window, asked, &[]);
    let before = sources(&list.candidates);
    let (mut drifts, mut steady): (Vec<Drift>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..MOST_TRIED {
        let known = |c: &Candidate| steady.contains(&c.freq) || drifts.iter().any(|drift| drift.freq == c.freq);
        let Some(i) = crowded(&list.candidates, window.span).into_iter().find(|&i| !known(&list.candidates[i])) else {
            break;
        };
        let others: Vec<usize> = (0..list.candidates.len())
            .filter(|&j| list.candidates[j].relation == Relation::Source && known(&list.candidates[j]))
            .map(|j| list.sources[j])
            .collect();
        let freq = list.candidates[i].freq;
        let next = (asked.drifting)(&list.candidates[i], &list.tones.of(&others)).and_then(|with| {
            let all = [drifts.as_slice(), &[Drift { freq, with }]].concat();
            let next = relations::list(found.clone(), window, asked, &all);
            all.iter().all(|drift| !taken(&next.candidates, drift, &before).is_empty()).then_some((all, next))
        });
        match next {
            Some(next) => (drifts, list) = next,
            None => steady.push(freq),
        }
    }
    let list = list.candidates;
    let said = drifts.iter().map(|drift| warning(window.span, drift, &taken(&list, drift, &before)));
    let told = said.chain(relations::beyond(&found, &list, asked)).collect();
    (list, told)
}

/// The frequencies of the sources of a list.
fn sources(list: &[Candidate]) -> Vec<f64> {
    list.iter().filter(|c| c.relation == Relation::Source).map(|c| c.freq).collect()
}

/// What stood as a source before and belongs to a drift now.
fn taken(list: &[Candidate], drift: &Drift, before: &[f64]) -> Vec<f64> {
    let first = list.iter().position(|c| c.relation == Relation::Source && c.freq == drift.freq);
    let its = |c: &&Candidate| c.relation != Relation::Source && Some(c.group) == first && before.contains(&c.freq);
    list.iter().filter(its).map(|c| c.freq).collect()
}

/// The sources of a list that may be a part of one that drifts: those with others closer than drifts are wide.
fn crowded(found: &[Candidate], span: f64) -> Vec<usize> {
    let sources: Vec<usize> = (0..found.len()).filter(|&i| found[i].relation == Relation::Source).collect();
    let near = |a: usize, b: usize| a != b && (found[a].freq - found[b].freq).abs() * span < MOST_DRIFT;
    sources.iter().copied().filter(|&one| sources.iter().any(|&other| near(one, other))).collect()
}

/// The trial about a candidate with a derivative that was not searched, where it has the most power; none where that is no more than the candidate has, or
/// leaves most of it. `ranges` are those of the search, and the tones, which are of other sources, are taken off.
pub(super) fn trial(
    events: &PulseEvents,
    options: &SearchOptions,
    window: &SourceWindow,
    one: &Candidate,
    ranges: [(f64, f64); 3],
    others: &Tones,
    progress: &Progress,
) -> Option<TrialPeak> {
    let span = window.span;
    let ephemeris = |freq: f64, fdot: f64| Ephemeris {
        epoch: events.ticks.reference(),
        freq: DoubleDouble::from(freq),
        fdot: DoubleDouble::from(fdot),
        fddot: DoubleDouble::from(one.fddot),
    };
    let harmonics = options.harmonics().min(MOST_HARMONICS).min(one.signal_harmonics.max(1));
    let spin = Spin::new(&ephemeris(one.freq, one.fdot), &events.ticks).ok()?;
    let mut stretches = IntervalHarmonics::new(events, &spin, harmonics, progress);
    stretches.take_off([one.freq, one.fdot, one.fddot], span, others);
    // Noise taken off.
    let power = |off: &[f64; 3]| stretches.z2(off).last().copied().unwrap_or(0.0) - 2.0 * harmonics as f64;
    let most = MOST_DRIFT / harmonics as f64;
    let steps = STEPS.map(|step| step / harmonics as f64);
    let drifts = (most / steps[1]) as i32;
    // Of a derivative that was searched those beyond its range.
    let searched = |fdot: f64| ranges[1].1 > ranges[1].0 && (ranges[1].0..=ranges[1].1).contains(&(one.fdot + fdot));
    let of_drift = |i: i32| {
        let z = f64::from(i) * steps[1];
        // It sweeps across the peak.
        let wide = (0.5 * z.abs() / steps[0]).ceil() as i32 + 1;
        let of_place = |j: i32| {
            let fdot = z / (span * span);
            let off = [f64::from(j) * steps[0] / span - fdot * window.middle(), fdot, 0.0];
            (power(&off), off)
        };
        if searched(z / (span * span)) {
            return None;
        }
        (-wide..=wide).map(of_place).max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let all: Vec<(f64, [f64; 3])> = (-drifts..=drifts).into_par_iter().filter_map(of_drift).collect();
    let (best, off) = all.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let own = power(&[0.0; 3]);
    if best < LEAST_RATIO * own || best < own + LEAST_GAIN {
        return None;
    }
    // A drift has most of what there is at the candidate; else that is a source of its own beside it.
    let [own, drifting] = [[0.0; 3], off].map(|off| stretches.amplitudes(&off));
    let parts = own.iter().zip(&drifting).zip(1u32..).map(|((own, drifting), h)| {
        let left = own - drifting * window.mean(off.map(|off| -f64::from(h) * off), &Bright::default());
        [own.norm_sqr(), left.norm_sqr()]
    });
    let [all, left] = parts.fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
    if left > MOST_LEFT * all {
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
