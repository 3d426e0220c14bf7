//! What is differentiated: a network under its loss at a made-up batch, all of it in 64-bit floats.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;
use burn::tensor::{DType, Gradients};

use crate::config::Experiment;
use crate::data;
use crate::device;
use crate::inference::to_input;
use crate::kernels;
use crate::models::Task;
use crate::models::{Network, parameters};
use crate::rng::{self, Rng};
use crate::shape::ImageShape;
use crate::training::TrainError;
use crate::training::{Batch, TrainModel};

/// How far each parameter is moved at most from where training would start it. At zero biases, and behind units that are zero
/// throughout, ReLU and max pool stand exactly on a kink; and factors of one and terms of zero would hide what is wrong with
/// the gradient around them. Small against what the layers hold, so that nothing saturates.
const NUDGE: f32 = 0.05;

/// What the seeds are for.
const IMAGES: u64 = 1;
const NUDGES: u64 = 2;

/// A gradient for each trainable tensor, by name, values in the order of [`Variable::values`].
pub type Slopes = BTreeMap<String, Vec<f64>>;

/// A tensor that the loss depends on.
#[derive(Debug, Clone)]
pub struct Variable {
    /// As in `model.safetensors`.
    pub name: String,
    /// As in memory: fully connected weights are `[in, out]`.
    pub shape: Vec<usize>,
    /// Where the gradient is taken, row by row.
    pub values: Vec<f64>,
    id: ParamId,
}

/// A network under its loss, and the batch.
pub struct Subject {
    trainee: TrainModel,
    /// The same without a tape, for the loss alone. Its device is one of training: batch norms take the batch's statistics.
    untaped: TrainModel,
    batch: Batch,
    variables: Vec<Variable>,
    /// Multiply-adds of a forward pass.
    work: usize,
}

impl Subject {
    /// The experiment's network and loss, without dropout and with nothing frozen, at `samples` made-up images. Sets the
    /// process to 64-bit floats.
    pub fn new(experiment: &Experiment, samples: usize) -> Result<Self, TrainError> {
        let device = device::open_in_doubles(experiment.backend)?.autodiff();
        let classes = classes(experiment)?;
        let shape = experiment.data.shape();
        let model = experiment.model.clone().without_dropout();
        device.seed(experiment.seed);
        let network = Network::new(&model, shape, classes, &device).map(&mut Nudge {
            rng: rng::seeded(&[experiment.seed, NUDGES]),
        });
        let work = network.work(shape).forward * samples;
        let batch = made_up(experiment, shape, samples, classes, &device);
        let trainee = TrainModel::new(network, &experiment.loss);
        Ok(Self {
            variables: variables(&trainee.network),
            untaped: trainee.clone().no_grad(),
            trainee,
            batch,
            work,
        })
    }

    /// All trainable tensors, in the order of the layers.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The gradients of the loss that autodiff finds. Zero where the loss does not depend on a tensor.
    pub fn gradients(&self) -> Slopes {
        let gradients = kernels::in_pool(self.work, || {
            let (objective, _) = self.trainee.objective(self.batch.clone());
            objective.backward()
        });
        let mut read = Read {
            gradients: Some(&gradients),
            found: HashMap::new(),
        };
        self.trainee.network.visit(&mut read);
        let slopes = self.variables.iter().map(|variable| {
            let found = read.found.remove(&variable.id);
            let zeros = || vec![0.0; variable.values.len()];
            (
                variable.name.clone(),
                found.map_or_else(zeros, |(_, values)| values),
            )
        });
        slopes.collect()
    }

    /// The loss where the variables stand.
    pub fn loss(&self) -> Result<f64, TrainError> {
        self.loss_of(&self.untaped)
    }

    /// The loss with other values for one variable.
    pub fn loss_with(&self, variable: &Variable, values: &[f64]) -> Result<f64, TrainError> {
        let mut put = Put {
            id: variable.id,
            values,
        };
        self.loss_of(&self.untaped.clone().map(&mut put))
    }

