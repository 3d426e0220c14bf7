//! A network's parameters by name: which there are, and which of them train.
//!
//! Names are those of `model.safetensors`: PyTorch's, with dots between the levels. A pattern is a name in which `*` stands for
//! any characters.

use std::collections::HashSet;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot};

use super::Network;

/// One tensor of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// As in files.
    pub name: String,
    /// As in files: fully connected weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// Whether training moves it; running statistics of batch norms, for one, it does not.
    pub trainable: bool,
    /// Burn's name for it, another in every process.
    pub id: ParamId,
}

impl Parameter {
    /// Number of values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// All tensors of a network, in the order of its layers.
pub fn list(network: &Network) -> Vec<Parameter> {
    let mut walk = Walk::default();
    network.visit(&mut walk);
    network
        .collect(None, Some(Box::new(BurnToPyTorchAdapter)), true)
        .into_iter()
        .zip(walk.tensors)
        .map(|(tensor, (id, trainable))| Parameter {
            name: tensor.name.clone(),
            shape: tensor.shape.to_vec(),
            trainable,
            id,
        })
        .collect()
}

/// Number of values that training moves.
pub fn trainable(network: &Network) -> usize {
    let parameters = list(network);
    let moved = parameters.iter().filter(|parameter| parameter.trainable);
    moved.map(Parameter::values).sum()
}

/// Whether a layer among those of a pattern does what layers do in training only, such as taking a batch's statistics.
pub fn behaves_as_in_training(network: &Network, pattern: &str) -> bool {
    let mut walk = Walk::default();
    network.visit(&mut walk);
    let mut switches = walk.switches.iter();
    switches.any(|switch| switch.is_on && fits(pattern, &switch.name))
}

/// Whether a name fits a pattern.
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        // Without a star.
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Tensors, and the switches of the layers around them, that are frozen and set free together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    tensors: HashSet<ParamId>,
    switches: HashSet<ParamId>,
}

impl Group {
    /// What fits the pattern, of what trains.
    pub fn matching(network: &Network, pattern: &str) -> Self {
        let parameters = list(network).into_iter();
        let tensors = parameters.filter(|p| p.trainable && fits(pattern, &p.name));
        let mut walk = Walk::default();
        network.visit(&mut walk);
        let switches = walk.switches.into_iter();
        let switches = switches.filter(|switch| fits(pattern, &switch.name));
        Self {
            tensors: tensors.map(|parameter| parameter.id).collect(),
            switches: switches.map(|switch| switch.id).collect(),
        }
    }

    /// Burn's names of its tensors.
    pub fn ids(&self) -> Vec<ParamId> {
        self.tensors.iter().copied().collect()
    }

    /// Leaves out what is in another group.
    pub fn without(&mut self, other: &Group) {
        self.tensors.retain(|id| !other.tensors.contains(id));
        self.switches.retain(|id| !other.switches.contains(id));
    }

    /// Whether no tensor is in it.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The network with the group frozen or set free: gradients, and what its layers do in training only (batch norms then
    /// take their running statistics).
    pub fn set<M: Module>(&self, network: M, trains: bool) -> M {
        network.map(&mut Switch {
            group: self,
            trains,
        })
    }
}

struct Switch<'a> {
    group: &'a Group,
    trains: bool,
}

impl ModuleMapper for Switch<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.group.tensors.contains(&param.id) {
            true => param.set_require_grad(self.trains),
            false => param,
        }
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        match self.group.switches.contains(&flag.id) {
            true => flag.with_value(self.trains),
            false => flag,
        }
    }
}

/// Tensors in their order with whether they train, and switches by name.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    tensors: Vec<(ParamId, bool)>,
    switches: Vec<LayerSwitch>,
}

/// What tells a layer whether it trains.
struct LayerSwitch {
    name: String,
    id: ParamId,
    is_on: bool,
}

/// The variants of an enum are left out of the names in files.
fn is_named(container: &str) -> bool {
    !container.starts_with("Enum:")
}

impl ModuleVisitor for Walk {
    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.push(name.to_string());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if is_named(container) {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.push((param.id, param.is_require_grad()));
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.switches.push(LayerSwitch {
            name: self.path.join("."),
            id: flag.id,
            is_on: flag.is_enabled(),
        });
    }
}
