//! ResNets (He et al. 2016) of any depth and width.

use super::parts::{NORM, bare_conv};
use crate::models::layer_list::{LayerConfig, global_avg_pool, linear, max_pool, relu, residual};

/// Sides of the first convolution.
const FIRST_KERNEL: usize = 7;

/// What the blocks of a network consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1 to fewer channels, 3x3, and 1x1 back. As in torchvision, the 3x3 convolution has the stride ("version 1.5").
    Bottleneck,
}

impl Block {
    /// Output channels per channel of the stage.
    fn expansion(self) -> usize {
        match self {
            Block::Basic => 1,
            Block::Bottleneck => 4,
        }
    }

    /// Its convolutions: channels, kernel and stride.
    fn convolutions(self, channels: usize, stride: usize) -> Vec<[usize; 3]> {
        match self {
            Block::Basic => vec![[channels, 3, stride], [channels, 3, 1]],
            Block::Bottleneck => vec![
                [channels, 1, 1],
                [channels, 3, stride],
                [channels * self.expansion(), 1, 1],
            ],
        }
    }
}

/// The layers: four stages of blocks, the first of `width` channels and each later one of twice as many.
pub fn layers(block: Block, blocks: [usize; 4], width: usize) -> Vec<LayerConfig> {
    let mut layers = vec![
        bare_conv(width, FIRST_KERNEL, 2).named("conv1"),
        NORM.named("bn1"),
        relu(),
        max_pool(3, 2, 1, false),
    ];
    let mut inputs = width;
    for (stage, count) in blocks.into_iter().enumerate() {
        let channels = width << stage;
        for index in 0..count {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            let name = format!("layer{}.{index}", stage + 1);
            layers.push(residual_block(block, inputs, channels, stride).named(name));
            layers.push(relu());
            inputs = channels * block.expansion();
        }
    }
    layers.extend([global_avg_pool(), linear(None).named("fc")]);
    layers
}

fn residual_block(block: Block, inputs: usize, channels: usize, stride: usize) -> LayerConfig {
    let mut body = Vec::new();
    for (index, [channels, kernel, stride]) in
        block.convolutions(channels, stride).into_iter().enumerate()
    {
        let number = index + 1;
        if index > 0 {
            body.push(relu());
        }
        body.push(bare_conv(channels, kernel, stride).named(format!("conv{number}")));
        body.push(NORM.named(format!("bn{number}")));
    }
    let outputs = channels * block.expansion();
    let shortcut = if stride != 1 || inputs != outputs {
        vec![
            bare_conv(outputs, 1, stride).named("downsample.0"),
            NORM.named("downsample.1"),
        ]
    } else {
        Vec::new()
    };
    residual(body, shortcut, 0.0)
}
