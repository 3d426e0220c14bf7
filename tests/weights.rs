//! What a user may rely on about weights of other programs: which files fit, what comes out of them, and what is said of those
//! that do not fit.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use common::{Bench, noisy, repository, tensors};
use kiln::inference::{Classifier, ModelCard, to_input};
use kiln::models::{CnnConfig, MlpConfig, ModelConfig, SqueezenetConfig};
use kiln::models::{Network, parameters};
use kiln::shape::ImageShape;
use kiln::weights::{self, Taken};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

// ---- Files, made by hand ----

/// A tensor of a file: name, shape, values.
type Named = (String, Vec<usize>, Vec<f32>);

fn named(name: &str, shape: &[usize], offset: f32) -> Named {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|i| i as f32 * 0.25 + offset).collect();
    (name.into(), shape.to_vec(), values)
}

/// The tensors of [`small`]; the files in tests/fixtures hold the same.
///
/// These were written by torch 2.15:
///
/// ```python
/// class Net(torch.nn.Module):
///     def __init__(self):
///         super().__init__()
///         self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)])
/// net = Net()
/// for i, (name, p) in enumerate(sorted(net.named_parameters())):
///     p.data = (torch.arange(p.numel()) * 0.25 + i).reshape(p.shape)
/// torch.save(net.state_dict(), "torch.pth")
/// torch.save(net.state_dict(), "torch_legacy.pth", _use_new_zipfile_serialization=False)
/// torch.save(torch.nn.Linear(2, 2), "torch_module.pth")
/// ```
fn whole() -> Vec<Named> {
    vec![
        named("layers.0.bias", &[3], 0.0),
        named("layers.0.weight", &[3, 4], 1.0),
        named("layers.1.bias", &[2], 2.0),
        named("layers.1.weight", &[2, 3], 3.0),
    ]
}

fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures").join(name)
}

/// Numbers as a file may hold them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Precision {
    F64,
    F32,
    F16,
    Bf16,
}

impl Precision {
    const ALL: [Precision; 4] = [
        Precision::F64,
        Precision::F32,
        Precision::F16,
        Precision::Bf16,
    ];

    /// The bytes of a number that every precision holds exactly.
    fn bytes(self, value: f32) -> Vec<u8> {
        let bits = value.to_bits();
        match self {
            Precision::F64 => f64::from(value).to_le_bytes().to_vec(),
            Precision::F32 => value.to_le_bytes().to_vec(),
            Precision::Bf16 => ((bits >> 16) as u16).to_le_bytes().to_vec(),
            // Sign, exponent less the difference of the biases, the first ten bits of the fraction.
            Precision::F16 if value == 0.0 => vec![0, 0],
            Precision::F16 => {
                let exponent = ((bits >> 23) & 0xff) - 127 + 15;
                let half = (bits >> 16) & 0x8000 | exponent << 10 | (bits >> 13) & 0x3ff;
                (half as u16).to_le_bytes().to_vec()
            }
        }
    }

    fn dtype(self) -> Dtype {
        match self {
            Precision::F64 => Dtype::F64,
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
            Precision::Bf16 => Dtype::BF16,
        }
    }

    /// PyTorch's name for a piece of memory with such numbers.
    fn storage(self) -> &'static str {
        match self {
            Precision::F64 => "DoubleStorage",
            Precision::F32 => "FloatStorage",
            Precision::F16 => "HalfStorage",
            Precision::Bf16 => "BFloat16Storage",
        }
    }
}

