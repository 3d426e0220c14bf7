//! Kernels: the operations that kiln trains with on flex.
//!
//! Burn's flex computes the weight gradient of a convolution as a convolution by the output gradient, a shape that suits it
//! badly, and batch norm, ReLU and pooling as passes of their own over memory. Here the convolution is direct, forward and
//! backward, and what follows it is done while an image is in the cache. The operations stand behind Burn's own door
//! (`backend_extension`, with the autodiff rules): the layers call [`conv2d`] and [`conv_block`] where [`fits`] says so, and
//! Burn's operators on every other backend. Images are channels last, `[batch, rows, columns, channels]`.
//!
//! All sums run in an order that depends on shapes alone: same bits on any number of threads. The arithmetic (`conv`,
//! `block`) knows slices only, nothing of Burn, so that it could go upstream.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Bytes, DType, Device, Element, Shape, Tensor};

mod block;
mod conv;
mod linear;
mod simd;
mod step;
mod threads;

pub use conv::Geometry;
pub use linear::Activation;
use simd::Real;
pub use step::{AdamStep, SgdStep};
pub use threads::in_pool;

/// The operations that flex gets; see the functions of the same names.
#[backend_extension(Flex, Autodiff)]
pub trait FastBackend: Backend {
    /// See [`conv2d`].
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FloatTensor<Self>;

    /// See [`conv_block`].
    fn fast_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        padding: usize,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`fixed_conv_block`].
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
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// See [`linear`].
    fn fast_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// See [`adam_step`].
    fn fast_adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`sgd_step`].
    fn fast_sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Whether the kernels are left aside; see [`use_burns_operators`].
static LEFT_ASIDE: AtomicBool = AtomicBool::new(false);

/// Computes with Burn's own operators from now on, in the whole process: to see what the kernels are good for.
pub fn use_burns_operators() {
    LEFT_ASIDE.store(true, Ordering::Relaxed);
}

/// Whether a device has these kernels.
pub fn fits(device: &Device) -> bool {
    device.clone().inner() == Device::flex() && !LEFT_ASIDE.load(Ordering::Relaxed)
}

/// `[batch, channels, height, width]` as `[batch, height, width, channels]`.
pub fn channels_last(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    match channels {
        // The same values in the same order.
        1 => images.reshape([batch, height, width, 1]),
        _ => images.permute([0, 2, 3, 1]),
    }
}

/// `[batch, height, width, channels]` as `[batch, channels, height, width]`.
pub fn channels_first(images: Tensor<4>) -> Tensor<4> {
    images.permute([0, 3, 1, 2])
}

/// Convolution of `[batch, height, width, in]` by `[out, in, k, k]` plus `[out]`, with the same stride and zero padding (less
/// than `k`) on all sides, and ReLU where asked for; `[batch, (height + 2 padding - k) / stride + 1, ..., out]`.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
    relu: bool,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_conv2d(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
        padding,
        relu,
    ))
}

/// The parameters of a convolution and the batch norm behind it.
#[derive(Clone, Debug)]
pub struct ConvNorm {
    /// `[out, in, k, k]`
    pub weight: Tensor<4>,
    /// `[out]`
    pub bias: Tensor<1>,
    /// `[out]`, the norm's scale.
    pub gamma: Tensor<1>,
    /// `[out]`, the norm's offset.
    pub beta: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// Convolution with stride 1, batch norm over batch, height and width (Ioffe and Szegedy 2015), ReLU and 2x2 max pool:
/// `[batch, height, width, in]` to `[batch, height / 2, width / 2, out]` where the padding keeps the size. Also gives the
/// batch's mean and (biased) variance per channel, off the tape, for the running statistics.
///
/// The gradient of `bias` is zero, as it is in exact arithmetic: the norm takes the mean away.
pub fn conv_block(
    input: Tensor<4>,
    parameters: ConvNorm,
    padding: usize,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (output, mean, variance) = <Dispatch as FastBackend>::fast_conv_block(
        input.into_dispatch(),
        parameters.weight.into_dispatch(),
        parameters.bias.into_dispatch(),
        parameters.gamma.into_dispatch(),
        parameters.beta.into_dispatch(),
        padding,
        parameters.epsilon,
    );
    (
        Tensor::from_dispatch(output),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}

/// [`conv_block`] with fixed statistics. Has no gradient.
pub fn fixed_conv_block(
    input: Tensor<4>,
    parameters: ConvNorm,
    mean: Tensor<1>,
    variance: Tensor<1>,
    padding: usize,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_fixed_conv_block(
        input.into_dispatch(),
        parameters.weight.into_dispatch(),
        parameters.bias.into_dispatch(),
        parameters.gamma.into_dispatch(),
        parameters.beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        padding,
        parameters.epsilon,
    ))
}

/// A fully connected layer, `[batch, in]` by `[in, out]` plus `[out]`, and its non-linearity: `[batch, out]`.
pub fn linear(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        activation,
    ))
}

