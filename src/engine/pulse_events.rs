//! Events for folding: their times in ticks, held in memory, and the good time they lie in.

use multiversion::multiversion;
use rayon::prelude::*;

use super::combine::{Combine, combined_gtis, union_of};
use super::run::Reading;
use super::time_source::Events;
use super::weights::Weights;
use crate::base::error::{Error, Result};
use crate::base::footprint::{self, Footprint};
use crate::base::progress::Progress;
use crate::base::time::{DoubleDouble, MjdRef};
use crate::base::warning::Warnings;
use crate::data::phase::{RawTicks, Ticks};
use crate::data::{EventBalance, InputRecord, Record};
use crate::science::orbit::TimingModel;

/// Spans from which on times that are not barycentred are warned of, s: the Earth's motion then shifts phases.
pub(super) const BARYCENTRE_MATTERS: f64 = 1000.0;

/// All events in good time, held in memory for folding and searches: 8 bytes an event, and 8 more for its weight. Times
/// are whole ticks from the epoch, so that phases are exact.
#[derive(Clone, Debug)]
pub struct PulseEvents {
    /// The clock of the times. Its reference is the epoch.
    pub ticks: Ticks,
    /// Times in ticks from the epoch; ascending within each input.
    pub times: Vec<i64>,
    /// Weights of the events, in the order of `times`, if an input has weights ([`Events::weighted`]); events of inputs
    /// without weights have 1.
    pub weights: Option<Weights>,
    /// Good time intervals of all inputs in one list, ticks from the epoch.
    pub gti: Vec<(i64, i64)>,
    /// Sum of the good time intervals, s; time that several inputs observed together counts once.
    pub exposure: f64,
    /// Time from the first start to the last stop, s.
    pub span: f64,
    /// The timing model that turned times of arrival into times of emission, if one was used. Its epoch is the
    /// reference of the ticks: the time of phase 0 nearest to the middle of the observation.
    pub timing: Option<TimingModel>,
    /// Reference epoch MJDREF of the frame.
    pub mjdref: Option<MjdRef>,
    /// How the events were selected: inputs, options and warnings.
    pub record: Record,
}

impl PulseEvents {
    /// Warns that times are not barycentred.
    pub fn warn_not_barycentred(warnings: &mut Warnings) {
        let message = "the times are not those of the barycentre: the Earth's and the satellite's motion change frequencies by up \
                       to 1e-4 of them, and make them drift";
        warnings.push("W-BARYCENTRE", message);
    }

    /// Reads the events of all inputs. Phases count from `epoch` (seconds of the frame); `None` for the whole second
    /// nearest to the middle of the good time.
    ///
    /// # Errors
    /// Inputs overlap without [`Combine::Merge`], or have no time in common with it; a file cannot be read; no event is
    /// left; or the epoch is too far away for exact phases.
    pub fn read(
        inputs: Vec<Events>,
        combine: Combine,
        epoch: Option<DoubleDouble>,
        chunk_events: usize,
        warnings: Warnings,
        progress: &Progress,
    ) -> Result<PulseEvents> {
        PulseEvents::gather(inputs, combine, PhaseZero::At(epoch), chunk_events, warnings, progress)
    }

    /// Reads the events of all inputs as times of emission: times of arrival less the delays of the orbit in `timing`.
    /// Phases are those of its ephemeris; they count from the time of phase 0 nearest to the middle of the good time,
    /// so that ticks are short.
    ///
    /// # Errors
    /// See [`PulseEvents::read`].
    pub fn read_emitted(
        inputs: Vec<Events>,
        combine: Combine,
        timing: &TimingModel,
        chunk_events: usize,
        warnings: Warnings,
        progress: &Progress,
    ) -> Result<PulseEvents> {
        PulseEvents::gather(inputs, combine, PhaseZero::By(timing), chunk_events, warnings, progress)
    }

