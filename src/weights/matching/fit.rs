//! How well the tensors of a file fit those of a network.

use std::collections::{HashMap, HashSet};

use burn::tensor::DType;

use super::settings::Settings;
use super::views::{Entry, View};
use crate::config::RenamePattern;
use crate::models::parameters::{Parameter, matches};
use crate::weights::formats::saved::{COUNTER, Stored, Unreadable};
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

    /// Whether a tensor of a view is, under any of its names in the file or as it is called after renaming.
    pub fn excepts_any(&self, view: &View, tensor: &Entry, renamed: &str) -> bool {
        if self.except.is_empty() {
            return false;
        }
        let names = view.names(tensor);
        self.is_excepted(renamed) || names.iter().any(|name| self.is_excepted(name))
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

impl Misfit {
    /// The first dimension in the file and in the network, if the others are the same.
    pub fn outputs(&self) -> Option<[usize; 2]> {
        let (theirs, in_file) = self.in_file.split_first()?;
        let (ours, in_network) = self.in_network.split_first()?;
        (in_file == in_network).then_some([*theirs, *ours])
    }
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
    /// These tensors in the view.
    pub taken: Vec<&'s Entry<'s>>,
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
    /// Tensors beside the prefix of the view that have a name of the network after renaming.
    pub joined: Vec<&'s str>,
}

impl<'s> Fit<'s> {
    /// Adds a tensor of the file that has the name of a parameter.
    fn compare(&mut self, (entry, tensor): (&'s Entry<'s>, &'s FileTensor), parameter: &Parameter) {
        let ours = parameter.name.clone();
        if tensor.shape != parameter.shape {
            self.misfits.push(Misfit {
                name: ours,
                in_file: tensor.shape.clone(),
                in_network: parameter.shape.clone(),
            });
        } else if [DType::F64, DType::F32, DType::F16, DType::BF16].contains(&tensor.dtype) {
            self.applied.push((ours, tensor));
            self.taken.push(entry);
        } else {
            self.integers.push((ours, tensor.dtype));
        }
    }

    /// Whether everything that is not excepted is in both and fits.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.has_all()
    }

    /// Whether every parameter that is not excepted is in the file and fits, whatever else there is.
    pub fn has_all(&self) -> bool {
        let is_in_both = self.missing.is_empty();
        let is_alike = self.misfits.is_empty() && self.integers.is_empty();
        let is_renamed = self.collisions.is_empty() && self.idle.is_empty();
        is_in_both && is_alike && is_renamed && self.unreadable.is_none()
    }
}

/// A tensor of a view under its new name.
struct Named<'s> {
    /// Its place in the view.
    place: usize,
    entry: &'s Entry<'s>,
    /// The pattern that renamed it.
    pattern: Option<usize>,
}

/// Compares a view with a network.
pub fn fit<'s>(view: &'s View<'s>, wanted: Wanted, patterns: &[RenamePattern]) -> Fit<'s> {
    let names = Names {
        view,
        wanted,
        patterns,
        known: wanted.parameters.iter().map(|p| p.name.as_str()).collect(),
    };
    let mut fit = Fit::default();
    let mut used = vec![false; patterns.len()];
    let (mut named, left_out) = names.inside(&mut fit, &mut used);
    names.join(&mut named, &mut fit, &mut used);
    for parameter in wanted.parameters {
        let name = &parameter.name;
        let found = named.get(name);
        match found.map(|named| (named.entry, named.entry.stored)) {
            _ if wanted.is_excepted(name) => fit.fresh.push(name.clone()),
            None if left_out.contains(name) => fit.fresh.push(name.clone()),
            None => fit.missing.push(name.clone()),
            Some((_, Stored::Unreadable(kind))) => {
                let first = fit.unreadable.take();
                fit.unreadable = first.or(Some((name.clone(), *kind)));
            }
            Some((entry, Stored::Tensor(tensor))) => fit.compare((entry, tensor), parameter),
        }
    }
    named.retain(|renamed, _| !names.known.contains(renamed.as_str()));
    let mut unknown: Vec<(String, Named)> = named.into_iter().collect();
    // In the order of the file.
    unknown.sort_by_key(|(_, tensor)| tensor.place);
    let unknown = unknown.into_iter();
    fit.unknown = unknown
        .map(|(renamed, tensor)| (tensor.entry.name.as_str(), renamed))
        .collect();
    fit.idle = (0..patterns.len()).filter(|&at| !used[at]).collect();
    fit
}