/// A step of Adam or AdamW off the tape: parameter and both moments afterwards, in place where nobody else holds them.
pub fn adam_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
    step: AdamStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let [moment_1, moment_2] = moments;
    let (parameter, moment_1, moment_2) = <Dispatch as FastBackend>::fast_adam_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        step,
    );
    let moments = [moment_1, moment_2].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(parameter), moments)
}

/// A step of stochastic gradient descent off the tape: parameter and velocity afterwards, in place where nobody else holds
/// them.
pub fn sgd_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    step: SgdStep,
) -> (Tensor<D>, Tensor<D>) {
    let (parameter, velocity) = <Dispatch as FastBackend>::fast_sgd_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        velocity.into_dispatch(),
        step,
    );
    (
        Tensor::from_dispatch(parameter),
        Tensor::from_dispatch(velocity),
    )
}

// ---- On flex ----

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

fn new_tensor<T: Real + Element>(values: Vec<T>, shape: &[usize]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// A tensor's values in the order of its shape.
fn contiguous(tensor: FlexTensor) -> FlexTensor {
    match tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        true => tensor,
        false => tensor.to_contiguous(),
    }
}

fn values<T: Real + Element>(tensor: &FlexTensor) -> &[T] {
    let count = tensor.layout().shape().num_elements();
    &tensor.storage::<T>()[..count]
}

