//! The statistics of the trials of a search, from harmonic sums and from profiles.

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::grid::TrialRange;
use super::harmonics::HarmonicSums;
use super::search_options::SearchOptions;
use super::{PulseEvents, TrialGrid, exposure};
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::phase::{Ephemeris, Spin};
use crate::kernels::fold::BinTally;
use crate::science::statistics::profile::ProfileChiSquare;
use crate::science::statistics::pulse::{self, RootsOfUnity};

/// What a trial has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TrialScore {
    pub stat: f64,
    /// `−ln p` of this trial alone for epoch folding, whose trials have laws of their own; elsewhere the statistic.
    pub rarity: f64,
    /// Bins that epoch folding compares, 0 elsewhere.
    pub bins: usize,
}

impl TrialScore {
    fn of_stat(stat: f64) -> TrialScore {
        TrialScore { stat, rarity: stat, bins: 0 }
    }

    /// That of a profile of epoch folding.
    pub fn of_profile(found: &ProfileChiSquare, noise_events: f64) -> TrialScore {
        TrialScore { stat: found.stat, rarity: -found.ln_p(noise_events), bins: found.bins }
    }
}

/// The statistics of a piece from harmonic sums.
pub(super) fn trial_statistics(
    events: &PulseEvents,
    grid: &TrialGrid,
    piece: TrialRange,
    options: &SearchOptions,
    progress: &Progress,
) -> Vec<TrialScore> {
    // Nobody looks at what comes of a run that was cancelled.
    if progress.is_cancelled() {
        return vec![TrialScore::default(); piece.trials];
    }
    let first = grid.spin(piece.row, piece.first);
    let sums = HarmonicSums::new(piece.trials, events.times.len());
    let ([total, squares], harmonics) = (events.sums(), options.harmonics());
    // What does not matter for the lowest frequency does not for any, and powers are half of the memory.
    if exposure::significant_harmonics(events, &first, 2 * harmonics) == 0 {
        let powers = each(&sums, events, [&first, &grid.step], harmonics, |sum| sum.norm_sqr(), progress);
        let of = |j: usize| powers.iter().map(|harmonic| harmonic[j]).collect::<Vec<f64>>();
        let one = |j: usize| TrialScore::of_stat(options.score(&pulse::z2_of_powers(&of(j), squares)));
        return (0..piece.trials).into_par_iter().map(one).collect();
    }
    let sums = each(&sums, events, [&first, &grid.step], harmonics, |sum| sum, progress);
    let most = exposure::significant_harmonics(events, &first, 2 * harmonics);
    let windows = (events.gti.len() > exposure::MANY_INTERVALS)
        .then(|| exposure::windows(events, [&first, &grid.step], piece.trials, most, progress));
    let one = |j: usize| {
        if progress.is_cancelled() {
            return TrialScore::default();
        }
        let sums: Vec<Complex<f64>> = sums.iter().map(|harmonic| harmonic[j]).collect();
        let spin = grid.spin(piece.row, piece.first + j);
        let window = match &windows {
            Some(windows) => {
                let matter = exposure::significant_harmonics(events, &spin, most);
                windows.iter().take(matter).map(|harmonic| harmonic[j]).collect()
            }
            None => exposure::exposure_amplitudes(events, &spin, 2 * harmonics),
        };
        TrialScore::of_stat(options.score(&pulse::z2_of_sums(&sums, [total, squares], &window)))
    };
    (0..piece.trials).into_par_iter().map(one).collect()
}

/// [`HarmonicSums::each`] of all harmonics.
fn each<T: Send>(
    sums: &HarmonicSums,
    events: &PulseEvents,
    spins: [&Spin; 2],
    harmonics: usize,
    of: fn(Complex<f64>) -> T,
    progress: &Progress,
) -> Vec<Vec<T>> {
    let one = |h: u64| sums.each(&events.times, events.each_weight(), spins, h, of, progress);
    (1..=harmonics as u64).into_par_iter().map(one).collect()
}

/// Logarithm of the probability that a constant source has `χ²` of `stat` in a profile of these rates (frequency and derivatives at the epoch) alone.
pub(super) fn profile_ln_p(events: &PulseEvents, rates: [f64; 3], bins: usize, stat: f64) -> f64 {
    let [freq, fdot, fddot] = rates.map(DoubleDouble::from);
    let ephemeris = Ephemeris { epoch: events.ticks.reference(), freq, fdot, fddot };
    let Ok(spin) = Spin::new(&ephemeris, &events.ticks) else { return 0.0 };
    let exposed = exposure::exposure(&spin, &events.ticks, &events.gti, bins);
    ProfileChiSquare::new(&exposed, &exposed).with_stat(stat).ln_p(events.noise_events())
}

/// What makes the score of the profile of each trial of a piece.
pub(super) fn profile_score<'a>(
    events: &'a PulseEvents,
    grid: &'a TrialGrid,
    piece: TrialRange,
    options: &'a SearchOptions,
) -> impl Fn(usize, &[u32]) -> TrialScore + Sync + use<'a> {
    let (roots, noise_events) = (RootsOfUnity::new(options.nbin), events.noise_events());
    move |j, profile| {
        let spin = grid.spin(piece.row, piece.first + j);
        let exposed = || exposure::exposure(&spin, &events.ticks, &events.gti, options.nbin);
        if options.method.is_of_profiles() {
            return TrialScore::of_profile(&ProfileChiSquare::new(profile, &exposed()), noise_events);
        }
        let harmonics = options.harmonics();
        let mut window = Vec::new();
        if exposure::significant_harmonics(events, &spin, 2 * harmonics) > 0 {
            // That of bins, so that nothing of it is left.
            let exposed = exposed();
            let good: f64 = exposed.iter().sum();
            window = pulse::sums_of_profile(&exposed, 2 * harmonics, &roots);
            window.iter_mut().for_each(|sum| *sum /= good);
        }
        let sums = pulse::sums_of_profile(profile, harmonics, &roots);
        TrialScore::of_stat(options.score(&pulse::z2_of_sums(&sums, [events.times.len() as f64; 2], &window)))
    }
}

/// The score of the weighted profile of each trial of a piece, from sums of weights in a unit: `Σ_j (W_j − p_j·Σw)²/(p_j·Σw²)`, `p_j` the bin's part of
/// the exposure.
pub(super) fn weighted_score<'a>(
    events: &'a PulseEvents,
    grid: &'a TrialGrid,
    piece: TrialRange,
    unit: f64,
) -> impl Fn(usize, &[BinTally]) -> TrialScore + Sync + use<'a> {
    let ([sum, squares], noise_events) = (events.sums(), events.noise_events());
    move |j, profile| {
        let spin = grid.spin(piece.row, piece.first + j);
        let exposed = exposure::exposure(&spin, &events.ticks, &events.gti, profile.len());
        let weights: Vec<f64> = profile.iter().map(|bin| bin.sum as f64 * unit).collect();
        TrialScore::of_profile(&ProfileChiSquare::new(&weights, &exposed).scaled(sum / squares), noise_events)
    }
}
