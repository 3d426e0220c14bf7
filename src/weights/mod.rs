//! Weights of other programs: a file of named tensors goes into a network of kiln's, or one line says why it does not fit.
//!
//! Comes in: a `.safetensors` file, or what PyTorch's `torch.save` wrote of a `state_dict` (`.pth`, `.pt`, `.bin`), with
//! PyTorch's names and layouts. Goes out: the network with these weights, and the list of what was taken. [`claims`] looks at
//! a file before the readers do. Nothing here knows experiments or prints.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use burn::store::burn_pack::Tensor;
use burn::store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, ModuleStore,
    PyTorchToBurnAdapter, PytorchStore, SafetensorsStore,
};
use burn::tensor::DType;

use crate::error::one_line;
use crate::error::{ErrorExit, FileError};
use crate::files;
use crate::models::{Network, parameters};
use crate::panics::catch_panic;

pub mod claims;

/// What PyTorch's batch norms count besides; kiln's have no use for it.
const COUNTER: &str = "num_batches_tracked";

/// What training scripts put in front of every name when they train on several devices.
const PARALLEL: &str = "module.";

/// Under which name training scripts save the weights among other things.
const NESTED: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// How many names an error lists.
const SHOWN: usize = 3;

/// Why weights can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no weights.
    #[error("{}: no weights that kiln reads: {problem}; it takes .safetensors, and .pth as torch.save writes a state_dict", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The weights are those of another network.
    #[error("{}: does not fit the network: {problem}", path.display())]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

impl ErrorExit for WeightsError {}

/// What was taken from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Names of the tensors that the network has from the file.
    pub applied: Vec<String>,
    /// Names of the network's tensors that keep their fresh values, as they were excepted.
    pub fresh: Vec<String>,
    /// Names in the file that were left out, as they were excepted.
    pub unused: Vec<String>,
}

/// Puts the tensors of a file into a network, but for those whose names fit a pattern in `except`.
///
/// Everything else must be in both, in the same shape. Numbers of other precisions become the network's.
pub fn load(
    network: Network,
    path: &Path,
    except: &[String],
) -> Result<(Network, Taken), WeightsError> {
    let misfit = |problem: String| WeightsError::Misfit {
        path: path.to_path_buf(),
        problem: one_line(problem),
    };
    let tensors = read(path)?;
    let excepted = |name: &str| {
        except
            .iter()
            .any(|pattern| parameters::matches(pattern, name))
    };
    let wanted = parameters::list(&network);
    let idle = except.iter().find(|pattern| {
        let mut names = wanted.iter().map(|parameter| &parameter.name);
        !names.any(|name| parameters::matches(pattern, name))
            && !tensors
                .keys()
                .any(|name| parameters::matches(pattern, name))
    });
    if let Some(pattern) = idle {
        return Err(misfit(format!(
            "`init.except` has {pattern:?}, which fits no name in the file or the network"
        )));
    }
    let mut taken = Taken::default();
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for parameter in &wanted {
        match tensors.get(&parameter.name) {
            _ if excepted(&parameter.name) => taken.fresh.push(parameter.name.clone()),
            None => missing.push(parameter.name.clone()),
            Some(tensor) if tensor.shape.to_vec() != parameter.shape => misshapen.push(format!(
                "{} is {:?} in the file and {:?} in the network",
                parameter.name,
                tensor.shape.to_vec(),
                parameter.shape
            )),
            Some(_) => taken.applied.push(parameter.name.clone()),
        }
    }
    let is_wanted = |name: &String| wanted.iter().any(|parameter| parameter.name == *name);
    let (mut unknown, mut picked) = (Vec::new(), Vec::new());
    for (name, tensor) in tensors {
        if excepted(&name) {
            taken.unused.push(name);
        } else if is_wanted(&name) {
            picked.push(tensor);
        } else {
            unknown.push(name);
        }
    }
    let problems = [
        ("shapes differ: ", misshapen),
        ("not in the file: ", missing),
        ("not in the network: ", unknown),
    ];
    let problems: Vec<String> = problems
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}{}", some(names)))
        .collect();
    if !problems.is_empty() {
        return Err(misfit(format!(
            "{}; for training, `init.except` names what is to keep its fresh values, such as \"classifier.*\"",
            problems.join("; ")
        )));
    }
    if taken.applied.is_empty() {
        return Err(misfit("every tensor is excepted".into()));
    }
    check_finite(&picked).map_err(misfit)?;
    let mut network = network;
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let result = network.apply(picked, None, Some(Box::new(adapter)), true);
    if let Some(error) = result.errors.first() {
        return Err(misfit(error.to_string()));
    }
    if result.applied.len() != taken.applied.len() {
        return Err(misfit(format!(
            "{} of {} tensors could be used",
            result.applied.len(),
            taken.applied.len()
        )));
    }
    Ok((network, taken))
}

