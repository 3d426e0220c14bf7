//! What a refusal proposes: names of this network and this file, in a form that can be pasted.

use super::common::Bench;
use super::files::{Named, Precision, named};
use super::pickle::torch_file;

/// A network whose layers are called `body` ([3, 16]) and `head` ([2, 3]).
const CONFIG: &str = r#"{
  "data": {"kind": "image_folder", "folder": "none", "height": 4, "width": 4, "channels": 1},
  "model": {"kind": "layers", "layers": ["flatten", {"kind": "linear", "features": 3, "name": "body"}, "relu",
    {"kind": "linear", "name": "head"}]}
}"#;

const IMPORT: &str = "model import weights.pt config.json --classes 2";

fn linear(name: &str, outputs: usize, inputs: usize) -> Vec<Named> {
    vec![
        named(&format!("{name}.weight"), &[outputs, inputs], 0.5),
        named(&format!("{name}.bias"), &[outputs], 0.25),
    ]
}

/// A folder with the config and a file of these tensors.
fn bench_with(tensors: &[Vec<Named>]) -> Bench {
    let bench = Bench::new();
    bench.write("config.json", CONFIG);
    bench.write("weights.pt", torch_file(&tensors.concat(), Precision::F32));
    bench
}

/// Exit code and standard error of an import with more arguments.
fn import(bench: &Bench, more: &[String]) -> (Option<i32>, String) {
    let mut command = bench.kiln(IMPORT);
    let output = command.args(more).args(["--to", "run"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

/// All options that a message says to add.
fn proposed(text: &str) -> Vec<String> {
    let parts = text.trim_end().split("add ").skip(1);
    let options = parts.map(|part| part.split("; ").next().unwrap());
    options
        .flat_map(|options| shell_words::split(options).unwrap())
        .collect()
}

#[test]
fn what_does_not_fit_is_left_out_by_its_own_name_and_the_advice_can_be_pasted() {
    let body = || linear("body", 3, 16);
    let random = "to initialize what the file lacks at random, add --except 'head.*'";
    let differs = "to initialize what differs at random, add --except 'head.*'";
    let left_out = "to leave out what the network lacks, add --except";
    for (tensors, says, more) in [
        (vec![body()], format!("; {random}\n"), ""),
        (vec![body(), linear("head", 7, 3)], format!("; {differs}\n"), ""),
        (
            vec![body(), linear("head", 2, 3), linear("aux.0", 5, 3)],
            format!("; {left_out} 'aux.*'\n"),
            "",
        ),
        // A weight of another shape, and no bias.
        (
            vec![body(), linear("head", 7, 3)[..1].to_vec()],
            "; to initialize what the file lacks and what differs at random, add --except 'head.*'\n".into(),
            "",
        ),
        // One layer under `body` besides the layer itself: only its own names.
        (
            vec![body(), linear("head", 2, 3), linear("body.more", 5, 3)],
            format!("; {left_out} 'body.more.*'\n"),
            "",
        ),
        (
            vec![body(), linear("fc", 7, 3)],
            format!("; {random}; {left_out} 'fc.*'\n"),
            "layer 2 is `fc` (weight [7, 3], bias [7]) in the file",
        ),
        // A value that begins with a hyphen, and the option after it.
        (
            vec![body(), linear("head", 2, 3), linear("-x y", 5, 3)],
            format!("; {left_out}='-x y.*'\n"),
            "",
        ),
    ] {
        let bench = bench_with(&tensors);
        let (code, text) = import(&bench, &[]);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
        assert!(text.ends_with(&says), "{says:?} is not the end of {text}");
        assert!(text.contains(more), "{text}");
        let (code, said) = import(&bench, &proposed(&text));
        assert_eq!(code, Some(0), "{said}\n{text}");
    }
}

#[test]
fn a_mapping_of_names_with_a_hyphen_in_front_can_be_pasted_and_what_a_flag_cannot_say_is_auto() {
    let other = |first: &str| vec![linear(first, 3, 16), linear("out", 2, 3)];
    let bench = bench_with(&other("-x 0"));
    let (_, text) = import(&bench, &[]);
    let fits = "this fits: --rename='-x 0.*=body.*' --rename 'out.*=head.*' (or use --rename auto)";
    assert!(text.contains(fits), "{text}");
    let start = text.find("--rename").unwrap();
    let end = text.find(" (or use").unwrap();
    let pasted = shell_words::split(&text[start..end]).unwrap();
    let (code, text) = import(&bench, &pasted);
    assert_eq!(code, Some(0), "{text}");
    // `=` parts the names of a flag, and a bracket begins a list.
    for name in ["a=b", "[0]"] {
        let bench = bench_with(&other(name));
        let (_, text) = import(&bench, &[]);
        assert!(text.ends_with("layers, --rename auto fits\n"), "{text}");
        let (code, text) = import(&bench, &["--rename".into(), "auto".into()]);
        assert_eq!(code, Some(0), "{text}");
    }
    // An option's name is no value of the one before.
    let (code, text) = import(&bench, &["--rename".into()]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("--rename <auto|FROM=TO> needs a value"),
        "{text}"
    );
}

#[test]
fn where_only_the_head_has_another_size_the_rest_is_mapped_without_it() {
    let bench = bench_with(&[linear("conv", 3, 16), linear("fc", 7, 3)]);
    let without = "to leave out fc.*, initialize head.* at random and map the rest, add ";
    for (given, add) in [
        (vec![], "--rename auto --except 'fc.*' --except 'head.*'\n"),
        (
            vec!["--rename".to_string(), "auto".to_string()],
            "--except 'fc.*' --except 'head.*'\n",
        ),
    ] {
        let (code, text) = import(&bench, &given);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
        assert!(text.ends_with(&format!("{without}{add}")), "{text}");
        let mut more = proposed(&text);
        more.extend(given);
        let (code, said) = import(&bench, &more);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("2 tensors applied"), "{said}");
        std::fs::remove_dir_all(bench.path("run")).unwrap();
    }
}

#[test]
fn weights_of_another_network_are_no_reason_to_leave_everything_out() {
    let bench = bench_with(&[linear("body", 5, 9), linear("head", 7, 5)]);
    let (code, text) = import(&bench, &[]);
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    let says = "; set `model` to the network that the weights belong to, and `data` to its input\n";
    assert!(text.ends_with(says), "{text}");
    // Other names, other shapes.
    let bench = bench_with(&[linear("a", 5, 9), linear("b", 7, 5)]);
    let (_, text) = import(&bench, &[]);
    let says = "`data` to its input, or map its names with --rename FROM=TO\n";
    assert!(text.ends_with(says), "{text}");
}

#[test]
fn what_stands_beside_the_network_is_left_out_and_the_rest_mapped_by_one_advice() {
    let net = |head: &str| [linear("conv", 3, 16), linear(head, 2, 3)].concat();
    let anchors = || vec![named("anchors", &[4], 0.0)];
    for (tensors, ends) in [
        // A second output and a buffer.
        (
            vec![anchors(), net("cls"), linear("box", 4, 3)],
            "to leave out anchors, box.* and map the rest, add --rename auto --except anchors --except 'box.*'\n",
        ),
        // A second output of the same shapes.
        (
            vec![net("cls"), linear("more", 2, 3)],
            "to leave out more.* (or instead cls.*, which has the same shapes) and map the rest, add --rename auto --except 'more.*'\n",
        ),
        // A layer under another name, and one more.
        (
            vec![
                linear("body", 3, 16),
                linear("fc", 2, 3),
                linear("aux", 5, 3),
            ],
            "to leave out aux.* and map the rest, add --rename auto --except 'aux.*'\n",
        ),
    ] {
        let bench = bench_with(&tensors);
        let (code, text) = import(&bench, &[]);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
        assert!(text.ends_with(ends), "{text}");
        let (code, said) = import(&bench, &proposed(&text));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("4 tensors applied"), "{said}");
    }
}

#[test]
fn layers_of_the_same_name_are_not_in_the_way_where_a_file_keeps_no_order() {
    let config = r#"{"data": {"kind": "image_folder", "folder": "none", "height": 4, "width": 4, "channels": 1},
        "model": {"kind": "layers", "layers": ["flatten", {"kind": "linear", "features": 3, "name": "body"}, "relu",
        {"kind": "linear", "features": 3, "name": "first"}, "relu", {"kind": "linear", "features": 3, "name": "second"}, "relu",
        {"kind": "linear", "name": "head"}]}}"#;
    let bench = Bench::new();
    bench.write("config.json", config);
    let write = |middle: [&str; 2]| {
        let layers = [
            linear("body", 3, 16),
            linear(middle[0], 3, 3),
            linear(middle[1], 3, 3),
        ];
        let tensors = [layers.concat(), linear("head", 2, 3), linear("aux", 5, 3)].concat();
        bench.write(
            "weights.pt",
            super::files::safetensors_file(&tensors, Precision::F32),
        );
    };
    write(["first", "other"]);
    let (_, text) = import(&bench, &[]);
    let ends = "to leave out aux.* and map the rest, add --rename auto --except 'aux.*'\n";
    assert!(text.ends_with(ends), "{text}");
    let (code, said) = import(&bench, &proposed(&text));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("renamed: other.* -> second.*"), "{said}");
    // Two names that differ in their number only may be counted from another one.
    bench.write(
        "config.json",
        config.replace("first", "fc1").replace("second", "fc2"),
    );
    write(["fc2", "fc3"]);
    std::fs::remove_dir_all(bench.path("run")).unwrap();
    let rename = ["--rename", "auto", "--except", "aux.*"].map(String::from);
    let (code, said) = import(&bench, &rename);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("renamed: fc2.* -> fc1.*, fc3.* -> fc2.*"),
        "{said}"
    );
}

