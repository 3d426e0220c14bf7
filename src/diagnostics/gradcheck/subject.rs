//! The function whose gradients are checked: a network with its loss on a synthetic batch, in 64-bit floats.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;
use burn::tensor::{DType, Gradients};

use crate::config::{self, Experiment};
use crate::data;
use crate::device;
use crate::diagnostics::error::GradcheckError;
use crate::error::Problem;
use crate::inference::to_input;
use crate::models::Task;
use crate::models::{Network, parameters};
use crate::progress::Monitor;
use crate::rng::{self, Rng};
use crate::shape::ImageShape;
use crate::training::step::Workload;
use crate::training::{Batch, TrainModel};

/// The most by which a parameter is moved from its initial value. At zero biases, and after units that are zero throughout, ReLU
/// and max pool are exactly at a kink; and factors of one and terms of zero would hide errors of the gradients around them. Small
/// against the weights, so that nothing saturates.
const NUDGE: f32 = 0.05;

/// Mixed into the seed of the experiment, one for each kind of draw.
const IMAGES: u64 = 1;
const NUDGES: u64 = 2;

/// A gradient for each trainable tensor, by name, values in the order of [`Variable::values`].
pub type Slopes = BTreeMap<String, Vec<f64>>;

/// A tensor that the loss depends on.
#[derive(Debug, Clone)]
pub struct Variable {
    /// As in `model.safetensors`.
    pub name: String,
    /// As in memory: the weights of fully connected layers are `[in, out]`.
    pub shape: Vec<usize>,
    /// Whether rows and columns are exchanged in files.
    pub is_transposed: bool,
    /// Values at which the gradient is taken, row by row.
    pub values: Vec<f64>,
    id: ParamId,
}

/// A network with its loss, and a batch.
pub struct Subject {
    model: TrainModel,
    /// The same without gradients, for the loss alone. It is still on an autodiff device, so that batch norms use the statistics
    /// of the batch.
    untaped: TrainModel,
    batch: Batch,
    variables: Vec<Variable>,
    workload: Workload,
}

impl Subject {
    /// The experiment's network and loss, without dropout and with nothing frozen, on `samples` synthetic images. Sets the process to
    /// 64-bit floats.
    ///
    /// # Errors
    /// The backend has no 64-bit floats, or the number of classes is unknown.
    pub fn new(experiment: &Experiment, samples: usize) -> Result<Self, GradcheckError> {
        let device = device::open_in_doubles(experiment.backend)?.autodiff();
        let classes = classes(experiment)?;
        let shape = experiment.data.shape();
        let model = experiment.model.clone().without_dropout();
        device.seed(experiment.seed);
        let network = Network::new(&model, shape, classes, &device).map(&mut Nudge {
            rng: rng::seeded(&[experiment.seed, NUDGES]),
        });
        let workload = Workload::new(&network, shape);
        let batch = made_up(experiment, shape, samples, classes, &device);
        let model = TrainModel::new(network, &experiment.loss);
        Ok(Self {
            variables: variables(&model.network),
            untaped: model.clone().no_grad(),
            model,
            batch,
            workload,
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

    /// The gradients of the loss by autodiff; zero where the loss does not depend on a tensor.
    pub fn gradients(&self) -> Slopes {
        let gradients = self.run(|| {
            let (objective, _) = self.model.objective(self.batch.clone());
            objective.backward()
        });
        let mut read = Read {
            gradients: Some(&gradients),
            found: HashMap::new(),
        };
        self.model.network.visit(&mut read);
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

    /// Runs a pass over the batch on the threads that training would use.
    fn run<R: Send>(&self, pass: impl FnOnce() -> R + Send) -> R {
        self.workload.run(self.batch.indices.len(), pass)
    }

    /// The loss at the unchanged weights.
    pub fn loss(&self) -> Result<f64, GradcheckError> {
        self.loss_of(&self.untaped)
    }

    /// The loss with other values for one variable.
    pub fn loss_with(&self, variable: &Variable, values: &[f64]) -> Result<f64, GradcheckError> {
        let mut put = Put {
            id: variable.id,
            values,
        };
        self.loss_of(&self.untaped.clone().map(&mut put))
    }

    fn loss_of(&self, model: &TrainModel) -> Result<f64, GradcheckError> {
        let batch = self.batch.clone();
        let loss = self.run(|| model.objective(batch).0);
        if loss.dtype() != DType::F64 {
            return Err(GradcheckError::Precision(format!("{:?}", loss.dtype())));
        }
        let value = loss.try_into_scalar::<f64>();
        release(&self.batch.images.device());
        value.map_err(|error| GradcheckError::Compute(error.to_string()))
    }
}

/// Frees what operators on an autodiff device leave behind. Burn keeps it until the next backward pass, even where nothing is
/// recorded, and a check computes thousands of losses: a network of a megabyte would fill gigabytes.
fn release(device: &Device) {
    let one = Tensor::<1>::ones([1], device).require_grad();
    one.sum().backward();
}

/// The number of classes; the data is opened only if the config does not say.
fn classes(experiment: &Experiment) -> Result<usize, GradcheckError> {
    let known = experiment.model.classes().or(experiment.data.classes());
    let classes = match (known, experiment.model.task()) {
        (Some(classes), _) => classes,
        // An autoencoder has no use for classes.
        (None, Task::Reconstruct) => 1,
        (None, Task::Classify) => data::open(&experiment.data, &Monitor::default())?
            .classes()
            .len(),
    };
    match (classes, known) {
        (0, _) => Err(GradcheckError::NoClasses),
        (classes, None) if experiment.model.task() == Task::Classify => {
            let problem = config::class_problem(experiment, classes);
            problem.map_or(Ok(classes), |Problem { path, message }| {
                let name = &experiment.name;
                Err(GradcheckError::Mismatch(format!(
                    "{name}: {path}: {message}"
                )))
            })
        }
        (classes, _) => Ok(classes),
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
            // Attention has matrices that are not, but no square ones.
            let is_square = shape.iter().all(|side| *side == shape[0]);
            let is_transposed = shape.len() == 2 && (is_square || shape != parameter.shape);
            Some(Variable {
                name: parameter.name,
                shape,
                is_transposed,
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
        if param.id == self.id {
            replace(param, self.values.to_vec())
        } else {
            param
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
