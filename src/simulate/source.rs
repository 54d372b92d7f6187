//! A simulated source: its rate curve is computed, and the events of any time block follow from it.

use super::dead_time::{DeadTime, Detectors};
use super::energy::ChannelSampler;
use super::event::{Arrival, Event};
use super::layout::Layout;
use super::series::{RateSeries, SeriesRequest, default_dt};
use super::spectrum::SpectrumChange;
use super::stream::Stream;
use super::{Simulation, VariabilityTerm};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::random::Random;

/// Mean events in a time block: some megabytes as rows, and enough to be worth a thread's while.
const BLOCK: f64 = 65_536.0;
/// A pulsation as the inner loop needs it.
struct PulsationTerm {
    frequency: f64,
    fraction: f64,
    /// Phase in turns by which each band is late.
    late: [f64; 2],
}

/// A simulation whose random rate curve has been computed. It yields events block by block; blocks may be made in any
/// order or in parallel with the same result.
pub struct SimulatedSource {
    pub(super) layout: Layout,
    seed: u64,
    dead_time: Option<DeadTime>,
    start: f64,
    length: f64,
    frame: f64,
    rates: Vec<f64>,
    channels: Vec<ChannelSampler>,
    series: Option<RateSeries>,
    pulsations: Vec<PulsationTerm>,
    /// 1 + the sum of the pulsed fractions: the thinned process's rate over the mean.
    majorant: f64,
    gtis: Vec<(f64, f64)>,
    /// Intervals from TSTART whose photons can have a stamp in a GTI, s.
    live: Vec<(f64, f64)>,
    blocks: u64,
}

impl SimulatedSource {
    /// `simulation` has been validated.
    pub(super) fn new(simulation: &Simulation) -> Result<SimulatedSource> {
        let layout = Layout::of(simulation.mission)?;
        let (start, length, frame) = (simulation.start(), simulation.length, simulation.frame());
        let energies = simulation.energies;
        let channels = match simulation.bands {
            None => vec![ChannelSampler::new(&layout, energies, None)?],
            Some(bands) => vec![
                ChannelSampler::new(&layout, energies, Some(bands.subject))?,
                ChannelSampler::new(&layout, energies, Some(bands.reference))?,
            ],
        };
        let good = complement(&simulation.gaps, length);
        let gtis: Vec<_> = good.iter().map(|&(a, b)| (start + a, start + b)).filter(|&(a, b)| a < b).collect();
        if gtis.is_empty() {
            return Err(Error::argument(
                "gaps",
                simulation.gaps.iter().map(|(a, b)| format!("{a}:{b}")).collect::<Vec<_>>().join(","),
                "the gaps leave no good time; shorten them",
            )
            .mended_by([Mend::field("length").doing("a longer one has some")]));
        }
        let wide: Vec<_> = good.iter().map(|&(a, b)| ((a - frame).max(0.0), (b + frame).min(length))).collect();
        let series = if simulation.model.iter().any(VariabilityTerm::is_noise) {
            let dt = simulation.dt.unwrap_or_else(|| default_dt(&simulation.model, length));
            let request = SeriesRequest {
                terms: &simulation.model,
                length,
                dt,
                seed: simulation.seed,
                negative: simulation.negative,
                bands: simulation.bands.as_ref(),
            };
            Some(request.make()?)
        } else {
            None
        };
        let late = |frequency: f64| simulation.bands.map_or(0.0, |b| b.lag.phase(frequency) / std::f64::consts::TAU);
        let pulsations = simulation
            .pulsars()
            .map(|(frequency, fraction)| PulsationTerm { frequency, fraction, late: [late(frequency), 0.0] })
            .collect();
        let rates = simulation.rates();
        let blocks = (length * rates.iter().sum::<f64>() / BLOCK).ceil().max(1.0) as u64;
        Ok(SimulatedSource {
            layout,
            seed: simulation.seed,
            dead_time: simulation.dead_time,
            start,
            length,
            frame,
            rates,
            channels,
            series,
            pulsations,
            majorant: 1.0 + simulation.pulsars().map(|(_, fraction)| fraction).sum::<f64>(),
            gtis,
            live: merged(wide),
            blocks,
        })
    }

    /// The good time intervals `[start, stop)`, raw times of the TIME column, s.
    pub fn gtis(&self) -> &[(f64, f64)] {
        &self.gtis
    }

    /// Sum of the good time, s.
    pub fn exposure(&self) -> f64 {
        self.gtis.iter().map(|(a, b)| b - a).sum()
    }

    /// Bin width of the noise series, s; `None` without noise.
    pub fn dt(&self) -> Option<f64> {
        self.series.as_ref().map(|s| s.dt)
    }

    /// How the power spectrum of the rates differs from the one asked for, because rates are positive; `None` where it does not.
    pub fn spectrum_change(&self) -> Option<SpectrumChange> {
        self.series.as_ref().and_then(|s| s.change)
    }

    /// Frame time or clock tick of the recorded times, s; 0 if there is none.
    pub fn frame_time(&self) -> f64 {
        self.frame
    }

    /// Number of time blocks.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The detectors, all live, where they have dead time.
    pub(super) fn detectors(&self) -> Option<Detectors> {
        self.dead_time.map(|dead_time| Detectors::new(dead_time, self.layout.files.alone))
    }

    /// The events that arrive in block `index`, in ascending order, no earlier than those of the block before. They
    /// include the events that dead time will remove; [`SimulatedSource::recorded`] leaves these out.
    pub fn block(&self, index: u64) -> Vec<Event> {
        self.arrivals(index).into_iter().filter(|a| a.good).map(|a| a.event).collect()
    }