    fn gather(
        mut inputs: Vec<Events>,
        combine: Combine,
        zero: PhaseZero,
        chunk_events: usize,
        mut warnings: Warnings,
        progress: &Progress,
    ) -> Result<PulseEvents> {
        let column = inputs.iter().find_map(|input| input.weight_column()).map(str::to_string);
        let rows = super::time_source::rows(&inputs);
        if inputs.iter().all(|input| !input.is_selected()) {
            events_footprint(rows, column.is_some()).check(&format!("the times of {rows} events"))?;
        }
        inputs.iter_mut().try_for_each(|input| input.prepare(&mut warnings))?;
        let gtis = combined_gtis(&inputs, combine, &mut warnings)?;
        let union = union_of(&inputs, &gtis, combine)?;
        let Some((start, stop)) = union.ends() else {
            return Err(Error::argument("inputs", inputs.len(), "there is no good time, so there is nothing to fold"));
        };
        let middle = DoubleDouble::from((start + (stop - start) * 0.5).value().round());
        let timing = match zero {
            PhaseZero::At(_) => None,
            PhaseZero::By(timing) => {
                let ephemeris = timing.ephemeris.at_phase_zero_near(timing.emission(middle));
                if !ephemeris.epoch.is_finite() {
                    return Err(Error::argument(
                        "ephemeris",
                        &timing.name,
                        "has a frequency of 0 Hz at the time of the events",
                    ));
                }
                warn_beyond(timing, start, stop, &mut warnings);
                Some(TimingModel { ephemeris, ..timing.clone() })
            }
        };
        let emitted = |t: DoubleDouble| timing.as_ref().map_or(t, |timing| timing.emission(t));
        let reference = match zero {
            PhaseZero::At(epoch) => epoch.unwrap_or(middle),
            PhaseZero::By(_) => timing.as_ref().map_or(middle, |timing| timing.ephemeris.epoch),
        };
        let ticks = Ticks::spanning(reference, emitted(start), emitted(stop))?;
        let span = (stop - start).value();
        if (span > BARYCENTRE_MATTERS || timing.is_some()) && !inputs.iter().all(|i| i.barycentred) {
            PulseEvents::warn_not_barycentred(&mut warnings);
        }
        let mjdref = inputs.first().and_then(|i| i.mjdref);
        let mut record = super::time_source::describe(&inputs);
        if let Some(TimingModel { name, crc32, .. }) = &timing {
            let input = InputRecord { name: name.clone(), crc32: crc32.clone(), ..InputRecord::default() };
            record.inputs.push(input);
        }
        progress.begin(rows);
        let (mut times, mut weights, mut photons) = (Vec::new(), Vec::new(), EventBalance::default());
        for (input, gti) in inputs.into_iter().zip(&gtis) {
            let kept = (&mut times, column.is_some().then_some(&mut weights));
            append(
                input,
                gti,
                (&ticks, timing.as_ref()),
                Reading { rows: chunk_events, progress },
                kept,
                &mut photons,
            )?;
        }
        if times.is_empty() {
            return Err(Error::NoEvents { segments: 0, read: photons.read, balance: photons.to_string() });
        }
        if times.len() >= u32::MAX as usize {
            return Err(Error::argument("inputs", times.len(), "profiles hold at most 2^32 - 2 events"));
        }
        let weights =
            column.map(|column| Weights::new(&column, in_order(&times, weights), &mut warnings)).transpose()?;
        let seconds = union.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
        Ok(PulseEvents {
            gti: union.intervals().iter().map(|&(a, b)| (ticks.of(emitted(a)), ticks.of(emitted(b)))).collect(),
            exposure: union.exposure(),
            record: Record { gti: seconds, photons, warnings, ..record },
            timing,
            ticks,
            times,
            weights,
            span,
            mjdref,
        })
    }

    /// The weights, one an event; `None` without weights.
    pub fn each_weight(&self) -> Option<&[f64]> {
        self.weights.as_ref().map(|weights| weights.values.as_slice())
    }

    /// `Σw` and `Σw²`; without weights both are the number of events.
    pub fn sums(&self) -> [f64; 2] {
        self.weights.as_ref().map_or([self.times.len() as f64; 2], |weights| [weights.all.sum, weights.all.squares])
    }

    /// Effective number of events, `(Σw)²/Σw²`; without weights the number of events. A sinusoid of amplitude `a` has a
    /// `Z²` of `a²/2` times this number.
    pub fn effective(&self) -> f64 {
        self.weights.as_ref().map_or(self.times.len() as f64, |weights| weights.all.effective_events)
    }