fn safetensors_file(tensors: &[Named], precision: Precision) -> Vec<u8> {
    let data: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, values)| {
            let bytes = values.iter().flat_map(|&value| precision.bytes(value));
            (name.as_str(), shape.clone(), bytes.collect())
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(precision.dtype(), shape.clone(), bytes).unwrap();
        (*name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

/// A pickle as `torch.save` writes it (protocol 2), with the memory that its tensors lie in.
#[derive(Default)]
struct Pickle {
    program: Vec<u8>,
    storages: Vec<Vec<u8>>,
}

impl Pickle {
    fn text(&mut self, text: &str) {
        self.program.push(b'X');
        self.program.extend((text.len() as u32).to_le_bytes());
        self.program.extend(text.as_bytes());
    }

    fn global(&mut self, module: &str, name: &str) {
        self.program.extend(format!("c{module}\n{name}\n").bytes());
    }

    fn integer(&mut self, value: usize) {
        self.program.push(b'J');
        self.program.extend((value as i32).to_le_bytes());
    }

    fn integers(&mut self, values: &[usize]) {
        self.program.push(b'(');
        values.iter().for_each(|&value| self.integer(value));
        self.program.push(b't');
    }

    fn tensor(&mut self, shape: &[usize], storage: &str, bytes: Vec<u8>) {
        let count: usize = shape.iter().product();
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.program.extend(b"((");
        self.text("storage");
        self.global("torch", storage);
        self.text(&self.storages.len().to_string());
        self.text("cpu");
        self.integer(count);
        self.program.extend(b"tQ");
        self.integer(0);
        self.integers(shape);
        let strides: Vec<usize> = (1..=shape.len())
            .map(|from| shape[from..].iter().product())
            .collect();
        self.integers(&strides);
        self.program.push(0x89);
        self.global("collections", "OrderedDict");
        self.program.extend(b")RtR");
        self.storages.push(bytes);
    }

    /// A `state_dict`, with a batch norm's counter.
    fn dictionary(&mut self, tensors: &[Named], precision: Precision) {
        self.program.extend(b"}(");
        for (name, shape, values) in tensors {
            self.text(name);
            let bytes = values.iter().flat_map(|&value| precision.bytes(value));
            self.tensor(shape, precision.storage(), bytes.collect());
            if name.ends_with("running_var") {
                self.text(&name.replace("running_var", "num_batches_tracked"));
                self.tensor(&[], "LongStorage", 7i64.to_le_bytes().to_vec());
            }
        }
        self.program.push(b'u');
    }

    /// The whole file, a zip without compression.
    fn file(self) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        let mut add = |name: &str, content: &[u8]| {
            zip.start_file(format!("archive/{name}"), plain).unwrap();
            zip.write_all(content).unwrap();
        };
        let program = [b"\x80\x02", self.program.as_slice(), b"."].concat();
        add("data.pkl", &program);
        add("byteorder", b"little");
        for (index, bytes) in self.storages.iter().enumerate() {
            add(&format!("data/{index}"), bytes);
        }
        add("version", b"3\n");
        zip.finish().unwrap().into_inner()
    }
}

fn torch_file(tensors: &[Named], precision: Precision) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.dictionary(tensors, precision);
    pickle.file()
}

/// As training scripts save: the weights under a name of their own, among other things.
fn nested_file(key: &str, tensors: &[Named]) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.program.extend(b"}(");
    pickle.text("epoch");
    pickle.integer(12);
    pickle.text(key);
    pickle.dictionary(tensors, Precision::F32);
    pickle.text("optimizer");
    pickle.dictionary(&[named("momentum", &[3], 9.0)], Precision::F32);
    pickle.program.push(b'u');
    pickle.file()
}

// ---- What fits ----

/// A perceptron from 2x2 pixels over three units to two classes.
fn small() -> Network {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![3],
        ..MlpConfig::default()
    });
    Network::new(&config, ImageShape::new(1, 2, 2), 2, &Device::flex())
}

fn try_load(bytes: &[u8], except: &[&str]) -> Result<(Network, Taken), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    let except: Vec<String> = except.iter().map(|name| name.to_string()).collect();
    weights::load(small(), &path, &except).map_err(|error| error.to_string())
}

/// The network's tensors as another program would see them.
fn exported(network: &Network) -> Vec<Named> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    weights::save(network, &path).unwrap();
    let found = tensors(&std::fs::read(path).unwrap()).into_iter();
    found
        .map(|(name, (shape, values))| (name, shape, values))
        .collect()
}

