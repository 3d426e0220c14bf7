//! What a user may rely on about metrics: those of classifiers, and the error rates of read text.

use burn::prelude::*;
use kiln::metrics::classification::{Confusion, ConfusionError, rank_of};
use kiln::metrics::text::{
    CharacterConfusion, EditScore, character_accuracy, levenshtein, score, total, word_error_rate,
};
use kiln::metrics::{self, BatchOutput, Metric, Outputs};
use kiln::shape::ImageShape;
use proptest::prelude::*;

const CLOSE: f64 = 1e-12;

fn names(count: usize) -> Vec<String> {
    ('A'..='Z').take(count).map(String::from).collect()
}

fn matrix(rows: [[u64; 4]; 4]) -> Confusion {
    let mut confusion = Confusion::new(names(4));
    for (truth, row) in rows.iter().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            for _ in 0..count {
                confusion
                    .add(truth, predicted)
                    .expect("labels are in range");
            }
        }
    }
    confusion
}

fn lines(text: &[&str]) -> Vec<String> {
    text.iter().map(|line| line.to_string()).collect()
}

/// (precision, recall, f1, support) of each class, macro F1, accuracy.
type Expected = ([(f64, f64, f64, u64); 4], f64, f64);

/// From scikit-learn 1.9.1: `precision_recall_fscore_support(labels=range(4), zero_division=0)`,
/// `f1_score(average="macro", zero_division=0)` and `accuracy_score`.
fn scikit_learn() -> Vec<([[u64; 4]; 4], Expected)> {
    vec![
        // Class C is neither true nor predicted.
        (
            [[7, 1, 0, 2], [3, 4, 0, 0], [0, 0, 0, 0], [1, 0, 0, 9]],
            (
                [
                    (0.6363636363636364, 0.7, 0.6666666666666666, 10),
                    (0.8, 0.5714285714285714, 0.6666666666666666, 7),
                    (0.0, 0.0, 0.0, 0),
                    (0.8181818181818182, 0.9, 0.8571428571428571, 10),
                ],
                0.7301587301587301,
                0.7407407407407407,
            ),
        ),
        (
            [[7, 1, 0, 2], [3, 4, 1, 0], [2, 0, 0, 1], [1, 0, 0, 9]],
            (
                [
                    (0.5384615384615384, 0.7, 0.6086956521739131, 10),
                    (0.8, 0.5, 0.6153846153846154, 8),
                    (0.0, 0.0, 0.0, 3),
                    (0.75, 0.9, 0.8181818181818182, 10),
                ],
                0.5105655214350867,
                0.6451612903225806,
            ),
        ),
        // Class D is never predicted.
        (
            [[5, 0, 1, 0], [2, 3, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0]],
            (
                [
                    (
                        0.7142857142857143,
                        0.8333333333333334,
                        0.7692307692307693,
                        6,
                    ),
                    (0.75, 0.6, 0.6666666666666666, 5),
                    (0.0, 0.0, 0.0, 1),
                    (0.0, 0.0, 0.0, 2),
                ],
                0.358974358974359,
                0.5714285714285714,
            ),
        ),
    ]
}

#[test]
fn precision_recall_and_f1_are_those_of_scikit_learn() {
    for (rows, (classes, macro_f1, accuracy)) in scikit_learn() {
        let confusion = matrix(rows);
        for (report, (precision, recall, f1, support)) in confusion.per_class().iter().zip(classes)
        {
            assert!(
                (report.precision - precision).abs() < CLOSE,
                "{rows:?} {report:?}"
            );
            assert!(
                (report.recall - recall).abs() < CLOSE,
                "{rows:?} {report:?}"
            );
            assert!((report.f1 - f1).abs() < CLOSE, "{rows:?} {report:?}");
            assert_eq!(report.support, support, "{rows:?} {report:?}");
        }
        assert!((confusion.macro_f1() - macro_f1).abs() < CLOSE, "{rows:?}");
        assert!((confusion.accuracy() - accuracy).abs() < CLOSE, "{rows:?}");
    }
}

#[test]
fn rates_of_an_empty_matrix_are_zero() {
    for confusion in [Confusion::new(names(3)), Confusion::new(Vec::new())] {
        assert_eq!(confusion.accuracy(), 0.0);
        assert_eq!(confusion.macro_f1(), 0.0);
        assert!(confusion.most_confused(5).is_empty());
        assert!(confusion.per_class().iter().all(|class| class.f1 == 0.0));
    }
}

