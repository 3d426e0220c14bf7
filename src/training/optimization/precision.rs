//! In which precision a run multiplies.

use crate::config::{Experiment, Precision};
use crate::kernels::ComputePrecision;
use crate::models::layer_list::{ConvNode, Node, Operation};

impl From<Precision> for ComputePrecision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

/// Where bfloat16 was asked for and gains nothing.
pub fn warnings(experiment: &Experiment, layers: &[Node]) -> Vec<String> {
    if experiment.training.precision == Precision::F32 {
        return Vec::new();
    }
    let mut conv = layers.iter().filter_map(|node| match &node.operation {
        Operation::Conv(conv) => Some(conv),
        _ => None,
    });
    let warning = if !conv.any(is_in_bf16) {
        "training.precision: \"bf16\" has no effect on this network: it is for convolutions of an even number of input channels or an even stride, but depthwise ones"
    } else if !ComputePrecision::bf16_is_native() {
        "training.precision: this processor has no AVX512-BF16, and emulates \"bf16\"; \"f32\" is faster here"
    } else {
        return Vec::new();
    };
    vec![warning.into()]
}

/// Whether products of a convolution are made in bfloat16 where that is asked for.
fn is_in_bf16(conv: &ConvNode) -> bool {
    let inputs = conv.inputs / conv.groups.max(1);
    let is_even = (inputs * conv.stride[1]).is_multiple_of(2);
    conv.dilation == [1, 1] && inputs > 1 && is_even
}
