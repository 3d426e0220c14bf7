//! Kernels: the convolution, batch norm and pooling that kiln trains with on flex.
//!
//! Burn's flex computes the weight gradient of a convolution as a convolution by the output gradient, a shape that suits it
//! badly, and batch norm, ReLU and pooling as passes of their own over memory. Here the convolution is one matrix product per
//! image, forward and backward, and what follows it is one pass. They stand behind Burn's own door (`backend_extension`,
//! with the autodiff rules): the layers call [`conv2d`] and [`norm_relu_pool`] where [`fits`] says so, and Burn's operators on
//! every other backend.
//!
//! All sums run in an order that depends on shapes alone: same bits on any number of threads. The arithmetic (`conv`, `pool`)
//! knows slices only, nothing of Burn, so that it could go upstream.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Bytes, DType, Device, Element, Shape, Tensor};

mod conv;
mod gemm;
mod pool;

pub use conv::Geometry;
use conv::Real;

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
    ) -> FloatTensor<Self>;

    /// See [`norm_relu_pool`].
    fn fast_norm_relu_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`scale_relu_pool`].
    fn fast_scale_relu_pool(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Whether a device has these kernels.
pub fn fits(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Convolution of `[batch, in, height, width]` by `[out, in, k, k]` plus `[out]`, with the same stride and zero padding on
/// all sides; `[batch, out, (height + 2 padding - k) / stride + 1, ...]`.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_conv2d(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
        padding,
    ))
}

