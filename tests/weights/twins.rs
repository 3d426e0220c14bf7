//! Files that have a network twice: as a student and a teacher, or with an average of its weights.

use super::files::{Named, Precision, named, whole};
use super::pickle::{Pickle, nested_file, torch_file};
use super::steps::{exported, try_load};

/// The tensors of [`whole`] under longer names, with other values.
fn below(prefix: &str, more: f32) -> Vec<Named> {
    let tensors = whole().into_iter();
    tensors
        .map(|(name, shape, values)| {
            let values = values.iter().map(|value| value + more).collect();
            (format!("{prefix}{name}"), shape, values)
        })
        .collect()
}

/// The values of a loaded file, or the refusal.
fn values(file: &[u8], except: &[&str]) -> Result<Vec<Named>, String> {
    try_load(file, except).map(|(network, _)| exported(&network))
}

#[test]
fn an_exception_is_known_by_the_names_of_the_file_with_or_without_what_is_taken_off() {
    let lightning = nested_file("state_dict", &below("model.", 0.0));
    let parallel = torch_file(&below("module.", 0.0), Precision::F32);
    for (file, except) in [
        (&lightning, "layers.1.*"),
        (&lightning, "model.layers.1.*"),
        (&lightning, "state_dict.model.layers.1.*"),
        (&parallel, "layers.1.*"),
        (&parallel, "module.layers.1.*"),
    ] {
        let (network, taken) = try_load(file, &[except]).unwrap();
        assert_eq!(exported(&network)[..2], whole()[..2], "{except}");
        assert_ne!(exported(&network)[3], whole()[3], "{except}");
        assert_eq!(
            taken.fresh,
            ["layers.1.weight", "layers.1.bias"],
            "{except}"
        );
        assert_eq!(
            taken.unused,
            ["layers.1.bias", "layers.1.weight"],
            "{except}"
        );
    }
    // The end of a name is no name: what changes nothing is refused.
    for (file, except) in [
        (&lightning, "1.*"),
        (&parallel, "1.*"),
        (&lightning, "odel.*"),
    ] {
        let text = values(file, &[except]).unwrap_err();
        let says = format!("init.except[0]: \"{except}\" matches no name");
        assert!(text.contains(&says), "{text}");
    }
}

#[test]
fn two_prefixes_that_fit_are_refused_and_an_exception_chooses_one() {
    let twins = |first: &str, second: &str| [below(first, 0.0), below(second, 5.0)].concat();
    for file in [
        torch_file(&twins("net.", "backbone."), Precision::F32),
        nested_file("state_dict", &twins("net.", "backbone.")),
    ] {
        let text = values(&file, &[]).unwrap_err();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("net.` and `"), "{text}");
        assert!(
            text.contains("backbone.` in the file fit; to leave one out, add \""),
            "{text}"
        );
        // Ready to paste.
        let pattern = text
            .rsplit("add \"")
            .next()
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert_eq!(values(&file, &[pattern]).unwrap(), whole());
        assert_eq!(values(&file, &["net.*"]).unwrap(), below("", 5.0));
        // A part of one is not enough.
        let text = values(&file, &["net.layers.0.*"]).unwrap_err();
        assert!(text.contains("in the file fit"), "{text}");
    }
    // A prefix that is no usual wrapper is taken off where nothing else is left.
    let averaged = nested_file("state_dict", &twins("model.", "ema.module."));
    let (network, taken) = try_load(&averaged, &[]).unwrap();
    assert_eq!(exported(&network), whole());
    assert_eq!(taken.outside.len(), 4);
    let (network, taken) = try_load(&averaged, &["model.*"]).unwrap();
    assert_eq!(exported(&network), below("", 5.0));
    assert_eq!(taken.prefix, "ema.module.");
}

#[test]
fn names_that_fit_as_they_are_are_not_passed_over_for_others() {
    let file = torch_file(&[whole(), below("module.", 5.0)].concat(), Precision::F32);
    let text = values(&file, &[]).unwrap_err();
    let says = "both `module.` and the names without a prefix in the file fit; to leave one out, add \"module.*\"";
    assert!(text.contains(says), "{text}");
    assert_eq!(values(&file, &["module.*"]).unwrap(), whole());
    // Beside a dictionary.
    let mut pickle = Pickle::default();
    pickle.dictionary(&whole(), Precision::F32);
    pickle.program.push(b'(');
    pickle.text("model");
    pickle.dictionary(&below("", 5.0), Precision::F32);
    pickle.program.push(b'u');
    let file = pickle.file();
    let text = values(&file, &[]).unwrap_err();
    let says = "both `model` and the names without a prefix in the file fit; to leave one out, add \"model.*\"";
    assert!(text.contains(says), "{text}");
    assert_eq!(values(&file, &["model.*"]).unwrap(), whole());
}

