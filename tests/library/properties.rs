//! What holds for all observations: however they are cut, permuted or moved, and for the sum of all powers.

use std::path::PathBuf;

use crate::common::fits_file::{Column, Folder, events, file, gti, same_powers, spectrum};
use eagleray::science::AveragedPowerSpectrum;
use eagleray::{Combine, Norm, Observation, PowerSpectrum};
use proptest::prelude::*;
use proptest::test_runner::Config;

const DT: f64 = 1.0 / 64.0;
const BINS: usize = 25;
const SEGMENT: f64 = BINS as f64 * DT;

/// Good time of whole numbers of segments, apart; and the times of photons, multiples of 2^-20 s, mostly inside.
fn observation() -> impl Strategy<Value = (Vec<(f64, f64)>, Vec<f64>)> {
    let interval = (1..6u32, 1..40u32);
    let intervals = proptest::collection::vec(interval, 2..7).prop_map(|list| {
        let mut at = 8.0;
        list.into_iter()
            .map(|(segments, gap)| {
                let start = at + f64::from(gap) * DT;
                at = start + f64::from(segments) * SEGMENT;
                (start, at)
            })
            .collect::<Vec<_>>()
    });
    intervals.prop_flat_map(|gtis| {
        let end = (gtis.last().map_or(9.0, |g| g.1) as u64 + 1) << 20;
        let times = proptest::collection::vec((8u64 << 20)..end, 40..600);
        let times = times.prop_map(|ticks| ticks.into_iter().map(|k| k as f64 / 2f64.powi(20)).collect::<Vec<f64>>());
        (Just(gtis), times)
    })
}

fn bytes(times: &[f64], gtis: &[(f64, f64)]) -> Vec<u8> {
    file(&[events(vec![Column::f64("TIME", times)]), gti(gtis)])
}

/// The spectrum of several files, each in its own folder; `None` where no photon lies in a segment.
fn of(files: &[Vec<u8>], combine: Combine) -> Option<AveragedPowerSpectrum> {
    let folder = Folder::new();
    let write = |(i, bytes): (usize, &Vec<u8>)| folder.write(&format!("{i}.evt"), bytes);
    let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
    let observation = Observation::open(paths).unwrap().combine(combine);
    // A part without photons near its good time is refused, which is right and not what is looked for.
    let analysis = PowerSpectrum::default().dt(DT).segment_size(SEGMENT).norm(Norm::None);
    let s = spectrum(&observation, &analysis).ok()?;
    assert!(s.meta.record.photons.is_exact(), "{}", s.meta.record.photons);
    Some(s)
}

