//! Loads the tensors of a file into a network; an error says in one line why they don't match.

use std::path::Path;

use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::DType;

use super::error::WeightsError;
use super::finite::validate_finite;
use super::formats::read::read;
use super::matching::choose::{Choice, choose};
use super::matching::fit::Wanted;
use super::matching::refusal::mismatch;
use super::matching::settings::Settings;
use crate::config::{Rename, RenamePattern};
use crate::models::{Network, parameters};

/// What was taken from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Names of the network's tensors that come from the file.
    pub applied: Vec<String>,
    /// Names of the network's tensors that keep their initial values, because they were excepted.
    pub fresh: Vec<String>,
    /// Names in the file that were skipped, because they were excepted.
    pub unused: Vec<String>,
    /// The dictionary of the file that they were in; empty for the whole file.
    pub dictionary: String,
    /// Other dictionaries of the file that would fit as well.
    pub others: Vec<String>,
    /// The prefix that was taken off all names, with its dot; empty for none.
    pub prefix: String,
    /// Whether `module` and `_orig_mod` were taken out of the middle of names.
    pub is_unwrapped: bool,
    /// Names in the file without the prefix, which were skipped.
    pub outside: Vec<String>,
    /// The patterns by which names were changed.
    pub renamed: Vec<RenamePattern>,
    /// Names of the network's tensors that are transposed in the file, an ONNX model.
    pub transposed: Vec<String>,
}

/// [`load_renamed`] for files that use the network's names.
pub fn load(
    network: Network,
    path: &Path,
    except: &[String],
) -> Result<(Network, Taken), WeightsError> {
    load_renamed(network, path, except, &Rename::default(), Settings::CONFIG)
}

/// Loads the tensors of a file into a network, except those whose names match a pattern in `except`.
///
/// All others must be in both, with the same shape, after `rename`. What training scripts put around weights is taken off where
/// the names fit then. Numbers of other precisions are converted to the network's. `settings` is where the user said so, for messages.
///
/// # Errors
/// The file can't be read or does not fit the network; a pattern of `except` or `rename` makes no sense for it.
pub fn load_renamed(
    network: Network,
    path: &Path,
    except: &[String],
    rename: &Rename,
    settings: Settings,
) -> Result<(Network, Taken), WeightsError> {
    let parameters = parameters::list(&network);
    let first = parameters
        .first()
        .map_or("weight", |first| first.name.as_str());
    let saved = read(path, first)?;
    let wanted = Wanted {
        parameters: &parameters,
        except,
        settings,
    };
    let choice = choose(&saved, wanted, rename, path)?;
    apply(network, choice).map_err(|problem| mismatch(path, problem).into())
}

fn apply(mut network: Network, choice: Choice) -> Result<(Network, Taken), String> {
    let taken = Taken {
        applied: choice
            .tensors
            .iter()
            .map(|(name, _)| name.clone())
            .collect(),
        fresh: choice.fresh,
        unused: choice.unused,
        dictionary: choice.dictionary,
        others: choice.others,
        prefix: choice.prefix,
        is_unwrapped: choice.is_unwrapped,
        outside: choice.outside,
        renamed: choice.renamed,
        transposed: choice.transposed,
    };
    let tensors = choice.tensors.into_iter();
    let tensors: Vec<_> = tensors.map(|(name, tensor)| tensor.named(name)).collect();
    validate_finite(&tensors)?;
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let result = network.apply(tensors, None, Some(Box::new(adapter)), true);
    if let Some(error) = result.errors.first() {
        return Err(error.to_string());
    }
    if result.applied.len() != taken.applied.len() {
        return Err(format!(
            "{} of {} tensors could be used",
            result.applied.len(),
            taken.applied.len()
        ));
    }
    Ok((network, taken))
}
