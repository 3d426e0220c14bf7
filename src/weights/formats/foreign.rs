//! Files that are not weights in a form that kiln reads, and the lines of Python that make such a form of them.

use std::path::Path;

use super::saved::{Reader, Unreadable};

/// A file of another kind: what it is, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    pub problem: String,
    pub advice: String,
}

impl Foreign {
    fn new(problem: &str, advice: String) -> Self {
        Self {
            problem: problem.to_string(),
            advice,
        }
    }
}

/// Bytes at the start of a file that tell other kinds apart: HDF5, NumPy, gzip, TensorFlow Lite (after a length), Git LFS.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
const NUMPY: &[u8] = b"\x93NUMPY";
const GZIP: &[u8] = b"\x1f\x8b";
const TFLITE: (usize, &[u8]) = (4, b"TFL3");
const GIT_LFS: &[u8] = b"version https://git-lfs";
/// Offset and text of a tar archive's signature.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// The part of the names of tensors that PyTorch's quantization packs.
pub const PACKED: &str = "_packed_params";

/// How many bytes of its start it takes to recognise a file.
pub const HEAD_BYTES: u64 = (TAR.0 + TAR.1.len()) as u64;

/// Recognises a file by its start. `example` is the name of a parameter of the network.
pub fn recognise(head: &[u8], path: &Path, example: &str) -> Option<Foreign> {
    let has =
        |(at, text): (usize, &[u8])| head.get(at..).is_some_and(|rest| rest.starts_with(text));
    let name = quoted(path);
    if has((0, HDF5)) {
        return Some(keras(&name, path));
    }
    if has((0, NUMPY)) {
        let advice = format!(
            "in Python: import numpy, torch; torch.save({{{example:?}: torch.from_numpy(numpy.load({name}))}}, {})",
            beside(path, "pt")
        );
        return Some(Foreign::new("a NumPy array without a name", advice));
    }
    if has((0, GZIP)) {
        return Some(Foreign::new(
            "compressed with gzip",
            "unpack it with gunzip".into(),
        ));
    }
    if has((0, GIT_LFS)) {
        let problem = "a Git LFS pointer instead of the file";
        return Some(Foreign::new(problem, "fetch it with git lfs pull".into()));
    }
    if has(TAR) {
        let advice = "re-save it with a newer version".into();
        return Some(Foreign::new("written by PyTorch < 0.1.10", advice));
    }
    if has(TFLITE) {
        let advice = "take the weights from the model that it was made of".into();
        return Some(Foreign::new("a TensorFlow Lite model", advice));
    }
    of_text(head, path)
}

/// Recognises files of text.
fn of_text(head: &[u8], path: &Path) -> Option<Foreign> {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let text = text.trim_start();
    if text.starts_with("<!doctype") || text.starts_with("<html") {
        let advice = "download the file itself".into();
        return Some(Foreign::new("a web page instead of the file", advice));
    }
    let is_json = text.starts_with('{');
    let is_index =
        text.contains("\"weight_map\"") || path.to_string_lossy().ends_with(".index.json");
    let advice = "pass a file of weights instead: .safetensors, .pth or .onnx";
    match is_json {
        true if is_index => Some(shards(path)),
        true => Some(Foreign::new("a JSON file", advice.into())),
        false => None,
    }
}

/// An index of a checkpoint in several files.
fn shards(path: &Path) -> Foreign {
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_safetensors = path.to_string_lossy().contains("safetensors");
    let (import, part) = if is_safetensors {
        (
            "from safetensors.torch import load_file; ",
            "load_file(os.path.join(p, f))",
        )
    } else {
        ("", "torch.load(os.path.join(p, f), map_location=\"cpu\")")
    };
    let advice = format!(
        "in Python: import json, os, torch; {import}p = {}; \
         torch.save({{k: v for f in sorted(set(json.load(open({}))[\"weight_map\"].values())) for k, v in {part}.items()}}, {})",
        quoted(folder),
        quoted(path),
        quoted(&folder.join("whole.pt"))
    );
    Foreign::new("an index of a sharded checkpoint", advice)
}

/// Keras keeps kernels as [rows, columns, in, out].
fn keras(name: &str, path: &Path) -> Foreign {
    let advice = format!(
        "in Python: import keras, numpy as np, torch; torch.save({{w.path: torch.tensor(np.moveaxis(np.array(w), (-1, -2), (0, 1)) \
         if len(w.shape) > 1 else np.array(w)) for w in keras.models.load_model({name}).weights}}, {})",
        beside(path, "pt")
    );
    Foreign::new("a Keras model or another HDF5 file", advice)
}

