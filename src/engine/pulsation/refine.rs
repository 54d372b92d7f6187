//! A peak of a search refined between the trials of its grid, with exact phases, inside the ranges that the search was asked for.

use std::f64::consts::{LN_10, PI, TAU};
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::brightness::Brightness;
use super::candidate::{Candidate, Relation};
use super::fold::weighted;
use super::search_options::SearchOptions;
use super::statistics::MadeOf;
use super::tones::{Prediction, Tones};
use super::{PulseEvents, TrialGrid, amplitudes, exposure, harmonics};
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::phase::{Ephemeris, Spin};
use crate::kernels::fold::{self, TrialBlock};
use crate::science::pulsation::precision;
use crate::science::statistics::normal;
use crate::science::statistics::profile::ProfileChiSquare;
use crate::science::statistics::pulse::{self, NullDistribution};

/// Stretches of time whose harmonic sums are combined when a peak is refined: over one of them a frequency that is one step of the grid
/// off turns by less than a thousandth of a cycle.
const INTERVALS: usize = 512;
/// Events that are folded before it is asked whether the run goes on.
const PIECE: usize = 1 << 16;
/// How often the harmonics that are signal are chosen anew, where the frequency moves.
const MOST_CHOICES: usize = 5;
/// By how much of its amplitude elsewhere a source may have more there, as its own light curve makes it: 1.5 times the power.
const TONE_ERROR: f64 = 0.2247;

/// A trial whose statistic stands out.
#[derive(Clone, Copy)]
pub(super) struct TrialPeak {
    /// Where, with its derivatives, Hz/s and Hz/s².
    pub start: Spin,
    pub rates: [f64; 2],
    /// To the next trial: of frequency and derivatives, 0 where those are not searched.
    pub steps: [f64; 3],
    /// Lowest and highest frequency and derivatives that were asked for, which nothing leaves.
    pub ranges: [(f64, f64); 3],
    pub stat: f64,
    /// Logarithm of the probability in this trial alone, if trials have laws of their own.
    pub ln_p: Option<f64>,
    /// How far from the trial its signal may be, Hz, where that is more than a step.
    pub around: f64,
}

impl TrialPeak {
    /// One of a grid.
    pub fn from_grid(grid: &TrialGrid, place: usize, row: usize, stat: f64) -> TrialPeak {
        let rates = grid.rows.get(row).copied().unwrap_or_default();
        let ranges = grid.ranges;
        // A range without a second trial is a step of its own, and nothing where it is one number.
        let step = |step: f64, (lo, hi): (f64, f64)| if step > 0.0 { step } else { hi - lo };
        let steps = [grid.df, step(grid.dfdot, ranges[1]), step(grid.dfddot, ranges[2])];
        TrialPeak { start: grid.spin(row, place), rates, steps, ranges, stat, ln_p: None, around: 0.0 }
    }
}

/// Sums of a stretch of time.
struct StretchSums {
    /// Its middle, s from the epoch.
    middle: f64,
    /// The part of all good time that it has.
    good: f64,
    /// Those of its events, and of its part in all good time.
    sums: [Vec<Complex<f64>>; 2],
}

impl StretchSums {
    /// What turns its sums to where frequency and derivatives differ by so much.
    fn turn(&self, off: &[f64; 3]) -> Complex<f64> {
        let t = self.middle;
        let cycles = t * (off[0] + t * (off[1] / 2.0 + t * off[2] / 6.0));
        Complex::from_polar(1.0, TAU * (cycles - cycles.round()))
    }
}

/// Complex sums of each stretch of time at one ephemeris, from which those of others close by follow.
pub(super) struct IntervalHarmonics {
    parts: Vec<StretchSums>,
    /// [`PulseEvents::sums`].
    total: [f64; 2],
}

