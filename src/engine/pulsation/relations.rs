//! One source is one candidate: peaks that belong to a stronger one are told by what they are.
//!
//! A peak belongs to a source if what is left of it, once the amplitudes that the harmonics of sources have there through the good time ([`Tones`])
//! are taken off, is no detection: at ratios of whole numbers (harmonics), at multiples of the gaps' frequency from these (aliases), with other
//! derivatives (ridges), or else (side lobes). Statistics of several
//! harmonics have the power of a sinusoid at half its frequency, too, in their second harmonic: a peak all of whose power is in every k-th harmonic is the source
//! of k times its frequency, which has fewer harmonics, where that is in the band.

use std::f64::consts::LN_10;

use super::candidate::{Candidate, Relation};
use super::refine::RefinedPeak;
use super::tones::{Prediction, Seen, Tones, reduced};
use super::window::SourceWindow;
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;
use crate::science::statistics::pulse::{self, TrialLaw};

/// The probability that noise has what harmonics between every k-th have, below which they are signal.
const LEAST_PROBABILITY: f64 = 1e-3;
/// Standard errors within which frequencies have a ratio, and the part of an independent frequency that they may be known to at best.
const RATIO_ERRORS: f64 = 5.0;
/// See [`RATIO_ERRORS`].
const LEAST_RATIO_ERROR: f64 = 0.5;
/// Drifts by which a peak is as wide as it is high: of the first and the second derivative, Fourier bins.
const WIDE: [f64; 2] = [4.0, 30.0];
/// Independent frequencies within which refined peaks are one.
const ONE_PEAK: f64 = 0.1;
/// The largest numbers in the ratio of a harmonic.
const HIGHEST_RATIO_TERM: u32 = 10;

impl RefinedPeak {
    fn rates(&self) -> [f64; 3] {
        [self.candidate.freq, self.candidate.fdot, self.candidate.fddot]
    }

    fn seen(&self) -> Seen<'_> {
        Seen { rates: self.rates(), sums: &self.sums, brightness: &self.brightness }
    }

    /// The powers of its harmonics without what tones, which are of other sources, have there.
    fn own(&self, tones: &Prediction) -> OwnPowers<'_> {
        let [all, left] = [&Prediction::default(), tones].map(|tones| self.largest.z2_without(tones));
        let each = |z2: &[f64], h: usize| z2.get(h).map_or(0.0, |z| z - if h > 0 { z2[h - 1] } else { 0.0 });
        let taken = |h: usize| each(&all, h) - each(&left, h);
        let powers = self.powers.iter().enumerate().map(|(h, power)| power - taken(h)).collect();
        OwnPowers { peak: self, powers }
    }
}

/// What the harmonics of a peak have of their own.
struct OwnPowers<'a> {
    peak: &'a RefinedPeak,
    /// In units of half of that of noise.
    powers: Vec<f64>,
}

impl OwnPowers<'_> {
    /// Power above noise in the harmonics that are signal.
    fn excess(&self) -> f64 {
        self.powers.iter().take(self.peak.candidate.signal_harmonics.max(1)).map(|p| p - 2.0).sum()
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
pub(super) struct Listing<'a> {
    /// The frequencies of the search, Hz.
    pub band: (f64, f64),
    /// The most candidates.
    pub most: usize,
    /// log₁₀ of the probability of a detection.
    pub level: f64,
    /// How far apart the frequencies of one source may be found, independent frequencies.
    pub width: f64,
    /// `Σw²` of the events.
    pub squares: f64,
    /// Natural logarithm of the probability over the whole search of a peak of which `Z²_1 …` are left.
    pub ln_p: &'a (dyn Fn(&RefinedPeak, &[f64]) -> f64 + Sync),
    /// Refines the peak of the grid next to a frequency.
    pub again: &'a dyn Fn(f64) -> Option<RefinedPeak>,
    /// A candidate with a derivative that was not searched, where that has more power; the tones are of other sources, and taken off.
    pub drifting: &'a dyn Fn(&Candidate, &Tones) -> Option<RefinedPeak>,
}

/// A list of candidates, and what it was made with.
pub(super) struct Listed<'a> {
    pub candidates: Vec<Candidate>,
    /// Of each candidate, which of the tones' sources it belongs to.
    pub sources: Vec<usize>,
    pub tones: Tones<'a>,
}

/// A source that drifts by what was not searched.
#[derive(Clone)]
pub(super) struct Drift {
    /// The frequency at which its largest peak is, Hz.
    pub freq: f64,
    /// What there is with its drift.
    pub with: RefinedPeak,
}