/// Whether a file is an ONNX model: a protocol buffer whose first field is a small version.
pub fn is_onnx(head: &[u8], path: &Path) -> bool {
    let is_named = path
        .extension()
        .is_some_and(|extension| extension == "onnx");
    // Field 1 as a number, then a version of the format, and one of fields 2, 3, 4, 5, 6, 7, 8 of ModelProto.
    let fields = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42];
    let looks_like = matches!(head, [0x08, 1..=32, field, ..] if fields.contains(field));
    looks_like || (is_named && head.first() == Some(&0x08))
}

/// A tensor of an ONNX model that kiln can't read. A model that is saved anew with its weights keeps the graph, which tells how
/// they lie; a `state_dict` of them does not.
fn in_onnx(kind: Unreadable, tensor: &str, path: &Path) -> Foreign {
    if kind == Unreadable::OnnxOutside {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let whole = quoted(&path.with_file_name(format!("{stem}_whole.onnx")));
        let advice = format!(
            "in Python: import onnx; onnx.save(onnx.load({}), {whole})",
            quoted(path)
        );
        return Foreign::new(&format!("{tensor} stores its data in another file"), advice);
    }
    let problem = format!("{tensor} stores its data in a format that kiln does not read");
    let advice = format!(
        "in Python, where weights that MatMul takes have to be transposed: import onnx, torch; from onnx import numpy_helper as n; \
         torch.save({{i.name: torch.tensor(n.to_array(i)) for i in onnx.load({}).graph.initializer}}, {})",
        quoted(path),
        beside(path, "pt")
    );
    Foreign::new(&problem, advice)
}

/// Recognises a zip archive by the names of its entries.
pub fn recognise_archive<'n>(names: impl Iterator<Item = &'n str>, path: &Path) -> Option<Foreign> {
    let names: Vec<&str> = names.collect();
    let any = |matches: &dyn Fn(&str) -> bool| names.iter().any(|name| matches(name));
    let name = quoted(path);
    if any(&|entry| entry.contains("/code/") || entry.ends_with("/constants.pkl")) {
        let advice = format!(
            "in Python: import torch; torch.save(torch.jit.load({name}, map_location=\"cpu\").state_dict(), {})",
            beside(path, "pt")
        );
        return Some(Foreign::new(
            "a TorchScript program, not a state_dict",
            advice,
        ));
    }
    if any(&|entry| {
        entry.ends_with("serialized_exported_program.json") || entry.ends_with("models/model.json")
    }) {
        let advice = format!(
            "in Python: import torch; torch.save(torch.export.load({name}).state_dict, {})",
            beside(path, "pt")
        );
        return Some(Foreign::new(
            "a torch.export program, not a state_dict",
            advice,
        ));
    }
    if any(&|entry| entry.ends_with(".weights.h5")) {
        return Some(keras(&name, path));
    }
    if !names.is_empty() && names.iter().all(|entry| entry.ends_with(".npy")) {
        let advice = format!(
            "in Python: import numpy, torch; torch.save({{k: torch.from_numpy(v) for k, v in numpy.load({name}).items()}}, {})",
            beside(path, "pt")
        );
        return Some(Foreign::new("an archive of NumPy arrays", advice));
    }
    None
}

/// A file that is one tensor, which has no name; `example` is one of the network's.
pub fn single_tensor(path: &Path, example: &str) -> Foreign {
    let advice = format!(
        "put it into a dictionary under the name of its parameter, such as {example:?}: in Python: import torch; \
         torch.save({{{example:?}: torch.load({}, map_location=\"cpu\")}}, {})",
        quoted(path),
        beside(path, "pt")
    );
    Foreign::new("a single tensor, without a name", advice)
}

/// A file of PyTorch, and where in it the tensors are.
#[derive(Debug, Clone, Copy)]
pub struct Written<'w> {
    pub path: &'w Path,
    pub reader: Reader,
    /// The dictionary of the tensors.
    pub dictionary: &'w str,
}