#[test]
fn a_label_without_a_class_is_refused_and_counts_nothing() {
    let mut confusion = Confusion::new(names(2));
    for (truth, predicted) in [(2, 0), (0, 2)] {
        let error = confusion.add(truth, predicted).expect_err("out of range");
        assert_eq!(
            error.to_string(),
            "label 2 is out of range: there are 2 classes, counted from 0"
        );
    }
    assert_eq!(confusion.total(), 0);
}

#[test]
fn the_most_frequent_mistakes_come_first_and_ties_keep_the_order_of_the_classes() {
    let confusion = matrix([[7, 1, 0, 2], [3, 4, 1, 0], [2, 0, 0, 1], [1, 0, 0, 9]]);
    let pairs: Vec<(String, String, u64, f64)> = confusion
        .most_confused(4)
        .into_iter()
        .map(|pair| (pair.truth, pair.predicted, pair.count, pair.share))
        .collect();
    let expected = [
        ("B", "A", 3, 0.375),
        ("A", "D", 2, 0.2),
        ("C", "A", 2, 2.0 / 3.0),
        ("A", "B", 1, 0.1),
    ]
    .map(|(truth, predicted, count, share)| (truth.into(), predicted.into(), count, share));
    assert_eq!(pairs, expected);
    assert_eq!(
        confusion.most_confused(100).len(),
        7,
        "the diagonal and zeros are no mistakes"
    );
}

#[test]
fn a_confusion_matrix_survives_json_and_a_broken_one_is_refused() {
    let confusion = matrix([[7, 1, 0, 2], [3, 4, 1, 0], [2, 0, 0, 1], [1, 0, 0, 9]]);
    let json = serde_json::to_string(&confusion).expect("plain data");
    let back: Confusion = serde_json::from_str(&json).expect("what was written");
    assert_eq!(back, confusion);

    let ragged = r#"{"classes":["A","B"],"counts":[[1,2],[3]]}"#;
    let error = serde_json::from_str::<Confusion>(ragged).expect_err("a row is short");
    assert!(
        error.to_string().contains("needs 2 rows of 2 counts"),
        "{error}"
    );
    let huge = vec![vec![u64::MAX, 1], vec![0, 0]];
    assert_eq!(
        Confusion::from_counts(names(2), huge),
        Err(ConfusionError::TooLarge)
    );
}

#[test]
fn top_k_accuracy_is_that_of_scikit_learn() {
    // `top_k_accuracy_score` of scikit-learn 1.9.1: 0.25, 0.75, 0.75 for k = 1, 2, 3.
    let scores = [
        [0.5, 0.2, 0.2, 0.1],
        [0.1, 0.3, 0.4, 0.2],
        [0.25, 0.1, 0.05, 0.6],
        [0.1, 0.2, 0.3, 0.4],
    ];
    let ranks: Vec<usize> = scores
        .iter()
        .zip([0, 1, 2, 2])
        .filter_map(|(row, label)| rank_of(row, label))
        .collect();
    assert_eq!(ranks, [0, 1, 3, 1]);
    let share = |k: usize| ranks.iter().filter(|&&rank| rank < k).count() as f64 / 4.0;
    assert_eq!([1, 2, 3, 4].map(share), [0.25, 0.75, 0.75, 1.0]);
}

/// A batch of logits and labels, as a step leaves it.
fn batch(logits: &[[f32; 7]], labels: &[i64]) -> BatchOutput {
    let device = Device::flex();
    let output = Tensor::<1>::from_floats(logits.as_flattened(), &device);
    BatchOutput {
        loss: Tensor::from_floats([0.0], &device),
        output: output.reshape([logits.len(), 7]),
        targets: Tensor::from_ints(labels, &device),
        originals: None,
    }
}

#[test]
fn a_metric_of_an_epoch_is_the_mean_over_its_samples() {
    let logits = [
        [0.5, 0.2, 0.3, 0.1, 0.6, 0.7, 0.8],
        [0.1, 0.9, 0.3, 0.4, 0.2, 0.6, 0.5],
        [3.0, 1.0, 2.0, 0.0, -1.0, -2.0, -3.0],
    ];
    let batch = batch(&logits, &[3, 1, 5]);
    for (name, expected) in [("accuracy", 1.0 / 3.0), ("top5_accuracy", 1.0 / 3.0)] {
        let metric = metrics::find(name).unwrap();
        let read_back = Metric {
            on_device: None,
            ..*metric
        };
        for metric in [metric, &read_back] {
            let mean = metric.mean_of_batch(&batch, Outputs::Classes(7)).unwrap();
            assert_eq!(mean, expected, "{name}");
        }
    }
}

