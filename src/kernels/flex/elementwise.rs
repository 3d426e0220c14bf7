//! Operations value by value on flex's tensors.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use super::tensors::{by_dtype, contiguous, values_mut};
use crate::kernels::activation::{Activation, activate_all};

/// Operations value by value that flex gets; see the functions of the same names.
#[cfg_attr(feature = "app", backend_extension(Flex, Autodiff))]
#[cfg_attr(not(feature = "app"), backend_extension(Flex))]
pub trait ElementwiseBackend: Backend {
    /// See [`crate::kernels::activate`].
    fn fast_activation(values: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
}

impl ElementwiseBackend for Flex {
    fn fast_activation(values: FlexTensor, activation: Activation) -> FlexTensor {
        let mut output = contiguous(values);
        by_dtype!(output, T => activate_all(values_mut::<T>(&mut output), activation));
        output
    }
}
