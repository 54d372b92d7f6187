//! Partial sums over segments, and the one operation everything relies on: [`PartialSums::merge`].
//!
//! Segments are numbered from 0 over all files (the absolute segment index). [`run_length`] consecutive segments form a
//! *run*, summed in index order by whoever has them. Runs are the leaves of an aligned binary tree; two siblings are added
//! as soon as both are known, left plus right, and a missing node is the identity. The tree's shape depends on the indices
//! alone, so any split of the work (chunks, threads, devices, ranks) and any order of arrival gives the same bits.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Segments in one run: a power of two between 1 and 64 that depends on the number of bins `n` alone.
///
/// About 2^16 bins a run: short segments are summed 64 at a time (few partial sums cross a boundary), long ones one by one
/// (54 segments of 2^14 bins still make 14 tasks).
pub fn run_length(n: usize) -> u64 {
    let fit = ((1usize << 16) / n.max(1)).clamp(1, 64);
    1 << fit.ilog2()
}

/// What a set of segments adds up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// The plan's blocks of `k = 1 … ceil(n/2) − 1`: for power `Σ w·|F_k|²`, unweighted first. Empty: no segment.
    pub power: Vec<f64>,
    /// Where they are wanted: `Σ|F_s|²`, `Σ|F_r|²` and `Σ F_s·F_r` of subject and reference at frequency 0, and the same at the Nyquist
    /// frequency (without meaning for odd `n`). Empty: no segment, or not wanted.
    pub ends: Vec<f64>,
    /// Segments that contributed (`m`).
    pub segments: u64,
    /// Segments that could not contribute (empty ones with a normalisation per segment; sparse ones in the peer's rules).
    pub skipped: u64,
    /// What the series of contributing segments hold: one for power spectra, the reference and its subjects for cross
    /// spectra. Empty: no segment.
    pub series: Vec<SeriesSums>,
    /// Sums of the weights of contributing segments: one of a power spectrum, three a subject of cross spectra (subject, reference,
    /// and both together), four of two detectors corrected for dead time (first, second, their cross spectrum, all events). Empty: all
    /// segments weigh the same.
    #[serde(default)]
    pub weights: Vec<WeightSums>,
    /// Photons inside skipped segments.
    pub photons_skipped: u64,
    /// Photons of contributing segments that rounding put beyond the last bin.
    pub photons_dropped: u64,
}

/// Sums over the segments of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesSums {
    /// Photons that fell in a bin (`Σ N`).
    pub photons: u64,
    /// Mean flux of a bin; for events `N/n`, derived from `photons` instead, and 0 here.
    pub flux_mean: f64,
    /// Mean squared error of a bin; 0 without errors.
    pub variance: f64,
}

/// Sums over segments of powers of their weights `w`, which are what noise contributes to the averaged power: `Σw`, `Σw²`, `Σw³`,
/// `Σw⁴`.
///
/// The weight of `N` photons is their noise power, `N`. What is to be known is its expectation, so the powers are falling
/// factorials, `N(N − 1)`, `N(N − 1)(N − 2)`, …, whose expectations are powers of that of N; the scatter of N itself is in the scatter of |F|².
/// In f64, because the tree of sums has one order; numbers below 2^53 are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightSums(pub [f64; 4]);

impl WeightSums {
    /// Of one segment of `n` photons, whose power is multiplied by `N^−exponent`.
    pub fn of_photons(n: f64, exponent: u32) -> WeightSums {
        match exponent {
            0 => {
                let falling = |k: f64| (n - k).max(0.0);
                let two = n * falling(1.0);
                WeightSums([n, two, two * falling(2.0), two * falling(2.0) * falling(3.0)])
            }
            exponent => WeightSums::of(n.powi(1 - exponent as i32)),
        }
    }

    /// Of one segment of this weight.
    pub fn of(weight: f64) -> WeightSums {
        let square = weight * weight;
        WeightSums([weight, square, square * weight, square * square])
    }

    /// Both together.
    fn add(&mut self, other: &WeightSums) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a += b);
    }
}

impl Sums {
    /// Adds the weights of one more segment.
    pub(crate) fn add_weights(&mut self, weights: &[WeightSums]) {
        self.weights.resize(weights.len(), WeightSums::default());
        self.weights.iter_mut().zip(weights).for_each(|(a, b)| a.add(b));
    }

    /// Photons of the first series: that of a power spectrum, the reference of a cross spectrum.
    pub fn photons(&self) -> u64 {
        self.series.first().map_or(0, |own| own.photons)
    }