    /// The recorded events in ascending order, block by block: those that dead time leaves, in good time.
    pub fn recorded(self) -> impl Iterator<Item = Vec<Event>> {
        let mut detectors = self.detectors();
        (0..self.blocks()).map(move |i| match &mut detectors {
            None => self.block(i),
            Some(detectors) => detectors.record(self.arrivals(i)),
        })
    }

    /// All photons of block `index`, in order.
    pub(super) fn arrivals(&self, index: u64) -> Vec<Arrival> {
        let edge = |i: u64| self.length * (i as f64 / self.blocks as f64);
        let (begin, end) = (edge(index), edge(index + 1));
        let mut random = Stream::Block(index).of(self.seed);
        let mut events = Vec::with_capacity(BLOCK as usize);
        let first = self.live.partition_point(|&(_, b)| b <= begin);
        for &(a, b) in self.live[first..].iter().take_while(|&&(a, _)| a < end) {
            self.interval(a.max(begin), b.min(end), &mut random, &mut events);
        }
        if let Some(dead_time) = self.dead_time {
            let mut length = dead_time.lengths(self.seed, index);
            events.iter_mut().for_each(|e| e.dead = length());
        }
        events
    }

    /// The events from `begin` to `end`, s from TSTART: starting anew is exact, because a Poisson process has no memory.
    fn interval(&self, begin: f64, end: f64, random: &mut Random, events: &mut Vec<Arrival>) {
        let mean: f64 = self.rates.iter().sum();
        let Some(series) = &self.series else {
            let mut share = [0.0; 2];
            share[..self.rates.len()].copy_from_slice(&self.rates);
            let step = 1.0 / (mean * self.majorant);
            let mut t = begin + random.exponential() * step;
            while t < end {
                self.photon(t, share, random, events);
                t += random.exponential() * step;
            }
            return;
        };
        let last = series.rates[0].len() - 1;
        let mut bin = ((begin / series.dt) as usize).min(last);
        let mut t = begin;
        let mut wait = random.exponential();
        while t < end {
            let mut share = [0.0; 2];
            for ((share, rate), x) in share.iter_mut().zip(&self.rates).zip(&series.rates) {
                *share = rate * x[bin];
            }
            let rate = (share[0] + share[1]) * self.majorant;
            let edge = if bin == last { end } else { ((bin + 1) as f64 * series.dt).min(end) };
            while t < edge && wait <= (edge - t) * rate {
                t += wait / rate;
                wait = random.exponential();
                if t < end {
                    self.photon(t, share, random, events);
                }
            }
            wait -= (edge - t).max(0.0) * rate;
            t = t.max(edge);
            bin = (bin + 1).min(last);
        }
    }

    /// Thins a photon at `t` s from TSTART, stamps it, and says if its stamp is in good time.
    fn photon(&self, t: f64, share: [f64; 2], random: &mut Random, events: &mut Vec<Arrival>) {
        let mut band = 0;
        if self.rates.len() == 2 && random.positive() * (share[0] + share[1]) > share[0] {
            band = 1;
        }
        if !self.pulsations.is_empty() {
            let mut rate = 1.0;
            for p in &self.pulsations {
                let phase = p.frequency * t - p.late[band];
                rate += p.fraction * (std::f64::consts::TAU * (phase - phase.floor())).sin();
            }
            if random.positive() * self.majorant > rate {
                return;
            }
        }
        let pi = self.channels[band].draw(random);
        let detectors = self.layout.files.detectors;
        let detector = if detectors.len() > 1 { random.pick(detectors) } else { detectors[0] };
        let time = self.stamp(t);
        let gti = self.gtis.partition_point(|&(_, stop)| stop <= time);
        let good = self.gtis.get(gti).is_some_and(|&(start, _)| start <= time);
        events.push(Arrival { at: t, dead: 0.0, good, event: Event { time, pi, detector, band: band as u8 } });
    }

    /// The recorded time of a photon at `t` s from TSTART.
    fn stamp(&self, t: f64) -> f64 {
        if self.frame == 0.0 {
            return self.start + t;
        }
        let frame = (t / self.frame).floor();
        // Clocks of RXTE count binary fractions: start and tick are exact, and so is their sum.
        self.start + (frame + self.layout.files.timepixr) * self.frame
    }

    /// Phase of the first pulsation in the reference band at a recorded time, in [0, 1); 0 without one.
    pub(super) fn phase(&self, time: f64) -> f64 {
        let phase = self.pulsations.first().map_or(0.0, |p| p.frequency * (time - self.start));
        phase - phase.floor()
    }
}

/// What the gaps leave of `[0, length)`.
fn complement(gaps: &[(f64, f64)], length: f64) -> Vec<(f64, f64)> {
    let mut good = Vec::new();
    let mut from = 0.0;
    for (a, b) in merged(gaps.to_vec()) {
        if a.min(length) > from {
            good.push((from, a.min(length)));
        }
        from = b.max(from);
    }
    if from < length {
        good.push((from, length));
    }
    good
}

/// The union of intervals, sorted.
fn merged(mut intervals: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut union: Vec<(f64, f64)> = Vec::with_capacity(intervals.len());
    for (a, b) in intervals {
        match union.last_mut() {
            Some(last) if a <= last.1 => last.1 = last.1.max(b),
            _ => union.push((a, b)),
        }
    }
    union
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_may_overlap_and_reach_outside() {
        let gaps = [(50.0, 60.0), (-5.0, 10.0), (55.0, 70.0), (90.0, 200.0), (300.0, 400.0)];
        assert_eq!(complement(&gaps, 100.0), [(10.0, 50.0), (70.0, 90.0)]);
        assert_eq!(complement(&[], 100.0), [(0.0, 100.0)]);
        assert!(complement(&[(0.0, 100.0)], 100.0).is_empty());
    }
}