#[test]
fn what_pytorch_wrote_is_taken_value_by_value() {
    for name in ["torch.pth", "torch_legacy.pth"] {
        let (network, taken) = weights::load(small(), &fixture(name), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{name}");
        assert_eq!(taken.applied.len(), 4);
        assert!(taken.fresh.is_empty() && taken.unused.is_empty());
    }
}

#[test]
fn numbers_of_every_precision_become_those_of_the_network() {
    for precision in Precision::ALL {
        for file in [
            safetensors_file(&whole(), precision),
            torch_file(&whole(), precision),
        ] {
            let (network, _) = try_load(&file, &[]).unwrap();
            assert_eq!(exported(&network), whole(), "{precision:?}");
            let images = Tensor::zeros([1, 1, 2, 2], &Device::flex());
            let logits = network.forward(images);
            assert_eq!(logits.dtype(), burn::tensor::DType::F32, "{precision:?}");
        }
    }
}

#[test]
fn a_name_that_several_devices_put_in_front_is_left_out() {
    let renamed = |prefix: &str| -> Vec<Named> {
        let tensors = whole().into_iter();
        tensors
            .map(|(name, shape, values)| (format!("{prefix}{name}"), shape, values))
            .collect()
    };
    for file in [
        torch_file(&renamed("module."), Precision::F32),
        safetensors_file(&renamed("module."), Precision::F32),
        nested_file("state_dict", &renamed("module.")),
    ] {
        let (network, _) = try_load(&file, &[]).unwrap();
        assert_eq!(exported(&network), whole());
    }
    // But only that name, and only if all have it.
    let other = torch_file(&renamed("net."), Precision::F32);
    assert!(try_load(&other, &[]).unwrap_err().contains("net.layers"));
    let mut some = whole();
    some[0].0 = "module.layers.0.bias".into();
    let some = torch_file(&some, Precision::F32);
    assert!(try_load(&some, &[]).unwrap_err().contains("module.layers"));
}

#[test]
fn weights_among_other_things_are_found_under_their_usual_names() {
    for key in ["state_dict", "model_state_dict", "model"] {
        let (network, taken) = try_load(&nested_file(key, &whole()), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{key}");
        assert_eq!(taken.applied.len(), 4);
    }
    let text = try_load(&nested_file("weights", &whole()), &[]).unwrap_err();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn what_batch_norms_count_besides_is_ignored() {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![2],
        hidden: 0,
        ..CnnConfig::default()
    });
    let network = || Network::new(&config, ImageShape::new(1, 4, 4), 2, &Device::flex());
    let values: Vec<Named> = exported(&noisy(network(), 3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cnn.pth");
    std::fs::write(&path, torch_file(&values, Precision::F32)).unwrap();
    let (loaded, taken) = weights::load(network(), &path, &[]).unwrap();
    assert_eq!(exported(&loaded), values);
    assert!(
        taken
            .applied
            .iter()
            .any(|n| n == "blocks.0.norm.running_var")
    );
    assert_eq!(taken.applied.len(), 8);
}

// ---- What does not fit ----

#[test]
fn a_misfit_is_told_by_name_and_shape_in_one_line() {
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
    assert!(text.contains("`init.except`"), "{text}");
    let text = refusal(&|tensors| tensors.push(named("extra", &[2], 0.0)), &[]);
    assert!(text.contains("not in the network: extra"), "{text}");
    let text = refusal(&|tensors| tensors[1].1 = vec![4, 3], &[]);
    assert!(
        text.contains("layers.0.weight is [4, 3] in the file and [3, 4] in the network"),
        "{text}"
    );
    // An excepted misfit is none.
    let mut tensors = whole();
    tensors[1] = named("layers.0.weight", &[7], 0.0);
    let file = torch_file(&tensors, Precision::F32);
    let (network, taken) = try_load(&file, &["layers.0.*"]).unwrap();
    assert_eq!(exported(&network)[3], whole()[3]);
    assert_eq!(taken.applied, ["layers.1.weight", "layers.1.bias"]);
    assert_eq!(taken.fresh, ["layers.0.weight", "layers.0.bias"]);
    assert_eq!(taken.unused, ["layers.0.bias", "layers.0.weight"]);
    for (except, says) in [
        (&["*"] as &[&str], "every tensor is excepted"),
        (&["layers.*"], "every tensor is excepted"),
        (&["laters.*"], "\"laters.*\", which fits no name"),
        (&["layers.1.*", ""], "\"\", which fits no name"),
    ] {
        let text = refusal(&|_| {}, except);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_misfit_of_many_tensors_names_three() {
    let tensors: Vec<Named> = (0..40)
        .map(|i| named(&format!("x{i}"), &[1], 0.0))
        .collect();
    let text = try_load(&torch_file(&tensors, Precision::F32), &[]).unwrap_err();
    assert!(text.contains("and 37 more"), "{text}");
    assert!(text.len() < 500, "{text}");
}

/// Files that hold no weights, or damaged ones.
fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    let torch = torch_file(&whole(), Precision::F32);
    let tensors = safetensors_file(&whole(), Precision::F32);
    let integers = {
        let mut pickle = Pickle::default();
        pickle.program.extend(b"}(");
        pickle.text("layers.0.bias");
        pickle.tensor(&[3], "LongStorage", vec![1; 24]);
        pickle.program.push(b'u');
        pickle.file()
    };
    let lying = {
        let mut pickle = Pickle::default();
        pickle.program.extend(b"}(");
        pickle.text("layers.0.bias");
        // Says more than there is.
        pickle.tensor(&[3, 1 << 20, 1 << 10], "FloatStorage", vec![1; 12]);
        pickle.program.push(b'u');
        pickle.file()
    };
    let mut huge = u64::MAX.to_le_bytes().to_vec();
    huge.extend(b"{\"a\":1}");
    let mut large = (90u64 << 20).to_le_bytes().to_vec();
    large.extend(b"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    let mut list = Pickle::default();
    list.program.extend(b"]");
    vec![
        ("empty", Vec::new()),
        (
            "text",
            b"these are no weights, but quite a few words\n".to_vec(),
        ),
        ("noughts", vec![0; 4096]),
        (
            "noise",
            (0..4096u32).map(|i| ((i * i * 31) >> 3) as u8).collect(),
        ),
        ("zip-head", b"PK\x03\x04".to_vec()),
        ("pickle-head", b"\x80\x02".to_vec()),
        ("pickle-of-a-list", list.file()),
        ("torch-half", torch[..torch.len() / 2].to_vec()),
        ("torch-nearly-whole", torch[..torch.len() - 9].to_vec()),
        ("tensors-half", tensors[..tensors.len() / 2].to_vec()),
        (
            "tensors-nearly-whole",
            tensors[..tensors.len() - 3].to_vec(),
        ),
        ("tensors-huge-header", huge),
        ("tensors-large-header", large),
        ("integers", integers),
        ("lying", lying),
        (
            "module",
            std::fs::read(fixture("torch_module.pth")).unwrap(),
        ),
    ]
}

/// `kiln` must refuse in one line, without a panic, and write nothing.
fn assert_refused(bench: &Bench, arguments: &str, says: &[&str]) {
    let before = bench.listing();
    let assert = bench.kiln(arguments).assert();
    let output = assert.get_output();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{arguments}: {text}"
    );
    assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    assert!(text.starts_with("error: ") && text.len() < 600, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(output.stdout.is_empty());
    assert_eq!(
        bench.listing(),
        before,
        "{arguments}: something was written"
    );
}

/// A perceptron of the shape of [`small`], on drawn glyphs.
const GLYPHS: &str = r#"{
  "data": {"kind": "glyphs", "size": 16, "train": 72, "valid": 36, "test": 36},
  "model": {"kind": "mlp", "hidden": [3]},
  "training": {"epochs": 1}
}"#;

#[test]
fn files_without_weights_are_refused_in_one_line_and_nothing_is_written() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    for (name, bytes) in damaged() {
        // What a file is, its content says.
        bench.write(&format!("{name}.pth"), bytes);
        let arguments = format!("model import {name}.pth glyphs.json --to run");
        assert_refused(&bench, &arguments, &[&format!("{name}.pth: ")]);
    }
    std::fs::create_dir(bench.path("folder.pth")).unwrap();
    for name in ["folder.pth", "nothing.pth"] {
        let arguments = format!("model import {name} glyphs.json --to run");
        assert_refused(&bench, &arguments, &[&format!("{name}: ")]);
    }
    let path = bench.path("text.pth").display().to_string();
    let train = format!("train glyphs.json --run-dir run --set init.weights={path}");
    // What `--set` says is repeated.
    let assert = bench.kiln(&train).assert().code(1);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(text.contains("error: init.weights: "), "{text}");
    assert!(!bench.path("run").exists());
}

#[test]
fn a_run_that_was_imported_is_not_resumed_over_its_weights() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let train = "train glyphs.json --run-dir trained";
    bench.kiln(train).assert().success();
    let export = "model export trained out.safetensors";
    bench.kiln(export).assert().success();
    let import = "model import out.safetensors glyphs.json --to imported";
    bench.kiln(import).assert().success();
    let before = bench.read("imported/model.safetensors");
    let assert = bench.kiln("train --resume imported").assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("imported, not trained"), "{text}");
    assert!(text.contains("--init-from imported"), "{text}");
    assert!(!bench.path("imported/run.lock").exists());
    let listed = bench.output("runs list .");
    assert!(listed.contains("imported"), "{listed}");
    assert!(!listed.contains("unfinished"), "{listed}");
    assert_eq!(bench.read("imported/model.safetensors"), before);
}

#[test]
fn weights_that_are_no_finite_numbers_are_refused_by_name() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.output("train glyphs.json --run-dir run");
    bench.output("model export run out.safetensors");
    for (name, value) in [("nan", f32::NAN), ("inf", f32::NEG_INFINITY)] {
        // The last number of the last tensor.
        for (from, to) in [
            ("out.safetensors", format!("{name}.safetensors")),
            ("run/model.safetensors", "run/model.safetensors".into()),
        ] {
            let mut bytes = bench.read(from);
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
            bench.write(&to, bytes);
        }
        let mut config: serde_json::Value = serde_json::from_str(GLYPHS).unwrap();
        config["init"] = serde_json::json!({"weights": format!("{name}.safetensors")});
        bench.write(&format!("from_{name}.json"), config.to_string());
        for verb in [
            format!("model import {name}.safetensors glyphs.json --to to"),
            format!("train from_{name}.json"),
        ] {
            assert_refused(&bench, &verb, &[name, "not finite"]);
        }
        assert_refused(&bench, "eval run", &["model.safetensors", "not finite"]);
    }
}

