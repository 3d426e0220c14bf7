//! Whether images lie channels last, as kiln's kernels want them, or channels first, as Burn's operators do.

use burn::prelude::*;

use crate::kernels;
use crate::models::layer_list::DepthToSpaceMode;

/// Whether networks run on the kernels alone: WebAssembly has no other device, and Burn's operators would be a tenth of its module.
pub const ONLY_KERNELS: bool = cfg!(target_arch = "wasm32");

/// The order of a network's tensors in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[batch, height, width, channels]`, for the kernels.
    ChannelsLast,
    /// `[batch, channels, height, width]`, for Burn's operators.
    ChannelsFirst,
}

impl Layout {
    /// The layout that suits the device and the operators in use.
    pub fn of(device: &Device) -> Self {
        if ONLY_KERNELS || kernels::supported(device) {
            Layout::ChannelsLast
        } else {
            Layout::ChannelsFirst
        }
    }

    /// Images `[batch, channels, height, width]` in this layout.
    pub fn arrange(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => kernels::channels_last(images),
            Layout::ChannelsFirst => images,
        }
    }

    /// Images in this layout as `[batch, channels, height, width]`.
    pub fn to_channels_first(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => kernels::channels_first(images),
            Layout::ChannelsFirst => images,
        }
    }

    /// The mean of each map: `[batch, channels]`.
    pub fn global_average(self, images: Tensor<4>) -> Tensor<2> {
        self.flatten_positions(images)
            .mean_dim(self.position_dim())
            .squeeze_dim(self.position_dim())
    }

    /// [`global_average`](Self::global_average), rounded as the kernels do it where they are.
    pub fn channel_means(self, maps: Tensor<4>) -> Tensor<2> {
        match self {
            Layout::ChannelsLast => kernels::channel_means(maps),
            Layout::ChannelsFirst => self.global_average(maps),
        }
    }

    /// Maps times a factor for each channel of each image, `[batch, channels]`.
    pub fn scale_channels(self, maps: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => kernels::scale_channels(maps, factors),
            Layout::ChannelsFirst => maps * self.per_channel(factors),
        }
    }

    /// The largest value of each map: `[batch, channels]`.
    pub fn global_max(self, images: Tensor<4>) -> Tensor<2> {
        self.flatten_positions(images)
            .max_dim(self.position_dim())
            .squeeze_dim(self.position_dim())
    }

    /// Maps of `block^2 c` channels as maps of `c` channels with `block` times the height and width: groups of channels become
    /// neighbouring pixels, in an order of the channels.
    pub fn depth_to_space(
        self,
        images: Tensor<4>,
        block: usize,
        mode: DepthToSpaceMode,
    ) -> Tensor<4> {
        let dims = images.dims();
        let channels = dims[self.channel_dim()] / (block * block);
        let [batch, height, width] = [0, self.row_dim(), self.row_dim() + 1].map(|dim| dims[dim]);
        match self {
            Layout::ChannelsLast => {
                let pixels = match mode {
                    DepthToSpaceMode::Crd => images
                        .reshape([batch, height, width, channels, block, block])
                        .permute([0, 1, 4, 2, 5, 3]),
                    DepthToSpaceMode::Dcr => images
                        .reshape([batch, height, width, block, block, channels])
                        .permute([0, 1, 3, 2, 4, 5]),
                };
                pixels.reshape([batch, block * height, block * width, channels])
            }
            Layout::ChannelsFirst => {
                let pixels = match mode {
                    DepthToSpaceMode::Crd => images
                        .reshape([batch, channels, block, block, height, width])
                        .permute([0, 1, 4, 2, 5, 3]),
                    DepthToSpaceMode::Dcr => images
                        .reshape([batch, block, block, channels, height, width])
                        .permute([0, 3, 4, 1, 5, 2]),
                };
                pixels.reshape([batch, channels, block * height, block * width])
            }
        }
    }

    /// The dimension of the channels.
    pub fn channel_dim(self) -> usize {
        match self {
            Layout::ChannelsLast => 3,
            Layout::ChannelsFirst => 1,
        }
    }

    /// The dimension of the rows; that of the columns is the next.
    pub fn row_dim(self) -> usize {
        match self {
            Layout::ChannelsLast => 1,
            Layout::ChannelsFirst => 2,
        }
    }

    /// Values `[batch, channels]` (or `[1, channels]`) in a shape that broadcasts over maps.
    pub fn per_channel(self, values: Tensor<2>) -> Tensor<4> {
        let [batch, channels] = values.dims();
        match self {
            Layout::ChannelsLast => values.reshape([batch, 1, 1, channels]),
            Layout::ChannelsFirst => values.reshape([batch, channels, 1, 1]),
        }
    }

    /// The dimension of the positions in [`flatten_positions`](Self::flatten_positions).
    fn position_dim(self) -> usize {
        match self {
            Layout::ChannelsLast => 1,
            Layout::ChannelsFirst => 2,
        }
    }

    /// The positions of a map as one dimension.
    fn flatten_positions(self, images: Tensor<4>) -> Tensor<3> {
        match self {
            Layout::ChannelsLast => images.flatten(1, 2),
            Layout::ChannelsFirst => images.flatten(2, 3),
        }
    }
}