impl IntervalHarmonics {
    pub fn new(events: &PulseEvents, spin: &Spin, harmonics: usize, progress: &Progress) -> IntervalHarmonics {
        let (Some(first), Some(last)) = (events.times.iter().min(), events.times.iter().max()) else {
            return IntervalHarmonics { parts: Vec::new(), total: [0.0; 2] };
        };
        let length = (last - first) / INTERVALS as i64 + 1;
        // Times are in order, by and large: few pieces.
        let mut stretches: Vec<Vec<Range<usize>>> = vec![Vec::new(); INTERVALS];
        let mut rest = events.times.as_slice();
        while let Some(t) = rest.first() {
            let place = (t - first) / length;
            let inside = first + place * length..first + (place + 1) * length;
            let here = rest.iter().take_while(|t| inside.contains(t)).count();
            let from = events.times.len() - rest.len();
            stretches[place as usize].push(from..from + here);
            rest = &rest[here..];
        }
        let tick = events.ticks.seconds();
        let matter = exposure::significant_harmonics(events, spin, 2 * harmonics);
        let good: f64 = events.gti.iter().map(|(a, b)| (b - a) as f64 * tick).sum();
        let part = |(i, pieces): (usize, &Vec<Range<usize>>)| {
            let from = first + i as i64 * length;
            let middle = (from as f64 + 0.5 * length as f64) * tick;
            // Good time before the first event and after the last one is theirs.
            let (from, to) = (if i == 0 { i64::MIN } else { from }, from.saturating_add(length));
            let to = if i + 1 == INTERVALS { i64::MAX } else { to };
            let gti = exposure::clip_intervals(&events.gti, from, to);
            let mut window = match matter {
                0 => Vec::new(),
                _ => exposure::amplitudes(spin, &events.ticks, &gti, matter),
            };
            window.iter_mut().for_each(|sum| *sum /= good);
            let mut sums = vec![Complex::default(); harmonics];
            for piece in pieces {
                let weights = events.each_weight().map(|weights| &weights[piece.clone()]);
                let piece =
                    harmonics::harmonic_sums_at(&events.times[piece.clone()], weights, spin, harmonics, progress);
                sums.iter_mut().zip(piece).for_each(|(sum, one)| *sum += one);
            }
            let here: f64 = gti.iter().map(|(a, b)| (b - a) as f64 * tick).sum();
            (!pieces.is_empty() || here > 0.0).then_some(StretchSums {
                middle,
                good: here / good,
                sums: [sums, window],
            })
        };
        let parts = stretches.par_iter().enumerate().filter_map(part).collect();
        IntervalHarmonics { parts, total: events.sums() }
    }

    /// How bright the pulses are through the good time, from the first `signal` harmonics where frequency and derivatives differ by so much.
    fn brightness(&self, off: &[f64; 3], signal: usize, middle: f64, span: f64) -> Brightness {
        let [all, exposed] = self.sums(off);
        let mean = |h: usize| exposed.get(h).copied().unwrap_or_default() * self.total[0];
        let all: Vec<Complex<f64>> = all.iter().take(signal).enumerate().map(|(h, sum)| sum - mean(h)).collect();
        let power: f64 = all.iter().map(|sum| sum.norm_sqr()).sum();
        let of_part = |part: &StretchSums| {
            let turn = part.turn(off);
            let (mut now, mut share) = (turn, 0.0);
            for (h, all) in all.iter().enumerate() {
                let seen = part.sums[1].get(h).copied().unwrap_or_default() * self.total[0];
                share += ((part.sums[0][h] - seen) * now * all.conj()).re;
                now *= turn;
            }
            ((part.middle - middle) / span, part.good, share / power.max(f64::MIN_POSITIVE))
        };
        let parts: Vec<(f64, f64, f64)> = self.parts.iter().map(of_part).collect();
        Brightness::fit(&parts, 2.0 * power / self.total[1].max(f64::MIN_POSITIVE))
    }

