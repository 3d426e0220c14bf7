//! `--set PATH=VALUE`.

use kiln::models::ModelConfig;

use crate::{MINIMAL, parse};

#[test]
fn set_beats_the_file_and_goes_through_the_same_checks() {
    let file =
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "training": {"epochs": 3}}"#;
    let experiment = parse(file, &["training.epochs=5", "name=other", "seed=7"]).unwrap();
    assert_eq!(experiment.training.epochs, 5);
    assert_eq!((experiment.name.as_str(), experiment.seed), ("other", 7));
    let text = parse(file, &["training.epochs=0"]).unwrap_err().to_string();
    assert!(text.contains("training.epochs: found 0"), "{text}");
    let text = parse(file, &["training.epcohs=5"]).unwrap_err().to_string();
    assert!(text.contains("did you mean `epochs`"), "{text}");
}

#[test]
fn set_makes_missing_sections_and_reaches_into_lists() {
    let experiment = parse(
        MINIMAL,
        &[
            "model.hidden=[8,9]",
            "model.hidden[1]=10",
            "model.hidden.0=8",
            "loss.reduction=sum",
        ],
    )
    .unwrap();
    let ModelConfig::Mlp(mlp) = experiment.model else {
        panic!("the model is an MLP")
    };
    assert_eq!(mlp.hidden, [8, 10]);
}

#[test]
fn set_of_a_kind_drops_the_keys_of_the_other_kind() {
    let file = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp", "hidden": [8]}}"#;
    let experiment = parse(file, &["model.kind=cnn"]).unwrap();
    assert_eq!(experiment.model.kind(), "cnn");
}

#[test]
fn set_of_a_kind_spares_what_another_set_says() {
    for order in [
        ["data.kind=unipen", "data.folder=x"],
        ["data.folder=x", "data.kind=unipen"],
    ] {
        let experiment = parse(MINIMAL, &order).unwrap();
        let text = serde_json::to_string(&experiment.data).unwrap();
        assert!(text.contains(r#""kind":"unipen","folder":"x""#), "{text}");
    }
}

#[test]
fn a_set_that_is_no_assignment_is_refused() {
    for bad in ["training.epochs", "=5", "training..epochs=5", "seed.x=5"] {
        assert!(
            parse(
                r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "seed": 3}"#,
                &[bad]
            )
            .is_err(),
            "{bad}"
        );
    }
}
