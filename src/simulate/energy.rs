//! Channels of events: a photon spectrum cut into the channels of a band.

use serde::Serialize;

use super::layout::Layout;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::random::Random;

/// The spectrum of the photon energies, `N(E) ∝ E^−index`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PhotonSpectrum {
    /// Photon index; 0 for a flat spectrum.
    pub index: f64,
    /// Range of energies `[lo, hi)`, keV (channels for missions without a channel-to-energy relation); `None` for the
    /// range of the mission.
    pub range: Option<(f64, f64)>,
}

impl Default for PhotonSpectrum {
    fn default() -> PhotonSpectrum {
        PhotonSpectrum { index: 0.0, range: None }
    }
}

/// Draws channels of one band: Walker's alias method as made exact by Vose (1991, doi:10.1109/32.92917).
pub(super) struct ChannelSampler {
    first: i32,
    /// For each cell, the chance in 2^32 to keep its own channel, and the channel taken otherwise.
    cells: Vec<(u64, u32)>,
}

impl ChannelSampler {
    /// The channels whose centres lie in `[lo, hi)`, weighted by the spectrum at their centres.
    pub(super) fn new(layout: &Layout, energies: PhotonSpectrum, range: Option<(f64, f64)>) -> Result<ChannelSampler> {
        let (first, last) = layout.channels(range.or(energies.range))?;
        let unit = layout.energy_unit();
        let mut weights = Vec::with_capacity((last - first + 1) as usize);
        for pi in first..=last {
            let e = layout.energy(pi);
            let inside = energies.range.is_none_or(|(lo, hi)| lo <= e * (1.0 + 1e-12) && e * (1.0 + 1e-12) < hi);
            // Channel 0 of a linear scale may have an energy that is not positive, where a power law has no value.
            let weight = if energies.index == 0.0 { 1.0 } else { e.powf(-energies.index) };
            weights.push(if inside && weight.is_finite() { weight } else { 0.0 });
        }
        let sum: f64 = weights.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(Error::argument(
                "energies",
                shown(&energies),
                format!(
                    "no photon falls into {} {unit}, of which both the spectrum and the bands must have a part",
                    range.or(energies.range).map_or("the channels in use".into(), |(lo, hi)| format!("{lo}:{hi}"))
                ),
            )
            .mended_by([Mend::field("energies"), Mend::field("bands")]));
        }
        Ok(ChannelSampler { first, cells: alias(&weights, sum) })
    }

    /// One channel.
    pub(super) fn draw(&self, random: &mut Random) -> i32 {
        let bits = random.bits();
        let cell = (((bits >> 32) * self.cells.len() as u64) >> 32) as usize;
        let (keep, other) = self.cells[cell];
        self.first + if bits & 0xffff_ffff < keep { cell as i32 } else { other as i32 }
    }
}

fn alias(weights: &[f64], sum: f64) -> Vec<(u64, u32)> {
    let mean = sum / weights.len() as f64;
    let mut scaled: Vec<f64> = weights.iter().map(|w| w / mean).collect();
    let mut cells: Vec<(u64, u32)> = (0..weights.len()).map(|i| (1 << 32, i as u32)).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&i| scaled[i] < 1.0);
    while let (Some(&s), Some(&l)) = (small.last(), large.last()) {
        small.pop();
        cells[s] = ((scaled[s] * 4_294_967_296.0) as u64, l as u32);
        scaled[l] -= 1.0 - scaled[s];
        if scaled[l] < 1.0 {
            large.pop();
            small.push(l);
        }
    }
    // Rounding alone leaves small cells over; one without weight must still never be drawn.
    if let Some(heaviest) = (0..weights.len()).max_by(|&a, &b| weights[a].total_cmp(&weights[b])) {
        for i in small.into_iter().filter(|&i| weights[i] == 0.0) {
            cells[i] = (0, heaviest as u32);
        }
    }
    cells
}

/// A spectrum of photons in few words.
fn shown(energies: &PhotonSpectrum) -> String {
    let range = energies.range.map_or(String::new(), |(lo, hi)| format!(" from {lo} to {hi}"));
    format!("index {}{range}", energies.index)
}

#[cfg(test)]
mod tests {
    use super::super::stream::Stream;
    use super::*;

    #[test]
    fn channels_follow_their_weights() {
        let weights: [f64; 5] = [0.0, 1.0, 2.0, 0.0, 5.0];
        let channels = ChannelSampler { first: 10, cells: alias(&weights, 8.0) };
        let mut random = Stream::Window.of(1);
        let mut counts = [0.0; 5];
        for _ in 0..80_000 {
            counts[(channels.draw(&mut random) - 10) as usize] += 1.0;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let expected: f64 = weight * 10_000.0;
            assert!((count - expected).abs() <= 5.0 * expected.sqrt(), "{counts:?}");
        }
    }
}