    /// The harmonic sums of the events and the amplitudes of the exposure where frequency and derivatives differ by so much.
    fn sums(&self, off: &[f64; 3]) -> [Vec<Complex<f64>>; 2] {
        let like = |i: usize| vec![Complex::default(); self.parts.first().map_or(0, |part| part.sums[i].len())];
        let mut all = [like(0), like(1)];
        for part in &self.parts {
            let turn = part.turn(off);
            for (sums, all) in part.sums.iter().zip(&mut all) {
                let mut now = turn;
                for (sum, all) in sums.iter().zip(all) {
                    *all += sum * now;
                    now *= turn;
                }
            }
        }
        all
    }

    /// Takes off what tones have in each stretch, where the frequency and its derivatives are `rates`: their amplitudes by the stretch's part of all good time.
    pub fn take_off(&mut self, rates: [f64; 3], span: f64, tones: &Tones) {
        for (tone, amplitude) in tones.each() {
            for part in &mut self.parts {
                for (sum, h) in part.sums[0].iter_mut().zip(1u32..) {
                    let apart: [f64; 3] = std::array::from_fn(|i| f64::from(h) * rates[i] - tone[i]);
                    let t = part.middle;
                    let cycles = t * (apart[0] + t * (apart[1] / 2.0 + t * apart[2] / 6.0));
                    // What turns within a stretch.
                    let x = PI * (apart[0] + t * (apart[1] + t * apart[2] / 2.0)) * span / INTERVALS as f64;
                    let mean = if x.abs() < 1e-6 { 1.0 } else { x.sin() / x };
                    *sum -= amplitude * Complex::from_polar(part.good * mean, TAU * (cycles - cycles.round()));
                }
            }
        }
    }

    /// The sums of the events there, what the exposure makes taken off.
    pub fn amplitudes(&self, off: &[f64; 3]) -> Vec<Complex<f64>> {
        let [sums, window] = self.sums(off);
        let mean = |h: usize| window.get(h).map_or(Complex::default(), |window| window * self.total[0]);
        sums.iter().enumerate().map(|(h, sum)| sum - mean(h)).collect()
    }

    /// `Z²_1 …` there.
    pub fn z2(&self, off: &[f64; 3]) -> Vec<f64> {
        let [sums, window] = self.sums(off);
        pulse::z2_of_sums(&sums, self.total, &window)
    }
}

/// What events have at a frequency with its derivatives.
#[derive(Clone)]
pub(super) struct TrialAmplitudes {
    pub rates: [f64; 3],
    /// The sum of the events at each harmonic, and the amplitudes of the exposure.
    sums: Vec<Complex<f64>>,
    window: Vec<Complex<f64>>,
    /// [`PulseEvents::sums`].
    totals: [f64; 2],
    /// The noise at each harmonic, in units of Poisson's.
    levels: Vec<f64>,
}

impl TrialAmplitudes {
    /// Of a trial of the grid.
    pub fn of_trial(
        events: &PulseEvents,
        options: &SearchOptions,
        peak: &TrialPeak,
        levels: &[f64],
        progress: &Progress,
    ) -> TrialAmplitudes {
        let (spin, harmonics) = (&peak.start, options.resolved_harmonics());
        TrialAmplitudes {
            rates: [spin.freq(&events.ticks).value(), peak.rates[0], peak.rates[1]],
            sums: harmonics::harmonic_sums_at(&events.times, events.each_weight(), spin, harmonics, progress),
            window: exposure::exposure_amplitudes(events, spin, 2 * harmonics),
            totals: events.sums(),
            levels: levels.to_vec(),
        }
    }

    /// Number of harmonics.
    pub fn harmonics(&self) -> usize {
        self.sums.len()
    }

