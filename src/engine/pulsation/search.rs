//! Searches: the statistic of every trial of a grid, the candidates, and how probable they are.

use std::f64::consts::LN_10;

use rayon::prelude::*;

use super::best_rows::BestRows;
use super::grid::{TrialRange, pieces};
use super::profile_counter::{self, ProfileCounter};
use super::scores::{profile_score, trial_statistics, weighted_score};
use super::{PulseEvents, SearchMetadata, SearchResult, TrialGrid, candidates};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::warning::{Warning, Warnings};
use crate::data::DeviceRecord;
use crate::engine::{WeightSummary, Weights};
use crate::science::statistics::pulse;

pub use super::search_options::{Algorithm, SearchOptions};
pub use super::search_result::MAP_COLUMNS;

/// Confidence of upper limits.
const CONFIDENCE: f64 = 0.95;
/// Pieces that are worked on together.
const PIECES_TOGETHER: usize = 8;
/// [`WeightSummary::noise_events`] of a bin below which noise is warned of.
const ENOUGH_EVENTS_A_BIN: f64 = 5.0;
/// Searches for a periodic signal: computes the statistic at every frequency (and derivative) of the grid, and refines
/// the peaks above the detection level into candidates (at least one is always listed).
///
/// # Errors
/// A range of frequencies or derivatives that is empty or out of bounds, a number of harmonics or bins that is not
/// possible, an algorithm that does not compute the statistic, a grid that is too large, or a failure of the device.
pub fn search(
    mut events: PulseEvents,
    options: &SearchOptions,
    backend: &mut dyn Backend,
    progress: &Progress,
) -> Result<SearchResult> {
    options.check()?;
    if options.method.is_of_samples() {
        return Err(Error::argument(
            "method",
            options.method,
            "is of samples, not of events: count them in bins first",
        ));
    }
    refuse_weights(&events, options)?;
    if options.algorithm == Algorithm::Ffa {
        return super::ffa::search(events, options, &backend.threads(), progress);
    }
    let grid = TrialGrid::new(&events, options)?;
    grid.check_memory()?;
    let algorithm = match options.algorithm {
        Algorithm::Auto if options.method.is_of_profiles() => Algorithm::Fold,
        Algorithm::Auto => Algorithm::Fft,
        asked => asked,
    };
    let options = SearchOptions { algorithm, ..options.clone() };
    options.check()?;
    let mut best = BestRows::new(&grid, options.method, MAP_COLUMNS);
    let pieces = pieces(&grid, &events, &options);
    let mut device = profile_counter::cpu_record();
    progress.begin(grid.trials());
    if algorithm == Algorithm::Fold {
        if let Some(weights) = &events.weights {
            warn_few(&weights.all, options.nbin, &mut events.record.warnings);
        }
        let mut counter = ProfileCounter::new(backend, progress);
        let weights = events.weights.as_ref().map(Weights::whole);
        for piece in pieces {
            let (first, look) = (grid.spin(piece.row, piece.first), profile_score(&events, &grid, piece, &options));
            let (spins, nbin) = ([&first, &grid.step], options.nbin);
            let stats = if let Some((values, unit)) = &weights {
                let score = weighted_score(&events, &grid, piece, *unit);
                counter.tallies((&events.times, values), spins, piece.trials, nbin, score)?
            } else {
                counter.profiles(&events.times, spins, piece.trials, nbin, look)?
            };
            progress.advance(best.add(piece, &stats))?;
        }
        let (record, failure) = counter.record();
        device = record;
        events.record.warnings.extend(backend.take_warnings());
        failure.into_iter().for_each(|message| events.record.warnings.push("W-BACKEND-FALLBACK", message));
    } else {
        let pool = backend.threads();
        for pieces in pieces.chunks(PIECES_TOGETHER) {
            let all = || {
                let of = |&piece: &TrialRange| trial_statistics(&events, &grid, piece, &options, progress);
                pieces.par_iter().map(of).collect::<Vec<_>>()
            };
            let found = pool.run(all);
            progress.advance(pieces.iter().zip(found).map(|(&piece, stats)| best.add(piece, &stats)).sum())?;
        }
    }
    let found = backend.threads().run(|| conclude(events, &options, &grid, best, device, progress));
    progress.check().map(|()| found)
}

/// Profiles of trials count events, but for epoch folding.
fn refuse_weights(events: &PulseEvents, options: &SearchOptions) -> Result<()> {
    let refuse = |column: &str, message: &str| Err(Error::argument("weights", column, message));
    match (&events.weights, options.algorithm) {
        (Some(weights), _) if weights.values.len() != events.times.len() => {
            refuse(&weights.all.column, "are as many as events")
        }
        (Some(weights), Algorithm::Ffa) => refuse(&weights.all.column, "are not for ffa, which counts events")
            .map_err(|e| e.mended_by([Mend::set("algorithm", "fold")])),
        (Some(weights), Algorithm::Fold) if !options.method.is_of_profiles() => {
            refuse(&weights.all.column, "are not for profiles of Z² and H, which count events")
                .map_err(|e| e.mended_by([Mend::set("algorithm", "fft")]))
        }
        _ => Ok(()),
    }
}

