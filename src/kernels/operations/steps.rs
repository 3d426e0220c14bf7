//! Steps of optimizers.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::flex::FastBackend;
use crate::kernels::step::{AdamStep, SgdStep};

/// A step of Adam or AdamW, untracked: the new parameter and moments, in place where nothing else holds them.
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

/// A step of stochastic gradient descent, untracked: the new parameter and velocity, in place where nothing else holds them.
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
