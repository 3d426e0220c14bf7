//! Confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70).

use std::collections::HashSet;

/// A sample whose label is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Issue {
    /// Its index.
    pub sample: usize,
    /// The class that it probably has.
    pub suggested: usize,
    /// Probability of its label less that of the suggested class, -1 to 0: the normalized margin.
    pub margin: f32,
}

/// The samples off the diagonal of the confident joint, by their margins, the most suspicious first.
///
/// The threshold of a class is the mean probability of the class among the samples labelled so (equation 2). A sample counts as one
/// of the most probable class whose threshold it reaches (equation 1). Samples whose label is the most probable class are no issues,
/// as in the authors' cleanlab.
///
/// `probabilities` has a row for each sample, of a model that has not learned from it; `labels` are indices into the rows.
pub fn confident_issues(probabilities: &[Vec<f32>], labels: &[usize]) -> Vec<Issue> {
    let classes = probabilities.first().map_or(0, Vec::len);
    let thresholds = thresholds(probabilities, labels, classes);
    ranked(probabilities, labels, |_, row, label| {
        let confident = (0..classes)
            .filter(|&class| thresholds[class].is_some_and(|threshold| row[class] >= threshold));
        let suggested = highest(row, confident)?;
        (suggested != label && highest(row, 0..classes) != Some(label)).then_some(suggested)
    })
}

/// The other samples whose label is not the most probable class, by their margins.
pub fn doubts(probabilities: &[Vec<f32>], labels: &[usize], issues: &[Issue]) -> Vec<Issue> {
    let known: HashSet<usize> = issues.iter().map(|issue| issue.sample).collect();
    ranked(probabilities, labels, |sample, row, label| {
        let suggested = highest(row, 0..row.len())?;
        (suggested != label && !known.contains(&sample)).then_some(suggested)
    })
}

/// The samples for which another class is suggested (from their index, row and label), by their margins.
fn ranked(
    probabilities: &[Vec<f32>],
    labels: &[usize],
    suggest: impl Fn(usize, &[f32], usize) -> Option<usize>,
) -> Vec<Issue> {
    let rows = probabilities.iter().zip(labels).enumerate();
    let mut issues: Vec<Issue> = rows
        .filter_map(|(sample, (row, &label))| {
            let suggested = suggest(sample, row, label)?;
            Some(Issue {
                sample,
                suggested,
                margin: row[label] - row[suggested],
            })
        })
        .collect();
    issues.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.sample.cmp(&b.sample)));
    issues
}

/// The threshold of each class that has samples.
fn thresholds(probabilities: &[Vec<f32>], labels: &[usize], classes: usize) -> Vec<Option<f32>> {
    let mut sums = vec![(0.0f64, 0usize); classes];
    for (row, &label) in probabilities.iter().zip(labels) {
        sums[label].0 += f64::from(row[label]);
        sums[label].1 += 1;
    }
    let mean = |(sum, count): (f64, usize)| (count > 0).then(|| (sum / count as f64) as f32);
    sums.into_iter().map(mean).collect()
}

/// The first of the classes with the highest probability.
pub fn highest(row: &[f32], classes: impl Iterator<Item = usize>) -> Option<usize> {
    classes.fold(None, |best, class| match best {
        Some(best) if row[class] <= row[best] => Some(best),
        _ => Some(class),
    })
}
