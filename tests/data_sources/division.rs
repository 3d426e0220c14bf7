//! Dividing a set without splits of its own.

use kiln::data::image_folder::ImageFolder;
use kiln::data::split_rule;
use kiln::data::{Fit, NumberConfig, ShareConfig, Split, SplitRule};

use crate::support::{folder_config, per_class, save_grey, shares};

#[test]
fn a_share_is_decided_by_the_name_alone() {
    // Positions by an independent program: B7 0.0781, y 0.1847, A0 0.4044, rose/image_0001 0.8141.
    let rule = shares(0.1, 0.1);
    assert_eq!(split_rule::assign(&rule, "B7"), Split::Valid);
    assert_eq!(split_rule::assign(&rule, "y"), Split::Test);
    assert_eq!(split_rule::assign(&rule, "A0"), Split::Train);
    assert_eq!(split_rule::assign(&rule, "rose/image_0001"), Split::Train);
    assert_eq!(split_rule::assign(&shares(0.4, 0.0), "A0"), Split::Train);
    assert_eq!(split_rule::assign(&shares(0.41, 0.0), "A0"), Split::Valid);
    assert_eq!(split_rule::assign(&shares(0.0, 1.0), "A0"), Split::Test);
}

#[test]
fn a_number_is_the_last_one_in_the_name() {
    let rule = |divisor| {
        SplitRule::Number(NumberConfig {
            divisor,
            valid: Some(1),
            test: 0,
        })
    };
    assert_eq!(split_rule::assign(&rule(5), "image_0420"), Split::Test);
    assert_eq!(
        split_rule::assign(&rule(5), "2024-page7_421.b"),
        Split::Valid
    );
    assert_eq!(split_rule::assign(&rule(5), "422"), Split::Train);
    // 10^29 + 1, more than any integer type holds.
    assert_eq!(
        split_rule::assign(&rule(10), &format!("x1{}1", "0".repeat(28))),
        Split::Valid
    );
    // Letters of several bytes before and after the number.
    assert_eq!(split_rule::assign(&rule(7), "é8ü"), Split::Valid);
    // No number: the same answer every time, and no panic for any divisor.
    assert_eq!(
        split_rule::assign(&rule(3), "rose"),
        split_rule::assign(&rule(3), "rose")
    );
    split_rule::assign(&rule(0), "5");
}

/// Samples of an unbalanced set: 40 of class 0, 10 of class 1, 3 of class 2.
fn unbalanced() -> Vec<(String, usize)> {
    let counts = [40, 10, 3].into_iter().enumerate();
    counts
        .flat_map(|(label, count)| (0..count).map(move |n| (format!("{label}/{n}"), label)))
        .collect()
}

fn stratified(valid: f64, test: f64) -> SplitRule {
    SplitRule::Share(ShareConfig {
        valid,
        test,
        stratify: true,
    })
}

#[test]
fn stratified_shares_hold_in_every_class() {
    let samples = unbalanced();
    let splits = split_rule::divide(&stratified(0.2, 0.1), &samples);
    let count = |label: usize, split: Split| {
        let pairs = samples.iter().zip(&splits);
        pairs
            .filter(|((_, l), s)| *l == label && **s == split)
            .count()
    };
    let counts = [0, 1, 2].map(|label| Split::ALL.map(|split| count(label, split)));
    assert_eq!(counts, [[28, 8, 4], [7, 2, 1], [2, 1, 0]]);
}

#[test]
fn a_stratified_division_depends_on_the_names_and_not_on_their_order() {
    let mut samples = unbalanced();
    let rule = stratified(0.2, 0.2);
    let named = |samples: &[(String, usize)]| {
        let splits = split_rule::divide(&rule, samples);
        let names = samples.iter().map(|(name, _)| name.clone());
        let mut named: Vec<_> = names.zip(splits.iter().map(|split| split.name())).collect();
        named.sort();
        named
    };
    let before = named(&samples);
    samples.reverse();
    assert_eq!(named(&samples), before);
}

#[test]
fn a_rule_that_does_not_stratify_keeps_the_split_of_every_name() {
    let samples = unbalanced();
    let rule = shares(0.2, 0.1);
    let splits = split_rule::divide(&rule, &samples);
    for ((name, _), split) in samples.iter().zip(splits) {
        assert_eq!(split, split_rule::assign(&rule, name), "{name}");
    }
    let json = serde_json::to_string(&rule).unwrap();
    assert_eq!(json, r#"{"by":"share","valid":0.2,"test":0.1}"#);
}

#[test]
fn a_small_unbalanced_folder_is_divided_class_by_class() {
    let root = tempfile::tempdir().unwrap();
    for (class, count) in [("cat", 20), ("dog", 5)] {
        for number in 0..count {
            save_grey(
                root.path().join(format!("{class}/{number}.png")),
                4,
                4,
                |_, _| 0,
            );
        }
    }
    let mut config = folder_config((4, 4), 1, Fit::Pad);
    config.split = stratified(0.2, 0.2);
    let source = ImageFolder::open(&config, root.path()).unwrap();
    let per_split = Split::ALL.map(|split| per_class(&source, split));
    assert_eq!(per_split, [[12, 3], [4, 1], [4, 1]]);
}
