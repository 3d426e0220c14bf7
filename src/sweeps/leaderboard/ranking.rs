//! Which run of a sweep is best, second and so on.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::metrics::Metrics;
use crate::sweeps::error::SweepError;
use crate::sweeps::ranking_metric::RankingMetric;
use crate::sweeps::record::{SweepRecord, TrialStatus};
use crate::sweeps::runs::RunRecord;
use crate::sweeps::search_space::Axis;
use crate::sweeps::sweep::Sweep;

/// All runs of a sweep.
#[derive(Debug, Clone)]
pub struct Leaderboard {
    /// The sweep's folder.
    pub dir: PathBuf,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// The metric that ranks the runs.
    pub ranking: RankingMetric,
    /// The runs, the best first; those without a rank follow in the order of their execution.
    pub rows: Vec<Row>,
    pub(super) record: SweepRecord,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Row {
    /// Counted from 1; None unless the run is finished and has a finite value of the ranking metric.
    pub rank: Option<usize>,
    /// The value of each axis.
    pub values: Vec<Value>,
    /// Its folder, relative to the sweep's.
    pub run: String,
    /// Its status.
    pub status: TrialStatus,
    /// The error that ended it, if one did.
    pub error: Option<String>,
    /// The content of its folder.
    pub record: RunRecord,
}

impl Row {
    /// Its test metrics, if it has a rank.
    pub(super) fn test(&self) -> Option<&Metrics> {
        self.record.test().filter(|_| self.rank.is_some())
    }

    /// Whether its curves and its duration are those of its settings, not of an interruption.
    pub(super) fn is_over(&self) -> bool {
        matches!(
            self.status,
            TrialStatus::Finished | TrialStatus::Diverged | TrialStatus::Failed
        )
    }
}

impl Leaderboard {
    /// Ranks the runs by what is in their folders.
    pub fn of(sweep: &Sweep) -> Self {
        Self::of_record(sweep.dir.clone(), sweep.record.clone())
    }

    /// The same of the sweep in a folder, as `sweep.json` has it; only reads, so that another process may be training the sweep.
    ///
    /// # Errors
    /// The folder's `sweep.json` can't be read.
    pub fn read(dir: &Path) -> Result<Self, SweepError> {
        Ok(Self::of_record(dir.to_path_buf(), SweepRecord::read(dir)?))
    }

    fn of_record(dir: PathBuf, record: SweepRecord) -> Self {
        let axes = record.axes.clone();
        let mut rows: Vec<Row> = record
            .trials
            .iter()
            .map(|trial| Row {
                rank: None,
                values: axes
                    .iter()
                    .map(|axis| trial.values.get(&axis.path).cloned().unwrap_or_default())
                    .collect(),
                run: trial.run.clone(),
                status: trial.status,
                error: trial.error.clone(),
                record: RunRecord::read(&dir.join(&trial.run)),
            })
            .collect();
        let finished = rows
            .iter()
            .filter(|row| row.status == TrialStatus::Finished);
        let ranking = RankingMetric::of(finished.filter_map(|row| row.record.valid()));
        let value = |row: &Row| match row.status {
            TrialStatus::Finished => ranking.value(row.record.valid()?),
            _ => None,
        };
        let score = |row: &Row| value(row).map_or(f64::NEG_INFINITY, |v| ranking.score(v));
        // Stable: equal runs stay in the order of their execution.
        rows.sort_by(|a, b| score(b).total_cmp(&score(a)));
        for (rank, row) in (1..).zip(&mut rows) {
            row.rank = value(row).map(|_| rank);
        }
        Self {
            dir,
            axes,
            ranking,
            rows,
            record,
        }
    }

    /// The runs that have a rank, with their value of the ranking metric, the best first.
    pub fn ranked(&self) -> impl Iterator<Item = (&Row, f64)> {
        let with_rank = self.rows.iter().filter(|row| row.rank.is_some());
        with_rank.filter_map(|row| Some((row, self.ranking.value(row.record.valid()?)?)))
    }

    /// A run's validation value of the ranking metric, if it has a rank.
    pub(super) fn valid(&self, row: &Row) -> Option<f64> {
        row.rank?;
        self.ranking.value(row.record.valid()?)
    }
}
