//! `kiln config init`: configs to start from.

use kiln::config;

use crate::parse;

#[test]
fn every_kind_of_data_and_model_has_a_starter_that_is_valid() {
    let mut tried = 0;
    for data in config::data_kinds() {
        assert!(!data.description.is_empty(), "{}", data.name);
        for model in config::model_kinds() {
            let text = match config::starter(&data.name, &model.name) {
                Ok(text) => text,
                // Some networks take no images as small as MNIST's.
                Err(problems)
                    if problems.iter().all(|p| {
                        p.message.contains("at least") || p.message.contains("multiples of")
                    }) =>
                {
                    continue;
                }
                Err(problems) => panic!("{}, {}: {problems:?}", data.name, model.name),
            };
            let experiment = parse(&text, &[]).unwrap();
            assert_eq!(experiment.data.kind(), data.name);
            assert_eq!(experiment.model.kind(), model.name);
            tried += 1;
        }
    }
    assert!(tried >= 8 * 5, "{tried}");
}

#[test]
fn a_starter_has_its_keys_in_the_order_of_the_schema() {
    let expected = r#"{
  "data": { "kind": "image_folder", "folder": "my_images", "split": { "by": "share", "valid": 0.1, "test": 0.1, "stratify": true }, "class_order": "text", "height": 32, "width": 32, "channels": 3 },
  "model": { "kind": "cnn" },
  "optimizer": { "kind": "adam", "lr": 0.001 },
  "training": { "epochs": 10, "batch_size": 64 }
}
"#;
    assert_eq!(config::starter("image_folder", "cnn").unwrap(), expected);
    let mix = config::starter("mix", "mlp").unwrap();
    assert!(
        mix.contains(r#""sources": [{ "kind": "nist36" }, { "kind": "unipen" }] },"#),
        "{mix}"
    );
}
