//! Any text, JSON or override is accepted or refused without a panic.

use proptest::prelude::*;
use serde_json::Value;

use crate::{MINIMAL, parse};

/// Any JSON, a few levels deep, with keys that configs know and keys that they don't.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("glyphs"), Just("mlp"), Just("share"), Just("x")].prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("kind"),
        Just("by"),
        Just("data"),
        Just("model"),
        Just("split"),
        Just("augment"),
        Just("training"),
        Just("hidden"),
        Just("epochs"),
        Just("strange"),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone().prop_map(String::from), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_taken_or_refused_without_a_panic(value in any_json()) {
        let text = value.to_string();
        if let Ok(experiment) = parse(&text, &[]) {
            // What is taken resolves to itself.
            let again = serde_json::to_string(&experiment).unwrap();
            prop_assert_eq!(parse(&again, &[]).unwrap(), experiment);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_without_a_panic(text in ".{0,200}") {
        let _ = parse(&text, &[]);
    }

    #[test]
    fn any_override_is_taken_or_refused_without_a_panic(text in ".{0,60}") {
        let _ = parse(MINIMAL, &[&text]);
    }

    #[test]
    fn a_valid_learning_rate_survives_the_round_trip(lr in 1e-9f64..100.0) {
        assert_survives(lr);
    }
}

fn assert_survives(lr: f64) {
    let assignment = format!("optimizer.lr={lr:e}");
    let file =
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "optimizer": {"kind": "sgd"}}"#;
    let experiment = parse(file, &[&assignment]).unwrap();
    assert_eq!(experiment.optimizer.lr(), lr);
}

#[test]
fn a_learning_rate_that_once_lost_its_last_bit_survives() {
    assert_survives(90.25540831356939);
}
