//! Classes that a model takes for another.

use super::answers::Answers;
use super::confident::highest;
use crate::data_check::findings::{Confused, Taken};
use crate::data_check::samples::Sample;

/// A class is taken for another if so much of it is.
const WHOLLY: f64 = 0.8;

/// Two classes can't be told apart if at least this fraction of their samples is given to the wrong one of the two. Tossing a coin gives a half.
const COIN: f64 = 0.35;

/// The model must give at least this fraction of the two to one of them.
const WITHIN: f64 = 0.5;

/// Smallest class that can be judged.
const MIN_SAMPLES: usize = 8;

/// Samples that are shown of each class.
const EXAMPLES: usize = 12;

/// Confused classes, the largest fraction first.
pub fn find(samples: &[Sample], classes: &[String], answers: &Answers) -> Vec<Taken> {
    let count = classes.len();
    let mut matrix = vec![vec![0usize; count]; count];
    for (&place, row) in answers.places.iter().zip(&answers.rows) {
        if let Some(predicted) = highest(row, 0..count) {
            matrix[samples[place].label][predicted] += 1;
        }
    }
    let total = |class: usize| matrix[class].iter().sum::<usize>();
    let mut found = Vec::new();
    for class in 0..count {
        for other in (0..count).filter(|&other| other != class) {
            let (own, others) = (total(class), total(other));
            let taken = |confused, samples_of, wrong| Taken {
                class: classes[class].clone(),
                other: classes[other].clone(),
                confused,
                samples: samples_of,
                wrong,
                examples: [class, other].map(|label| examples(samples, answers, label)),
            };
            let wholly = matrix[class][other];
            if own >= MIN_SAMPLES && wholly as f64 >= WHOLLY * own as f64 {
                found.push(taken(Confused::OneWay, own, wholly));
                continue;
            }
            if class > other || own.min(others) < MIN_SAMPLES {
                continue;
            }
            let wrong = wholly + matrix[other][class];
            let within = wrong + matrix[class][class] + matrix[other][other];
            let is_coin = wrong as f64 >= COIN * within as f64
                && within as f64 >= WITHIN * (own + others) as f64;
            if is_coin {
                found.push(taken(Confused::BothWays, within, wrong));
            }
        }
    }
    let share = |taken: &Taken| taken.wrong as f64 / taken.samples.max(1) as f64;
    // Both ways, a half is as bad as it gets.
    let weight = |taken: &Taken| match taken.confused {
        Confused::OneWay => share(taken),
        Confused::BothWays => (2.0 * share(taken)).min(1.0),
    };
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    found
}

fn examples(samples: &[Sample], answers: &Answers, label: usize) -> Vec<Sample> {
    let members = answers.places.iter().map(|&place| &samples[place]);
    let members = members.filter(|sample| sample.label == label);
    members.take(EXAMPLES).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;

    /// Samples of three classes with the answers of a model, which is sure.
    fn answered(labels: &[usize], predictions: &[usize]) -> (Vec<Sample>, Answers) {
        let sample = |(index, &label): (usize, &usize)| Sample {
            name: format!("test/{index}"),
            split: Split::Test,
            index,
            class: ["R", "U", "V"][label].into(),
            label,
        };
        let row = |&predicted: &usize| {
            (0..3)
                .map(|c| f32::from(u8::from(c == predicted)))
                .collect()
        };
        let answers = Answers {
            model: "test".into(),
            places: (0..labels.len()).collect(),
            rows: predictions.iter().map(row).collect(),
            note: None,
        };
        (labels.iter().enumerate().map(sample).collect(), answers)
    }

    #[test]
    fn a_class_that_is_all_another_is_named_and_so_are_two_that_are_a_coin_toss() {
        let classes = ["R", "U", "V"].map(String::from);
        let labels = [[0; 10], [1; 10], [2; 10]].concat();
        let (samples, answers) = answered(&labels, &[[1; 10], [1; 10], [2; 10]].concat());
        let found = find(&samples, &classes, &answers);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].class.as_str(), found[0].other.as_str()),
            ("R", "U")
        );
        assert_eq!((found[0].confused, found[0].wrong), (Confused::OneWay, 10));

        let coin: Vec<usize> = (0..20).map(|index| index % 2).chain([2; 10]).collect();
        let (samples, answers) = answered(&labels, &coin);
        let found = find(&samples, &classes, &answers);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].confused, found[0].samples, found[0].wrong),
            (Confused::BothWays, 20, 10)
        );

        let (samples, answers) = answered(&labels, &labels);
        assert!(find(&samples, &classes, &answers).is_empty());
    }
}