#[test]
fn each_kind_of_output_has_its_metrics() {
    let names = |outputs| -> Vec<&str> { metrics::of(outputs).map(|metric| metric.name).collect() };
    let classifier = [
        "loss",
        "accuracy",
        "top5_accuracy",
        "macro_f1",
        "ece",
        "ece_uncalibrated",
    ];
    assert_eq!(names(Outputs::Classes(6)), classifier);
    assert!(!names(Outputs::Classes(5)).contains(&"top5_accuracy"));
    let images = |side| Outputs::Images(ImageShape::new(1, side, side));
    assert_eq!(names(images(11)), ["loss", "psnr", "ssim"]);
    assert_eq!(names(images(10)), ["loss", "psnr"]);
    assert_eq!(metrics::ranking(Outputs::Classes(2)).name, "accuracy");
    assert_eq!(metrics::ranking(images(10)).name, "psnr");
}

#[test]
fn titles_keep_their_abbreviations_within_a_sentence() {
    let named = |name| metrics::find(name).unwrap().name_in_text();
    let names = ["loss", "top5_accuracy", "macro_f1", "ece", "psnr"].map(named);
    assert_eq!(names, ["loss", "top-5 accuracy", "macro F1", "ECE", "PSNR"]);
}

#[test]
fn a_model_that_gives_equal_scores_or_nan_does_not_gain_by_it() {
    assert_eq!(rank_of(&[0.5, 0.5, 0.5], 0), Some(0));
    assert_eq!(rank_of(&[0.5, 0.5, 0.5], 2), Some(2));
    assert_eq!(rank_of(&[f32::NAN, 0.1, 0.2], 0), Some(2));
    assert_eq!(rank_of(&[f32::NAN, 0.1, 0.2], 2), Some(0));
    assert_eq!(rank_of(&[f32::NAN; 3], 1), Some(1));
    assert_eq!(rank_of(&[0.1, 0.2], 2), None);
}

#[test]
fn the_edit_distance_counts_characters_not_bytes() {
    for (a, b, distance) in [
        ("", "", 0),
        ("", "KILN", 4),
        ("kitten", "sitting", 3),
        ("intention", "execution", 5),
        ("FLAW", "LAWN", 2),
        ("ÄÖÜ", "AOU", 3),
        ("東京", "東大", 1),
    ] {
        assert_eq!(levenshtein(a, b), distance, "{a} {b}");
    }
}

#[test]
fn character_accuracy_is_one_minus_the_distance_over_the_length_of_the_truth() {
    assert_eq!(
        character_accuracy("DEEP LEARN1NG", "DEEP LEARNING"),
        1.0 - 1.0 / 13.0
    );
    assert_eq!(character_accuracy("", "ABC"), 0.0);
    assert_eq!(
        character_accuracy("XXXXXX", "AB"),
        -2.0,
        "it can be negative"
    );
    assert_eq!(character_accuracy("", ""), 1.0);
    assert_eq!(character_accuracy("A", ""), 0.0);
}

#[test]
fn a_page_is_scored_with_and_without_its_spaces() {
    // The second line lost its space, O was read as 0 twice, and an X was added.
    let read = lines(&["T0 D0", "1 MAKEA LIST", "X"]);
    let truth = lines(&["TO DO", "1 MAKE A LIST"]);
    let found = score(&read, &truth);
    // "T0 D0 1 MAKEA LIST X" against "TO DO 1 MAKE A LIST": 2 replaced, 1 space missed, 1 space and X added.
    assert_eq!(found.characters, EditScore::new(5, 19));
    // "T0D01MAKEALISTX" against "TODO1MAKEALIST".
    assert_eq!(found.characters_without_spaces, EditScore::new(3, 14));
    // Six words each; only the 1 is the same, and no alignment saves anything.
    assert_eq!(found.words, EditScore::new(5, 6));
    assert!((found.word_error_rate - 5.0 / 6.0).abs() < CLOSE);
    let confusion = |truth, read, count| CharacterConfusion { truth, read, count };
    assert_eq!(
        found.confusions,
        [
            confusion(Some('O'), Some('0'), 2),
            confusion(None, Some(' '), 1),
            confusion(None, Some('X'), 1),
            confusion(Some(' '), None, 1),
        ]
    );
}

#[test]
fn a_line_break_costs_what_a_space_costs() {
    let broken = lines(&["AUTOMATED", "TELLER"]);
    assert_eq!(
        score(&broken, &lines(&["AUTOMATED TELLER"]))
            .characters
            .distance,
        0
    );
    assert_eq!(
        score(&broken, &lines(&["AUTOMATEDTELLER"]))
            .characters
            .distance,
        1
    );
}