/// The names of a view's tensors after renaming.
struct Names<'n, 's> {
    view: &'s View<'s>,
    wanted: Wanted<'n>,
    patterns: &'n [RenamePattern],
    /// Those of the network.
    known: HashSet<&'n str>,
}

impl<'s> Names<'_, 's> {
    /// The tensors of the view by their new names, and the new names of those that are left out. Counters are ignored.
    fn inside(
        &self,
        fit: &mut Fit<'s>,
        used: &mut [bool],
    ) -> (HashMap<String, Named<'s>>, HashSet<String>) {
        let mut named: HashMap<String, Named<'s>> = HashMap::new();
        let mut left_out: HashSet<String> = HashSet::new();
        for (place, entry) in self.view.tensors.iter().enumerate() {
            let (renamed, pattern) = self.renamed(entry);
            mark(used, pattern);
            if renamed.ends_with(COUNTER) {
                continue;
            }
            if self.wanted.excepts_any(self.view, entry, &renamed) {
                fit.unused.push(entry.name.clone());
                left_out.insert(renamed);
            } else if let Some(other) = named.get(&renamed) {
                let (first, second, shown) = (&other.entry.name, &entry.name, shown(&renamed));
                fit.collisions.push(Collision {
                    problem: format!("{first} and {second} both become {shown}"),
                    pattern: pattern.or(other.pattern),
                });
            } else {
                let tensor = Named {
                    place,
                    entry,
                    pattern,
                };
                named.insert(renamed, tensor);
            }
        }
        (named, left_out)
    }

    /// Adds what stands beside the prefix of the view, where a pattern gives it a name of the network that no other tensor has.
    fn join(&self, named: &mut HashMap<String, Named<'s>>, fit: &mut Fit<'s>, used: &mut [bool]) {
        let place = self.view.tensors.len();
        for entry in &self.view.outside {
            let (renamed, pattern) = by_name(&entry.name, self.patterns);
            let is_wanted = self.known.contains(renamed.as_str()) && !named.contains_key(&renamed);
            let is_excepted = || self.wanted.excepts_any(self.view, entry, &renamed);
            if pattern.is_some() && is_wanted && !is_excepted() {
                mark(used, pattern);
                fit.joined.push(entry.full);
                let tensor = Named {
                    place,
                    entry,
                    pattern,
                };
                named.insert(renamed, tensor);
            }
        }
    }

    /// The name after the first pattern that matches that of the view, or else one of the others, and that pattern; the name
    /// itself if none does. What has a name of the network is only renamed by that name.
    fn renamed(&self, entry: &Entry) -> (String, Option<usize>) {
        let (found, pattern) = by_name(&entry.name, self.patterns);
        let is_final = pattern.is_some() || self.patterns.is_empty();
        if is_final || self.known.contains(found.as_str()) {
            return (found, pattern);
        }
        let names = self.view.names(entry);
        let mut others = names.iter().map(|name| by_name(name, self.patterns));
        let other = others.find(|(_, pattern)| pattern.is_some());
        other.unwrap_or((found, None))
    }
}

fn mark(used: &mut [bool], pattern: Option<usize>) {
    if let Some(used) = pattern.and_then(|pattern| used.get_mut(pattern)) {
        *used = true;
    }
}

/// A name for messages; an empty one would not be seen.
pub fn shown(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}

/// The name after the first pattern that matches, and that pattern; the name itself if none does.
fn by_name(name: &str, patterns: &[RenamePattern]) -> (String, Option<usize>) {
    let mut all = patterns.iter().enumerate();
    let found = all.find_map(|(at, pattern)| Some((pattern.apply(name)?, Some(at))));
    found.unwrap_or_else(|| (name.to_string(), None))
}
