//! A metric logger that keeps the final value of every metric and epoch in memory; nothing else is used.

use std::collections::HashMap;

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricId, MetricName, NumericEntry};

/// Final values in memory, by metric, epoch and split.
#[derive(Default)]
pub struct FinalValues {
    names: HashMap<MetricId, MetricName>,
    values: HashMap<(String, usize, Split), f64>,
}

impl MetricLogger for FinalValues {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for numeric in update.entries_numeric {
            if let Some(NumericEntry::Final(value)) = numeric.numeric_entry
                && let Some(name) = self.names.get(&numeric.entry.metric_id)
            {
                let key = (name.to_string(), epoch, split.clone());
                self.values.insert(key, value);
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let key = (name.to_string(), epoch, split.clone());
        Ok(self
            .values
            .get(&key)
            .map(|&value| NumericEntry::Final(value))
            .into_iter()
            .collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
