use std::f64::consts::TAU;

use super::*;
use crate::base::random::Random;

/// The sum at frequency `k`, by definition.
fn defined(points: &[PhasedPoint], k: usize) -> Complex<f64> {
    let term = |point: &PhasedPoint| {
        let phase = point.first.wrapping_add(point.step.wrapping_mul(k as u64)) as i64 as f64;
        Complex::from_polar(1.0, phase * (TAU * 2f64.powi(-64))) * point.weight
    };
    points.iter().map(term).sum()
}

fn sums<const WIDTH: usize, const TERMS: usize>(points: &[PhasedPoint], frequencies: usize) -> Vec<Complex<f64>> {
    of_plan(&NonuniformTransform::<WIDTH, TERMS>::new(frequencies, points.len()), points)
}

fn of_plan<const WIDTH: usize, const TERMS: usize>(
    transform: &NonuniformTransform<WIDTH, TERMS>,
    points: &[PhasedPoint],
) -> Vec<Complex<f64>> {
    transform.sums(points.len(), |range, run| run.extend(&points[range]), |sum| sum, || true)
}

/// The largest error of one point of weight 1, at places all over a cell, at all frequencies: the bound of all sums.
fn of_one_point<const WIDTH: usize, const TERMS: usize>(frequencies: usize, places: u64) -> f64 {
    let transform = NonuniformTransform::<WIDTH, TERMS>::new(frequencies, 1);
    let (grid, mut worst) = (transform.grid as u64, 0f64);
    for i in 0..=places {
        // Any cell does; the last wraps.
        let step = (u64::MAX / grid).wrapping_mul(grid - 1 + i % 3).wrapping_add((u64::MAX / grid / places) * i);
        let point = PhasedPoint { first: i << 59, step, weight: 1.0 };
        for (k, found) in of_plan(&transform, &[point]).iter().enumerate() {
            worst = worst.max((found - defined(&[point], k)).norm());
        }
    }
    worst
}

#[test]
fn errors_of_one_point_are_within_the_bounds() {
    let (mut search, mut least) = (0f64, 0f64);
    for frequencies in [1, 2, 3, 16, 17, 24, 33, 100, 256, 1000, 1024, 1025] {
        let places = if frequencies < 100 { 3000 } else { 200 };
        search = search.max(of_one_point::<8, 3>(frequencies, places));
        least = least.max(of_one_point::<16, 6>(frequencies, places));
    }
    eprintln!("largest errors of a point of weight 1: {search:.1e} over 8 cells and {least:.1e} over 16");
    assert!(search < SEARCH_ERROR && least < LEAST_ERROR, "{search} {least}");
}

/// Kinds of points: anywhere; all equal (every error adds up); on borders of cells; steps that wrap at every frequency.
fn points(random: &mut Random, kind: usize, number: usize) -> Vec<PhasedPoint> {
    let alike = PhasedPoint { first: random.bits(), step: random.bits(), weight: 1.0 };
    let one = |i: usize| match kind {
        0 => PhasedPoint { first: random.bits(), step: random.bits(), weight: random.uniform() },
        1 => alike,
        2 => PhasedPoint { first: 0, step: (i as u64 % 32) << 59, weight: [0.0, 1.0, -1.0, -2.5][i % 4] },
        3 => PhasedPoint { first: u64::MAX, step: u64::MAX - (i as u64 % 3), weight: 1e9 },
        _ => PhasedPoint { first: random.bits(), step: random.bits() >> 40, weight: random.normal() * 1e-9 },
    };
    (0..number).map(one).collect()
}

fn check<const WIDTH: usize, const TERMS: usize>(points: &[PhasedPoint], frequencies: usize, bound: f64, name: &str) {
    let found = sums::<WIDTH, TERMS>(points, frequencies);
    assert_eq!(found.len(), frequencies);
    let all: f64 = points.iter().map(|point| point.weight.abs()).sum();
    for k in (0..frequencies).step_by(1 + frequencies / 40).chain(frequencies.checked_sub(1)) {
        let error = (found[k] - defined(points, k)).norm();
        assert!(error <= bound * all, "{name}, {WIDTH} cells, frequency {k} of {frequencies}: {error} of {all}");
    }
}

#[test]
fn sums_are_those_of_the_definition() {
    let mut random = Random::new(8);
    for frequencies in [0, 1, 2, 3, 31, 32, 100, 1023, 4097] {
        for kind in 0..5 {
            for number in [0, 1, 2, 511, 512, 700] {
                let points = points(&mut random, kind, number);
                let name = format!("{number} points of kind {kind}");
                check::<8, 3>(&points, frequencies, SEARCH_ERROR, &name);
                check::<16, 6>(&points, frequencies, LEAST_ERROR + number as f64 * 2f64.powi(-53), &name);
            }
        }
    }
}

/// More points than a grid has, and more frequencies than a block.
#[test]
fn grids_and_blocks_join_and_threads_change_no_bit() {
    let mut random = Random::new(9);
    let points = points(&mut random, 0, 3 * CHUNK + 5);
    check::<8, 3>(&points, 500, SEARCH_ERROR, "three grids");
    check::<16, 6>(&points, 500, LEAST_ERROR + points.len() as f64 * 2f64.powi(-53), "three grids");
    let few = &points[..50];
    check::<8, 3>(few, 2 * MOST_FREQUENCIES + 1, SEARCH_ERROR, "three blocks");
    let of = |threads: usize, points: &[PhasedPoint], frequencies: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| sums::<8, 3>(points, frequencies))
    };
    assert_eq!(of(1, &points, 500), of(3, &points, 500));
    assert_eq!(of(1, few, MOST_FREQUENCIES + 1), of(2, few, MOST_FREQUENCIES + 1));
}

/// A range that begins at K is that of points with `K·x` in their first phases.
#[test]
fn ranges_begin_anywhere() {
    let mut random = Random::new(10);
    let points = points(&mut random, 0, 100);
    let whole = sums::<16, 6>(&points, 4000);
    let from = |point: &PhasedPoint| {
        let first = point.first.wrapping_add(point.step.wrapping_mul(3700));
        PhasedPoint { first, ..*point }
    };
    let part = sums::<16, 6>(&points.iter().map(from).collect::<Vec<_>>(), 300);
    let all: f64 = points.iter().map(|point| point.weight).sum();
    for (a, b) in whole[3700..].iter().zip(&part) {
        assert!((a - b).norm() < 2.0 * LEAST_ERROR * all, "{a} {b}");
    }
}
