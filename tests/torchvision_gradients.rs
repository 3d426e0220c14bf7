//! Gradients of torchvision's networks, and of EfficientNet-Lite0, against PyTorch's. This process computes in 64-bit floats, as the
//! references do: with fewer digits, a value beside the kink of a ReLU may fall on the other side of it.

#[path = "torchvision/formula.rs"]
mod formula;

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::Gradients;
use burn::tensor::activation::log_softmax;
use formula::{KINDS, Reference, is_transposed};
use kiln::config::Backend;
use kiln::device;
use kiln::models::parameters;

/// Largest relative error, of the norm and of single values.
const TOLERANCE: f64 = 1e-3;

/// Smaller gradients, as a fraction of the largest, count as zero: a bias whose effect a batch norm takes away has none.
const FLOOR: f64 = 1e-6;

/// The gradients of all parameters by Burn's numbers of them, in the order of memory.
struct Read<'a> {
    gradients: &'a Gradients,
    found: HashMap<burn::module::ParamId, Vec<f64>>,
}

impl ModuleVisitor for Read<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let values = gradient.into_data().iter::<f64>().collect();
            self.found.insert(param.id, values);
        }
    }
}

/// Where the value at `place` of a tensor in a file lies in memory.
fn in_memory(name: &str, shape: &[usize], place: usize) -> usize {
    if is_transposed(name, shape) {
        let [outputs, inputs] = [shape[0], shape[1]];
        place % inputs * outputs + place / inputs
    } else {
        place
    }
}

#[test]
fn gradients_of_the_loss_by_all_parameters_are_those_of_pytorch() {
    let device = device::open_in_doubles(Backend::Flex).unwrap().autodiff();
    for kind in KINDS {
        let reference = Reference::read(kind);
        let network = reference.network(&device);
        let logits = network.forward(reference.images(&device));
        let targets = reference.targets();
        let mut picked = vec![0f32; targets.len() * reference.classes];
        for (row, target) in targets.iter().enumerate() {
            picked[row * reference.classes + target] = 1.0;
        }
        let data = TensorData::new(picked, [targets.len(), reference.classes]);
        let picked = Tensor::<2>::from_data(data, &device);
        let loss = -(log_softmax(logits, 1) * picked).sum() / targets.len() as f64;
        let value = loss.clone().into_data().iter::<f64>().next().unwrap();
        let expected = reference.json["loss"].as_f64().unwrap();
        assert!(
            (value - expected).abs() < 1e-6,
            "{kind}: {value} and {expected}"
        );
        let gradients = loss.backward();
        let mut read = Read {
            gradients: &gradients,
            found: HashMap::new(),
        };
        network.visit(&mut read);
        compare(kind, &reference, &parameters::list(&network), &read.found);
    }
}

fn compare(
    kind: &str,
    reference: &Reference,
    parameters: &[parameters::Parameter],
    found: &HashMap<burn::module::ParamId, Vec<f64>>,
) {
    let expected = reference.json["gradients"].as_object().unwrap();
    let norm_of = |name: &str| expected[name]["norm"].as_f64().unwrap();
    let largest = expected
        .keys()
        .map(|name| norm_of(name))
        .fold(0.0, f64::max);
    let trained: Vec<_> = parameters.iter().filter(|p| p.trainable).collect();
    assert_eq!(trained.len(), expected.len(), "{kind}");
    for parameter in trained {
        let name = &parameter.name;
        let gradient = &found[&parameter.id];
        let norm = gradient
            .iter()
            .map(|value| value * value)
            .sum::<f64>()
            .sqrt();
        let size = norm_of(name).max(FLOOR * largest);
        let error = (norm - norm_of(name)).abs() / size;
        assert!(
            error < TOLERANCE,
            "{kind}: {name}: {norm} and {}",
            norm_of(name)
        );
        let even = size / (gradient.len() as f64).sqrt();
        for pair in expected[name]["values"].as_array().unwrap() {
            let place = pair[0].as_u64().unwrap() as usize;
            let value = pair[1].as_f64().unwrap();
            let own = gradient[in_memory(name, &parameter.shape, place)];
            let error = (own - value).abs() / value.abs().max(even);
            assert!(
                error < TOLERANCE,
                "{kind}: {name}, value {place}: {own} and {value}"
            );
        }
    }
}
