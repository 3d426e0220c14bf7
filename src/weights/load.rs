//! Loads the tensors of a file into a network; an error says in one line why they don't match.

use std::path::Path;

use burn::store::burn_pack::Tensor;
use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::DType;

use super::finite::validate_finite;
use super::read::{Tensors, read};
use crate::error::FileError;
use crate::models::{Network, parameters};

/// How many names an error lists.
const SHOWN: usize = 3;

/// What was taken from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Names of the network's tensors that come from the file.
    pub applied: Vec<String>,
    /// Names of the network's tensors that keep their initial values, because they were excepted.
    pub fresh: Vec<String>,
    /// Names in the file that were skipped, because they were excepted.
    pub unused: Vec<String>,
}

/// Loads the tensors of a file into a network, except those whose names match a pattern in `except`.
///
/// All others must be in both, with the same shape. Numbers of other precisions are converted to the network's.
pub fn load(
    network: Network,
    path: &Path,
    except: &[String],
) -> Result<(Network, Taken), FileError> {
    let tensors = read(path)?;
    apply(network, tensors, except)
        .map_err(|problem| FileError::new(path, format!("does not match the network: {problem}")))
}

fn apply(
    mut network: Network,
    tensors: Tensors,
    except: &[String],
) -> Result<(Network, Taken), String> {
    let wanted = parameters::list(&network);
    validate_patterns(except, &wanted, &tensors)?;
    let (picked, taken) = pick(&wanted, tensors, except)?;
    validate_finite(&picked)?;
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let result = network.apply(picked, None, Some(Box::new(adapter)), true);
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

/// Refuses patterns that match no name.
fn validate_patterns(
    except: &[String],
    wanted: &[parameters::Parameter],
    tensors: &Tensors,
) -> Result<(), String> {
    let idle = except.iter().find(|pattern| {
        let mut names = wanted.iter().map(|parameter| &parameter.name);
        !names.any(|name| parameters::matches(pattern, name))
            && !tensors
                .keys()
                .any(|name| parameters::matches(pattern, name))
    });
    match idle {
        None => Ok(()),
        Some(pattern) => Err(format!(
            "`init.except` has {pattern:?}, which matches no name in the file or the network"
        )),
    }
}

/// The tensors to load, and the names of all; everything that does not match is one problem.
fn pick(
    wanted: &[parameters::Parameter],
    tensors: Tensors,
    except: &[String],
) -> Result<(Vec<Tensor>, Taken), String> {
    let is_excepted = |name: &str| {
        let mut patterns = except.iter();
        patterns.any(|pattern| parameters::matches(pattern, name))
    };
    let mut taken = Taken::default();
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for parameter in wanted {
        match tensors.get(&parameter.name) {
            _ if is_excepted(&parameter.name) => taken.fresh.push(parameter.name.clone()),
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
        if is_excepted(&name) {
            taken.unused.push(name);
        } else if is_wanted(&name) {
            picked.push(tensor);
        } else {
            unknown.push(name);
        }
    }
    let problems: Vec<String> = [
        ("shapes differ: ", misshapen),
        ("not in the file: ", missing),
        ("not in the network: ", unknown),
    ]
    .iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| format!("{what}{}", first_of(names)))
    .collect();
    if !problems.is_empty() {
        return Err(format!(
            "{}; to train anyway, list the parameters to initialize randomly in `init.except`, such as \"classifier.*\"",
            problems.join("; ")
        ));
    }
    if taken.applied.is_empty() {
        return Err("init.except excludes every tensor".into());
    }
    Ok((picked, taken))
}

/// The first of some names, and how many more there are.
fn first_of(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
