//! One source is one candidate: peaks that belong to a stronger one are told by what they are.
//!
//! A peak is explained where the harmonics of a source, seen through the good time ([`SourceWindow`]), have its power: at ratios of whole numbers
//! (harmonics), at multiples of the gaps' frequency from these (aliases), with other derivatives (ridges), or else (side lobes). Statistics of several
//! harmonics have the power of a sinusoid at half its frequency, too, in their second harmonic: a peak all of whose power is in every k-th harmonic is the source
//! of k times its frequency, which has fewer harmonics, where that is in the band.

use super::candidate::{Candidate, Relation};
use super::refine::RefinedPeak;
use super::window::SourceWindow;
use crate::science::statistics::pulse::{self, TrialLaw};

/// What noise adds to the amplitude of a side lobe, hardly ever more, and by how much the source's own light curve may raise its power.
pub(super) const SIDE_LOBE_NOISE: f64 = 3.0;
/// See [`SIDE_LOBE_NOISE`].
pub(super) const SIDE_LOBE_FACTOR: f64 = 1.5;
/// The part of a peak's power that a source must have there to explain it.
const EXPLAINED_PART: f64 = 0.25;
/// The probability that noise has what harmonics between every k-th have, below which they are signal.
const LEAST_PROBABILITY: f64 = 1e-3;
/// The largest numbers in the ratio of a harmonic.
const HIGHEST_RATIO_TERM: u32 = 10;

impl RefinedPeak {
    fn rates(&self) -> [f64; 3] {
        [self.candidate.freq, self.candidate.fdot, self.candidate.fddot]
    }

    /// Power above noise in the harmonics that are signal.
    fn excess(&self) -> f64 {
        self.powers.iter().take(self.candidate.signal_harmonics.max(1)).map(|p| p - 2.0).sum()
    }

    /// True if the harmonics that are not multiples of k are noise, by H of them alone.
    fn noise_between(&self, k: usize) -> bool {
        let between = self.powers.iter().enumerate().filter(|(i, _)| !(i + 1).is_multiple_of(k)).map(|(_, p)| *p);
        let sums: Vec<f64> = between.scan(0.0, |sum, p| Some(std::mem::replace(sum, *sum + p) + p)).collect();
        TrialLaw::H.ln_sf(pulse::h_of_z2(&sums).0) > LEAST_PROBABILITY.ln()
    }

    /// The largest k of which harmonics have all power: those between are noise.
    fn multiple(&self) -> usize {
        let signal =
            |k: usize| self.powers.iter().skip(k - 1).step_by(k).map(|p| p - 2.0).sum::<f64>() > 0.5 * self.excess();
        (2..=self.powers.len()).rev().find(|&k| self.noise_between(k) && signal(k)).unwrap_or(1)
    }
}

/// What a list is asked for.
pub(super) struct Listing {
    /// The frequencies of the search, Hz.
    pub band: (f64, f64),
    /// The most candidates.
    pub most: usize,
    /// log₁₀ of the probability of a detection.
    pub level: f64,
    /// How far apart the frequencies of one source may be found, independent frequencies.
    pub width: f64,
    /// Trials of the search: noise somewhere adds more to what a source has there.
    pub trials: f64,
}

/// How a peak belongs to a source.
#[derive(Clone, Copy)]
struct Tie {
    relation: Relation,
    ratio: (u32, u32),
    alias: i32,
}

