//! Convolutions of any stride and number of groups, and the batch norm, residual and non-linearity after them.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::activation::Activation;
use crate::kernels::conv::ConvOptions;
use crate::kernels::flex::ConvBackend;

/// Dimension of the channels.
const CHANNELS: usize = 3;

/// Convolution of `[batch, height, width, in]` by `[out, in / groups, k, k]` plus `[out]`:
/// `[batch, (height + 2 padding - k) / stride + 1, ..., out]`. Panics unless the sizes fit each other, the padding is less than `k`
/// and the kernel is no larger than the padded image.
pub fn convolution(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions,
) -> Tensor<4> {
    let [outputs, ..] = weight.dims();
    let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &input.device()));
    if is_native(&input, &weight, options) {
        return Tensor::from_dispatch(<Dispatch as ConvBackend>::fast_convolution(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            options,
        ));
    }
    let parts = groups(&input, &weight, options).map(|group| {
        let weight = weight.clone().narrow(0, group.output, group.outputs);
        let bias = bias.clone().narrow(0, group.output, group.outputs);
        let input = input.clone().narrow(CHANNELS, group.input, group.inputs);
        convolution(input, weight, Some(bias), group.options)
    });
    Tensor::cat(parts.collect(), CHANNELS)
}

/// The parameters of a convolution and the batch norm after it.
#[derive(Clone, Debug)]
pub struct NormedConv {
    /// `[out, in / groups, k, k]`
    pub weight: Tensor<4>,
    /// `[out]`
    pub bias: Option<Tensor<1>>,
    /// How the kernel moves.
    pub options: ConvOptions,
    /// `[out]`, the norm's scale.
    pub gamma: Tensor<1>,
    /// `[out]`, the norm's offset.
    pub beta: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

impl NormedConv {
    /// The parameters of the output channels of a group.
    fn of(&self, group: &Group) -> Self {
        let narrow = |values: &Tensor<1>| values.clone().narrow(0, group.output, group.outputs);
        Self {
            weight: self.weight.clone().narrow(0, group.output, group.outputs),
            bias: self.bias.as_ref().map(narrow),
            options: group.options,
            gamma: narrow(&self.gamma),
            beta: narrow(&self.beta),
            epsilon: self.epsilon,
        }
    }
}

/// [`convolution`], batch norm over batch, height and width with the statistics of the batch (Ioffe and Szegedy 2015), plus the
/// residual if there is one, `[batch, height, width, out]` as the output, and the non-linearity. Also returns the batch's mean and
/// (biased) variance per channel, untracked, for the running statistics. Panics without an image.
///
/// The gradient of a bias is zero, as it is in exact arithmetic: the norm subtracts the mean.
pub fn conv_norm(
    input: Tensor<4>,
    layer: NormedConv,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    if !is_native(&input, &layer.weight, layer.options) {
        return grouped(input, layer, residual, activation);
    }
    let beta = match &layer.bias {
        Some(bias) => layer.beta + bias.clone() * 0.0,
        None => layer.beta,
    };
    let residual = residual.unwrap_or_else(|| nothing(&input));
    let (output, mean, variance) = <Dispatch as ConvBackend>::fast_conv_norm(
        input.into_dispatch(),
        layer.weight.into_dispatch(),
        layer.gamma.into_dispatch(),
        beta.into_dispatch(),
        residual.into_dispatch(),
        layer.options,
        layer.epsilon,
        activation,
    );
    let mean = Tensor::from_dispatch(mean);
    let mean = match layer.bias {
        Some(bias) => mean + bias.detach(),
        None => mean,
    };
    (
        Tensor::from_dispatch(output),
        mean,
        Tensor::from_dispatch(variance),
    )
}

/// [`conv_norm`] group by group.
fn grouped(
    input: Tensor<4>,
    layer: NormedConv,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (mut outputs, mut means, mut variances) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups(&input, &layer.weight, layer.options) {
        let input = input.clone().narrow(CHANNELS, group.input, group.inputs);
        let (output, mean, variance) = conv_norm(
            input,
            layer.of(&group),
            group.residual(&residual),
            activation,
        );
        outputs.push(output);
        means.push(mean);
        variances.push(variance);
    }
    (
        Tensor::cat(outputs, CHANNELS),
        Tensor::cat(means, 0),
        Tensor::cat(variances, 0),
    )
}

/// [`conv_norm`] with fixed statistics, `[out]` each. Gradients reach everything but the statistics, which are read as constants
/// unless they are tracked.
pub fn fixed_conv_norm(
    input: Tensor<4>,
    layer: NormedConv,
    mean: Tensor<1>,
    variance: Tensor<1>,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    if !is_native(&input, &layer.weight, layer.options) {
        let parts = groups(&input, &layer.weight, layer.options).map(|group| {
            let narrow = |values: &Tensor<1>| values.clone().narrow(0, group.output, group.outputs);
            fixed_conv_norm(
                input.clone().narrow(CHANNELS, group.input, group.inputs),
                layer.of(&group),
                narrow(&mean),
                narrow(&variance),
                group.residual(&residual),
                activation,
            )
        });
        return Tensor::cat(parts.collect(), CHANNELS);
    }
    let scale = layer.gamma / (variance + layer.epsilon).sqrt();
    let mean = match layer.bias {
        Some(bias) => mean - bias,
        None => mean,
    };
    let residual = residual.unwrap_or_else(|| nothing(&input));
    Tensor::from_dispatch(<Dispatch as ConvBackend>::fast_fixed_conv_norm(
        input.into_dispatch(),
        layer.weight.into_dispatch(),
        mean.into_dispatch(),
        scale.into_dispatch(),
        layer.beta.into_dispatch(),
        residual.into_dispatch(),
        layer.options,
        activation,
    ))
}

/// A tensor without values, which stands for no residual.
fn nothing(like: &Tensor<4>) -> Tensor<4> {
    Tensor::zeros([0; 4], (&like.device(), like.dtype()))
}

/// Whether the kernels take the convolution as it is: dense, or depthwise with a kernel for each channel.
fn is_native(input: &Tensor<4>, weight: &Tensor<4>, options: ConvOptions) -> bool {
    let ([.., inputs], [outputs, ..]) = (input.dims(), weight.dims());
    options.groups == 1 || options.groups == inputs && options.groups == outputs
}

/// The channels of one group.
struct Group {
    input: usize,
    inputs: usize,
    output: usize,
    outputs: usize,
    options: ConvOptions,
}

impl Group {
    fn residual(&self, residual: &Option<Tensor<4>>) -> Option<Tensor<4>> {
        let residual = residual.as_ref()?;
        Some(residual.clone().narrow(CHANNELS, self.output, self.outputs))
    }
}

/// The groups of a convolution, in order.
fn groups(
    input: &Tensor<4>,
    weight: &Tensor<4>,
    options: ConvOptions,
) -> impl Iterator<Item = Group> + use<> {
    let ([.., inputs], [outputs, ..]) = (input.dims(), weight.dims());
    let groups = options.groups;
    assert!(
        groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
        "groups must divide input and output channels"
    );
    let (inputs, outputs) = (inputs / groups, outputs / groups);
    (0..groups).map(move |group| Group {
        input: group * inputs,
        inputs,
        output: group * outputs,
        outputs,
        options: ConvOptions {
            groups: 1,
            ..options
        },
    })
}