    /// `self + right`, element by element in f64; the empty sum is the identity.
    pub(crate) fn add(mut self, right: Sums) -> Sums {
        add_values(&mut self.power, right.power);
        add_values(&mut self.ends, right.ends);
        self.segments += right.segments;
        self.skipped += right.skipped;
        if self.series.is_empty() {
            self.series = right.series;
        } else {
            for (a, b) in self.series.iter_mut().zip(&right.series) {
                a.photons += b.photons;
                a.flux_mean += b.flux_mean;
                a.variance += b.variance;
            }
        }
        if self.weights.is_empty() {
            self.weights = right.weights;
        } else {
            self.weights.iter_mut().zip(&right.weights).for_each(|(a, b)| a.add(b));
        }
        self.photons_skipped += right.photons_skipped;
        self.photons_dropped += right.photons_dropped;
        self
    }
}

/// Adds element by element; without elements a list is the identity.
fn add_values(left: &mut Vec<f64>, right: Vec<f64>) {
    if left.is_empty() {
        *left = right;
    } else if !right.is_empty() {
        assert_eq!(left.len(), right.len(), "sums of different plans cannot be merged");
        left.iter_mut().zip(&right).for_each(|(a, b)| *a += b);
    }
}

/// A forest of aligned nodes of the sum tree. Dense input keeps about log₂(runs) nodes in memory. Where runs stay apart, each is
/// a node until [`PartialSums::take_runs`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartialSums {
    /// Runs are not added up.
    apart: bool,
    /// Key: (level, index); the node covers runs `index·2^level .. (index + 1)·2^level`.
    nodes: BTreeMap<(u32, u64), Sums>,
}

impl PartialSums {
    /// Nothing summed yet.
    pub fn new() -> PartialSums {
        PartialSums::default()
    }

    /// Nothing yet of runs that stay apart, each for itself.
    pub fn keeping_runs() -> PartialSums {
        PartialSums { apart: true, ..PartialSums::default() }
    }

    /// Takes out the runs that stay apart, in order.
    pub fn take_runs(&mut self) -> impl Iterator<Item = (u64, Sums)> {
        debug_assert!(self.apart || self.nodes.is_empty(), "runs that were added up");
        std::mem::take(&mut self.nodes).into_iter().map(|((_, run), sums)| (run, sums))
    }

    /// Adds the sums of one run. Every run is given once; a run without segments may be given as the empty `Sums`, which
    /// changes no result and lets its neighbours merge at once.
    pub fn push_run(&mut self, run: u64, sums: Sums) {
        self.insert(0, run, sums);
    }

    /// Takes over all nodes of another forest. The two must not share a run.
    pub fn merge(&mut self, other: PartialSums) {
        self.apart |= other.apart;
        for ((level, index), sums) in other.nodes {
            self.insert(level, index, sums);
        }
    }

    fn insert(&mut self, mut level: u32, mut index: u64, mut sums: Sums) {
        while !self.apart
            && let Some(sibling) = self.nodes.remove(&(level, index ^ 1))
        {
            sums = if index & 1 == 0 { sums.add(sibling) } else { sibling.add(sums) };
            level += 1;
            index >>= 1;
        }
        let before = self.nodes.insert((level, index), sums);
        assert!(before.is_none(), "run {index} at level {level} was summed twice");
    }

    /// The nodes: level and index of each, and its sums.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (u32, u64, &Sums)> {
        self.nodes.iter().map(|(&(level, index), sums)| (level, index, sums))
    }

    /// Runs that both forests have, in a node of the same or of another level.
    pub(crate) fn overlap(&self, other: &PartialSums) -> Option<Range<u64>> {
        let runs = |forest: &PartialSums| forest.nodes.keys().map(|&key| runs_of(key)).collect::<Vec<_>>();
        let mut all = [runs(self), runs(other)].concat();
        all.sort_by_key(|runs| (runs.start, runs.end));
        let shared =
            |pair: &[Range<u64>]| (pair[1].start < pair[0].end).then(|| pair[1].start..pair[0].end.min(pair[1].end));
        all.windows(2).find_map(shared)
    }

    /// The runs that are summed, in stretches.
    pub(crate) fn runs(&self) -> Vec<Range<u64>> {
        let mut all: Vec<Range<u64>> = self.nodes.keys().map(|&key| runs_of(key)).collect();
        all.sort_by_key(|runs| runs.start);
        let mut stretches: Vec<Range<u64>> = Vec::new();
        for runs in all {
            match stretches.last_mut() {
                Some(last) if last.end == runs.start => last.end = runs.end,
                _ => stretches.push(runs),
            }
        }
        stretches
    }

    /// A forest of these nodes, as [`PartialSums::nodes`] told them; `None` where they overlap or lie beyond all numbers.
    pub(crate) fn of_nodes(nodes: impl IntoIterator<Item = (u32, u64, Sums)>, apart: bool) -> Option<PartialSums> {
        let mut forest = PartialSums { apart, ..PartialSums::default() };
        for (level, index, sums) in nodes {
            let fits = level < u64::BITS && index.checked_add(1)?.leading_zeros() > level;
            let node = PartialSums { apart, nodes: BTreeMap::from([((level, index), sums)]) };
            if !fits || forest.overlap(&node).is_some() {
                return None;
            }
            forest.merge(node);
        }
        Some(forest)
    }

    /// Nodes held at present.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The root of the tree: missing nodes count as nothing.
    pub fn finish(self) -> Sums {
        let mut level_nodes: BTreeMap<u64, Sums> = BTreeMap::new();
        let mut rest = self.nodes;
        let mut level = 0;
        loop {
            while let Some(entry) = rest.first_entry().filter(|e| e.key().0 == level) {
                let ((_, index), sums) = entry.remove_entry();
                let clash = level_nodes.insert(index, sums);
                assert!(clash.is_none(), "run {index} at level {level} was summed twice");
            }
            if rest.is_empty() && level_nodes.len() <= 1 {
                return level_nodes.into_values().next().unwrap_or_default();
            }
            let mut parents: BTreeMap<u64, Sums> = BTreeMap::new();
            for (index, sums) in level_nodes {
                let parent = match parents.remove(&(index >> 1)) {
                    Some(left) => left.add(sums),
                    None => sums,
                };
                parents.insert(index >> 1, parent);
            }
            level_nodes = parents;
            level += 1;
        }
    }
}