#[test]
fn an_export_spares_the_model_that_it_comes_from() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.output("train glyphs.json --run-dir run");
    let before = bench.read("run/model.safetensors");
    assert_refused(
        &bench,
        "model export run run/model.safetensors",
        &["run/model.safetensors", "name another file"],
    );
    assert_eq!(bench.read("run/model.safetensors"), before);
}

#[test]
fn an_import_says_what_is_wrong_with_its_arguments() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.write("small.pth", torch_file(&whole(), Precision::F32));
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to run",
        &[
            "small.pth: does not fit the network",
            "layers.0.weight is [3, 4]",
        ],
    );
    bench.write("one.txt", "alone\n");
    bench.write("none.txt", "");
    for file in ["one.txt", "none.txt"] {
        let arguments = format!("model import small.pth glyphs.json --to run --classes {file}");
        assert_refused(&bench, &arguments, &["--classes", file, "at least 2"]);
    }
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to run --classes one.txt --set model.classes=36",
        &["1 names, but model.classes is 36"],
    );
    std::fs::create_dir(bench.path("there")).unwrap();
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to there",
        &["already exists"],
    );
    assert_refused(
        &bench,
        "model export there out.pth",
        &["out.pth", ".safetensors"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_file_cut_or_changed_anywhere_is_answered_and_never_panics(
        of_torch: bool, cut in 0usize..4000, at in 0usize..4000, to: u8
    ) {
        let mut bytes = match of_torch {
            true => torch_file(&whole(), Precision::F32),
            false => safetensors_file(&whole(), Precision::F32),
        };
        let at = at % bytes.len();
        bytes[at] = to;
        if let Err(text) = try_load(&bytes, &[]) {
            prop_assert_eq!(text.lines().count(), 1, "{}", text);
            prop_assert!(!text.contains("damaged"), "a reader panicked");
        }
        if cut < bytes.len() {
            prop_assert!(try_load(&bytes[..cut], &[]).is_err());
        }
    }
}

// ---- Patterns ----

/// The plain definition: a star is any text, the rest is itself.
fn fits_naively(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| fits_naively(rest, &name[skip..])),
        Some((letter, rest)) => name
            .split_first()
            .is_some_and(|(first, others)| first == letter && fits_naively(rest, others)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_star_stands_for_any_characters(pattern in "[ab.*é]{0,8}", name in "[ab.é]{0,10}") {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            parameters::matches(&pattern, &name),
            fits_naively(&letters(&pattern), &letters(&name))
        );
    }

    #[test]
    fn a_name_fits_itself_and_every_pattern_that_it_was_made_of(
        parts in proptest::collection::vec("[a-c.]{0,3}", 1..5),
        between in proptest::collection::vec("[a-c.]{0,3}", 4),
    ) {
        let pattern = parts.join("*");
        let mut name = String::new();
        for (part, filling) in parts.iter().zip(&between) {
            name = name + part + filling;
        }
        let last = &between[parts.len() - 1];
        let name = name.strip_suffix(last.as_str()).unwrap();
        prop_assert!(parameters::matches(&pattern, name), "{} {}", pattern, name);
        prop_assert!(parameters::matches(name, name));
    }
}

