//! The operations that flex gets, as an extension of Burn's backends.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::kernels::activation::Activation;
use crate::kernels::block::Pool;
use crate::kernels::pool::PoolOptions;
use crate::kernels::step::{AdamStep, SgdStep};

/// The operations that flex gets; see the functions of the same names.
#[cfg_attr(feature = "app", backend_extension(Flex, Autodiff))]
#[cfg_attr(not(feature = "app"), backend_extension(Flex))]
pub trait FastBackend: Backend {
    /// See [`crate::kernels::conv2d`].
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FloatTensor<Self>;

    /// See [`crate::kernels::conv2d_pair`].
    fn fast_conv2d_pair(
        input: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// See [`crate::kernels::max_pool2d`].
    fn fast_max_pool2d(input: FloatTensor<Self>, options: PoolOptions) -> FloatTensor<Self>;

    /// See [`crate::kernels::conv_block`].
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

    /// See [`crate::kernels::fixed_conv_block`].
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

    /// See [`crate::kernels::linear`].
    fn fast_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// See [`crate::kernels::adam_step`].
    fn fast_adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`crate::kernels::sgd_step`].
    fn fast_sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}
