//! Convolutions with what follows them under Burn's autodiff over flex.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Flex};

use super::normed::{
    ConvNormBackward, ConvolutionBackward, ConvolutionState, FixedConvNormBackward,
};
use crate::kernels::activation::Activation;
use crate::kernels::conv::ConvOptions;
use crate::kernels::flex::{ConvBackend, Normed, contiguous, fixed, grouped_geometry, train};

impl<C: CheckpointStrategy> ConvBackend for Autodiff<Flex, C> {
    fn fast_convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions,
    ) -> FloatTensor<Self> {
        let prepared = ConvolutionBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let bias = bias.into_primitive();
        let output = Flex::fast_convolution(input.clone(), weight.clone(), bias, options);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = ConvolutionState {
                    geometry: grouped_geometry(&input, &weight, options),
                    input,
                    weight,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_conv_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: ConvOptions,
        epsilon: f64,
        activation: Activation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = ConvNormBackward
            .prepare::<C>([
                input.node(),
                weight.node(),
                gamma.node(),
                beta.node(),
                residual.node(),
            ])
            .compute_bound()
            .stateful();
        let tensors = [input, weight, residual].map(|tensor| tensor.into_primitive());
        let layer = Normed::new(tensors, options, activation);
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        let (output, variance, state) = train(layer, gamma, beta, epsilon);
        let mean = Self::from_inner(state.mean.clone());
        let output = match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        (output, mean, Self::from_inner(variance))
    }

    fn fast_fixed_conv_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: ConvOptions,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let prepared = FixedConvNormBackward
            .prepare::<C>([
                input.node(),
                weight.node(),
                mean.node(),
                scale.node(),
                beta.node(),
                residual.node(),
            ])
            .compute_bound()
            .stateful();
        let [input, weight, residual] =
            [input, weight, residual].map(|tensor| tensor.into_primitive());
        let [mean, scale, beta] = [mean, scale, beta].map(|tensor| tensor.into_primitive());
        match prepared {
            OpsKind::Tracked(prepared) => {
                let layer = Normed::new([input, weight, residual], options, activation);
                let (output, state) = fixed(layer, mean, scale, beta);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::fast_fixed_conv_norm(
                input, weight, mean, scale, beta, residual, options, activation,
            )),
        }
    }
}