// ---- SqueezeNet ----

/// `torchvision.models.squeezenet1_1().state_dict()` (torchvision 0.29): squeezed and expanded channels of the fire modules.
const FIRES: [(usize, [usize; 3]); 8] = [
    (3, [64, 16, 64]),
    (4, [128, 16, 64]),
    (6, [128, 32, 128]),
    (7, [256, 32, 128]),
    (9, [256, 48, 192]),
    (10, [384, 48, 192]),
    (11, [384, 64, 256]),
    (12, [512, 64, 256]),
];

/// Torchvision's names and shapes.
fn of_torchvision(classes: usize) -> Vec<(String, Vec<usize>)> {
    let mut list = vec![
        ("features.0.weight".to_string(), vec![64, 3, 3, 3]),
        ("features.0.bias".to_string(), vec![64]),
    ];
    for (index, [inputs, squeezed, expanded]) in FIRES {
        for (name, shape) in [
            ("squeeze", vec![squeezed, inputs, 1, 1]),
            ("expand1x1", vec![expanded, squeezed, 1, 1]),
            ("expand3x3", vec![expanded, squeezed, 3, 3]),
        ] {
            let bias = vec![shape[0]];
            list.push((format!("features.{index}.{name}.weight"), shape));
            list.push((format!("features.{index}.{name}.bias"), bias));
        }
    }
    list.push(("classifier.1.weight".into(), vec![classes, 512, 1, 1]));
    list.push(("classifier.1.bias".into(), vec![classes]));
    list
}