    /// `Z²_1 …` without what tones have there. They may have more by a part [`TONE_ERROR`] of each than they are known to.
    pub fn z2_without(&self, tones: &Prediction) -> Vec<f64> {
        let [total, squares] = self.totals;
        let total = total - tones.total;
        let left = |(h, sum): (usize, &Complex<f64>)| {
            let (predicted, size) = tones.sums.get(h).copied().unwrap_or_default();
            let mean = self.window.get(h).map_or(Complex::default(), |window| window * total);
            let left = sum - predicted - mean;
            mean + left * (1.0 - TONE_ERROR * size / left.norm().max(f64::MIN_POSITIVE)).max(0.0)
        };
        let sums: Vec<Complex<f64>> = self.sums.iter().enumerate().map(left).collect();
        whitened(pulse::z2_of_sums(&sums, [total, squares], &self.window), &self.levels)
    }

    /// What a profile of so many bins loses of its variance between bins, in units of its noise, where `Z²_1 …` are left.
    pub fn lost(&self, left: &[f64], bins: usize) -> f64 {
        let each = |z2: &[f64], h: usize| z2[h] - if h > 0 { z2[h - 1] } else { 0.0 };
        let all = self.z2_without(&Prediction::default());
        let one = |h: usize| {
            let x = PI * (h + 1) as f64 / bins as f64;
            (each(&all, h) - each(left, h)) * (x.sin() / x).powi(2)
        };
        (0..all.len().min(left.len())).map(one).sum()
    }
}

/// A refined peak.
#[derive(Clone)]
pub(super) struct RefinedPeak {
    pub candidate: Candidate,
    /// The power of each harmonic, in units of half of that of noise.
    pub powers: Vec<f64>,
    /// The sums of events at the harmonics of the candidate's frequency, what the exposure makes taken off.
    pub sums: Vec<Complex<f64>>,
    /// How bright its pulses are through the good time.
    pub brightness: Brightness,
    /// What there is where the statistic is largest.
    pub largest: TrialAmplitudes,
    /// And that statistic.
    pub largest_stat: f64,
    /// Listed only if it is a source.
    pub extra: bool,
}

/// Where `score` is largest about `off`: steps along each direction that stay between the `ends`, halved when none of them leads up.
fn climb(mut off: [f64; 3], steps: [f64; 3], ends: [(f64, f64); 3], score: &dyn Fn(&[f64; 3]) -> f64) -> [f64; 3] {
    let mut step = steps.map(|step| 0.5 * step);
    let mut best = score(&off);
    for _ in 0..400 {
        let tries = (0..3).flat_map(|i| [(i, step[i]), (i, -step[i])]).filter(|(_, by)| *by != 0.0);
        let moved = tries.map(|(i, by)| {
            let mut next = off;
            next[i] = (next[i] + by).clamp(ends[i].0, ends[i].1);
            (score(&next), next)
        });
        match moved.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((score, next)) if score > best => (best, off) = (score, next),
            _ => step.iter_mut().for_each(|step| *step *= 0.5),
        }
        if step[0] < 1e-5 * steps[0] {
            break;
        }
    }
    off
}

