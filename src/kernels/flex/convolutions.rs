//! Convolutions with what follows them, as operations on flex's tensors.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Element;

use super::tensors::{
    assert_channels, by_dtype, contiguous, grouped_geometry, new_tensor, optional, values,
};
use crate::kernels::activation::Activation;
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::conv::{ConvOptions, Geometry};
use crate::kernels::normed;
use crate::kernels::simd::Real;

/// Convolutions that flex gets; see the functions of the same names. A residual without values is none.
#[cfg_attr(feature = "app", backend_extension(Flex, Autodiff))]
#[cfg_attr(not(feature = "app"), backend_extension(Flex))]
pub trait ConvBackend: Backend {
    /// See [`crate::kernels::convolution`]; dense or depthwise.
    fn fast_convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions,
    ) -> FloatTensor<Self>;

    /// See [`crate::kernels::conv_norm`]; dense or depthwise, without bias.
    #[allow(clippy::too_many_arguments)] // The tensors of two layers.
    fn fast_conv_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: ConvOptions,
        epsilon: f64,
        activation: Activation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// A convolution and `scale (x - mean) + beta` per channel, the residual and the non-linearity; see
    /// [`crate::kernels::fixed_conv_norm`].
    #[allow(clippy::too_many_arguments)] // The tensors of two layers.
    fn fast_fixed_conv_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: ConvOptions,
        activation: Activation,
    ) -> FloatTensor<Self>;
}

/// The primitives of a convolution with a norm.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Normed {
    pub geometry: Geometry,
    pub input: FlexTensor,
    pub weight: FlexTensor,
    pub residual: Option<FlexTensor>,
    pub activation: Activation,
}

impl Normed {
    pub(in crate::kernels) fn new(
        [input, weight, residual]: [FlexTensor; 3],
        options: ConvOptions,
        activation: Activation,
    ) -> Self {
        let (input, weight) = (contiguous(input), contiguous(weight));
        let geometry = grouped_geometry(&input, &weight, options);
        let residual = optional(residual).map(contiguous);
        if let Some(residual) = &residual {
            assert_eq!(
                residual.layout().shape()[..],
                geometry.output_shape(),
                "the residual must have the shape of the output"
            );
        }
        Self {
            geometry,
            input,
            weight,
            residual,
            activation,
        }
    }

    pub(in crate::kernels) fn residual<T: Real + Element>(&self) -> Option<&[T]> {
        self.residual.as_ref().map(values)
    }

    /// Fails unless a tensor has a value per output channel.
    fn per_channel(&self, tensor: FlexTensor, what: &str) -> FlexTensor {
        assert_channels(&tensor, self.geometry.outputs, what);
        contiguous(tensor)
    }
}

/// What the backward pass of a convolution with a norm needs.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct NormedState {
    pub layer: Normed,
    pub convolved: FlexTensor,
    pub mean: FlexTensor,
    /// If the statistics are the batch's, with what that is.
    pub sigma: Option<(FlexTensor, WholeBatch)>,
    pub scale: FlexTensor,
    pub shift: FlexTensor,
}

/// The forward pass with the statistics of the batch: the output, the variance, and what the backward pass needs.
pub(in crate::kernels) fn train(
    layer: Normed,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f64,
) -> (FlexTensor, FlexTensor, NormedState) {
    let g = layer.geometry;
    assert!(g.batch > 0, "statistics need at least one image");
    let (gamma, beta) = (
        layer.per_channel(gamma, "gamma"),
        layer.per_channel(beta, "beta"),
    );
    by_dtype!(layer.input, T => {
        let (gamma, beta) = (values::<T>(&gamma), values(&beta));
        let norm = normed::BatchNorm { gamma, beta, epsilon };
        let (input, weight) = (values(&layer.input), values(&layer.weight));
        let found = normed::train(&g, input, weight, norm, layer.residual(), layer.activation);
        let channels = [g.outputs];
        let state = NormedState {
            convolved: new_tensor(found.convolved, &g.output_shape()),
            mean: new_tensor(found.mean, &channels),
            sigma: Some((new_tensor(found.sigma, &channels), found.whole)),
            scale: new_tensor(found.scale, &channels),
            shift: new_tensor(found.shift, &channels),
            layer,
        };
        let output = new_tensor(found.output, &g.output_shape());
        (output, new_tensor(found.variance, &channels), state)
    })
}

/// The forward pass with a fixed norm: the output, and what the backward pass needs.
pub(in crate::kernels) fn fixed(
    layer: Normed,
    mean: FlexTensor,
    scale: FlexTensor,
    beta: FlexTensor,
) -> (FlexTensor, NormedState) {
    let g = layer.geometry;
    let [mean, scale, beta] = [(mean, "mean"), (scale, "scale"), (beta, "beta")]
        .map(|(tensor, what)| layer.per_channel(tensor, what));
    by_dtype!(layer.input, T => {
        let norm = [&mean, &scale, &beta].map(values::<T>);
        let (input, weight) = (values(&layer.input), values(&layer.weight));
        let [output, convolved, shift] =
            normed::fixed(&g, input, weight, norm, layer.residual(), layer.activation);
        let output = new_tensor(output, &g.output_shape());
        let state = NormedState {
            convolved: new_tensor(convolved, &g.output_shape()),
            mean,
            sigma: None,
            scale,
            shift: new_tensor(shift, &[g.outputs]),
            layer,
        };
        (output, state)
    })
}

impl ConvBackend for Flex {
    fn fast_convolution(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        options: ConvOptions,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let geometry = grouped_geometry(&input, &weight, options);
        assert_channels(&bias, geometry.outputs, "bias");
        by_dtype!(input, T => {
            let (input, weight, bias) = (values::<T>(&input), values(&weight), values(&bias));
            let output = normed::plain(&geometry, input, weight, bias);
            new_tensor(output, &geometry.output_shape())
        })
    }

    fn fast_conv_norm(
        input: FlexTensor,
        weight: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: FlexTensor,
        options: ConvOptions,
        epsilon: f64,
        activation: Activation,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let layer = Normed::new([input, weight, residual], options, activation);
        let (output, variance, state) = train(layer, gamma, beta, epsilon);
        (output, state.mean, variance)
    }

    fn fast_fixed_conv_norm(
        input: FlexTensor,
        weight: FlexTensor,
        mean: FlexTensor,
        scale: FlexTensor,
        beta: FlexTensor,
        residual: FlexTensor,
        options: ConvOptions,
        activation: Activation,
    ) -> FlexTensor {
        let layer = Normed::new([input, weight, residual], options, activation);
        let [mean, scale, beta] = [(mean, "mean"), (scale, "scale"), (beta, "beta")]
            .map(|(tensor, what)| layer.per_channel(tensor, what));
        by_dtype!(layer.input, T => {
            let norm = [&mean, &scale, &beta].map(values::<T>);
            let (input, weight) = (values(&layer.input), values(&layer.weight));
            let g = layer.geometry;
            let output = normed::infer(&g, input, weight, norm, layer.residual(), activation);
            new_tensor(output, &g.output_shape())
        })
    }
}
