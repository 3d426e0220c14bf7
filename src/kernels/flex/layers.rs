//! The parameters and results of the larger operations, as tensors: pairs of convolutions, and blocks.

use burn::backend::flex::FlexTensor;
use burn::tensor::Element;

use super::tensors::{assert_channels, by_dtype, contiguous, geometry, new_tensor, values};
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::block::{self, Pool};
use crate::kernels::branches;
use crate::kernels::conv::Geometry;
use crate::kernels::simd::Real;

/// The primitives of [`ConvNorm`](crate::kernels::ConvNorm).
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Parameters {
    pub weight: FlexTensor,
    bias: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f64,
}

impl Parameters {
    pub(in crate::kernels) fn new(
        [weight, bias, gamma, beta]: [FlexTensor; 4],
        epsilon: f64,
    ) -> Self {
        let channels = weight.layout().shape()[0];
        for (tensor, what) in [(&bias, "bias"), (&gamma, "gamma"), (&beta, "beta")] {
            assert_channels(tensor, channels, what);
        }
        Self {
            weight: contiguous(weight),
            bias: contiguous(bias),
            gamma: contiguous(gamma),
            beta: contiguous(beta),
            epsilon,
        }
    }

    pub(in crate::kernels) fn values<T: Real + Element>(&self) -> block::Parameters<'_, T> {
        block::Parameters {
            weight: values(&self.weight),
            bias: values(&self.bias),
            gamma: values(&self.gamma),
            beta: values(&self.beta),
            epsilon: self.epsilon,
        }
    }
}

/// Two convolutions side by side, with odd square kernels and the padding that keeps the size.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Pair {
    pub geometries: [Geometry; 2],
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
}

impl Pair {
    pub(in crate::kernels) fn new(input: &FlexTensor, parameters: [FlexTensor; 4]) -> Self {
        let [weight_1, bias_1, weight_2, bias_2] = parameters.map(contiguous);
        let weights = [weight_1, weight_2];
        let geometries = [0, 1].map(|branch| {
            let weight = &weights[branch];
            let kernel = weight.layout().shape()[2];
            assert!(kernel % 2 == 1, "kernel size must be odd");
            geometry(input, weight, 1, kernel / 2)
        });
        assert_channels(&bias_1, geometries[0].outputs, "bias");
        assert_channels(&bias_2, geometries[1].outputs, "bias");
        Self {
            geometries,
            weights,
            biases: [bias_1, bias_2],
        }
    }

    pub(in crate::kernels) fn branches<T: Real + Element>(&self) -> [branches::Branch<'_, T>; 2] {
        [0, 1].map(|branch| branches::Branch {
            geometry: self.geometries[branch],
            weight: values(&self.weights[branch]),
            bias: values(&self.biases[branch]),
        })
    }

    pub(in crate::kernels) fn output_shape(&self) -> [usize; 4] {
        let [batch, rows, columns, outputs] = self.geometries[0].output_shape();
        [batch, rows, columns, outputs + self.geometries[1].outputs]
    }
}

/// What the forward pass of a block yields.
pub(in crate::kernels) struct BlockForward {
    pub output: FlexTensor,
    pub state: BlockState,
}

/// What the backward pass of a block needs.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct BlockState {
    pub geometry: Geometry,
    pub pool: Pool,
    pub input: FlexTensor,
    pub parameters: Parameters,
    pub convolved: FlexTensor,
    pub mean: FlexTensor,
    pub variance: FlexTensor,
    pub origin: FlexTensor,
    pub whole: WholeBatch,
}

impl BlockForward {
    pub(in crate::kernels) fn new(
        input: FlexTensor,
        parameters: Parameters,
        padding: usize,
        pool: Pool,
    ) -> Self {
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        assert!(geometry.batch > 0, "statistics need at least one image");
        by_dtype!(input, T => {
            let forward = block::forward::<T>(&geometry, pool, values(&input), parameters.values());
            let channels = [geometry.outputs];
            Self {
                output: new_tensor(forward.output, &pool.output_shape(&geometry)),
                state: BlockState {
                    geometry,
                    pool,
                    input,
                    parameters,
                    convolved: new_tensor(forward.convolved, &geometry.output_shape()),
                    mean: new_tensor(forward.mean, &channels),
                    variance: new_tensor(forward.variance, &channels),
                    origin: new_tensor(forward.origin, &pool.output_shape(&geometry)),
                    whole: forward.whole,
                },
            }
        })
    }
}