/// The candidate of a peak; `levels` are those of the noise at its harmonics, in units of Poisson's, which is 1 where they end.
pub(super) fn refine(
    events: &PulseEvents,
    options: &SearchOptions,
    peak: TrialPeak,
    chances: &NullDistribution,
    levels: &[f64],
    progress: &Progress,
) -> RefinedPeak {
    let statistic = options.method.definition();
    let TrialPeak { start, rates: [fdot, fddot], steps, ranges, stat: grid_stat, ln_p, around } = peak;
    let ticks = &events.ticks;
    // From the trial to the ends of its range; a trial is inside, but for the rounding of its fixed point.
    let from = [start.freq(ticks).value(), fdot, fddot];
    let ends: [(f64, f64); 3] =
        std::array::from_fn(|i| ((ranges[i].0 - from[i]).min(0.0), (ranges[i].1 - from[i]).max(0.0)));
    let stretches = IntervalHarmonics::new(events, &start, options.harmonics(), progress);
    let z2_at = |off: &[f64; 3]| whitened(stretches.z2(off), levels);
    // The largest of frequencies so close that the highest harmonic loses nothing between them.
    let step = 0.25 / (options.harmonics() as f64 * events.span);
    let about = (around / step).ceil() as i32;
    let near = (-about..=about).map(|i| [(f64::from(i) * step).clamp(ends[0].0, ends[0].1), 0.0, 0.0]);
    let scored = near.map(|off| (options.score(&z2_at(&off)), off));
    let first = scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or([0.0; 3], |(_, off)| off);
    let off = climb(first, steps, ends, &|off| options.score(&z2_at(off)));
    // Harmonics that are noise pull the largest statistic away from the frequency.
    let (mut known, mut signal) = (off, precision::signal_harmonics(&z2_at(&off)));
    for _ in 0..MOST_CHOICES {
        if statistic.sums_harmonics && signal == options.nharm && known == off {
            break;
        }
        let of_signal = |off: &[f64; 3]| z2_at(off).get(signal - 1).copied().unwrap_or(0.0);
        known = climb(known, steps, ends, &of_signal);
        let now = precision::signal_harmonics(&z2_at(&known));
        if now == signal {
            break;
        }
        signal = now;
    }
    let ephemeris = |off: &[f64; 3]| Ephemeris {
        epoch: ticks.reference(),
        freq: start.freq(ticks) + DoubleDouble::from(off[0]),
        fdot: DoubleDouble::from(fdot + off[1]),
        fddot: DoubleDouble::from(fddot + off[2]),
    };
    // What was close to the grid is as good a number as the grid's.
    let spin_at = |off: &[f64; 3]| Spin::new(&ephemeris(off), ticks).unwrap_or(start);
    let spin = spin_at(&off);
    let window = exposure::exposure_amplitudes(events, &spin, 2 * options.harmonics());
    let [z2, plain] =
        harmonics::z2_by(&events.times, events.each_weight(), [&window, &[]], &spin, options.harmonics(), progress)
            .map(|z2| whitened(z2, levels));
    let of_harmonics = statistic.made_of == MadeOf::Harmonics;
    let stat_plain = (of_harmonics && !window.is_empty()).then(|| options.score(&plain));
    let stat = match statistic.made_of {
        MadeOf::Harmonics => options.score(&z2),
        // Profiles of epoch folding may be better where the grid has them.
        MadeOf::Profiles => profile_stat(events, &spin, options.nbin, progress).max(grid_stat),
        // That of values is not known here.
        MadeOf::Samples => grid_stat,
    };
    let each = |h: usize| z2.get(h).copied().unwrap_or(0.0) - if h > 0 { z2[h - 1] } else { 0.0 };
    let harmonics = (statistic.of_harmonics)(&z2).1;
    let power: f64 = (0..harmonics).map(|h| (each(h) - 2.0) * level(levels, h)).sum::<f64>().max(0.0);
    // A maximum over all frequencies has more chances than the grid has trials; only of Z² it is known how many.
    let tested = if statistic.sums_harmonics { stat } else { grid_stat };
    let ln_p_of_search = ln_p.map_or_else(|| chances.ln_p(tested), |ln_p| chances.ln_p_of_trial(ln_p));
    let resolved = options.resolved_harmonics();
    let sums_at = |off: &[f64; 3], spin: &Spin| match resolved > options.harmonics() {
        true => [
            harmonics::harmonic_sums_at(&events.times, events.each_weight(), spin, resolved, progress),
            exposure::exposure_amplitudes(events, spin, 2 * resolved),
        ],
        false => stretches.sums(off),
    };
    // Harmonics that the statistic looks at say where it is largest; of profiles with higher ones the grid may.
    let off = if options.method.is_of_profiles() && grid_stat >= stat { [0.0; 3] } else { off };
    let [largest, exposed] = sums_at(&off, &spin_at(&off));
    let largest = TrialAmplitudes {
        rates: std::array::from_fn(|i| from[i] + off[i]),
        sums: largest,
        window: exposed,
        totals: stretches.total,
        levels: levels.to_vec(),
    };
    let [sums, window] = sums_at(&known, &spin_at(&known));
    let all = stretches.total[0];
    let residuals = options.method.is_of_samples();
    let sums: Vec<Complex<f64>> =
        sums.iter().enumerate().map(|(h, sum)| sum - window.get(h).copied().unwrap_or_default() * all).collect();
    let white = |(h, sum): (usize, &Complex<f64>)| sum / if residuals { 1.0 } else { level(levels, h) };
    let excess: Vec<Complex<f64>> = sums.iter().take(signal).enumerate().map(white).collect();
    let ratio =
        harmonics::phase_noise(&events.times, events.each_weight(), &spin_at(&known), &excess, residuals, progress);
    let z2 = z2_at(&known);
    let searched = std::array::from_fn(|i| i == 0 || ranges[i].1 > ranges[i].0);
    let covariance = events.time_covariance();
    let errors = precision::spin_errors(&z2[..signal.min(z2.len())], ratio, &covariance, searched);
    let error = |i: usize| searched[i].then_some(errors[i]);
    let value = |i: usize| (from[i] + known[i]).clamp(ranges[i].0, ranges[i].1);
    let freq = (start.freq(ticks) + DoubleDouble::from(known[0])).value().clamp(ranges[0].0, ranges[0].1);
    let powers = (0..z2.len()).map(|h| z2[h] - if h > 0 { z2[h - 1] } else { 0.0 }).collect();
    let candidate = Candidate {
        freq,
        freq_err: errors[0],
        fdot: value(1),
        fdot_err: error(1),
        fddot: value(2),
        fddot_err: error(2),
        period: 1.0 / freq,
        stat: if statistic.made_of == MadeOf::Profiles {
            profile_stat(events, &spin_at(&known), options.nbin, progress)
        } else {
            stat
        },
        stat_plain,
        grid_stat,
        log10_p: ln_p_of_search / LN_10,
        trial_log10_p: ln_p.map(|ln_p| ln_p / LN_10),
        sigma: normal::ln_isf(ln_p_of_search),
        nbin: options.method.is_of_profiles().then_some(options.nbin),
        nharm: harmonics,
        signal_harmonics: signal,
        rms: (power / events.effective()).sqrt(),
        group: 0,
        harmonic: String::new(),
        relation: Relation::Source,
        alias: 0,
    };
    let brightness = stretches.brightness(&known, signal, amplitudes::middle(events), events.span);
    RefinedPeak { candidate, powers, sums, brightness, largest, largest_stat: stat, extra: false }
}