fn squeezenet(classes: usize) -> Network {
    let config = ModelConfig::Squeezenet(SqueezenetConfig::default());
    Network::new(
        &config,
        ImageShape::new(3, 32, 32),
        classes,
        &Device::flex(),
    )
}

#[test]
fn squeezenet_has_torchvisions_names_and_shapes_and_as_many_parameters() {
    let found = parameters::list(&squeezenet(1000)).into_iter();
    let found: Vec<_> = found.map(|p| (p.name, p.shape)).collect();
    assert_eq!(found, of_torchvision(1000));
    let network = Network::new(
        &ModelConfig::Squeezenet(SqueezenetConfig::default()),
        ImageShape::new(3, 32, 32),
        1000,
        &Device::flex().autodiff(),
    );
    // As torchvision's page on the model has it.
    assert_eq!(parameters::trainable(&network), 1_235_496);
}

#[test]
fn an_export_is_a_file_for_pytorch_and_comes_back_as_it_was() {
    let bench = Bench::new();
    bench.write(
        "squeezenet.json",
        r#"{"data": {"kind": "glyphs", "size": 32}, "model": {"kind": "squeezenet"}}"#,
    );
    let grey = ModelConfig::Squeezenet(SqueezenetConfig::default());
    let network = Network::new(&grey, ImageShape::new(1, 32, 32), 36, &Device::flex());
    weights::save(&network, &bench.path("first.safetensors")).unwrap();
    bench.output("model import first.safetensors squeezenet.json --to run");
    bench.output("model export run out.safetensors");
    let out = bench.read("out.safetensors");
    assert!(out == bench.read("first.safetensors"));
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&out).unwrap();
    let entries = metadata.metadata().clone().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries["format"], "pt");
    let mut wanted = of_torchvision(36);
    wanted[0].1[1] = 1;
    wanted.sort();
    let found = tensors(&out);
    let shapes: Vec<(String, Vec<usize>)> = found
        .iter()
        .map(|(name, (shape, _))| (name.clone(), shape.clone()))
        .collect();
    assert_eq!(shapes, wanted);
    assert_eq!(tensors(&bench.read("run/model.safetensors")), found);
    // Names instead of the data's.
    let names: Vec<String> = (0..36).map(|i| format!("class {i}")).collect();
    bench.write("names.txt", names.join("\n") + "\n");
    bench.output("model import out.safetensors squeezenet.json --to named --classes names.txt");
    let model = Classifier::load(&bench.path("named/model.safetensors"), &Device::flex()).unwrap();
    assert_eq!(model.card().classes, names);
}