fn bits(s: &AveragedPowerSpectrum) -> Vec<u64> {
    s.unnorm_power.iter().map(|p| p.to_bits()).collect()
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, ..Config::default() })]

    /// The parts of an observation, averaged, are the observation, wherever it is cut between segments.
    #[test]
    fn an_observation_cut_anywhere_between_segments_is_the_same_to_the_bit((gtis, times) in observation(), at in any::<prop::sample::Index>()) {
        let times = sorted(&times);
        let whole = of(&[bytes(&times, &gtis)], Combine::Average);
        let edges: Vec<f64> = gtis
            .iter()
            .flat_map(|&(a, b)| (0..=((b - a) / SEGMENT) as u32).map(move |k| a + f64::from(k) * SEGMENT))
            .collect();
        let cut = edges[1..edges.len() - 1][at.index(edges.len() - 2)];
        let before: Vec<(f64, f64)> = gtis.iter().map(|g| (g.0, g.1.min(cut))).filter(|g| g.0 < g.1).collect();
        let after: Vec<(f64, f64)> = gtis.iter().map(|g| (g.0.max(cut), g.1)).filter(|g| g.0 < g.1).collect();
        let (early, late): (Vec<f64>, Vec<f64>) = times.iter().partition(|t| **t < cut);
        let parts = of(&[bytes(&early, &before), bytes(&late, &after)], Combine::Average);
        if let (Some(whole), Some(parts)) = (whole, parts) {
            prop_assert_eq!((whole.meta.segments, whole.meta.nphots.to_bits()), (parts.meta.segments, parts.meta.nphots.to_bits()));
            prop_assert_eq!(&whole.meta.record.photons, &parts.meta.record.photons);
            prop_assert_eq!(bits(&whole), bits(&parts));
        }
    }

    /// A shift by a power of two, which rounds nothing here, changes nothing; nor does the order of events.
    #[test]
    fn times_moved_and_permuted_give_the_same_bits((gtis, times) in observation(), power in -3..24i32, from in any::<prop::sample::Index>()) {
        let Some(here) = of(&[bytes(&sorted(&times), &gtis)], Combine::Average) else { return Ok(()) };
        let shift = 2f64.powi(power);
        let moved: Vec<f64> = times.iter().map(|t| t + shift).collect();
        let moved_gtis: Vec<(f64, f64)> = gtis.iter().map(|g| (g.0 + shift, g.1 + shift)).collect();
        let mut rotated = moved.clone();
        rotated.rotate_left(from.index(times.len()));
        for there in [moved, rotated] {
            let there = of(&[bytes(&there, &moved_gtis)], Combine::Average).unwrap();
            prop_assert_eq!(bits(&here), bits(&there), "moved by {}", shift);
            prop_assert_eq!(&here.meta.record.photons, &there.meta.record.photons);
        }
    }

    /// Files in another order: the same bits where their events are merged, the same spectrum where they are averaged.
    #[test]
    fn files_in_another_order_give_the_same_spectrum((gtis, times) in observation(), shares in proptest::collection::vec(0..3usize, 600)) {
        let times = sorted(&times);
        let share = |n: usize| -> Vec<f64> { times.iter().zip(&shares).filter(|(_, s)| **s == n).map(|(t, _)| *t).collect() };
        let parts: Vec<Vec<u8>> = (0..3).map(|n| bytes(&share(n), &gtis)).collect();
        let other = [parts[2].clone(), parts[0].clone(), parts[1].clone()];
        if let (Some(a), Some(b)) = (of(&parts, Combine::Merge), of(&other, Combine::Merge)) {
            prop_assert_eq!(bits(&a), bits(&b));
            prop_assert_eq!(bits(&a), bits(&of(&[bytes(&times, &gtis)], Combine::Average).unwrap()));
        }
        if let (Some(a), Some(b)) = (of(&parts, Combine::Average), of(&other, Combine::Average)) {
            prop_assert_eq!(a.meta.segments, b.meta.segments);
            same_powers(&a.unnorm_power, &b.unnorm_power, 1e-12);
        }
    }

    /// Parseval: the powers of all frequencies are those of all bins, `N² + 2·ΣP = n·Σx²` for odd n.
    #[test]
    fn the_powers_have_the_sum_that_the_counts_have((gtis, times) in observation()) {
        let Some(s) = of(&[bytes(&sorted(&times), &gtis)], Combine::Average) else { return Ok(()) };
        let (mut squares, mut photons) = (0.0, 0.0);
        for &(a, b) in &gtis {
            for k in 0..((b - a) / SEGMENT) as u32 {
                let start = a + f64::from(k) * SEGMENT;
                let mut counts = [0.0; BINS];
                for t in times.iter().filter(|t| start <= **t && **t < start + SEGMENT) {
                    counts[((t - start) / DT) as usize] += 1.0;
                }
                squares += counts.iter().map(|x| x * x).sum::<f64>();
                photons += counts.iter().sum::<f64>().powi(2);
            }
        }
        let m = s.meta.segments as f64;
        let (sum, expected) = (2.0 * s.unnorm_power.iter().sum::<f64>(), (BINS as f64 * squares - photons) / m);
        prop_assert!((sum - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{} instead of {}", sum, expected);
    }
}