#[test]
fn weights_of_another_number_of_classes_are_reported_by_their_last_layer() {
    let wrapped = |name: &str, outputs, inputs| linear(&format!("module.{name}"), outputs, inputs);
    let classes = "if the weights are for 5 classes instead of 2, pass as many with --classes, as a number or a file";
    let bench = bench_with(&[wrapped("body", 3, 16), wrapped("head", 5, 3)]);
    let (code, text) = import(&bench, &[]);
    assert_eq!(code, Some(1), "{text}");
    let ends =
        format!("; {classes}; to initialize what differs at random, add --except 'head.*'\n");
    assert!(text.ends_with(&ends), "{text}");
    // Of a single layer nothing else fits.
    let config = CONFIG.replace(
        r#"{"kind": "linear", "features": 3, "name": "body"}, "relu","#,
        "",
    );
    bench.write("config.json", config);
    bench.write(
        "weights.pt",
        torch_file(&wrapped("head", 5, 16), Precision::F32),
    );
    let (_, text) = import(&bench, &[]);
    let says = "shapes differ: head.weight is [5, 16] in the file and [2, 16] in the network, ";
    assert!(
        text.contains(says) && text.ends_with(&format!("{classes}\n")),
        "{text}"
    );
}

#[test]
fn a_name_that_becomes_empty_is_shown() {
    let bench = bench_with(&[linear("body", 3, 16), linear("head", 2, 3)]);
    let rename = ["--rename".to_string(), "b***=*".to_string()];
    let (code, text) = import(&bench, &rename);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("both become \"\"; "), "{text}");
}