/// Values in [0, 1], `[3, height, width]`.
fn planes(path: &Path) -> Vec<f32> {
    let image = image::open(path).unwrap().into_rgb8();
    (0..3)
        .flat_map(|channel| {
            let pixels = image.pixels();
            pixels.map(move |pixel| f32::from(pixel.0[channel]) / 255.0)
        })
        .collect()
}

#[test]
#[cfg_attr(
    not(kiln_data = "squeezenet1_1"),
    ignore = "needs squeezenet1_1 in KILN_DATA"
)]
fn squeezenet_gives_torchvisions_logits_from_imagenets_weights() {
    let root = common::real_data().join("squeezenet1_1");
    let bench = Bench::new();
    let config = repository().join("configs/squeezenet_imagenet.json");
    let import = |file: &str, run: &str| {
        bench.output(&format!(
            "model import {} {} --to {run}",
            root.join(file).display(),
            config.display()
        ));
        bench.read(&format!("{run}/model.safetensors"))
    };
    let pickled = import("squeezenet1_1.pth", "pth");
    assert!(pickled == import("squeezenet1_1_imagenet.safetensors", "safetensors"));
    let model = Classifier::load(&bench.path("pth/model.safetensors"), &Device::flex()).unwrap();
    let reference = std::fs::read(root.join("reference_logits.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_slice(&reference).unwrap();
    let images = reference["images"].as_array().unwrap();
    assert_eq!(images.len(), 4);
    let close = |found: f64, expected: &serde_json::Value, tolerance: f64| {
        let expected = expected.as_f64().unwrap();
        assert!(
            (found - expected).abs() < tolerance,
            "{found} is not {expected}"
        );
    };
    for image in images {
        let pixels = planes(&root.join(image["crop_png"].as_str().unwrap()));
        let input = to_input(
            pixels.clone(),
            1,
            model.card().input,
            model.card().normalize.as_ref(),
            &Device::flex(),
        );
        let features = model
            .network()
            .backbone()
            .unwrap()
            .features(input)
            .into_data();
        let sum: f64 = features.iter::<f32>().map(f64::from).sum();
        // 86528 values.
        close(sum, &image["features_sum"], 1.0);
        let logits = model.outputs(pixels, 1).unwrap().remove(0);
        let first = image["logits_first8"].as_array().unwrap();
        for (&found, expected) in logits.iter().zip(first) {
            close(found.into(), expected, 1e-3);
        }
        close(
            logits.iter().map(|&l| f64::from(l)).sum(),
            &image["logits_sum"],
            0.1,
        );
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        for (&class, expected) in order.iter().zip(image["top5"].as_array().unwrap()) {
            assert_eq!(class as u64, expected["class_id"].as_u64().unwrap());
            close(logits[class].into(), &expected["logit"], 1e-3);
        }
    }
}

#[test]
fn a_file_of_the_shape_of_a_model_card_is_kept_apart_from_it() {
    // `model import` of a run's own model works: its description is metadata that nobody asks.
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![3],
        ..MlpConfig::default()
    });
    let network = Network::new(&config, ImageShape::new(1, 16, 16), 36, &Device::flex());
    let card = ModelCard {
        model: config,
        input: ImageShape {
            channels: 1,
            height: 16,
            width: 16,
        },
        normalize: None,
        classes: (0..36).map(|i| i.to_string()).collect(),
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    let path = bench.path("model.safetensors");
    Classifier::new(&network, card, &Device::flex())
        .save(&path)
        .unwrap();
    bench.output("model import model.safetensors glyphs.json --to run");
    let found = tensors(&bench.read("run/model.safetensors"));
    assert_eq!(found, tensors(&std::fs::read(path).unwrap()));
}
