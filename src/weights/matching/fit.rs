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
        [name, renamed, &view.full_name(name)]
            .iter()
            .any(|name| self.is_excepted(name))
    }
}

/// A tensor that has another shape in the file than in the network.
#[derive(Debug)]
pub struct Misfit {
    /// Its name in the network.
    pub name: String,
    in_file: Vec<usize>,
    in_network: Vec<usize>,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name,
            in_file,
            in_network,
        } = self;
        write!(
            f,
            "{name} is {in_file:?} in the file and {in_network:?} in the network"
        )
    }
}

/// Two tensors of the file that have the same name after renaming.
#[derive(Debug)]
pub struct Collision {
    /// Their names, and the new one.
    pub problem: String,
    /// The pattern that renamed the second, or else the first.
    pub pattern: Option<usize>,
}

/// A view compared with a network.
#[derive(Debug, Default)]
pub struct Fit<'s> {
    /// Names of the network and the tensors for them.
    pub applied: Vec<(String, &'s FileTensor)>,
    /// The names of these tensors in the view.
    pub taken: Vec<&'s str>,
    /// Excepted names of the network.
    pub fresh: Vec<String>,
    /// Excepted names of the file.
    pub unused: Vec<String>,
    /// Names of the network that the file lacks.
    pub missing: Vec<String>,
    /// Names of the view that the network lacks, and what they were renamed to.
    pub unknown: Vec<(&'s str, String)>,
    /// Tensors that are in both and have different shapes.
    pub misfits: Vec<Misfit>,
    /// Names of the network whose tensors in the file have its shapes, but don't hold floating-point numbers, and what they hold.
    pub integers: Vec<(String, DType)>,
    /// Pairs of tensors that were renamed alike.
    pub collisions: Vec<Collision>,
    /// The first tensor that is wanted and can't be read.
    pub unreadable: Option<(String, Unreadable)>,
    /// Indices of the patterns of `rename` that are no name's first match.
    pub idle: Vec<usize>,
}

impl<'s> Fit<'s> {
    /// Adds a tensor of the file that has the name of a parameter.
    fn compare(&mut self, (name, tensor): (&'s str, &'s FileTensor), parameter: &Parameter) {
        let ours = parameter.name.clone();
        if tensor.shape != parameter.shape {
            self.misfits.push(Misfit {
                name: ours,
                in_file: tensor.shape.clone(),
                in_network: parameter.shape.clone(),
            });
        } else if [DType::F64, DType::F32, DType::F16, DType::BF16].contains(&tensor.dtype) {
            self.applied.push((ours, tensor));
            self.taken.push(name);
        } else {
            self.integers.push((ours, tensor.dtype));
        }
    }

    /// Whether everything that is not excepted is in both and fits.
    pub fn is_complete(&self) -> bool {
        let is_in_both = self.missing.is_empty() && self.unknown.is_empty();
        let is_alike = self.misfits.is_empty() && self.integers.is_empty();
        let is_renamed = self.collisions.is_empty() && self.idle.is_empty();
        is_in_both && is_alike && is_renamed && self.unreadable.is_none()
    }
}

/// A tensor of a view under its new name.
struct Named<'s> {
    /// Its place and its name in the view.
    place: usize,
    name: &'s str,
    /// The pattern that renamed it.
    pattern: Option<usize>,
    stored: &'s Stored,
}

/// Compares a view with a network.
pub fn fit<'s>(view: &'s View<'s>, wanted: Wanted, patterns: &[RenamePattern]) -> Fit<'s> {
    let mut fit = Fit::default();
    let mut used = vec![false; patterns.len()];
    let mut named: HashMap<String, Named<'s>> = HashMap::new();
    for (place, (name, stored)) in view.tensors.iter().enumerate() {
        let (renamed, pattern) = renamed(name, patterns);
        if let Some(used) = pattern.and_then(|pattern| used.get_mut(pattern)) {
            *used = true;
        }
        if wanted.excepts_any(view, name, &renamed) {
            fit.unused.push(name.clone());
        } else if let Some(other) = named.get(&renamed) {
            fit.collisions.push(Collision {
                problem: format!("{} and {name} both become {renamed}", other.name),
                pattern: pattern.or(other.pattern),
            });
        } else {
            let tensor = Named {
                place,
                name,
                pattern,
                stored,
            };
            named.insert(renamed, tensor);
        }
    }
    for parameter in wanted.parameters {
        match named
            .get(&parameter.name)
            .map(|named| (named.name, named.stored))
        {
            _ if wanted.is_excepted(&parameter.name) => fit.fresh.push(parameter.name.clone()),
            None => fit.missing.push(parameter.name.clone()),
            Some((_, Stored::Unreadable(kind))) => {
                let first = fit.unreadable.take();
                fit.unreadable = first.or(Some((parameter.name.clone(), *kind)));
            }
            Some((name, Stored::Tensor(tensor))) => fit.compare((name, tensor), parameter),
        }
    }
    let known: HashSet<&str> = wanted.parameters.iter().map(|p| p.name.as_str()).collect();
    named.retain(|renamed, _| !known.contains(renamed.as_str()));
    let mut unknown: Vec<(String, Named)> = named.into_iter().collect();
    // In the order of the file.
    unknown.sort_by_key(|(_, tensor)| tensor.place);
    let unknown = unknown.into_iter();
    fit.unknown = unknown
        .map(|(renamed, tensor)| (tensor.name, renamed))
        .collect();
    fit.idle = (0..patterns.len()).filter(|&at| !used[at]).collect();
    fit
}

/// The name after the first pattern that matches, and that pattern; the name itself if none does.
fn renamed(name: &str, patterns: &[RenamePattern]) -> (String, Option<usize>) {
    let mut all = patterns.iter().enumerate();
    let found = all.find_map(|(at, pattern)| Some((pattern.apply(name)?, Some(at))));
    found.unwrap_or_else(|| (name.to_string(), None))
}
