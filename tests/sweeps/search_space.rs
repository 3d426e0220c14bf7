//! Axes, ranges and the combinations that are sampled from them.

use kiln::sweeps::search_space::{self, Axis, MAX_RUNS, Sampling};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{bench, parsed};

#[test]
fn the_same_seed_samples_the_same_combinations() {
    let axes = parsed(&[
        "optimizer.lr=1e-4..1e-1",
        "training.batch_size=16..64",
        "seed=1,2",
    ]);
    let of = |seed| search_space::sample(&axes, Sampling { count: 40, seed }).expect("drawn");
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
    let drawn = of(7);
    for (index, combination) in drawn.iter().enumerate() {
        assert!(
            !drawn[..index].contains(combination),
            "drawn twice: {combination:?}"
        );
        let lr = combination[0].as_f64().expect("a number");
        let batch = combination[1].as_i64().expect("a whole number");
        assert!(
            (1e-4..=1e-1).contains(&lr) && (16..=64).contains(&batch),
            "{combination:?}"
        );
        assert!(
            lr.to_string().trim_start_matches(['0', '.']).len() <= 3,
            "{lr}"
        );
    }
    // Evenly on a logarithmic scale: each of the three decades gets its share of 40.
    for decade in [1e-4, 1e-3, 1e-2] {
        let within = |c: &&Vec<Value>| (decade..10.0 * decade).contains(&c[0].as_f64().unwrap());
        let count = drawn.iter().filter(within).count();
        assert!((5..=22).contains(&count), "{count} from {decade}");
    }
    let bench = bench();
    let listed = |seed| {
        bench.output(&format!(
            "sweep tiny.json --grid optimizer.lr=1e-4..1e-1 --grid seed=1,2 --random 5 --seed {seed} --dry-run"
        ))
    };
    assert_eq!(listed(3), listed(3));
    assert_ne!(listed(3), listed(4));
}

#[test]
fn sampling_finds_every_combination_and_no_more() {
    let axes = parsed(&["seed=1,2,3", "model.hidden=[16],[16,16]"]);
    let draw = |count| search_space::sample(&axes, Sampling { count, seed: 1 });
    let mut all = draw(6).expect("all six");
    let mut grid = search_space::grid(&axes).expect("a grid");
    let key = |c: &Vec<Value>| format!("{c:?}");
    all.sort_by_key(key);
    grid.sort_by_key(key);
    assert_eq!(all, grid);
    let error = draw(7).expect_err("too many").to_string();
    assert!(error.contains("only 6"), "{error}");
    let whole = parsed(&["seed=1..3"]);
    assert!(search_space::sample(&whole, Sampling { count: 3, seed: 1 }).is_ok());
    assert!(search_space::sample(&whole, Sampling { count: 4, seed: 1 }).is_err());
    let axes = parsed(&["seed=0..2000"]);
    let count = MAX_RUNS + 1;
    assert!(search_space::sample(&axes, Sampling { count, seed: 1 }).is_err());
}

#[test]
fn a_range_from_zero_is_sampled_uniformly() {
    let axes = parsed(&["model.dropout=0..0.5"]);
    let drawn = search_space::sample(
        &axes,
        Sampling {
            count: 200,
            seed: 1,
        },
    )
    .expect("drawn");
    let below = drawn
        .iter()
        .filter(|c| c[0].as_f64().unwrap() < 0.25)
        .count();
    assert!((70..=130).contains(&below), "{below}");
    assert!(Axis::parse("seed=1..3,5").is_err());
    assert!(Axis::parse("seed=3..1").is_err());
    // Two dots alone make no range.
    assert_eq!(
        search_space::grid(&parsed(&["data.folder=../letters"])).unwrap(),
        [[json!("../letters")]]
    );
}

/// Any JSON value of a few levels.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|x: f64| Value::from(x)),
        any::<String>().prop_map(Value::from),
        r#"[\[\]{},"\\a ]{0,6}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z,\\]]{0,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_that_are_joined_by_commas_are_split_into_the_same_values(
        values in prop::collection::vec(any_json(), 1..6)
    ) {
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        let joined = texts.join(",");
        prop_assert_eq!(search_space::split(&joined).expect("balanced"), texts);
    }

    #[test]
    fn splitting_loses_nothing_and_never_panics(text in any::<String>()) {
        if let Ok(pieces) = search_space::split(&text) {
            let stripped = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(stripped(&pieces.join(",")), stripped(&text));
        }
        let _ = Axis::parse(&format!("seed={text}"));
    }
}