#[test]
fn values_that_only_64_bits_hold_are_refused_by_the_name_of_their_tensor() {
    use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    for (value, is_fine) in [
        (1e299, false),
        (-4e38, false),
        (3.4e38, true),
        (1e-300, true),
    ] {
        let data: Vec<(String, Vec<usize>, Vec<u8>)> = whole()
            .into_iter()
            .map(|(name, shape, values)| {
                let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
                if name == "layers.1.bias" {
                    values[1] = value;
                }
                (
                    name,
                    shape,
                    values.into_iter().flat_map(f64::to_le_bytes).collect(),
                )
            })
            .collect();
        let views = data.iter().map(|(name, shape, bytes)| {
            (
                name,
                TensorView::new(Dtype::F64, shape.clone(), bytes).unwrap(),
            )
        });
        serialize_to_file(views, None, &path).unwrap();
        let loaded = kiln::weights::load(super::steps::small(), &path, &[]);
        match loaded {
            Ok(_) => assert!(is_fine, "{value}"),
            Err(error) => {
                assert!(!is_fine, "{error}");
                let says = format!(
                    "layers.1.bias has the 64-bit value {value:e}, which is too large for 32-bit"
                );
                assert!(error.to_string().contains(&says), "{error}");
            }
        }
    }
}

#[test]
fn a_pattern_may_name_what_stands_beside_the_prefix_and_counters_are_ignored_under_any_name() {
    use kiln::config::Rename;
    use kiln::weights::{Settings, load_renamed};
    let load = |tensors: &[Named], rename: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.pt");
        std::fs::write(&path, nested_file("state_dict", tensors)).unwrap();
        let rename: Rename = serde_json::from_str(rename).unwrap();
        let loaded = load_renamed(super::steps::small(), &path, &[], &rename, Settings::CONFIG);
        loaded.map_err(|error| error.to_string())
    };
    // Only the first layer is in the backbone.
    let renamed = |(name, shape, values): Named| {
        let name = name
            .replace("layers.0", "backbone.layers.0")
            .replace("layers.1", "head");
        (name, shape, values)
    };
    let mut tensors: Vec<Named> = whole().into_iter().map(renamed).collect();
    let (network, taken) = load(&tensors, r#"[{"from": "head.*", "to": "layers.1.*"}]"#).unwrap();
    assert_eq!(exported(&network), whole());
    assert!(taken.outside.is_empty(), "{:?}", taken.outside);
    // A name of the file is not said to be none.
    let text = load(&tensors, r#"[{"from": "head.*", "to": "layers.2.*"}]"#).unwrap_err();
    assert!(text.contains("state_dict.head.bias"), "{text}");
    assert!(!text.contains("matches no name"), "{text}");
    // With the prefix that is taken off all names.
    let wrapped = |(name, shape, values): Named| (format!("model.{name}"), shape, values);
    let part: Vec<Named> = below("", 0.0)
        .into_iter()
        .map(|(name, shape, values)| (name.replace("layers.1", "out"), shape, values))
        .map(wrapped)
        .collect();
    for from in ["out.*", "model.out.*", "state_dict.model.out.*"] {
        let rename = format!(r#"[{{"from": "{from}", "to": "layers.1.*"}}]"#);
        let (network, _) = load(&part, &rename).unwrap();
        assert_eq!(exported(&network), whole(), "{from}");
    }
    // A counter that gets its usual name.
    tensors.push(named("head.count", &[], 7.0));
    let rename = r#"[{"from": "head.count", "to": "head.num_batches_tracked"}, {"from": "head.*", "to": "layers.1.*"},
        {"from": "backbone.*", "to": "*"}]"#;
    let (network, _) = load(&tensors, rename).unwrap();
    assert_eq!(exported(&network), whole());
}