/// The runs that a node covers.
fn runs_of((level, index): (u32, u64)) -> Range<u64> {
    index << level..(index + 1) << level
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(run: u64) -> Sums {
        let x = ((run * 2_654_435_761) % 1_000_003) as f64;
        let series = vec![SeriesSums { photons: run, ..SeriesSums::default() }];
        Sums { power: vec![x.sqrt(), 1.0 / (x + 0.3)], segments: 1, series, ..Sums::default() }
    }

    /// The definition, written recursively.
    fn tree(level: u32, index: u64, runs: &[u64]) -> Option<Sums> {
        if level == 0 {
            return runs.contains(&index).then(|| leaf(index));
        }
        match (tree(level - 1, 2 * index, runs), tree(level - 1, 2 * index + 1, runs)) {
            (Some(a), Some(b)) => Some(a.add(b)),
            (a, b) => a.or(b),
        }
    }

    #[test]
    fn any_order_and_any_split_give_the_tree() {
        let runs: Vec<u64> = (0..200).filter(|r| r % 7 != 3 && !(60..90).contains(r)).collect();
        let expected = tree(8, 0, &runs).unwrap();
        let mut orders = vec![runs.clone(), runs.iter().rev().copied().collect::<Vec<_>>()];
        orders.push((0..runs.len()).map(|i| runs[(i * 89) % runs.len()]).collect());
        for order in orders {
            for split in [1, 3, 50, runs.len()] {
                let mut total = PartialSums::new();
                for part in order.chunks(split) {
                    let mut sums = PartialSums::new();
                    part.iter().for_each(|&r| sums.push_run(r, leaf(r)));
                    total.merge(sums);
                }
                assert_eq!(total.finish(), expected);
            }
        }
    }

    #[test]
    fn empty_runs_change_nothing_and_bound_the_nodes() {
        let mut with = PartialSums::new();
        let mut without = PartialSums::new();
        for r in 0..1000 {
            if r % 3 == 0 {
                with.push_run(r, leaf(r));
                without.push_run(r, leaf(r));
            } else {
                with.push_run(r, Sums::default());
            }
            assert!(with.node_count() <= 10);
        }
        assert_eq!(with.finish(), without.finish());
    }

    #[test]
    fn runs_that_stay_apart_come_back_in_order_whoever_had_them() {
        let mut total = PartialSums::new();
        for runs in [[3, 0], [1, 2]] {
            let mut part = PartialSums::keeping_runs();
            runs.into_iter().for_each(|r| part.push_run(r, leaf(r)));
            total.merge(part);
        }
        assert_eq!(total.take_runs().collect::<Vec<_>>(), (0..4).map(|r| (r, leaf(r))).collect::<Vec<_>>());
        assert_eq!(total.node_count(), 0);
    }

    #[test]
    fn run_length_is_a_power_of_two_between_1_and_64() {
        for n in [1, 2, 1000, 1024, 16384, 16385, 65536, 1 << 24] {
            let l = run_length(n);
            assert!(l.is_power_of_two() && (1..=64).contains(&l) && (l == 1 || l as usize * n <= 1 << 16));
        }
        assert_eq!(run_length(16384), 4);
        assert_eq!(run_length(128), 64);
    }
}
