//! The kernels as operations of Burn's flex: tensors in, tensors out.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::{Bytes, DType, Element, Shape};

use super::simd::Real;
use super::{
    Activation, AdamStep, Geometry, Pool, SgdStep, activation, block, conv, linear, pool, step,
};

/// The operations that flex gets; see the functions of the same names.
#[backend_extension(Flex, Autodiff)]
pub trait FastBackend: Backend {
    /// See [`super::conv2d`].
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FloatTensor<Self>;

    /// See [`super::conv2d_pair`].
    fn fast_conv2d_pair(
        input: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// See [`super::max_pool2d`].
    fn fast_max_pool2d(input: FloatTensor<Self>, kernel: usize, stride: usize)
    -> FloatTensor<Self>;

    /// See [`super::conv_block`].
    #[allow(clippy::too_many_arguments)] // The tensors of two layers.
    fn fast_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`super::fixed_conv_block`].
    #[allow(clippy::too_many_arguments)] // The tensors of two layers.
    fn fast_fixed_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// See [`super::linear`].
    fn fast_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// See [`super::adam_step`].
    fn fast_adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`super::sgd_step`].
    fn fast_sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Runs `$body` with `$t` as the tensor's element type.
macro_rules! by_dtype {
    ($tensor:expr, $t:ident => $body:expr) => {
        match $tensor.dtype() {
            DType::F64 => {
                type $t = f64;
                $body
            }
            _ => {
                type $t = f32;
                $body
            }
        }
    };
}
pub(super) use by_dtype;

pub(super) fn new_tensor<T: Real + Element>(values: Vec<T>, shape: &[usize]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// A tensor's values in the order of its shape.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    match tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        true => tensor,
        false => tensor.to_contiguous(),
    }
}

pub(super) fn values<T: Real + Element>(tensor: &FlexTensor) -> &[T] {
    let count = tensor.layout().shape().num_elements();
    &tensor.storage::<T>()[..count]
}

/// A tensor's values to change; a copy of them if somebody else holds them.
fn values_mut<T: Real + Element>(tensor: &mut FlexTensor) -> &mut [T] {
    let count = tensor.layout().shape().num_elements();
    &mut tensor.storage_mut::<T>()[..count]
}

fn assert_alike(tensors: &[&FlexTensor]) {
    for tensor in tensors {
        let shape = tensor.layout().shape();
        assert_eq!(shape, tensors[0].layout().shape(), "of one parameter");
    }
}

/// Lets `step` change a parameter, in place if nobody else holds it.
fn change<T: Real + Element>(
    mut parameter: FlexTensor,
    step: impl FnOnce(step::Parameter<T>),
) -> FlexTensor {
    if parameter.is_unique() {
        let (to, from) = (values_mut(&mut parameter), None);
        step(step::Parameter { to, from });
        return parameter;
    }
    let from = values(&parameter);
    let mut to = vec![T::ZERO; from.len()];
    step(step::Parameter {
        to: &mut to,
        from: Some(from),
    });
    new_tensor(to, parameter.layout().shape())
}

fn assert_channels(tensor: &FlexTensor, channels: usize, what: &str) {
    let found = tensor.layout().shape().num_elements();
    assert_eq!(found, channels, "{what}: a value for every channel");
}

pub(super) fn geometry(
    input: &FlexTensor,
    weight: &FlexTensor,
    stride: usize,
    padding: usize,
) -> Geometry {
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert_eq!(input[3], weight[1], "the kernel takes the input's channels");
    assert_eq!(weight[2], weight[3], "the kernel is square");
    assert!(padding < weight[2], "the padding is less than the kernel");
    assert!(stride > 0, "the kernel moves on");
    assert!(
        input[1].min(input[2]) + 2 * padding >= weight[2],
        "the kernel is no larger than the padded image"
    );
    Geometry {
        batch: input[0],
        inputs: input[3],
        outputs: weight[0],
        height: input[1],
        width: input[2],
        kernel: weight[2],
        stride,
        padding,
    }
}

pub(super) fn sizes(input: &FlexTensor, weight: &FlexTensor) -> linear::Sizes {
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert_eq!(input[1], weight[0], "the weights take the inputs");
    assert!(input[1] > 0, "there are inputs");
    linear::Sizes {
        batch: input[0],
        inputs: input[1],
        outputs: weight[1],
    }
}

/// The primitives of [`super::ConvNorm`].
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    weight: FlexTensor,
    bias: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f64,
}

impl Parameters {
    pub(super) fn new([weight, bias, gamma, beta]: [FlexTensor; 4], epsilon: f64) -> Self {
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

    pub(super) fn values<T: Real + Element>(&self) -> block::Parameters<'_, T> {
        block::Parameters {
            weight: values(&self.weight),
            bias: values(&self.bias),
            gamma: values(&self.gamma),
            beta: values(&self.beta),
            epsilon: self.epsilon,
        }
    }
}

impl FastBackend for Flex {
    fn fast_conv2d(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let geometry = geometry(&input, &weight, stride, padding);
        assert_channels(&bias, geometry.outputs, "bias");
        by_dtype!(input, T => {
            let (weight, bias) = (values::<T>(&weight), values(&bias));
            let branch = conv::Branch { geometry, weight, bias };
            let output = conv::forward(&[branch], values(&input), relu);
            new_tensor(output, &geometry.output_shape())
        })
    }