impl Written<'_> {
    /// The Python that reads the tensors as a dictionary `d`. `has_arrays` tells whether they are NumPy's.
    fn load(&self, has_arrays: bool) -> String {
        let name = quoted(self.path);
        let keys = self.dictionary.split('.').filter(|key| !key.is_empty());
        let keys = keys.map(|key| match key.parse::<u32>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => format!("[{key:?}]"),
        });
        let keys: String = keys.collect();
        let has_objects = self.reader.has_objects || has_arrays;
        let open = if self.reader.is_plain_pickle {
            format!("import pickle, torch; d = pickle.load(open({name}, \"rb\")){keys}")
        } else {
            let trusting = if has_objects {
                ", weights_only=False"
            } else {
                ""
            };
            format!("import torch; d = torch.load({name}, map_location=\"cpu\"{trusting}){keys}")
        };
        let trust = if self.reader.is_plain_pickle || has_objects {
            "if you trust the file, in Python"
        } else {
            "in Python"
        };
        let module = if self.reader.has_objects {
            "; d = getattr(d, \"state_dict\", lambda: d)()"
        } else {
            ""
        };
        format!("{trust}: {open}{module}")
    }

    /// The Python that makes another file of the tensors: what becomes of each `v`, and which are meant.
    fn converted(&self, convert: &str, condition: &str) -> String {
        format!(
            "{}; torch.save({{k: {convert} for k, v in d.items() if {condition}}}, {})",
            self.load(condition == IS_ARRAY),
            beside(self.path, "pt")
        )
    }
}

/// Whether a value of a dictionary is a tensor, or an array of NumPy.
const IS_TENSOR: &str = "torch.is_tensor(v)";
const IS_ARRAY: &str = "hasattr(v, \"shape\")";

/// Modules of PyTorch's quantization, which pack their weights.
pub fn quantized(written: Written) -> Foreign {
    let advice = format!(
        "save the model before it is quantized, or {}; p = \"_packed_params._packed_params\"; \
         torch.save({{k.replace(p, n): t for k, v in d.items() if k.endswith(p) for n, t in ((\"weight\", v[0].dequantize()), \
         (\"bias\", v[1])) if t is not None}} | {{k: v for k, v in d.items() if torch.is_tensor(v) and not k.endswith((\"scale\", \
         \"zero_point\"))}}, {})",
        written.load(false),
        beside(written.path, "pt")
    );
    Foreign::new("a quantized model", advice)
}

/// What kind of tensor kiln can't read, and what to do about it.
pub fn unreadable(kind: Unreadable, tensor: &str, written: Written) -> Foreign {
    if tensor.contains(PACKED) {
        return quantized(written);
    }
    let (what, convert) = match kind {
        Unreadable::Sparse => (
            "a sparse tensor",
            "v.to_dense() if v.layout != torch.strided else v",
        ),
        Unreadable::Quantized => (
            "a quantized tensor",
            "v.dequantize() if v.is_quantized else v",
        ),
        Unreadable::Nested => (
            "a nested tensor",
            "v.to_padded_tensor(0) if v.is_nested else v",
        ),
        Unreadable::Float8 => (
            "a tensor of 8-bit or smaller numbers, such as float8",
            "v.float()",
        ),
        Unreadable::Subclass => ("a tensor subclass", "v.detach().float().clone()"),
        Unreadable::Complex => (
            "a complex tensor, and the weights of kiln's networks are real numbers",
            "v.real.clone() if v.is_complex() else v",
        ),
        Unreadable::Numpy => {
            let advice = written.converted("torch.as_tensor(v)", IS_ARRAY);
            return Foreign::new(&format!("{tensor} is a NumPy array"), advice);
        }
        Unreadable::OnnxOutside | Unreadable::Onnx => return in_onnx(kind, tensor, written.path),
        Unreadable::WithoutValues => {
            let problem = format!("{tensor} has no values (it was on the device \"meta\")");
            return Foreign::new(&problem, "save the model after loading its weights".into());
        }
    };
    let condition = match kind {
        Unreadable::Complex => "if its imaginary parts mean nothing, ",
        _ => "",
    };
    let advice = format!("{condition}{}", written.converted(convert, IS_TENSOR));
    Foreign::new(&format!("{tensor} is {what}"), advice)
}

/// A path as a Python string.
fn quoted(path: &Path) -> String {
    let text = path
        .to_string_lossy()
        .replace('\\', "/")
        .replace('"', "\\\"");
    format!("\"{text}\"")
}

/// The name of a new file beside another, as a Python string.
pub fn beside(path: &Path, extension: &str) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    quoted(&path.with_file_name(format!("{stem}_state_dict.{extension}")))
}
