//! Reads a file of named tensors, in any format that kiln supports.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use burn::store::burn_pack::Tensor;
use burn::store::{ModuleStore, PytorchStore, SafetensorsStore};
use burn::tensor::DType;

use super::limits;
use crate::error::FileError;
use crate::panics::catch_panic;

/// What PyTorch's batch norms count besides the statistics; kiln's don't use it.
const COUNTER: &str = "num_batches_tracked";

/// The prefix of all names where a script trains on several devices.
const PARALLEL: &str = "module.";

/// The names under which scripts save the weights among other things.
const NESTED: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Tensors by name.
pub(super) type Tensors = BTreeMap<String, Tensor>;

/// The tensors of a file by name.
pub(super) fn read(path: &Path) -> Result<Tensors, FileError> {
    let format = |problem: String| {
        FileError::new(path, format!("no weights that kiln can read: {problem}"))
            .advise("supported: .safetensors, and .pth with a state_dict saved by torch.save")
    };
    let mut file = std::fs::File::open(path).map_err(|error| FileError::named(path, error))?;
    limits::check(&mut file).map_err(format)?;
    let start = limits::start(&mut file).map_err(format)?;
    // The readers are third-party code; a file may be damaged in a way that makes them panic.
    let read = catch_panic(AssertUnwindSafe(|| {
        if limits::is_safetensors(&start) {
            read_safetensors(path)
        } else {
            read_torch(path)
                .map_err(|error| format!("neither safetensors nor a PyTorch file: {error}"))
        }
    }));
    let tensors = match read {
        Some(tensors) => tensors.map_err(format)?,
        None => return Err(format("it is damaged".into())),
    };
    let tensors = without_extras(tensors);
    let unsupported = tensors.iter().find(|(_, tensor)| {
        ![DType::F64, DType::F32, DType::F16, DType::BF16].contains(&tensor.dtype)
    });
    match unsupported {
        Some((name, tensor)) => Err(format(format!("{name} is {:?}", tensor.dtype))),
        None if tensors.is_empty() => Err(format("it contains no tensors".into())),
        None => Ok(tensors),
    }
}

/// The tensors without the prefix of training on several devices, and without the counters of batch norms.
fn without_extras(tensors: Tensors) -> Tensors {
    let is_parallel = tensors.keys().all(|name| name.starts_with(PARALLEL));
    tensors
        .into_iter()
        .filter(|(name, _)| !name.ends_with(COUNTER))
        .map(|(name, mut tensor)| {
            let name = if is_parallel {
                name[PARALLEL.len()..].to_string()
            } else {
                name
            };
            tensor.name = name.clone();
            (name, tensor)
        })
        .collect()
}

fn read_safetensors(path: &Path) -> Result<Tensors, String> {
    let mut store = SafetensorsStore::from_file(path).map_indices_contiguous(false);
    let tensors = store.get_all_tensors().map_err(|error| error.to_string())?;
    Ok(tensors.clone())
}

fn read_torch(path: &Path) -> Result<Tensors, String> {
    let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
    let found = store.get_all_tensors().cloned();
    match found {
        Ok(tensors) if !tensors.is_empty() && !is_nested(&tensors) => return Ok(tensors),
        _ => {}
    }
    for key in NESTED {
        let mut store = PytorchStore::from_file(path)
            .map_indices_contiguous(false)
            .with_top_level_key(key);
        if let Ok(tensors) = store.get_all_tensors()
            && !tensors.is_empty()
        {
            return Ok(tensors.clone());
        }
    }
    found.map_err(|error| error.to_string())
}

/// Whether the weights are nested below another name.
fn is_nested(tensors: &Tensors) -> bool {
    NESTED.iter().any(|key| {
        tensors
            .keys()
            .any(|name| name.starts_with(&format!("{key}.")))
    })
}