    /// Number of events that make the noise, `(Σw²)²/Σw⁴`; without weights the number of events. The law of a profile's χ² is that of so many.
    pub fn noise_events(&self) -> f64 {
        self.weights.as_ref().map_or(self.times.len() as f64, |weights| weights.all.noise_events)
    }

    /// Standard deviation of the event times, s, weighted by the squares of the weights. The width of a peak in
    /// frequency depends on it.
    pub fn time_deviation(&self) -> f64 {
        self.spreads()[0]
    }

    /// [`PulseEvents::time_deviation`] (s), and the standard deviation of `t²/2` (s²) that is left when its regression
    /// on `t` is subtracted. The width of a peak in the frequency derivative depends on the second.
    pub fn spreads(&self) -> [f64; 2] {
        let [_, n] = self.sums();
        let [mean] = self.summed(|t| [t]).map(|sum| sum / n);
        // Central moments, of times in units of 2⁶⁰ ticks that nothing overflows.
        let moments = self.summed(|t| {
            let x = (t - mean) * 2f64.powi(-60);
            [x * x, x * x * x, x * x * x * x]
        });
        let [two, three, four] = moments.map(|sum| sum / n);
        let left = (four - two * two - three * three / two.max(f64::MIN_POSITIVE)).max(0.0);
        let unit = self.ticks.seconds() * 2f64.powi(60);
        [two.sqrt() * unit, 0.5 * left.sqrt() * unit * unit]
    }

    /// Covariance of `t`, `t²/2` and `t³/6` from the epoch (s, s², s³) over the events, weighted by the squares of the weights: the errors of a frequency and
    /// its derivatives follow from it.
    pub fn time_covariance(&self) -> [[f64; 3]; 3] {
        let [_, n] = self.sums();
        let unit = self.ticks.seconds() / self.span;
        let powers = |t: f64| {
            let x = t * unit;
            [x, x * x / 2.0, x * x * x / 6.0]
        };
        let mean = self.summed(powers).map(|sum| sum / n);
        let products = self.summed(|t| {
            let x = powers(t);
            let d: [f64; 3] = std::array::from_fn(|i| x[i] - mean[i]);
            [d[0] * d[0], d[0] * d[1], d[0] * d[2], d[1] * d[1], d[1] * d[2], d[2] * d[2]]
        });
        const PLACES: [[usize; 3]; 3] = [[0, 1, 2], [1, 3, 4], [2, 4, 5]];
        std::array::from_fn(|i| {
            std::array::from_fn(|j| products[PLACES[i][j]] / n * self.span.powi(i as i32 + j as i32 + 2))
        })
    }

    /// Sums over all times of what `of` makes of each, times the square of its weight; in pieces, so that threads do not matter.
    fn summed<const N: usize>(&self, of: impl Fn(f64) -> [f64; N] + Sync) -> [f64; N] {
        const PIECE: usize = 1 << 16;
        let add = |all: [f64; N], one: [f64; N], by: f64| std::array::from_fn(|i| all[i] + one[i] * by);
        let piece = |(i, times): (usize, &[i64])| {
            let weights = self.each_weight().and_then(|weights| weights.get(i * PIECE..)).unwrap_or_default();
            let weights = weights.iter().copied().chain(std::iter::repeat(1.0));
            times.iter().zip(weights).fold([0.0; N], |all, (&t, w)| add(all, of(t as f64), w * w))
        };
        let pieces: Vec<[f64; N]> = self.times.par_chunks(PIECE).enumerate().map(piece).collect();
        pieces.into_iter().fold([0.0; N], |all, one| add(all, one, 1.0))
    }
}

/// Where phases count from.
#[derive(Clone, Copy)]
enum PhaseZero<'a> {
    /// A time, or the second next to the middle.
    At(Option<DoubleDouble>),
    /// A turn of this ephemeris.
    By(&'a TimingModel),
}

/// Warns of events before or after the time that an ephemeris was made for.
fn warn_beyond(timing: &TimingModel, start: DoubleDouble, stop: DoubleDouble, warnings: &mut Warnings) {
    let (first, last) = timing.valid;
    let far = first.map_or(0.0, |first| first - start.value()).max(last.map_or(0.0, |last| stop.value() - last));
    if far > 0.0 {
        let days = crate::base::text::ShortNumber((far / crate::base::time::SECONDS_PER_DAY * 1e3).ceil() / 1e3);
        let message = format!("{}: events lie up to {days} days beyond START and FINISH of the ephemeris", timing.name);
        warnings.push("W-PAR-SPAN", message);
    }
}

