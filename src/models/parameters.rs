//! A network's parameters by name: which there are, and which of them train.
//!
//! Names are those of `model.safetensors`: PyTorch's, with dots between the levels. A pattern is a name in which `*` stands for
//! any characters.

use std::collections::{HashMap, HashSet};
use std::io;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;
use burn::store::burn_pack::Tensor as StoredTensor;
use burn::store::{BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot};
use burn::tensor::DType;

/// One tensor of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// As in files.
    pub name: String,
    /// As in files: fully connected weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// Whether training changes it; it does not change the running statistics of batch norms, for one.
    pub trainable: bool,
    /// Burn's name for it, different in every process.
    pub id: ParamId,
}

impl Parameter {
    /// Number of values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// All tensors of a network, in the order of its fields. Draws weights that are not drawn yet, in this order.
pub fn list<M: Module>(network: &M) -> Vec<Parameter> {
    let mut collector = Collector::default();
    network.visit(&mut collector);
    network
        .collect(None, Some(Box::new(BurnToPyTorchAdapter)), true)
        .into_iter()
        .zip(collector.tensors)
        .map(|(tensor, (id, trainable))| Parameter {
            name: tensor.name.clone(),
            shape: tensor.shape.to_vec(),
            trainable,
            id,
        })
        .collect()
}

/// Draws all weights now, in the order of the network's fields. Burn draws a weight when it is first used, so what came first
/// would depend on what a program looks at first.
pub fn draw<M: Module>(network: &M) {
    network.visit(&mut Collector::default());
}

/// Number of values of all tensors, or `None` if `usize` does not hold it. Draws nothing.
pub fn count<M: Module>(network: &M) -> Option<usize> {
    let mut counter = Counter { values: Some(0) };
    network.visit(&mut counter);
    counter.values
}

/// Number of values that training changes.
pub fn trainable<M: Module>(network: &M) -> usize {
    let parameters = list(network);
    let trainable = parameters.iter().filter(|parameter| parameter.trainable);
    trainable.map(Parameter::values).sum()
}

/// Whether a layer whose name matches the pattern does what layers do in training only, such as taking a batch's statistics.
pub fn behaves_as_in_training<M: Module>(network: &M, pattern: &str) -> bool {
    let mut collector = Collector::default();
    network.visit(&mut collector);
    let mut flags = collector.flags.iter();
    flags.any(|flag| flag.is_on && matches(pattern, &flag.layer))
}

/// Whether a name matches a pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    captures(pattern, name).is_some()
}

/// What each `*` of a pattern stands for in a name, as little as possible but for the last one; `None` if the name does not match.
pub fn captures<'n>(pattern: &str, name: &'n str) -> Option<Vec<&'n str>> {
    let mut parts = pattern.split('*');
    let mut rest = name.strip_prefix(parts.next().unwrap_or_default())?;
    let Some(last) = parts.next_back() else {
        // Without a star.
        return rest.is_empty().then(Vec::new);
    };
    let mut found = Vec::new();
    for part in parts {
        let at = rest.find(part)?;
        found.push(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    found.push(rest.strip_suffix(last)?);
    Some(found)
}

/// Tensors, and the training flags of the layers around them, that are frozen and unfrozen together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    tensors: HashSet<ParamId>,
    flags: HashSet<ParamId>,
}

impl Group {
    /// The trainable tensors whose names match the pattern.
    pub fn matching<M: Module>(network: &M, pattern: &str) -> Self {
        let parameters = list(network).into_iter();
        let tensors = parameters.filter(|p| p.trainable && matches(pattern, &p.name));
        let mut collector = Collector::default();
        network.visit(&mut collector);
        let flags = collector.flags.into_iter();
        let flags = flags.filter(|flag| matches(pattern, &flag.layer));
        Self {
            tensors: tensors.map(|parameter| parameter.id).collect(),
            flags: flags.map(|flag| flag.id).collect(),
        }
    }

    /// Burn's names of its tensors.
    pub fn ids(&self) -> Vec<ParamId> {
        self.tensors.iter().copied().collect()
    }

    /// Leaves out what is in another group.
    pub fn without(&mut self, other: &Group) {
        self.tensors.retain(|id| !other.tensors.contains(id));
        self.flags.retain(|id| !other.flags.contains(id));
    }

    /// Whether it holds no tensor.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The network with the group frozen or unfrozen: gradients, and what its layers do in training only (frozen batch norms
    /// use their running statistics).
    pub fn set<M: Module>(&self, network: M, trains: bool) -> M {
        network.map(&mut SetTrainable {
            group: self,
            trains,
        })
    }
}

/// Sets whether the tensors and flags of a group train.
struct SetTrainable<'a> {
    group: &'a Group,
    trains: bool,
}

impl ModuleMapper for SetTrainable<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.group.tensors.contains(&param.id) {
            param.set_require_grad(self.trains)
        } else {
            param
        }
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        if self.group.flags.contains(&flag.id) {
            flag.with_value(self.trains)
        } else {
            flag
        }
    }
}

/// Adds up the values of all tensors.
struct Counter {
    values: Option<usize>,
}

impl ModuleVisitor for Counter {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape().to_vec();
        let values = shape.into_iter().try_fold(1, usize::checked_mul);
        self.values = self.values.zip(values).and_then(|(a, b)| a.checked_add(b));
    }
}

/// Collects tensors in order with whether they train, and the training flags of layers.
#[derive(Default)]
struct Collector {
    path: Vec<String>,
    tensors: Vec<(ParamId, bool)>,
    flags: Vec<TrainingFlag>,
}

/// What tells a layer whether it trains.
struct TrainingFlag {
    /// The layer's name.
    layer: String,
    id: ParamId,
    is_on: bool,
}

/// The variants of an enum are left out of the names in files.
fn is_named(container: &str) -> bool {
    !container.starts_with("Enum:")
}

impl ModuleVisitor for Collector {
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
        self.flags.push(TrainingFlag {
            layer: self.path.join("."),
            id: flag.id,
            is_on: flag.is_enabled(),
        });
    }
}

/// The weights of a network by name, with PyTorch's names and layouts, 32 bits each.
pub struct Tensors {
    by_name: HashMap<String, StoredTensor>,
}

impl Tensors {
    /// Of a network; nothing is copied yet.
    pub fn of<M: Module>(network: &M) -> Self {
        let adapter = BurnToPyTorchAdapter.chain(FloatCastAdapter::to(DType::F32));
        let tensors = network.collect(None, Some(Box::new(adapter)), true);
        let by_name = tensors.into_iter();
        Self {
            by_name: by_name
                .map(|tensor| (tensor.name.clone(), tensor))
                .collect(),
        }
    }

    /// The numbers of a tensor row by row, little-endian.
    pub fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let tensor = self.by_name.get(name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no weight {name}"),
            )
        })?;
        let bytes = tensor.to_bytes().map_err(io::Error::other)?;
        Ok(bytes.to_vec())
    }
}
