//! Random lists of layers: a few hundred, or as many as `KILN_SHAPES` says.

#[path = "../common/random_cases.rs"]
mod random_cases;

use std::cell::Cell;

use kiln::inference::plan::ComputePrecision;
use kiln::shape::ImageShape;
use proptest::prelude::*;
use proptest::sample::select;
use random_cases::{channels, for_each};
use serde_json::{Value, json};

use super::cases::{self, Case};
use super::{expected, images, plan, plan_in, run, run_on};

/// Functions of each value.
fn function() -> impl Strategy<Value = Value> {
    select(cases::FUNCTIONS.to_vec()).prop_map(Value::from)
}

fn convolution() -> impl Strategy<Value = Value> {
    (channels(), 1..6usize, 1..4usize).prop_flat_map(|(channels, kernel, stride)| {
        (0..kernel).prop_map(move |padding| {
            json!({"kind": "conv", "channels": channels, "kernel": kernel, "stride": stride, "padding": padding})
        })
    })
}

/// One that keeps the size.
fn same(channels: impl Strategy<Value = usize>) -> impl Strategy<Value = Value> {
    (channels, select(vec![1, 3, 5])).prop_map(|(channels, kernel)| {
        json!({"kind": "conv", "channels": channels, "kernel": kernel, "padding": kernel / 2})
    })
}

fn depthwise() -> impl Strategy<Value = Value> {
    (1..6usize, 1..4usize).prop_map(|(kernel, stride)| {
        json!({"kind": "depthwise_conv", "kernel": kernel, "stride": stride, "padding": kernel / 2})
    })
}

