//! Flex's tensors as slices, and slices as tensors.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Element, Shape};

use crate::kernels::conv::{ConvOptions, Geometry};
use crate::kernels::operators::ComputePrecision;
use crate::kernels::simd::Real;
use crate::kernels::{linear, step};

/// Runs `$body` with `$t` as the tensor's element type. The reader alone has no `f64`, which is for checking gradients: it would make up
/// a tenth of its machine code.
macro_rules! by_dtype {
    ($tensor:expr, $t:ident => $body:expr) => {
        match $tensor.dtype() {
            #[cfg(feature = "app")]
            burn::tensor::DType::F64 => {
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
pub(in crate::kernels) use by_dtype;

/// A contiguous tensor of these values.
pub(in crate::kernels) fn new_tensor<T: Real + Element>(
    values: Vec<T>,
    shape: &[usize],
) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// A tensor's values in the order of its shape.
pub(in crate::kernels) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a [`contiguous`] tensor.
pub(in crate::kernels) fn values<T: Real + Element>(tensor: &FlexTensor) -> &[T] {
    let count = tensor.layout().shape().num_elements();
    &tensor.storage::<T>()[..count]
}

/// A tensor's values to change; a copy of them if something else holds them.
pub(super) fn values_mut<T: Real + Element>(tensor: &mut FlexTensor) -> &mut [T] {
    let count = tensor.layout().shape().num_elements();
    &mut tensor.storage_mut::<T>()[..count]
}

pub(super) fn assert_same_shape(tensors: &[&FlexTensor]) {
    for tensor in tensors {
        let shape = tensor.layout().shape();
        assert_eq!(
            shape,
            tensors[0].layout().shape(),
            "tensors of one parameter must have the same shape"
        );
    }
}

/// Applies `step` to a parameter, in place if nothing else holds it.
pub(super) fn change<T: Real + Element>(
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

/// A tensor, or none if it has no values.
pub(super) fn optional(tensor: FlexTensor) -> Option<FlexTensor> {
    (tensor.layout().shape().num_elements() > 0).then_some(tensor)
}

pub(super) fn assert_channels(tensor: &FlexTensor, channels: usize, what: &str) {
    let found = tensor.layout().shape().num_elements();
    assert_eq!(found, channels, "{what}: must have one value per channel");
}

/// The sizes of a convolution of `[batch, rows, columns, in]` by `[out, in, k, k]`.
pub(in crate::kernels) fn geometry(
    input: &FlexTensor,
    weight: &FlexTensor,
    stride: usize,
    padding: usize,
) -> Geometry {
    let options = ConvOptions {
        stride,
        padding,
        groups: 1,
    };
    grouped_geometry(input, weight, options)
}

/// The sizes of a convolution of `[batch, rows, columns, in]` by `[out, in / groups, k, k]`, dense or depthwise.
pub(in crate::kernels) fn grouped_geometry(
    input: &FlexTensor,
    weight: &FlexTensor,
    options: ConvOptions,
) -> Geometry {
    let ConvOptions {
        stride,
        padding,
        groups,
    } = options;
    let precision = match input.dtype() {
        DType::F32 => ComputePrecision::in_use(),
        _ => ComputePrecision::F32,
    };
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert_eq!(
        input[3],
        weight[1] * groups,
        "kernel channels times groups must equal input channels"
    );
    assert!(
        groups == 1 || groups == input[3] && groups == weight[0],
        "groups must be 1 or the number of input and output channels"
    );
    assert_eq!(weight[2], weight[3], "kernel must be square");
    assert!(
        padding < weight[2],
        "padding must be less than the kernel size"
    );
    assert!(stride > 0, "stride must be positive");
    assert!(
        input[1].min(input[2]) + 2 * padding >= weight[2],
        "kernel must not exceed the padded image"
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
        groups,
        precision,
    }
}

/// The sizes of a fully connected layer, `[batch, in]` by `[in, out]`.
pub(in crate::kernels) fn sizes(input: &FlexTensor, weight: &FlexTensor) -> linear::Sizes {
    let (input, weight) = (input.layout().shape(), weight.layout().shape());
    assert_eq!(input[1], weight[0], "weight rows must equal input features");
    assert!(input[1] > 0, "there must be at least one input feature");
    linear::Sizes {
        batch: input[0],
        inputs: input[1],
        outputs: weight[1],
    }
}
