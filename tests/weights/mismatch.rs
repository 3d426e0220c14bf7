//! Weights of another network.

use super::files::{Named, Precision, named, safetensors_file, whole};
use super::pickle::torch_file;
use super::steps::{exported, try_load};

#[test]
fn a_mismatch_is_reported_by_name_and_shape_in_one_line() {
    let refusal = |change: &dyn Fn(&mut Vec<Named>), except: &[&str]| {
        let mut tensors = whole();
        change(&mut tensors);
        let answers = [
            try_load(&torch_file(&tensors, Precision::F32), except).unwrap_err(),
            try_load(&safetensors_file(&tensors, Precision::F32), except).unwrap_err(),
        ];
        assert_eq!(
            answers[0].replace('\\', "/").rsplit('/').next(),
            answers[1].replace('\\', "/").rsplit('/').next()
        );
        assert_eq!(answers[0].lines().count(), 1, "{}", answers[0]);
        answers[0].clone()
    };
    let text = refusal(&|tensors| drop(tensors.remove(2)), &[]);
    assert!(text.contains("not in the file: layers.1.bias"), "{text}");
    let add = "to initialize what the file lacks at random, add \"layers.1.bias\" to `init.except`";
    assert!(text.contains(add), "{text}");
    let text = refusal(&|tensors| tensors.push(named("extra", &[2], 0.0)), &[]);
    assert!(text.contains("not in the network: extra"), "{text}");
    let add = "to leave out what the network lacks, add \"extra\" to `init.except`";
    assert!(text.contains(add), "{text}");
    assert!(!text.contains("random"), "{text}");
    let text = refusal(&|tensors| tensors[1].1 = vec![4, 3], &[]);
    assert!(
        text.contains("layers.0.weight is [4, 3] in the file and [3, 4] in the network"),
        "{text}"
    );
    let add = "to initialize what differs at random, add \"layers.0.weight\" to `init.except`";
    assert!(text.contains(add), "{text}");
    // An excepted tensor may differ.
    let mut tensors = whole();
    tensors[1] = named("layers.0.weight", &[7], 0.0);
    let file = torch_file(&tensors, Precision::F32);
    let (network, taken) = try_load(&file, &["layers.0.*"]).unwrap();
    assert_eq!(exported(&network)[3], whole()[3]);
    assert_eq!(taken.applied, ["layers.1.weight", "layers.1.bias"]);
    assert_eq!(taken.fresh, ["layers.0.weight", "layers.0.bias"]);
    assert_eq!(taken.unused, ["layers.0.bias", "layers.0.weight"]);
    for (except, says) in [
        (&["*"] as &[&str], "init.except: excludes every tensor"),
        (&["layers.*"], "init.except: excludes every tensor"),
        (
            &["laters.*"],
            "init.except[0]: \"laters.*\" matches no name",
        ),
        (&["layers.1.*", ""], "init.except[1]: \"\" matches no name"),
    ] {
        let text = refusal(&|_| {}, except);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_mismatch_of_many_tensors_names_three() {
    let tensors: Vec<Named> = (0..40)
        .map(|i| named(&format!("x{i}"), &[1], 0.0))
        .collect();
    let text = try_load(&torch_file(&tensors, Precision::F32), &[]).unwrap_err();
    assert!(text.contains("and 37 more"), "{text}");
    assert!(text.len() < 900, "{text}");
}