/// χ² of the profile of an ephemeris.
fn profile_stat(events: &PulseEvents, spin: &Spin, nbin: usize, progress: &Progress) -> f64 {
    let exposed = exposure::exposure(spin, &events.ticks, &events.gti, nbin);
    if let Some(weights) = events.each_weight() {
        let ([profile, _], [sum, squares]) = (weighted(&events.times, weights, spin, nbin, progress), events.sums());
        return ProfileChiSquare::new(&profile, &exposed).stat * (sum / squares);
    }
    let (mut counts, block) = (vec![0; nbin], TrialBlock { spin: *spin, trials: 1 });
    let pieces = events.times.chunks(PIECE).take_while(|_| !progress.is_cancelled());
    pieces.for_each(|times| fold::cpu(times, &block, &Spin::default(), nbin, &mut counts));
    ProfileChiSquare::new(&counts, &exposed).stat
}

fn level(levels: &[f64], harmonic: usize) -> f64 {
    levels.get(harmonic).copied().unwrap_or(1.0)
}

/// `Z²_1 …` with the power of each harmonic over its noise level.
fn whitened(mut z2: Vec<f64>, levels: &[f64]) -> Vec<f64> {
    if !levels.is_empty() {
        let (mut before, mut sum) = (0.0, 0.0);
        for (h, z) in z2.iter_mut().enumerate() {
            sum += (*z - before) / level(levels, h);
            (before, *z) = (*z, sum);
        }
    }
    z2
}