/// Memory of the times of so many events, and of their weights.
fn events_footprint(events: u64, weighted: bool) -> Footprint {
    Footprint::less_by(&["time", "energy"]).and(events, (1 + usize::from(weighted)) * size_of::<i64>())
}

/// Room for more times, half as many again as there are, if memory has it; weights grow with them.
fn make_room(times: &mut Vec<i64>, more: usize, weighted: bool) -> Result<()> {
    if times.capacity() - times.len() >= more {
        return Ok(());
    }
    let more = more.max(times.len() / 2);
    // The old times are held while they are copied.
    events_footprint((2 * times.len() + more) as u64, weighted).check("the times of the selected events")?;
    if !footprint::reserve_exact(times, more) {
        return Err(Error::argument("inputs", times.len(), "events, and no memory for more: select some of them"));
    }
    Ok(())
}

fn append(
    mut input: Events,
    gti: &crate::data::Gti,
    (ticks, timing): (&Ticks, Option<&TimingModel>),
    reading: Reading,
    (times, mut weights): (&mut Vec<i64>, Option<&mut Vec<f64>>),
    photons: &mut EventBalance,
) -> Result<()> {
    let raw = ticks.raw(input.offset);
    let offset = input.offset;
    let emission = timing.map(|timing| move |t: f64| ticks.of(timing.emission(DoubleDouble::from(t) + offset)));
    let edge = |t: DoubleDouble| (t - input.offset).ceil_f64();
    let intervals: Vec<(f64, f64)> = gti.intervals().iter().map(|&(a, b)| (edge(a), edge(b))).collect();
    let mut behind = intervals.as_slice();
    let (before, mut outside, mut reported, mut read) = (times.len(), 0, 0, Vec::<f64>::new());
    loop {
        read.clear();
        if !input.source.next_chunk(reading.rows.max(1), std::slice::from_mut(&mut read))? {
            break;
        }
        make_room(times, read.len(), weights.is_some())?;
        let emission = emission.as_ref().map(|at| at as &dyn Fn(f64) -> i64);
        let weighed = weights.as_mut().map(|weights| (input.source.weights(), &mut **weights));
        outside += take(&read, &raw, emission, &mut behind, times, weighed);
        let rows = input.source.balance().read;
        reading.progress.advance(rows - reported)?;
        reported = rows;
    }
    let mut one = input.source.balance();
    (one.used, one.outside_gti) = ((times.len() - before) as u64, outside);
    photons.add(&one);
    Ok(())
}

/// The weights of events of one time in the order of their size, so that sums do not depend on the order of rows.
fn in_order(times: &[i64], mut weights: Vec<f64>) -> Vec<f64> {
    let mut rest = weights.as_mut_slice();
    for alike in times.chunk_by(|a, b| a == b) {
        let (these, behind) = rest.split_at_mut(alike.len());
        these.sort_unstable_by(f64::total_cmp);
        rest = behind;
    }
    weights
}

/// Weights of events, if they have any, and where to keep those that lie in good time.
type OptionalWeights<'a> = Option<(Option<&'a [f64]>, &'a mut Vec<f64>)>;

/// Appends the ticks of the times that lie in the intervals, which end at what is behind the last time, and their weights; how many do
/// not. With the machine's own instructions for rounding, where it has them.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn take(
    read: &[f64],
    raw: &RawTicks,
    emission: Option<&dyn Fn(f64) -> i64>,
    behind: &mut &[(f64, f64)],
    times: &mut Vec<i64>,
    mut weighed: OptionalWeights,
) -> u64 {
    times.reserve(read.len());
    let mut outside = 0;
    for (i, &t) in read.iter().enumerate() {
        while let Some((_, rest)) = behind.split_first().filter(|(first, _)| t >= first.1) {
            *behind = rest;
        }
        if behind.first().is_some_and(|(start, _)| t >= *start) {
            times.push(emission.map_or_else(|| raw.of(t), |at| at(t)));
            if let Some((given, kept)) = &mut weighed {
                kept.push(given.map_or(1.0, |given| given[i]));
            }
        } else {
            outside += 1;
        }
    }
    outside
}