fn pool() -> impl Strategy<Value = Value> {
    let kinds = select(vec!["max_pool", "avg_pool"]);
    let moves = (1..5usize, 1..4usize, any::<bool>());
    (kinds, moves).prop_flat_map(|(kind, (kernel, stride, ceil_mode))| {
        (0..=kernel / 2).prop_map(move |padding| {
            json!({"kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode})
        })
    })
}

/// A convolution with norm, function and the usual pool, each of them or not.
fn block() -> impl Strategy<Value = Vec<Value>> {
    let with = (
        any::<bool>(),
        prop_oneof![2 => Just(None), 3 => function().prop_map(Some)],
    );
    let halving = any::<bool>();
    (convolution(), with, halving).prop_map(|(conv, (has_norm, function), is_halved)| {
        let norm = has_norm.then(|| json!("batch_norm"));
        let pool = is_halved.then(|| json!({"kind": "max_pool", "kernel": 2}));
        [Some(conv), norm, function, pool]
            .into_iter()
            .flatten()
            .collect()
    })
}

/// Convolutions of which the last has as many channels as what they are added to.
fn residual() -> impl Strategy<Value = Vec<Value>> {
    (channels(), same(channels()), function(), any::<bool>()).prop_map(
        |(channels, first, function, has_norm)| {
            let enter = json!({"kind": "conv", "channels": channels, "kernel": 1});
            let last = json!({"kind": "conv", "channels": channels, "kernel": 3, "padding": 1});
            let mut body = vec![first, json!("batch_norm"), json!("relu"), last];
            body.extend(has_norm.then(|| json!("batch_norm")));
            vec![enter, json!({"kind": "residual", "body": body}), function]
        },
    )
}

fn branches() -> impl Strategy<Value = Vec<Value>> {
    let branch = prop_oneof![
        1 => Just(Vec::new()),
        4 => (same(channels()), function()).prop_map(|(conv, function)| vec![conv, function]),
        1 => Just(vec![json!({"kind": "depthwise_conv", "kernel": 3, "padding": 1})]),
    ];
    let branches = proptest::collection::vec(branch, 1..4);
    branches.prop_map(|branches| vec![json!({"kind": "branches", "branches": branches})])
}

/// Layers that follow each other.
fn part() -> impl Strategy<Value = Vec<Value>> {
    let other = prop_oneof![
        2 => pool(),
        1 => (1..6usize, 1..6usize)
            .prop_map(|(rows, columns)| json!({"kind": "adaptive_avg_pool", "size": [rows, columns]})),
        1 => (1..9usize).prop_map(|channels| json!({"kind": "squeeze_excite", "channels": channels})),
        1 => (0..3usize, 0..3usize)
            .prop_map(|(top, right)| json!({"kind": "zero_pad", "top": top, "right": right})),
        1 => Just(json!("batch_norm")),
        1 => Just(json!({"kind": "scale", "initial": 0.5})),
        1 => function(),
    ];
    prop_oneof![
        6 => block(),
        2 => depthwise().prop_map(|conv| vec![conv, json!("batch_norm"), json!("relu6")]),
        2 => residual(),
        2 => branches(),
        3 => other.prop_map(|layer| vec![layer]),
    ]
}

/// A list for images of a shape. Not every one fits.
fn lists() -> impl Strategy<Value = (ImageShape, Vec<Value>)> {
    let shape = (select(vec![1, 3]), 1..24usize, 1..24usize);
    let shape =
        shape.prop_map(|(channels, rows, columns)| ImageShape::new(channels, rows, columns));
    let end = prop_oneof![
        2 => Just(vec![json!("flatten")]),
        1 => Just(vec![json!("global_avg_pool")]),
        1 => Just(vec![json!("global_max_pool")]),
        1 => (1..80usize, function()).prop_map(|(features, function)| {
            vec![json!("flatten"), json!({"kind": "linear", "features": features}), function]
        }),
    ];
    let parts = proptest::collection::vec(part(), 1..4);
    (shape, parts, end).prop_map(|(shape, parts, end)| {
        let layers = parts.into_iter().flatten().chain(end);
        (shape, layers.chain([json!("linear")]).collect())
    })
}

/// Fails unless values are near those expected, where rounding of 24 bits went through all layers.
fn check(case: &Case, found: &[f32], expected: &[f32]) -> Result<(), TestCaseError> {
    const CLOSE: f32 = 1e-4;
    prop_assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-2f32, |most, v| most.max(v.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let apart = (found - expected).abs() / largest;
        prop_assert!(apart <= CLOSE, "{}: {found}, not {expected}", case.name);
    }
    Ok(())
}

#[test]
fn random_lists_of_layers_are_computed_as_by_burn_and_with_the_same_bits_on_any_number_of_threads()
{
    let (with_plan, without) = (Cell::new(0), Cell::new(0));
    for_each(200, (lists(), 1..6usize), |((shape, layers), count)| {
        let name = format!("{shape:?}: {}", Value::from(layers.clone()));
        let Ok(case) = cases::try_list(&name, layers.into(), shape) else {
            return Err(TestCaseError::reject("does not fit"));
        };
        let Some(whole) = plan(&case) else {
            without.set(without.get() + 1);
            return Ok(());
        };
        with_plan.set(with_plan.get() + 1);
        let pixels = images(&case, count);
        let found = run_on(1, &case, &whole, &pixels);
        check(&case, &found, &expected(&case, &pixels))?;
        let rounded = plan_in(&case, ComputePrecision::Bf16).expect("as in 32 bits");
        let found_rounded = run_on(1, &case, &rounded, &pixels);
        for threads in [2, 3, 7] {
            prop_assert_eq!(&run_on(threads, &case, &whole, &pixels), &found);
            prop_assert_eq!(&run_on(threads, &case, &rounded, &pixels), &found_rounded);
        }
        // The last image alone.
        let outputs = found.len() / count;
        let last = &pixels[(count - 1) * shape.values()..];
        prop_assert_eq!(&run(&case, &whole, last), &found[(count - 1) * outputs..]);
        prop_assert_eq!(
            &run(&case, &rounded, last),
            &found_rounded[(count - 1) * outputs..]
        );
        Ok(())
    });
    // All but convolutions that plans do not know.
    assert!(
        with_plan.get() > 9 * without.get(),
        "{with_plan:?} with a plan, {without:?} without"
    );
}
