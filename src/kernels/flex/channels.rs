//! Means and factors of channels on flex's tensors.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use super::tensors::{by_dtype, contiguous, new_tensor, values};
use crate::kernels::channels::{Maps, means, scale};

/// Operations on channels that flex gets; see the functions of the same names.
#[cfg_attr(feature = "app", backend_extension(Flex, Autodiff))]
#[cfg_attr(not(feature = "app"), backend_extension(Flex))]
pub trait ChannelBackend: Backend {
    /// See [`crate::kernels::scale_channels`].
    fn fast_scale_channels(
        maps: FloatTensor<Self>,
        factors: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// See [`crate::kernels::channel_means`].
    fn fast_channel_means(maps: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The sizes of `[batch, height, width, channels]`.
pub(in crate::kernels) fn sizes_of_maps(tensor: &FlexTensor) -> Maps {
    let &[batch, height, width, channels] = &tensor.layout().shape()[..] else {
        unreachable!("maps have four dimensions")
    };
    Maps {
        batch,
        positions: height * width,
        channels,
    }
}

impl ChannelBackend for Flex {
    fn fast_scale_channels(maps: FlexTensor, factors: FlexTensor) -> FlexTensor {
        let (maps, factors) = (contiguous(maps), contiguous(factors));
        let sizes = sizes_of_maps(&maps);
        assert_eq!(
            factors.layout().shape()[..],
            [sizes.batch, sizes.channels],
            "factors must be [batch, channels]"
        );
        by_dtype!(maps, T => {
            let scaled = scale::<T>(sizes, values(&maps), values(&factors));
            new_tensor(scaled, &maps.layout().shape()[..])
        })
    }

    fn fast_channel_means(maps: FlexTensor) -> FlexTensor {
        let maps = contiguous(maps);
        let sizes = sizes_of_maps(&maps);
        by_dtype!(maps, T => {
            new_tensor(means::<T>(sizes, values(&maps)), &[sizes.batch, sizes.channels])
        })
    }
}
