//! The best of the trials of each frequency of a search.

use std::f64::consts::LN_10;

use super::grid::{TrialGrid, TrialRange};
use super::scores::TrialScore;
use super::statistics::SearchStatistic;

/// The best row of each frequency.
pub(super) struct BestRows {
    pub stat: Vec<f64>,
    pub row: Vec<usize>,
    /// For epoch folding, whose trials have laws of their own: `−ln p` of the trial alone, by which rows are compared, and its bins.
    pub folded: Option<(Vec<f64>, Vec<u64>)>,
    /// The largest in each of so many ranges of frequency: the statistic, or for epoch folding `−log₁₀ p`.
    pub map: Vec<Vec<f64>>,
}

impl BestRows {
    pub fn new(grid: &TrialGrid, method: SearchStatistic, columns: usize) -> BestRows {
        let mapped = if grid.rows.len() > 1 { grid.rows.len() } else { 0 };
        let folded = || (vec![f64::NEG_INFINITY; grid.frequencies], vec![0; grid.frequencies]);
        BestRows {
            stat: vec![f64::NEG_INFINITY; grid.frequencies],
            row: vec![0; grid.frequencies],
            folded: method.is_of_profiles().then(folded),
            map: vec![vec![0.0; columns.min(grid.frequencies)]; mapped],
        }
    }

    /// Takes the scores of a piece; their number.
    pub fn add(&mut self, piece: TrialRange, scores: &[TrialScore]) -> u64 {
        let frequencies = self.stat.len();
        for (j, score) in (piece.first..).zip(scores) {
            let before = match &mut self.folded {
                Some((rarity, bins)) => {
                    let before = rarity[j];
                    if score.rarity > before {
                        (rarity[j], bins[j]) = (score.rarity, score.bins as u64);
                    }
                    before
                }
                None => self.stat[j],
            };
            if score.rarity > before {
                (self.stat[j], self.row[j]) = (score.stat, piece.row);
            }
            let cells = self.map.get_mut(piece.row);
            let columns = cells.as_ref().map_or(1, |cells| cells.len());
            if let Some(cell) = cells.and_then(|cells| cells.get_mut(j * columns / frequencies)) {
                *cell = cell.max(if self.folded.is_some() { score.rarity / LN_10 } else { score.stat });
            }
        }
        scores.len() as u64
    }

    /// By what trials are compared: the statistic, or `−ln p` of each trial alone.
    pub fn rarity(&self) -> &[f64] {
        self.folded.as_ref().map_or(&self.stat, |(rarity, _)| rarity)
    }
}
