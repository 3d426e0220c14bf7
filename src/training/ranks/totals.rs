//! The metrics of an epoch over all ranks.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;
use crate::parallel::{Group, Moment};

/// The metrics of a rank's samples.
#[derive(Serialize, Deserialize)]
struct OfRank {
    samples: usize,
    metrics: Metrics,
}

/// The metrics of all samples, from those of this rank's: each is a mean over samples. Every rank has the same bits.
pub fn totals(group: &dyn Group, moment: Moment, samples: usize, metrics: Metrics) -> Metrics {
    if group.is_alone() {
        return metrics;
    }
    let mine = serde_json::to_vec(&OfRank { samples, metrics }).unwrap_or_default();
    let all = group.gather(moment, &mine).into_iter();
    let all: Vec<OfRank> = all
        .filter_map(|bytes| serde_json::from_slice(&bytes).ok())
        .collect();
    mean(&all)
}

/// The means over the samples of all ranks that have any.
fn mean(all: &[OfRank]) -> Metrics {
    let with_samples = all.iter().filter(|of_rank| of_rank.samples > 0);
    let mut sums: std::collections::BTreeMap<&str, (f64, usize)> = Default::default();
    for OfRank { samples, metrics } in with_samples {
        for (name, value) in metrics {
            let (sum, count) = sums.entry(name).or_default();
            *sum += value * *samples as f64;
            *count += samples;
        }
    }
    let means = sums.into_iter();
    means
        .map(|(name, (sum, count))| (name.to_string(), sum / count as f64))
        .collect()
}