/// A tensor's values to change; a copy of them if somebody else holds them.
fn values_mut<T: Real + Element>(tensor: &mut FlexTensor) -> &mut [T] {
    let count = tensor.layout().shape().num_elements();
    &mut tensor.storage_mut::<T>()[..count]
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

fn geometry(input: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> Geometry {
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert!(
        padding < weight[2],
        "the padding is smaller than the kernel"
    );
    assert_eq!(input[3], weight[1], "the kernel takes the input's channels");
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

fn sizes(input: &FlexTensor, weight: &FlexTensor) -> linear::Sizes {
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert_eq!(input[1], weight[0], "the weights take the inputs");
    linear::Sizes {
        batch: input[0],
        inputs: input[1],
        outputs: weight[1],
    }
}

/// The primitives of [`ConvNorm`].
#[derive(Clone, Debug)]
struct Parameters {
    weight: FlexTensor,
    bias: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f64,
}

impl Parameters {
    fn new([weight, bias, gamma, beta]: [FlexTensor; 4], epsilon: f64) -> Self {
        Self {
            weight: contiguous(weight),
            bias: contiguous(bias),
            gamma: contiguous(gamma),
            beta: contiguous(beta),
            epsilon,
        }
    }

    fn values<T: Real + Element>(&self) -> block::Parameters<'_, T> {
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
        by_dtype!(input, T => {
            let (input, weight, bias) = (values::<T>(&input), values(&weight), values(&bias));
            let output = conv::forward(&geometry, input, weight, bias, relu);
            new_tensor(output, &geometry.output_shape())
        })
    }

    fn fast_conv_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        padding: usize,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let forward = BlockForward::new(contiguous(input), parameters, padding);
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
        epsilon: f64,
    ) -> FlexTensor {
        let input = contiguous(input);
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let (mean, variance) = (contiguous(mean), contiguous(variance));
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        by_dtype!(input, T => {
            let (mean, variance) = (values::<T>(&mean), values(&variance));
            let input = values(&input);
            let output = block::infer(&geometry, input, parameters.values(), mean, variance);
            new_tensor(output, &block::output_shape(&geometry))
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
        if !sizes.fit_the_cache() {
            let mut output = Flex::linear(input, weight, Some(bias));
            by_dtype!(output, T => linear::activate(values_mut::<T>(&mut output), activation));
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
        let [p, mut w] = [parameter, velocity].map(contiguous);
        let p = by_dtype!(p, T => change::<T>(p, |p| {
            step::sgd(p, values(&gradient), values_mut(&mut w), step);
        }));
        (p, w)
    }
}

/// What the forward pass of a block yields.
struct BlockForward {
    output: FlexTensor,
    state: BlockState,
}

/// What the backward pass of a block needs.
#[derive(Clone, Debug)]
struct BlockState {
    geometry: Geometry,
    input: FlexTensor,
    parameters: Parameters,
    convolved: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
    origin: FlexTensor,
}

impl BlockForward {
    fn new(input: FlexTensor, parameters: Parameters, padding: usize) -> Self {
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        by_dtype!(input, T => {
            let forward = block::forward::<T>(&geometry, values(&input), parameters.values());
            let channels = [geometry.outputs];
            Self {
                output: new_tensor(forward.output, &block::output_shape(&geometry)),
                state: BlockState {
                    geometry,
                    input,
                    parameters,
                    convolved: new_tensor(forward.convolved, &geometry.output_shape()),
                    mean: new_tensor(forward.mean, &channels),
                    variance: new_tensor(forward.variance, &channels),
                    origin: new_tensor(forward.origin, &block::output_shape(&geometry)),
                },
            }
        })
    }
}

// ---- With gradients ----

#[derive(Debug)]
struct ConvBackward;

#[derive(Clone, Debug)]
struct ConvState {
    geometry: Geometry,
    input: FlexTensor,
    weight: FlexTensor,
    /// The output, where ReLU cut it.
    relu: Option<FlexTensor>,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(
        self,
        ops: Ops<ConvState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let geometry = state.geometry;
        by_dtype!(state.input, T => {
            let gradients = conv::backward::<T>(
                &geometry,
                values(&state.input),
                values(&state.weight),
                values(&output),
                state.relu.as_ref().map(values),
                conv::Wanted { input: input.is_some(), weight: weight.is_some() || bias.is_some() },
            );
            let tensors = [
                (input, gradients.input.map(|g| new_tensor(g, &geometry.input_shape()))),
                (weight, Some(new_tensor(gradients.weight, &geometry.weight_shape()))),
                (bias, Some(new_tensor(gradients.bias, &[geometry.outputs]))),
            ];
            for (node, tensor) in tensors {
                if let (Some(node), Some(tensor)) = (node, tensor) {
                    grads.register::<Flex>(node.id, tensor);
                }
            }
        });
    }
}

#[derive(Debug)]
struct BlockBackward;

impl Backward<Flex, 5> for BlockBackward {
    type State = BlockState;

    fn backward(
        self,
        ops: Ops<BlockState, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias, gamma, beta] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let geometry = state.geometry;
        by_dtype!(state.input, T => {
            let trace = block::Trace {
                input: values(&state.input),
                convolved: values(&state.convolved),
                mean: values(&state.mean),
                variance: values(&state.variance),
                origin: values(&state.origin),
            };
            let gradients = block::backward::<T>(
                &geometry,
                trace,
                state.parameters.values(),
                values(&output),
                conv::Wanted { input: input.is_some(), weight: weight.is_some() },
            );
            let channels = [geometry.outputs];
            let conv = gradients.conv;
            let tensors = [
                (input, conv.input.map(|g| new_tensor(g, &geometry.input_shape()))),
                (weight, Some(new_tensor(conv.weight, &geometry.weight_shape()))),
                (bias, Some(new_tensor(conv.bias, &channels))),
                (gamma, Some(new_tensor(gradients.gamma, &channels))),
                (beta, Some(new_tensor(gradients.beta, &channels))),
            ];
            for (node, tensor) in tensors {
                if let (Some(node), Some(tensor)) = (node, tensor) {
                    grads.register::<Flex>(node.id, tensor);
                }
            }
        });
    }
}

#[derive(Debug)]
struct LinearBackward;

#[derive(Clone, Debug)]
struct LinearState {
    input: FlexTensor,
    weight: FlexTensor,
    output: FlexTensor,
    activation: Activation,
}

impl Backward<Flex, 3> for LinearBackward {
    type State = LinearState;

    fn backward(
        self,
        ops: Ops<LinearState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let outputs = sizes(&state.input, &state.weight).outputs;
        let (slopes, bias_gradient) = by_dtype!(state.input, T => {
            let (slopes, bias) = linear::activation_gradient::<T>(
                outputs,
                values(&state.output),
                values(&gradient),
                state.activation,
            );
            let shape: Vec<usize> = gradient.layout().shape().to_vec();
            (new_tensor(slopes, &shape), new_tensor(bias, &[outputs]))
        });
        if let Some(node) = bias {
            grads.register::<Flex>(node.id, bias_gradient);
        }
        if let Some(node) = weight {
            let input = Flex::float_transpose(state.input);
            grads.register::<Flex>(node.id, Flex::float_matmul(input, slopes.clone()));
        }
        if let Some(node) = input {
            let weight = Flex::float_transpose(state.weight);
            grads.register::<Flex>(node.id, Flex::float_matmul(slopes, weight));
        }
    }
}

impl<C: CheckpointStrategy> FastBackend for Autodiff<Flex, C> {
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FloatTensor<Self> {
        let prepared = ConvBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let mut state = ConvState {
            geometry: geometry(&input, &weight, stride, padding),
            input: input.clone(),
            weight: weight.clone(),
            relu: None,
        };
        let output = Flex::fast_conv2d(input, weight, bias.into_primitive(), stride, padding, relu);
        match prepared {
            OpsKind::Tracked(prepared) => {
                state.relu = relu.then(|| output.clone());
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        padding: usize,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = BlockBackward
            .prepare::<C>([
                input.node(),
                weight.node(),
                bias.node(),
                gamma.node(),
                beta.node(),
            ])
            .compute_bound()
            .stateful();
        let parameters = [weight, bias, gamma, beta].map(|tensor| tensor.into_primitive());
        let parameters = Parameters::new(parameters, epsilon);
        let forward = BlockForward::new(contiguous(input.into_primitive()), parameters, padding);
        let mean = Self::from_inner(forward.state.mean.clone());
        let variance = Self::from_inner(forward.state.variance.clone());
        let output = match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(forward.state, forward.output),
            OpsKind::UnTracked(prepared) => prepared.finish(forward.output),
        };
        (output, mean, variance)
    }

    fn fast_fixed_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        padding: usize,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        Self::from_inner(Flex::fast_fixed_conv_block(
            input.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            gamma.into_primitive(),
            beta.into_primitive(),
            mean.into_primitive(),
            variance.into_primitive(),
            padding,
            epsilon,
        ))
    }

    fn fast_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let prepared = LinearBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let bias = bias.into_primitive();
        let output = Flex::fast_linear(input.clone(), weight.clone(), bias, activation);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = LinearState {
                    input,
                    weight,
                    output: output.clone(),
                    activation,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (parameter, moment_1, moment_2) = Flex::fast_adam_step(
            parameter.into_primitive(),
            gradient.into_primitive(),
            moment_1.into_primitive(),
            moment_2.into_primitive(),
            step,
        );
        (
            Self::from_inner(parameter),
            Self::from_inner(moment_1),
            Self::from_inner(moment_2),
        )
    }

    fn fast_sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (parameter, velocity) = Flex::fast_sgd_step(
            parameter.into_primitive(),
            gradient.into_primitive(),
            velocity.into_primitive(),
            step,
        );
        (Self::from_inner(parameter), Self::from_inner(velocity))
    }
}
