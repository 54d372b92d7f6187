//! How the time on the CPU falls with the number of threads, and why not further: stage by stage, with a fit of
//! `T(N) = T_s + T_p/N + K·ln N`: what is serial, what is shared, and what threads cost each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sample::{mad, median};
use eagleray::internal::trace::Stage;

/// Spread of the samples, MAD over median, beyond which no fit is to be believed.
pub const NOISY: f64 = 0.08;

/// How tasks come to threads unless told otherwise.
pub const USUAL_SCHEDULING: &str = "dynamic";

/// Threads against time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scaling {
    /// Workload.
    pub workload: String,
    /// Its events.
    pub events: u64,
    /// Every combination measured.
    pub points: Vec<ScalingPoint>,
    /// The law fitted to those of the usual scheduling and chunk size; `null` where there are too few.
    pub fit: Option<ScalingFit>,
    /// The same for other ways of scheduling, where there are enough.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_fits: BTreeMap<String, ScalingFit>,
    /// Why not to believe it.
    pub warnings: Vec<String>,
}

/// One combination.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScalingPoint {
    /// Threads.
    pub threads: usize,
    /// How tasks come to threads.
    pub scheduling: String,
    /// Rows read at a time.
    pub chunk_events: usize,
    /// Median, s.
    pub median: f64,
    /// Median absolute deviation, s.
    pub mad: f64,
    /// s.
    pub samples: Vec<f64>,
    /// Time of one thread over this.
    pub speedup: f64,
    /// Speed-up over threads.
    pub efficiency: f64,
    /// Time of each stage, all threads together, in one more run.
    pub stages: BTreeMap<String, Stage>,
}

/// `T(N) = serial + parallel/N + synchronisation·ln N`, s, by least squares over all samples; errors are one standard deviation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScalingFit {
    /// T_s and its error.
    pub serial: [f64; 2],
    /// T_p and its error.
    pub parallel: [f64; 2],
    /// K and its error; 0 where fewer than three numbers of threads leave it open.
    pub synchronisation: [f64; 2],
    /// Threads where T is smallest, T_p/K; `null` where K is not two errors above 0.
    pub knee: Option<f64>,
}

impl ScalingFit {
    /// T(N), s.
    pub fn at(&self, threads: f64) -> f64 {
        self.serial[0] + self.parallel[0] / threads + self.synchronisation[0] * threads.ln()
    }
}

/// Numbers of threads worth measuring: powers of two, and all cores.
pub fn thread_counts(cores: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = (0..).map(|k| 1 << k).take_while(|&n| n < cores).collect();
    counts.push(cores.max(1));
    counts
}

/// Fits the law to times of numbers of threads; the third term only where there are three numbers or more. `None` with
/// fewer than two.
pub fn fit(times: &[(usize, f64)]) -> Option<ScalingFit> {
    let mut counts: Vec<usize> = times.iter().map(|t| t.0).collect();
    counts.sort_unstable();
    counts.dedup();
    let terms = counts.len().min(3);
    if terms < 2 || times.len() <= terms {
        return None;
    }
    let row = |n: usize| [1.0, 1.0 / n as f64, (n as f64).ln()];
    let mut normal = vec![vec![0.0; terms]; terms];
    let mut right = vec![0.0; terms];
    for &(n, t) in times {
        let x = row(n);
        for i in 0..terms {
            right[i] += x[i] * t;
            (0..terms).for_each(|j| normal[i][j] += x[i] * x[j]);
        }
    }
    let inverse = inverted(normal)?;
    let solved = |i: usize| (0..terms).map(|j| inverse[i][j] * right[j]).sum::<f64>();
    let solution: Vec<f64> = (0..terms).map(solved).collect();
    let model = |n: usize| row(n).iter().zip(&solution).map(|(x, s)| x * s).sum::<f64>();
    let residual: f64 = times.iter().map(|&(n, t)| (t - model(n)).powi(2)).sum();
    let variance = residual / (times.len() - terms) as f64;
    let term = |i: usize| if i < terms { [solution[i], (variance * inverse[i][i]).sqrt()] } else { [0.0; 2] };
    let [serial, parallel, synchronisation] = [term(0), term(1), term(2)];
    let [k, error] = synchronisation;
    let knee = (k > 0.0 && k > 2.0 * error && parallel[0] > 0.0).then(|| parallel[0] / k);
    Some(ScalingFit { serial, parallel, synchronisation, knee })
}