#[test]
fn a_missed_line_does_not_shift_the_following_lines() {
    let truth = lines(&["ONE", "TWO", "THREE"]);
    let found = score(&lines(&["ONE", "THREE"]), &truth);
    assert_eq!(found.characters, EditScore::new(4, 13));
    assert_eq!(found.words, EditScore::new(1, 3));
}

#[test]
fn a_total_weighs_texts_by_their_length() {
    let good = score(&lines(&["ABCDEFGH"]), &lines(&["ABCDEFGH"]));
    let bad = score(&lines(&["XX"]), &lines(&["AA"]));
    let both = total(&[good, bad]);
    assert_eq!(both.characters, EditScore::new(2, 10));
    assert_eq!(both.characters.accuracy, 0.8);
    assert_eq!(both.words, EditScore::new(1, 2));
    let expected = CharacterConfusion {
        truth: Some('A'),
        read: Some('X'),
        count: 2,
    };
    assert_eq!(both.confusions, [expected]);
    assert_eq!(total(&[]).characters, EditScore::new(0, 0));
}

#[test]
fn an_empty_reading_misses_everything_and_an_empty_truth_does_not_divide_by_zero() {
    let text = lines(&["A B"]);
    let missed = score(&[], &text);
    assert_eq!(missed.characters.accuracy, 0.0);
    assert_eq!(missed.word_error_rate, 1.0);
    let invented = score(&text, &[]);
    assert_eq!(invented.characters.accuracy, 0.0);
    assert_eq!(invented.word_error_rate, 1.0);
    assert_eq!(word_error_rate("", ""), 0.0);
    assert_eq!(word_error_rate("A B C", "A C"), 0.5);
}

/// The recursive definition: only for short texts.
fn slow_distance(a: &[char], b: &[char]) -> usize {
    match (a, b) {
        ([], rest) | (rest, []) => rest.len(),
        ([x, a_rest @ ..], [y, b_rest @ ..]) if x == y => slow_distance(a_rest, b_rest),
        ([_, a_rest @ ..], [_, b_rest @ ..]) => {
            let replaced = slow_distance(a_rest, b_rest);
            let deleted = slow_distance(a_rest, b);
            let inserted = slow_distance(a, b_rest);
            1 + replaced.min(deleted).min(inserted)
        }
    }
}

proptest! {
    #[test]
    fn the_edit_distance_is_a_metric(a in "[ABCÄ ]{0,12}", b in "[ABCÄ ]{0,12}", c in "[ABCÄ ]{0,12}") {
        let (lengths, ab) = ((a.chars().count(), b.chars().count()), levenshtein(&a, &b));
        prop_assert_eq!(ab, levenshtein(&b, &a));
        prop_assert_eq!(ab == 0, a == b);
        prop_assert!(ab <= lengths.0.max(lengths.1));
        prop_assert!(ab >= lengths.0.abs_diff(lengths.1));
        prop_assert!(levenshtein(&a, &c) <= ab + levenshtein(&b, &c));
    }

    #[test]
    fn the_edit_distance_follows_its_definition(a in "[AB1 ]{0,6}", b in "[AB1 ]{0,6}") {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        prop_assert_eq!(levenshtein(&a, &b), slow_distance(&letters(&a), &letters(&b)));
    }

    #[test]
    fn the_listed_mistakes_are_as_many_as_the_distance(
        read in prop::collection::vec("[AB01 ]{0,8}", 0..4),
        truth in prop::collection::vec("[AB01 ]{0,8}", 0..4),
    ) {
        let found = score(&read, &truth);
        let listed: usize = found.confusions.iter().map(|confusion| confusion.count).sum();
        prop_assert_eq!(listed, found.characters.distance);
        prop_assert_eq!(listed, levenshtein(&read.join(" "), &truth.join(" ")));
        prop_assert!(found.confusions.iter().all(|confusion| confusion.truth != confusion.read));
    }

    #[test]
    fn the_label_with_the_best_score_has_rank_zero_and_ranks_are_distinct(
        scores in prop::collection::vec(-1.0f32..1.0, 1..20),
    ) {
        let mut ranks: Vec<usize> = (0..scores.len()).filter_map(|label| rank_of(&scores, label)).collect();
        ranks.sort_unstable();
        prop_assert_eq!(ranks, (0..scores.len()).collect::<Vec<usize>>());
    }
}