/// How a peak belongs to a source.
#[derive(Clone, Copy)]
struct Tie {
    relation: Relation,
    ratio: (u32, u32),
    alias: i32,
    /// What is left of it is a detection: more of the source than is known yet.
    more: bool,
}

/// The list of candidates, the most significant first: at most so many, sources before what belongs to them where not all fit; and the tones of
/// the sources. Of peaks above the detection level alone it is told which multiple of their frequency, or which part of it, is the source's. Sources that are
/// known to drift have what they have elsewhere with their drift.
pub(super) fn list<'a>(
    found: Vec<RefinedPeak>,
    window: &'a SourceWindow,
    asked: &Listing,
    known: &[Drift],
) -> Listed<'a> {
    fn of_source<'b>(peak: &'b RefinedPeak, known: &'b [Drift]) -> Seen<'b> {
        let drift = known.iter().find(|drift| drift.freq == peak.candidate.freq);
        drift.map_or(peak, |drift| &drift.with).seen()
    }
    let Listing { band, most, level, .. } = *asked;
    let mut sources: Vec<RefinedPeak> = Vec::new();
    let mut tones = Tones::new(window, asked.squares);
    // In the order of the list: what it is of which source.
    let mut all: Vec<(Candidate, usize, Tie)> = Vec::new();
    const ITSELF: Tie = Tie { relation: Relation::Source, ratio: (1, 1), alias: 0, more: false };
    let predicted = |peak: &RefinedPeak, tones: &Tones| tones.predict(peak.largest.rates, peak.largest.harmonics());
    for peak in found {
        let others = predicted(&peak, &tones);
        if let Some((source, tie)) = tie(&peak, &sources, &others, window, asked) {
            let detected = peak.candidate.log10_p <= level;
            if let (Relation::Harmonic, (1, k), true) = (tie.relation, tie.ratio, detected)
                && !peak.own(&others).noise_between(k as usize)
            {
                // It has the odd harmonics, too: the other one is a harmonic of this one, and so is what belongs to that.
                let first = all.iter().position(|(_, of, _)| *of == source).unwrap_or(all.len());
                for (_, _, tie) in all.iter_mut().filter(|(_, of, _)| *of == source) {
                    tie.ratio = reduced(tie.ratio.0 * k, tie.ratio.1);
                    if tie.relation == Relation::Source {
                        tie.relation = Relation::Harmonic;
                    }
                }
                all.insert(first, (peak.candidate.clone(), source, ITSELF));
                tones.divide(source, k);
                tones.add(source, (1, 1), &of_source(&peak, known));
                sources[source] = peak;
                continue;
            }
            if tie.more {
                tones.add(source, tie.ratio, &peak.seen());
            }
            // The very peak that stands for its source already, or that another trial led to.
            let again = all.iter().any(|(one, ..)| same(one, &peak.candidate, window));
            if tie.relation != Relation::Source && !peak.extra && !again {
                all.push((peak.candidate, source, tie));
            }
            continue;
        }
        let detected = peak.candidate.log10_p <= level;
        let own = peak.own(&others);
        let (k, excess) = (if detected { own.multiple() } else { 1 }, own.excess());
        let freq = peak.candidate.freq;
        // Where else its power is that of the source: at a multiple, or where samples are enough.
        let multiple = Some(k as f64 * freq).filter(|_| k > 1);
        let other = multiple.or_else(|| window.unaliased(freq).filter(|_| detected));
        let leader = other.filter(|&f| f >= band.0 && f <= band.1).and_then(|freq| {
            (asked.again)(freq).filter(|leader| {
                (leader.candidate.freq - freq).abs() * window.span < k as f64 * asked.width
                    && leader.own(&predicted(leader, &tones)).excess() > 0.5 * excess
                    && leader.candidate.log10_p <= level
            })
        });
        let source = sources.len();
        all.push((leader.as_ref().unwrap_or(&peak).candidate.clone(), source, ITSELF));
        if let Some(leader) = leader {
            tones.add(source, (1, 1), &of_source(&leader, known));
            let of_samples = window.alias(freq).filter(|_| multiple.is_none());
            let (relation, alias) = of_samples.unwrap_or((Relation::Harmonic, 0));
            all.push((peak.candidate, source, Tie { relation, ratio: (1, k as u32), alias, more: false }));
            sources.push(leader);
        } else {
            tones.add(source, (1, 1), &of_source(&peak, known));
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
    let of = all.iter().map(|(_, source, _)| *source).collect();
    Listed { candidates: all.into_iter().enumerate().map(named).collect(), sources: of, tones }
}

/// True if both are one peak.
fn same(one: &Candidate, other: &Candidate, window: &SourceWindow) -> bool {
    let (r, drift) = window.place([one.freq - other.freq, one.fdot - other.fdot, one.fddot - other.fddot]);
    r.abs() < ONE_PEAK && drift.z.abs() < 4.0 * ONE_PEAK && drift.w.abs() < 30.0 * ONE_PEAK
}

/// Sources of a list all of whose power is in every k-th harmonic, where k times their frequency is above the band: of a source there they are a k-th.
pub(super) fn beyond(found: &[RefinedPeak], list: &[Candidate], asked: &Listing) -> Vec<Warning> {
    let said = |one: &Candidate| {
        let peak = found.iter().find(|peak| peak.candidate.freq == one.freq)?;
        let k = if one.log10_p <= asked.level { peak.own(&Prediction::default()).multiple() } else { 1 };
        let freq = k as f64 * one.freq;
        let message = || {
            format!(
                "the candidate at {} Hz has power in its harmonics {k}, {}, … alone: a source at {} Hz, above the band, is seen so at 1/{k} of its frequency",
                ShortNumber(one.freq),
                2 * k,
                ShortNumber(freq)
            )
        };
        let [low, high] = [asked.band.0, asked.band.1].map(|end| ShortNumber(k as f64 * end));
        let mend = Mend::set("freq", format!("{low}:{high}")).doing("has it in the band");
        (freq > asked.band.1).then(|| Warning::new("W-ABOVE-BAND", message()).mended_by([mend]))
    };
    list.iter().filter(|one| one.relation == Relation::Source).filter_map(said).collect()
}

/// How a peak belongs to a source, and to which: by the ratio of frequencies, or by what is left of it without the tones of sources.
fn tie(
    peak: &RefinedPeak,
    sources: &[RefinedPeak],
    predicted: &Prediction,
    window: &SourceWindow,
    asked: &Listing,
) -> Option<(usize, Tie)> {
    let more = (asked.ln_p)(peak, &peak.largest.z2_without(predicted)) <= asked.level * LN_10;
    let of_ratio =
        |(i, source): (usize, &RefinedPeak)| ratio(peak, source, window, asked.width).map(|ratio| (i, ratio));
    if let Some((source, ratio)) = sources.iter().enumerate().find_map(of_ratio) {
        return Some((source, Tie { relation: Relation::Harmonic, ratio, alias: 0, more }));
    }
    let main = predicted.main?;
    let (r, drift) = window.place_seen(main.apart);
    let near = r.abs() < 1.5 * asked.width && drift.z.abs() < WIDE[0] && drift.w.abs() < WIDE[1];
    if !near && more {
        return None;
    }
    let ratio = reduced(main.ratio.0, main.ratio.1.saturating_mul(main.harmonic));
    let alias = window.alias(main.apart[0]);
    let drifts = drift.z.abs() >= 1.0 || drift.w.abs() >= 1.0;
    let relation = match alias {
        None if near && ratio == (1, 1) && !drifts => Relation::Source,
        Some((relation, _)) => relation,
        None if drifts && r.abs() < 0.5 * drift.z.abs() + 0.125 * drift.w.abs() + 2.0 => Relation::Ridge,
        None if ratio != (1, 1) && r.abs() < 1.5 => Relation::Harmonic,
        None => Relation::SideLobe,
    };
    let alias = alias.map_or(0, |(_, times)| times);
    Some((main.source, Tie { relation, ratio, alias, more }))
}

/// The ratio of small numbers that the frequencies of two peaks have within their errors, and within what peaks are wide, their derivatives as well;
/// none where they are the same.
fn ratio(peak: &RefinedPeak, source: &RefinedPeak, window: &SourceWindow, width: f64) -> Option<(u32, u32)> {
    let (one, other) = (peak.rates(), source.rates());
    let fits = |a: u32, b: u32| {
        let most = f64::from(a.max(b));
        let (r, drift) = window.place(std::array::from_fn(|i| f64::from(b) * one[i] - f64::from(a) * other[i]));
        let error = f64::hypot(f64::from(b) * peak.candidate.freq_err, f64::from(a) * source.candidate.freq_err);
        // Frequencies that may be found elsewhere are known no better.
        let known = if width > 1.0 { width * most } else { LEAST_RATIO_ERROR };
        let near = (RATIO_ERRORS * error * window.span).max(known).min(most * width);
        r.abs() < near && drift.z.abs() < WIDE[0] * most && drift.w.abs() < WIDE[1] * most
    };
    (2..=2 * HIGHEST_RATIO_TERM).find_map(|sum| {
        (1..sum).map(|a| (a, sum - a)).find(|&(a, b)| a.max(b) <= HIGHEST_RATIO_TERM && a != b && fits(a, b))
    })
}
