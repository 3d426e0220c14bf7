//! How well the tensors of a file fit those of a network.

use std::collections::{HashMap, HashSet};

use burn::tensor::DType;

use super::settings::Settings;
use super::views::View;
use crate::config::RenamePattern;
use crate::models::parameters::{Parameter, matches};
use crate::weights::formats::saved::{Stored, Unreadable};
use crate::weights::formats::tensor::FileTensor;

/// What a network has and wants: its parameters, patterns of names that it can do without, and what messages call these.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    pub parameters: &'w [Parameter],
    pub except: &'w [String],
    pub settings: Settings,
}

impl Wanted<'_> {
    /// Whether a name is among the exceptions.
    pub fn is_excepted(&self, name: &str) -> bool {
        let mut patterns = self.except.iter();
        patterns.any(|pattern| matches(pattern, name))
    }

    /// Whether a tensor of a view is, under the name in the view, in the file or in the network.
    pub fn excepts_any(&self, view: &View, name: &str, renamed: &str) -> bool {
        if self.except.is_empty() {
            return false;
        }
        let full = match view.dictionary {
            "" => format!("{}{name}", view.prefix),
            dictionary => format!("{dictionary}.{}{name}", view.prefix),
        };
        [name, renamed, &full]
            .iter()
            .any(|name| self.is_excepted(name))
    }
}

/// A view next to a network. Names are the network's where a tensor fits, and otherwise those of the view.
#[derive(Debug, Default)]
pub struct Fit<'s> {
    /// Names of the network and the tensors for them.
    pub applied: Vec<(String, &'s FileTensor)>,
    /// Excepted names of the network.
    pub fresh: Vec<String>,
    /// Excepted names of the file.
    pub unused: Vec<String>,
    /// Names of the network that the file lacks.
    pub missing: Vec<String>,
    /// Names of the file that the network lacks.
    pub unknown: Vec<String>,
    /// Tensors that are in both, and why they don't fit.
    pub misfits: Vec<String>,
    /// Tensors of the network's shapes that don't hold floating-point numbers, and what they hold.
    pub integers: Vec<String>,
    /// Pairs of names of the file that were renamed alike.
    pub collisions: Vec<String>,
    /// The first tensor that is wanted and can't be read.
    pub unreadable: Option<(String, Unreadable)>,
    /// Patterns of `rename` that are the first match of no name.
    pub idle: Vec<String>,
}

impl<'s> Fit<'s> {
    /// Adds a tensor of the file that has the name of a parameter.
    fn compare(&mut self, tensor: &'s FileTensor, parameter: &Parameter) {
        let name = &parameter.name;
        if tensor.shape != parameter.shape {
            self.misfits.push(format!(
                "{name} is {:?} in the file and {:?} in the network",
                tensor.shape, parameter.shape
            ));
        } else if [DType::F64, DType::F32, DType::F16, DType::BF16].contains(&tensor.dtype) {
            self.applied.push((name.clone(), tensor));
        } else {
            self.integers.push(format!("{name} ({:?})", tensor.dtype));
        }
    }

    /// Whether everything that is not excepted is in both and fits.
    pub fn is_complete(&self) -> bool {
        let rest = [
            &self.missing,
            &self.unknown,
            &self.misfits,
            &self.integers,
            &self.collisions,
            &self.idle,
        ];
        self.unreadable.is_none() && rest.iter().all(|names| names.is_empty())
    }
}

/// Compares a view with a network.
pub fn fit<'s>(view: &View<'s>, wanted: Wanted, patterns: &[RenamePattern]) -> Fit<'s> {
    let mut fit = Fit::default();
    let mut used = vec![false; patterns.len()];
    let mut named: HashMap<String, (&str, &'s Stored)> = HashMap::new();
    for (name, tensor) in &view.tensors {
        let renamed = renamed(name, patterns, &mut used);
        if wanted.excepts_any(view, name, &renamed) {
            fit.unused.push(name.clone());
        } else if let Some((other, _)) = named.get(&renamed) {
            fit.collisions
                .push(format!("{other} and {name} both become {renamed}"));
        } else {
            named.insert(renamed, (name, tensor));
        }
    }
    for parameter in wanted.parameters {
        match named.get(&parameter.name) {
            _ if wanted.is_excepted(&parameter.name) => fit.fresh.push(parameter.name.clone()),
            None => fit.missing.push(parameter.name.clone()),
            Some((_, Stored::Unreadable(kind))) => {
                let first = fit.unreadable.take();
                fit.unreadable = first.or(Some((parameter.name.clone(), *kind)));
            }
            Some((_, Stored::Tensor(tensor))) => fit.compare(tensor, parameter),
        }
    }
    let known: HashSet<&str> = wanted.parameters.iter().map(|p| p.name.as_str()).collect();
    // In the order of the file.
    let mut unknown: Vec<(&str, &String)> = Vec::new();
    for (renamed, (name, _)) in &named {
        if !known.contains(renamed.as_str()) {
            unknown.push((name, renamed));
        }
    }
    let places: HashMap<&str, usize> = view
        .tensors
        .iter()
        .enumerate()
        .map(|(place, (name, _))| (name.as_str(), place))
        .collect();
    unknown.sort_by_key(|(name, _)| places.get(name).copied());
    fit.unknown = unknown
        .into_iter()
        .map(|(name, renamed)| {
            if name == renamed {
                name.to_string()
            } else {
                format!("{name} (renamed to {renamed})")
            }
        })
        .collect();
    let idle = patterns.iter().zip(used).filter(|(_, used)| !used);
    fit.idle = idle.map(|(pattern, _)| pattern.from.clone()).collect();
    fit
}

/// The name after the first pattern that matches; the name itself if none does.
fn renamed(name: &str, patterns: &[RenamePattern], used: &mut [bool]) -> String {
    for (pattern, used) in patterns.iter().zip(used) {
        if let Some(renamed) = pattern.apply(name) {
            *used = true;
            return renamed;
        }
    }
    name.to_string()
}