/// Inverse of a small symmetric matrix by Gauss and Jordan; `None` where it is singular.
fn inverted(mut a: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = a.len();
    let mut inverse: Vec<Vec<f64>> =
        (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for i in 0..size {
        let pivot = a[i][i];
        if pivot.abs() < 1e-12 {
            return None;
        }
        for j in 0..size {
            a[i][j] /= pivot;
            inverse[i][j] /= pivot;
        }
        for k in (0..size).filter(|&k| k != i) {
            let factor = a[k][i];
            for j in 0..size {
                a[k][j] -= factor * a[i][j];
                inverse[k][j] -= factor * inverse[i][j];
            }
        }
    }
    Some(inverse)
}

impl Scaling {
    /// The points of a scheduling with the usual chunk size, which comes first, by threads.
    pub fn of_scheduling(&self, scheduling: &str) -> Vec<&ScalingPoint> {
        let chunk = self.points.first().map_or(0, |point| point.chunk_events);
        self.points.iter().filter(|p| p.scheduling == scheduling && p.chunk_events == chunk).collect()
    }

    fn fit_of(&self, scheduling: &str) -> Option<ScalingFit> {
        let points = self.of_scheduling(scheduling);
        fit(&points.iter().flat_map(|p| p.samples.iter().map(|&s| (p.threads, s))).collect::<Vec<_>>())
    }

    /// Speed-ups, fit and warnings from the samples of each point.
    pub fn judged(mut self, others: Option<f64>, cores: usize) -> Scaling {
        for point in &mut self.points {
            (point.median, point.mad) = (median(&point.samples), mad(&point.samples));
        }
        let way = |point: &ScalingPoint| (point.scheduling.clone(), point.chunk_events);
        let alone: BTreeMap<_, f64> =
            self.points.iter().filter(|p| p.threads == 1).map(|p| (way(p), p.median)).collect();
        for point in &mut self.points {
            point.speedup = alone.get(&way(point)).map_or(f64::NAN, |one| one / point.median);
            point.efficiency = point.speedup / point.threads as f64;
        }
        self.fit = self.fit_of(USUAL_SCHEDULING);
        let ways = self.points.iter().map(|point| &point.scheduling).filter(|name| *name != USUAL_SCHEDULING);
        self.other_fits = ways.filter_map(|name| Some((name.clone(), self.fit_of(name)?))).collect();
        let usual = self.of_scheduling(USUAL_SCHEDULING);
        let spread = usual.iter().map(|p| p.mad / p.median).fold(0.0, f64::max);
        let mut warnings = Vec::new();
        if spread > NOISY {
            warnings.push(format!("samples spread by {:.0} %: too noisy to say", 100.0 * spread));
        }
        if let Some(others) = others.filter(|&others| others > 0.5) {
            warnings.push(format!("others kept {others:.1} of {cores} cores busy: too noisy to say"));
        }
        if usual.len() < 4 {
            warnings.push(format!(
                "{} numbers of threads: {}",
                usual.len(),
                if usual.len() < 3 {
                    "synchronisation cannot be told from what is serial"
                } else {
                    "just enough for three terms"
                }
            ));
        }
        self.warnings = warnings;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eagleray::internal::random::Random;

    #[test]
    fn the_fit_finds_the_law_within_its_errors() {
        let mut random = Random::new(3);
        let law = |n: usize| 0.2 + 3.0 / n as f64 + 0.05 * (n as f64).ln();
        let mut noisy = |n: usize| (n, law(n) * (1.0 + 0.002 * random.normal()));
        let times: Vec<_> = [1, 2, 4, 8, 16, 32].into_iter().flat_map(|n| vec![n; 7]).map(&mut noisy).collect();
        let fit = fit(&times).unwrap();
        for ([value, error], truth) in [fit.serial, fit.parallel, fit.synchronisation].into_iter().zip([0.2, 3.0, 0.05])
        {
            assert!((value - truth).abs() < 4.0 * error && error < 0.1 * truth, "{value} ± {error} is not {truth}");
        }
        assert!((fit.knee.unwrap() - 60.0).abs() < 6.0, "{fit:?}");
        assert!((fit.at(4.0) - law(4)).abs() < 0.01);
    }

    #[test]
    fn two_numbers_of_threads_have_two_terms() {
        let found = fit(&[(1, 3.2), (1, 3.2), (2, 1.7), (2, 1.7)]).unwrap();
        assert!((found.serial[0] - 0.2).abs() < 1e-9 && (found.parallel[0] - 3.0).abs() < 1e-9, "{found:?}");
        assert_eq!((found.synchronisation, found.knee), ([0.0; 2], None));
        assert_eq!(fit(&[(1, 1.0), (1, 1.0)]), None);
    }

    #[test]
    fn all_cores_are_among_the_numbers_of_threads() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(12), [1, 2, 4, 8, 12]);
    }
}