/// Batch norm over batch, height and width (Ioffe and Szegedy 2015), ReLU and 2x2 max pool of `[batch, channels, height,
/// width]`. Also gives the batch's mean and (biased) variance per channel, off the tape, for the running statistics.
pub fn norm_relu_pool(
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (output, mean, variance) = <Dispatch as FastBackend>::fast_norm_relu_pool(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
    );
    (
        Tensor::from_dispatch(output),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}

/// `max(0, scale x + shift)` per channel and 2x2 max pool: [`norm_relu_pool`] with fixed statistics. Has no gradient.
pub fn scale_relu_pool(input: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_scale_relu_pool(
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ))
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

fn dims(tensor: &FlexTensor) -> [usize; 4] {
    let shape = tensor.layout().shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

fn geometry(input: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> Geometry {
    let [batch, inputs, height, width] = dims(input);
    let [outputs, _, kernel, _] = dims(weight);
    Geometry {
        batch,
        inputs,
        outputs,
        height,
        width,
        kernel,
        stride,
        padding,
    }
}

impl FastBackend for Flex {
    fn fast_conv2d(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let geometry = geometry(&input, &weight, stride, padding);
        by_dtype!(input, T => {
            let output = conv::forward::<T>(&geometry, values(&input), values(&weight), values(&bias));
            new_tensor(output, &geometry.output_shape())
        })
    }

    fn fast_norm_relu_pool(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let forward = NormForward::new(
            contiguous(input),
            contiguous(gamma),
            contiguous(beta),
            epsilon,
        );
        (forward.output, forward.mean, forward.variance)
    }

    fn fast_scale_relu_pool(input: FlexTensor, scale: FlexTensor, shift: FlexTensor) -> FlexTensor {
        let (input, scale, shift) = (contiguous(input), contiguous(scale), contiguous(shift));
        let shape = dims(&input);
        by_dtype!(input, T => {
            let (output, _) = pool::apply::<T>(shape, values(&input), values(&scale), values(&shift), false);
            new_tensor(output, &pool::output_shape(shape))
        })
    }
}

/// What the forward pass of batch norm, ReLU and pool leaves for the backward pass.
#[derive(Clone, Debug)]
struct NormForward {
    output: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
    input: FlexTensor,
    gamma: FlexTensor,
    epsilon: f64,
    /// For each output, which of its four inputs it came from; [`pool::NONE`] where ReLU let nothing through.
    origin: std::sync::Arc<Vec<u8>>,
}

impl NormForward {
    fn new(input: FlexTensor, gamma: FlexTensor, beta: FlexTensor, epsilon: f64) -> Self {
        let shape = dims(&input);
        let channels = shape[1];
        let (output, mean, variance, origin) = by_dtype!(input, T => {
            let (mean, variance) = pool::statistics::<T>(shape, values(&input));
            let (scale, shift) = pool::scale_and_shift(&mean, &variance, values(&gamma), values(&beta), epsilon);
            let (output, origin) = pool::apply::<T>(shape, values(&input), &scale, &shift, true);
            (
                new_tensor(output, &pool::output_shape(shape)),
                new_tensor(mean, &[channels]),
                new_tensor(variance, &[channels]),
                origin,
            )
        });
        Self {
            output,
            mean,
            variance,
            input,
            gamma,
            epsilon,
            origin: std::sync::Arc::new(origin),
        }
    }
}

// ---- With gradients ----

#[derive(Debug)]
struct ConvBackward;

#[derive(Clone, Debug)]
struct ConvState {
    input: FlexTensor,
    weight: FlexTensor,
    geometry: Geometry,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(
        self,
        ops: Ops<ConvState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input_node, weight_node, bias_node] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let ConvState {
            input,
            weight,
            geometry,
        } = ops.state;
        by_dtype!(input, T => {
            if weight_node.is_some() || bias_node.is_some() {
                let (weights, biases) = conv::weight_gradient::<T>(&geometry, values(&input), values(&output));
                if let Some(node) = weight_node {
                    grads.register::<Flex>(node.id, new_tensor(weights, &geometry.weight_shape()));
                }
                if let Some(node) = bias_node {
                    grads.register::<Flex>(node.id, new_tensor(biases, &[geometry.outputs]));
                }
            }
            if let Some(node) = input_node {
                let inputs = conv::input_gradient::<T>(&geometry, values(&weight), values(&output));
                grads.register::<Flex>(node.id, new_tensor(inputs, &geometry.input_shape()));
            }
        });
    }
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = NormForward;

    fn backward(
        self,
        ops: Ops<NormForward, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input_node, gamma_node, beta_node] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let shape = dims(&state.input);
        by_dtype!(state.input, T => {
            let gradient = pool::backward::<T>(
                shape,
                values(&state.input),
                &pool::Norm {
                    mean: values(&state.mean),
                    variance: values(&state.variance),
                    gamma: values(&state.gamma),
                    epsilon: state.epsilon,
                },
                &state.origin,
                values(&output),
                input_node.is_some(),
            );
            if let (Some(node), Some(input)) = (input_node, gradient.input) {
                grads.register::<Flex>(node.id, new_tensor(input, &shape));
            }
            if let Some(node) = gamma_node {
                grads.register::<Flex>(node.id, new_tensor(gradient.gamma, &[shape[1]]));
            }
            if let Some(node) = beta_node {
                grads.register::<Flex>(node.id, new_tensor(gradient.beta, &[shape[1]]));
            }
        });
    }
}

impl<C: CheckpointStrategy> FastBackend for Autodiff<Flex, C> {
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self> {
        let prepared = ConvBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let geometry = geometry(&input, &weight, stride, padding);
        let state = ConvState {
            input: input.clone(),
            weight: weight.clone(),
            geometry,
        };
        let output = Flex::fast_conv2d(input, weight, bias.into_primitive(), stride, padding);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_norm_relu_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = NormBackward
            .prepare::<C>([input.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful();
        let forward = NormForward::new(
            contiguous(input.into_primitive()),
            contiguous(gamma.into_primitive()),
            contiguous(beta.into_primitive()),
            epsilon,
        );
        let mean = Self::from_inner(forward.mean.clone());
        let variance = Self::from_inner(forward.variance.clone());
        let output = forward.output.clone();
        let output = match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(forward, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        (output, mean, variance)
    }

    fn fast_scale_relu_pool(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::from_inner(Flex::fast_scale_relu_pool(
            input.into_primitive(),
            scale.into_primitive(),
            shift.into_primitive(),
        ))
    }
}