/// The list of candidates, the most significant first: at most so many, sources before what belongs to them where not all fit. `again` refines the peak of the
/// grid next to a frequency. Of peaks above the detection level alone it is told which multiple of their frequency, or which part of it, is the source's.
pub(super) fn list(
    found: Vec<RefinedPeak>,
    window: &SourceWindow,
    asked: &Listing,
    again: &dyn Fn(f64) -> Option<RefinedPeak>,
) -> Vec<Candidate> {
    let Listing { band, most, level, .. } = *asked;
    let mut sources: Vec<RefinedPeak> = Vec::new();
    // In the order of the list: what it is of which source.
    let mut all: Vec<(Candidate, usize, Tie)> = Vec::new();
    const ITSELF: Tie = Tie { relation: Relation::Source, ratio: (1, 1), alias: 0 };
    for peak in found {
        let of = |s: usize| tie(&peak, &sources[s], window, asked).map(|tie| (s, tie));
        if let Some((source, tie)) = (0..sources.len()).find_map(of) {
            let detected = peak.candidate.log10_p <= level;
            if let (Relation::Harmonic, (1, k), true) = (tie.relation, tie.ratio, detected)
                && !peak.noise_between(k as usize)
            {
                // It has the odd harmonics, too: the other one is a harmonic of this one, and so is what belongs to that.
                let first = all.iter().position(|(_, of, _)| *of == source).unwrap_or(all.len());
                for (_, _, tie) in all.iter_mut().filter(|(_, of, _)| *of == source) {
                    let (a, b) = (tie.ratio.0 * k, tie.ratio.1);
                    tie.ratio = (a / divisor(a, b), b / divisor(a, b));
                    if tie.relation == Relation::Source {
                        tie.relation = Relation::Harmonic;
                    }
                }
                all.insert(first, (peak.candidate.clone(), source, ITSELF));
                sources[source] = peak;
                continue;
            }
            // The very peak that stands for its source already.
            if tie.relation != Relation::Source {
                all.push((peak.candidate, source, tie));
            }
            continue;
        }
        let k = if peak.candidate.log10_p <= level { peak.multiple() } else { 1 };
        let freq = k as f64 * peak.candidate.freq;
        let leader = Some(freq).filter(|&f| k > 1 && f >= band.0 && f <= band.1).and_then(again).filter(|leader| {
            (leader.candidate.freq - freq).abs() * window.span < k as f64 * asked.width
                && leader.excess() > 0.5 * peak.excess()
        });
        if let Some(leader) = leader {
            let tie = Tie { relation: Relation::Harmonic, ratio: (1, k as u32), alias: 0 };
            all.push((leader.candidate.clone(), sources.len(), ITSELF));
            all.push((peak.candidate, sources.len(), tie));
            sources.push(leader);
        } else {
            all.push((peak.candidate.clone(), sources.len(), ITSELF));
            sources.push(peak);
        }
    }
    while all.len() > most.max(1) {
        let last = all.iter().rposition(|(.., tie)| tie.relation != Relation::Source).unwrap_or(all.len() - 1);
        all.remove(last);
    }
    let place = |source: usize| all.iter().position(|(_, of, tie)| *of == source && tie.relation == Relation::Source);
    let places: Vec<Option<usize>> = (0..sources.len()).map(place).collect();
    let named = |(i, (candidate, source, tie)): (usize, (Candidate, usize, Tie))| Candidate {
        group: places[source].unwrap_or(i),
        harmonic: format!("{}/{}", tie.ratio.0, tie.ratio.1),
        relation: tie.relation,
        alias: tie.alias,
        ..candidate
    };
    all.into_iter().enumerate().map(named).collect()
}

/// How a peak belongs to a source: by its frequency alone, or by the power that the source's harmonics have there.
fn tie(peak: &RefinedPeak, source: &RefinedPeak, window: &SourceWindow, asked: &Listing) -> Option<Tie> {
    let (one, other) = (peak.rates(), source.rates());
    let apart = |a: f64, b: f64| window.place(std::array::from_fn(|i| a * one[i] - b * other[i]));
    if let Some(ratio) = ratio(one[0], other[0], window.span / asked.width) {
        return Some(Tie { relation: Relation::Harmonic, ratio, alias: 0 });
    }
    let mut seen = 0.0;
    let mut most: (f64, u32, u32) = (0.0, 1, 1);
    for (a, _) in (1u32..).zip(&peak.powers) {
        for (b, power) in (1u32..).zip(source.powers.iter().take(source.candidate.signal_harmonics.max(1))) {
            let (r, drift) = apart(f64::from(a), f64::from(b));
            if (power - 2.0) * window.bound(r, drift) < 1.0 {
                continue;
            }
            let part = (power - 2.0) * window.part(r, drift);
            seen += part;
            if part > most.0 {
                most = (part, a, b);
            }
        }
    }
    let excess = peak.excess().max(0.0);
    let (a, b) = (most.1, most.2);
    let (r, drift) = apart(f64::from(a), f64::from(b));
    let near = r.abs() < 1.5 * asked.width && drift.z.abs() < 4.0 && drift.w.abs() < 30.0;
    // The largest of so many normal variates is what noise adds somewhere.
    let noise = SIDE_LOBE_NOISE.max((2.0 * asked.trials.max(1.0).ln()).sqrt());
    let seen = SIDE_LOBE_FACTOR * seen;
    let explained = excess.sqrt() < seen.sqrt() + noise && seen > EXPLAINED_PART * excess;
    if !near && !explained {
        return None;
    }
    let (a, b) = (a / divisor(a, b), b / divisor(a, b));
    let alias = window.alias(f64::from(a) * one[0] - f64::from(b) * other[0]);
    let drifts = drift.z.abs() >= 1.0 || drift.w.abs() >= 1.0;
    let relation = match () {
        () if near && a == b && !drifts => Relation::Source,
        () if alias != 0 => Relation::Alias,
        () if drifts && r.abs() < 0.5 * drift.z.abs() + 0.125 * drift.w.abs() + 2.0 => Relation::Ridge,
        () if a != b && r.abs() < 1.5 => Relation::Harmonic,
        () => Relation::SideLobe,
    };
    Some(Tie { relation, ratio: (b, a), alias })
}

/// The ratio of small numbers that two frequencies have, within what their peaks are wide; none where they are the same.
fn ratio(freq: f64, other: f64, span: f64) -> Option<(u32, u32)> {
    let fits = |a: u32, b: u32| (f64::from(b) * freq - f64::from(a) * other).abs() < f64::from(a.max(b)) / span;
    (2..=2 * HIGHEST_RATIO_TERM).find_map(|sum| {
        (1..sum).map(|a| (a, sum - a)).find(|&(a, b)| a.max(b) <= HIGHEST_RATIO_TERM && a != b && fits(a, b))
    })
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}
