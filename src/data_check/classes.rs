//! Classes of which a split has few samples or none.

use super::findings::{ClassCount, CountProblem};
use super::samples::Sample;
use crate::data::Split;

/// A class is rare in a split if it has less than this fraction of the median class ...
const RARE_SHARE: f64 = 0.2;

/// ... or, in training, fewer samples than this: too few to learn from or to judge by.
const FEW: usize = 10;

/// The classes that are absent or rare in a split that has samples; absent ones first, then by their number.
pub fn find(classes: &[String], samples: &[Sample]) -> Vec<ClassCount> {
    let mut found = Vec::new();
    for split in Split::ALL {
        let mut counts = vec![0usize; classes.len()];
        for sample in samples.iter().filter(|sample| sample.split == split) {
            counts[sample.label] += 1;
        }
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        if sorted.last().is_none_or(|&most| most == 0) {
            continue;
        }
        let median = sorted[sorted.len() / 2];
        for (class, &count) in classes.iter().zip(&counts) {
            let is_rare = (count as f64) < RARE_SHARE * median as f64
                || (split == Split::Train && count < FEW);
            let problem = match count {
                0 => CountProblem::Absent,
                _ if is_rare => CountProblem::Rare,
                _ => continue,
            };
            found.push(ClassCount {
                class: class.clone(),
                split,
                problem,
                samples: count,
                median,
            });
        }
    }
    found.sort_by_key(|count| count.samples);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(split: Split, counts: &[usize]) -> Vec<Sample> {
        let of_class = |(label, &count): (usize, &usize)| {
            (0..count).map(move |index| Sample {
                name: format!("{}/{label}/{index}", split.name()),
                split,
                index,
                class: label.to_string(),
                label,
            })
        };
        counts.iter().enumerate().flat_map(of_class).collect()
    }

    #[test]
    fn classes_are_absent_where_a_split_has_none_of_them_and_rare_below_a_fifth_of_the_median() {
        let classes: Vec<String> = (0..4).map(|class| class.to_string()).collect();
        let mut all = samples(Split::Train, &[100, 100, 19, 20]);
        all.extend(samples(Split::Valid, &[10, 10, 0, 10]));
        let found = find(&classes, &all);
        let short: Vec<_> = found
            .iter()
            .map(|c| (c.class.as_str(), c.split, c.problem, c.samples, c.median))
            .collect();
        assert_eq!(
            short,
            [
                ("2", Split::Valid, CountProblem::Absent, 0, 10),
                ("2", Split::Train, CountProblem::Rare, 19, 100),
            ]
        );
    }
}