    fn fast_conv2d_pair(
        input: FlexTensor,
        weight_1: FlexTensor,
        bias_1: FlexTensor,
        weight_2: FlexTensor,
        bias_2: FlexTensor,
    ) -> FlexTensor {
        let input = contiguous(input);
        let pair = Pair::new(&input, [weight_1, bias_1, weight_2, bias_2]);
        by_dtype!(input, T => {
            let output = conv::forward(&pair.branches::<T>(), values(&input), true);
            new_tensor(output, &pair.output_shape())
        })
    }

    fn fast_max_pool2d(input: FlexTensor, kernel: usize, stride: usize) -> FlexTensor {
        let input = contiguous(input);
        let windows = pool::Windows::new(&input.layout().shape()[..], kernel, stride);
        by_dtype!(input, T => {
            let output = pool::forward::<T>(&windows, values(&input));
            new_tensor(output, &windows.output_shape())
        })
    }

    fn fast_conv_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let forward = BlockForward::new(contiguous(input), parameters, padding, pool);
        (forward.output, forward.state.mean, forward.state.variance)
    }

    fn fast_fixed_conv_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> FlexTensor {
        let input = contiguous(input);
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let (mean, variance) = (contiguous(mean), contiguous(variance));
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        assert_channels(&mean, geometry.outputs, "mean");
        assert_channels(&variance, geometry.outputs, "variance");
        by_dtype!(input, T => {
            let (mean, variance) = (values::<T>(&mean), values(&variance));
            let input = values(&input);
            let output = block::infer(&geometry, pool, input, parameters.values(), mean, variance);
            new_tensor(output, &pool.output_shape(&geometry))
        })
    }

    fn fast_linear(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        activation: Activation,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let sizes = sizes(&input, &weight);
        assert_channels(&bias, sizes.outputs, "bias");
        if !sizes.fit_the_cache() {
            let mut output = Flex::linear(input, weight, Some(bias));
            by_dtype!(output, T => activation::activate(values_mut::<T>(&mut output), activation));
            return output;
        }
        by_dtype!(input, T => {
            let (input, weight, bias) = (values::<T>(&input), values(&weight), values(&bias));
            let output = linear::forward(sizes, input, weight, bias, activation);
            new_tensor(output, &[sizes.batch, sizes.outputs])
        })
    }

    fn fast_adam_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let gradient = contiguous(gradient);
        assert_alike(&[&parameter, &gradient, &moment_1, &moment_2]);
        let [p, mut m, mut v] = [parameter, moment_1, moment_2].map(contiguous);
        let p = by_dtype!(p, T => change::<T>(p, |p| {
            let (m, v) = (values_mut::<T>(&mut m), values_mut(&mut v));
            step::adam(p, values(&gradient), m, v, step);
        }));
        (p, m, v)
    }

    fn fast_sgd_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        velocity: FlexTensor,
        step: SgdStep,
    ) -> (FlexTensor, FlexTensor) {
        let gradient = contiguous(gradient);
        assert_alike(&[&parameter, &gradient, &velocity]);
        let [p, mut w] = [parameter, velocity].map(contiguous);
        let p = by_dtype!(p, T => change::<T>(p, |p| {
            step::sgd(p, values(&gradient), values_mut(&mut w), step);
        }));
        (p, w)
    }
}

/// Two convolutions side by side: a 1x1 kernel, and a square one with the padding that keeps the size.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub geometries: [Geometry; 2],
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
}

impl Pair {
    pub(super) fn new(input: &FlexTensor, parameters: [FlexTensor; 4]) -> Self {
        let [weight_1, bias_1, weight_2, bias_2] = parameters.map(contiguous);
        let weights = [weight_1, weight_2];
        let geometries = [0, 1].map(|branch| {
            let weight = &weights[branch];
            let kernel = weight.layout().shape()[2];
            assert!(kernel % 2 == 1, "the kernel has a middle");
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

    pub(super) fn branches<T: Real + Element>(&self) -> [conv::Branch<'_, T>; 2] {
        [0, 1].map(|branch| conv::Branch {
            geometry: self.geometries[branch],
            weight: values(&self.weights[branch]),
            bias: values(&self.biases[branch]),
        })
    }

    pub(super) fn output_shape(&self) -> [usize; 4] {
        let [batch, rows, columns, outputs] = self.geometries[0].output_shape();
        [batch, rows, columns, outputs + self.geometries[1].outputs]
    }
}

/// What the forward pass of a block yields.
pub(super) struct BlockForward {
    pub output: FlexTensor,
    pub state: BlockState,
}

/// What the backward pass of a block needs.
#[derive(Clone, Debug)]
pub(super) struct BlockState {
    pub geometry: Geometry,
    pub pool: Pool,
    pub input: FlexTensor,
    pub parameters: Parameters,
    pub convolved: FlexTensor,
    pub mean: FlexTensor,
    pub variance: FlexTensor,
    pub origin: FlexTensor,
}

impl BlockForward {
    pub(super) fn new(
        input: FlexTensor,
        parameters: Parameters,
        padding: usize,
        pool: Pool,
    ) -> Self {
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        assert!(geometry.batch > 0, "statistics are those of some images");
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
                },
            }
        })
    }
}