    fn loss_of(&self, trainee: &TrainModel) -> Result<f64, TrainError> {
        let batch = self.batch.clone();
        let loss = kernels::in_pool(self.work, || trainee.objective(batch).0);
        if loss.dtype() != DType::F64 {
            let found = loss.dtype();
            let text = format!("the loss is computed in {found:?}, not in 64-bit floats");
            return Err(TrainError::Stopped(text));
        }
        let value = loss.try_into_scalar::<f64>();
        value.map_err(|error| TrainError::Stopped(error.to_string()))
    }
}

/// How many classes there are; only where the config does not say so is the data asked.
fn classes(experiment: &Experiment) -> Result<usize, TrainError> {
    let known = experiment.model.classes().or(experiment.data.classes());
    let classes = match (known, experiment.model.task()) {
        (Some(classes), _) => classes,
        // To an autoencoder all images are alike.
        (None, Task::Reconstruct) => 1,
        (None, Task::Classify) => data::open(&experiment.data)?.classes().len(),
    };
    match classes {
        0 => Err(TrainError::Mismatch("the data has no classes".into())),
        classes => Ok(classes),
    }
}

/// Images of uniform values in [0, 1], normalised as the config says, with the classes in turn.
fn made_up(
    experiment: &Experiment,
    shape: ImageShape,
    samples: usize,
    classes: usize,
    device: &Device,
) -> Batch {
    let mut rng = rng::seeded(&[experiment.seed, IMAGES]);
    let pixels: Vec<f32> = (0..samples * shape.values())
        .map(|_| rng::uniform(&mut rng))
        .collect();
    let targets: Vec<i32> = (0..samples)
        .map(|sample| i32::try_from(sample % classes).unwrap_or(i32::MAX))
        .collect();
    let originals = (experiment.model.task() == Task::Reconstruct).then(|| {
        let data = TensorData::new(pixels.clone(), [samples, shape.values()]);
        Tensor::from_data(data, device)
    });
    let normalize = experiment.data.normalize();
    Batch {
        images: to_input(pixels, samples, shape, normalize, device),
        targets: Tensor::from_data(TensorData::new(targets, [samples]), device),
        originals,
        indices: (0..samples).collect(),
        features: None,
    }
}

fn variables(network: &Network) -> Vec<Variable> {
    let mut read = Read {
        gradients: None,
        found: HashMap::new(),
    };
    network.visit(&mut read);
    let trainable = parameters::list(network).into_iter();
    trainable
        .filter(|parameter| parameter.trainable)
        .filter_map(|parameter| {
            let (shape, values) = read.found.remove(&parameter.id)?;
            Some(Variable {
                name: parameter.name,
                shape,
                values,
                id: parameter.id,
            })
        })
        .collect()
}

/// Reads the trainable tensors, or their gradients where there are some.
struct Read<'a> {
    gradients: Option<&'a Gradients>,
    found: HashMap<ParamId, (Vec<usize>, Vec<f64>)>,
}

impl ModuleVisitor for Read<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let data = match self.gradients {
            None => Some(param.val().into_data()),
            Some(gradients) => param.val().grad(gradients).map(Tensor::into_data),
        };
        if let Some(data) = data {
            let values = data.iter::<f64>().collect();
            self.found
                .insert(param.id, (param.shape().to_vec(), values));
        }
    }
}

/// Replaces the values of one tensor.
struct Put<'a> {
    id: ParamId,
    values: &'a [f64],
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.id == self.id {
            true => replace(param, self.values.to_vec()),
            false => param,
        }
    }
}

/// Moves every trainable value a little; see [`NUDGE`].
struct Nudge {
    rng: Rng,
}

impl ModuleMapper for Nudge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        let data = param.val().into_data();
        let mut moved = Vec::new();
        for value in data.iter::<f64>() {
            let by = NUDGE * (2.0 * rng::uniform(&mut self.rng) - 1.0);
            moved.push(value + f64::from(by));
        }
        replace(param, moved)
    }
}

fn replace<const D: usize>(param: Param<Tensor<D>>, values: Vec<f64>) -> Param<Tensor<D>> {
    let trains = param.is_require_grad();
    let data = TensorData::new(values, param.shape());
    let replaced = param.map(|tensor| Tensor::from_data(data, &tensor.device()));
    replaced.set_require_grad(trains)
}