/// Says which tensor has values that are no finite numbers.
pub(crate) fn check_finite<'a>(
    tensors: impl IntoIterator<Item = &'a Tensor>,
) -> Result<(), String> {
    for tensor in tensors {
        let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
        if !is_finite(tensor.dtype, &bytes) {
            return Err(format!(
                "{} has values that are not finite numbers",
                tensor.name
            ));
        }
    }
    Ok(())
}

/// Whether all of a tensor's numbers, little end first, are finite: in IEEE 754 those whose exponent is not all ones.
fn is_finite(dtype: DType, bytes: &[u8]) -> bool {
    fn all<const N: usize>(bytes: &[u8], exponent: [u8; N]) -> bool {
        let (numbers, _) = bytes.as_chunks::<N>();
        let is_special = |number: &[u8; N]| {
            number
                .iter()
                .zip(exponent)
                .all(|(byte, mask)| byte & mask == mask)
        };
        !numbers.iter().any(is_special)
    }
    match dtype {
        DType::F64 => all(bytes, 0x7ff0_0000_0000_0000_u64.to_le_bytes()),
        DType::F32 => all(bytes, 0x7f80_0000_u32.to_le_bytes()),
        DType::F16 => all(bytes, 0x7c00_u16.to_le_bytes()),
        DType::BF16 => all(bytes, 0x7f80_u16.to_le_bytes()),
        _ => true,
    }
}

/// Writes a network's tensors as safetensors under PyTorch's names, for `safetensors.torch.load_file`.
pub fn save(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let format = |error: String| WeightsError::Format {
        path: path.to_path_buf(),
        problem: error,
    };
    // Programs around PyTorch ask for this entry.
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata("format", "pt");
    network
        .save_into(&mut store)
        .map_err(|error| format(error.to_string()))?;
    let bytes = store
        .get_bytes()
        .map_err(|error| format(error.to_string()))?;
    Ok(files::write(path, &bytes)?)
}

type Tensors = BTreeMap<String, Tensor>;

/// The tensors of a file by name.
fn read(path: &Path) -> Result<Tensors, WeightsError> {
    let format = |problem: String| WeightsError::Format {
        path: path.to_path_buf(),
        problem: one_line(problem),
    };
    let mut file = std::fs::File::open(path).map_err(|source| WeightsError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    claims::check(&mut file).map_err(format)?;
    let start = claims::start(&mut file).map_err(format)?;
    // The readers are other people's, and files may be damaged in ways that these did not think of.
    let read = catch_panic(AssertUnwindSafe(|| match claims::is_safetensors(&start) {
        true => read_safetensors(path),
        false => read_torch(path)
            .map_err(|error| format!("neither safetensors nor a file of PyTorch's: {error}")),
    }));
    let tensors = match read {
        Some(tensors) => tensors.map_err(format)?,
        None => return Err(format("it is damaged".into())),
    };
    let parallel = tensors.keys().all(|name| name.starts_with(PARALLEL));
    let tensors: Tensors = tensors
        .into_iter()
        .filter(|(name, _)| !name.ends_with(COUNTER))
        .map(|(name, mut tensor)| {
            let name = match parallel {
                true => name[PARALLEL.len()..].to_string(),
                false => name,
            };
            tensor.name = name.clone();
            (name, tensor)
        })
        .collect();
    let odd = tensors.iter().find(|(_, tensor)| {
        ![DType::F64, DType::F32, DType::F16, DType::BF16].contains(&tensor.dtype)
    });
    match odd {
        Some((name, tensor)) => Err(format(format!("{name} is {:?}", tensor.dtype))),
        None if tensors.is_empty() => Err(format("there are no tensors in it".into())),
        None => Ok(tensors),
    }
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

/// Whether the weights stand below another name.
fn is_nested(tensors: &Tensors) -> bool {
    NESTED.iter().any(|key| {
        tensors
            .keys()
            .any(|name| name.starts_with(&format!("{key}.")))
    })
}

/// The first of some names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
