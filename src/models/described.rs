//! Networks that a list of layers describes: the same module and the same abilities for all of them.

use std::fmt;
use std::marker::PhantomData;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault};
use burn::module::{ModuleMapper, ModuleVisitor};
use burn::prelude::*;

use super::architecture::{Architecture, Backbone};
use super::blocks::{LayerCost, Layout};
use super::layer_list::{LayerConfig, MapShape, Node, infer, parameters};
use super::sequential::{Sequence, Value, build, costs, first_weights};
use crate::error::Problem;
use crate::shape::ImageShape;

/// Settings of a network that amount to a list of layers.
pub trait LayerList: Clone + fmt::Debug + Send + Sync + 'static {
    /// The layers for images of `shape`. A layer without a size gives one value for each class.
    fn layers(&self, shape: ImageShape) -> Vec<LayerConfig>;

    /// How many classes the config asks for; `None` means as many as the data has.
    fn classes(&self) -> Option<usize>;

    /// The key that says so.
    fn classes_key(&self) -> &'static str {
        "classes"
    }

    /// Dropout probability, 0 to 1; 0 is no dropout.
    fn dropout(&self) -> f64;

    /// The same settings without dropout and stochastic depth.
    fn without_dropout(self) -> Self;

    /// What is wrong with the settings for images of `shape` before there are layers; paths are keys of the `model` section.
    fn problems(&self, _shape: ImageShape) -> Vec<Problem> {
        Vec::new()
    }

    /// What is wrong when the layers do not fit the images: by default the layer's own problem.
    fn misfit(&self, problem: Problem, _shape: ImageShape) -> Problem {
        problem
    }
}

/// The classes that stand in while their number is unknown. Shapes do not depend on it; whether the network is too large may.
const ANY_CLASSES: usize = 2;

/// A network that `C` describes.
pub struct Described<C> {
    layers: Sequence,
    /// Index of the head's first layer, where the network can be cut, and the names in front of it.
    head: Option<(usize, Vec<String>)>,
    settings: PhantomData<fn() -> C>,
}

impl<C> Clone for Described<C> {
    fn clone(&self) -> Self {
        self.with(self.layers.clone())
    }
}

impl<C> fmt::Debug for Described<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layers.fmt(f)
    }
}

impl<C> Described<C> {
    fn with(&self, layers: Sequence) -> Self {
        Self {
            layers,
            head: self.head.clone(),
            settings: PhantomData,
        }
    }

    fn change(self, change: impl FnOnce(Sequence) -> Sequence) -> Self {
        Self {
            layers: change(self.layers),
            ..self
        }
    }
}

/// Where a list can be cut into a backbone of maps and a head: before the last layer with parameters and what belongs to it,
/// dropout and what turns maps into a vector.
fn head_of(nodes: &[Node]) -> Option<(usize, Vec<String>)> {
    let mut head = nodes.iter().rposition(has_parameters)?;
    let is_dropout =
        |node: &Node| matches!(node.operation, super::layer_list::Operation::Dropout(_));
    while head > 0
        && (!matches!(nodes[head].input, MapShape::Maps { .. }) || is_dropout(&nodes[head - 1]))
    {
        head -= 1;
    }
    let names = names_of(&nodes[..head]).into_iter();
    let patterns = names.flat_map(|name| [name.clone(), format!("{name}.*")]);
    (head > 0).then(|| (head, patterns.collect()))
}

fn has_parameters(node: &Node) -> bool {
    !parameters(std::slice::from_ref(node)).is_empty()
}

/// The names of layers with parameters; those of the layers inside of a layer that has none itself.
fn names_of(nodes: &[Node]) -> Vec<String> {
    let named = nodes.iter().filter(|node| has_parameters(node));
    let of = |node: &Node| {
        if node.name.is_empty() {
            let inner = node.operation.inner().into_iter();
            inner.flat_map(names_of).collect()
        } else {
            vec![node.name.clone()]
        }
    };
    named.flat_map(of).collect()
}

impl<C: LayerList> Architecture for Described<C> {
    type Config = C;

    fn classes(config: &C) -> Option<usize> {
        config.classes()
    }

    fn classes_key(config: &C) -> &'static str {
        config.classes_key()
    }

    fn problems(config: &C, shape: ImageShape) -> Vec<Problem> {
        let problems = config.problems(shape);
        if !problems.is_empty() {
            return problems;
        }
        let classes = config.classes().unwrap_or(ANY_CLASSES);
        let problem = Self::problem_with_classes(config, shape, classes);
        problem.into_iter().collect()
    }

    fn problem_with_classes(config: &C, shape: ImageShape, classes: usize) -> Option<Problem> {
        let problem = infer(&config.layers(shape), shape, classes).err()?;
        Some(config.misfit(problem, shape))
    }

    fn dropout(config: &C) -> f64 {
        config.dropout()
    }

    fn without_dropout(config: C) -> C {
        config.without_dropout()
    }

    fn layers(config: &C, shape: ImageShape) -> Vec<LayerConfig> {
        config.layers(shape)
    }

    /// Empty where the layers do not fit; [`problems`](Architecture::problems) says so before.
    fn new(config: &C, shape: ImageShape, classes: usize, device: &Device) -> Self {
        let nodes = infer(&config.layers(shape), shape, classes).unwrap_or_default();
        Self {
            layers: build(&nodes, device),
            head: head_of(&nodes),
            settings: PhantomData,
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&images.device());
        let value = Value::Maps(layout.arrange(images));
        self.layers.forward(value, layout).flatten(layout)
    }

    fn costs(&self, _shape: ImageShape) -> Vec<LayerCost> {
        costs(&self.layers)
    }

    fn first_weights(&self, shape: ImageShape) -> Option<Tensor<4>> {
        first_weights(&self.layers, shape)
    }

    fn backbone(&self) -> Option<&dyn Backbone> {
        self.head.is_some().then_some(self)
    }
}

impl<C: LayerList> Described<C> {
    /// Index of the head's first layer.
    fn cut(&self) -> usize {
        self.head.as_ref().map_or(0, |(index, _)| *index)
    }
}

impl<C: LayerList> Backbone for Described<C> {
    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let layout = Layout::of(&images.device());
        let value = Value::Maps(layout.arrange(images));
        self.layers
            .forward_range(..self.cut(), value, layout)
            .into_maps()
    }

    fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&features.device());
        let value = Value::Maps(features);
        let output = self.layers.forward_range(self.cut().., value, layout);
        output.flatten(layout)
    }

    fn parameters(&self) -> Vec<String> {
        let patterns = self.head.as_ref().map(|(_, patterns)| patterns.clone());
        patterns.unwrap_or_default()
    }

    fn head_layers(&self) -> usize {
        self.layers.layers.len() - self.cut()
    }
}

impl<C: LayerList> Module for Described<C> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.layers.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.change(|layers| layers.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.change(|layers| layers.to_device(device))
    }

    fn train(self) -> Self {
        self.change(Module::train)
    }

    fn valid(&self) -> Self {
        self.with(self.layers.valid())
    }

    fn materialize(self) -> Self {
        self.change(Module::materialize)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.layers.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        self.change(|layers| layers.map(mapper))
    }
}

impl<C> ModuleDisplayDefault for Described<C> {
    fn content(&self, content: Content) -> Option<Content> {
        Some(content)
    }
}

impl<C> ModuleDisplay for Described<C> {}