/// Warns of weights of which the bins of a profile have few: their sums are not normal.
fn warn_few(all: &WeightSummary, nbin: usize, warnings: &mut Warnings) {
    let few = all.noise_events / nbin as f64;
    if few < ENOUGH_EVENTS_A_BIN {
        let message = format!(
            "{}: in each of {nbin} bins noise is that of {few:.1} events, which have most of the weight; with fewer than {ENOUGH_EVENTS_A_BIN} the \
             probabilities of epoch folding are rough",
            all.column
        );
        warnings.push("W-WEIGHTS-FEW", message);
    }
}

/// Events of each harmonic from which on the law of many is good at a probability of 0.001.
const ENOUGH_EVENTS_A_HARMONIC: usize = 10;

/// Warns of so few events that their harmonics are not independent: with high ones, chance reaches more than the law of many events says. What has 0.001 by
/// that law `Z²_10` of 12, 30 and 100 events reaches 1.95, 1.69 and 1.09 times as often, and what is rarer more (`tests/library/few_events.rs` prints it).
fn warn_few_events(events: usize, harmonics: usize, warnings: &mut Warnings) {
    if harmonics > 1 && events > 0 && events < ENOUGH_EVENTS_A_HARMONIC * harmonics {
        let message = format!(
            "{events} events and {harmonics} harmonics: probabilities are those of many events; below {ENOUGH_EVENTS_A_HARMONIC} events a harmonic \
             chance reaches 0.001 up to twice as often, and rarer ones more"
        );
        let mend = Mend::field("nharm").doing("takes fewer");
        warnings.record(Warning::new("W-FEW-EVENTS", message).mended_by([mend]));
    }
}

fn conclude(
    mut events: PulseEvents,
    options: &SearchOptions,
    grid: &TrialGrid,
    best: BestRows,
    device: DeviceRecord,
    progress: &Progress,
) -> SearchResult {
    let chances = grid.null_distribution(&events, options.law(events.noise_events()));
    let (candidates, told) = candidates::find(&events, options, grid, &best, &chances, progress);
    told.into_iter().for_each(|warning| events.record.warnings.record(warning));
    if !options.method.is_of_profiles() && events.weights.is_none() {
        warn_few_events(events.times.len(), options.harmonics(), &mut events.record.warnings);
    }
    let row = |j: usize| grid.rows.get(best.row[j]).copied().unwrap_or_default();
    let largest = best.stat.iter().copied().fold(0.0, f64::max);
    // Between two trials a signal loses the most, in the fundamental.
    let loss = crate::science::statistics::pulsed::binning_loss(0.5 / options.oversampling(), 1.0);
    let limit = || pulse::pulsed_limit(largest, options.nharm, events.effective(), loss, CONFIDENCE);
    let algorithm = if options.algorithm == Algorithm::Fold { "fold" } else { "fft" };
    let asked = serde_json::to_value(options).unwrap_or_default();
    let steps = [grid.df, grid.dfdot, grid.dfddot];
    let limit = options.method.definition().sums_harmonics.then(limit);
    let level = chances.level(options.false_alarm.ln());
    let meta =
        SearchMetadata::new(&events, options, (algorithm, asked, device), (grid.trials(), chances.band, steps), level);
    let trial_level = best.folded.as_ref().map(|_| chances.trial_level(options.false_alarm.ln()) / LN_10);
    let meta = SearchMetadata { pulsed_upper_limit: limit, detection_log10_p: trial_level, ..meta };
    SearchResult {
        freq: (0..grid.frequencies).map(|j| grid.spin(0, j).freq(&events.ticks).value()).collect(),
        fdot: (0..grid.frequencies).map(|j| row(j)[0]).collect(),
        fddot: (0..grid.frequencies).map(|j| row(j)[1]).collect(),
        ln_p: best.folded.as_ref().map_or(Vec::new(), |(rarity, _)| rarity.iter().map(|rarity| -rarity).collect()),
        laws: best.folded.and_then(|(_, bins)| {
            // All alike need no column.
            bins.iter().any(|&n| n != options.nbin as u64).then_some(("nbin", bins))
        }),
        stat: best.stat,
        candidates,
        map: best.map,
        rows: grid.rows.clone(),
        read_log10_p: Vec::new(),
        null_distributions: vec![(0, chances)],
        meta,
    }
}
