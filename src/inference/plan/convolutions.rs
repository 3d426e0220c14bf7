//! Convolutions with what is computed in the same step.

use super::compiler::{Compiler, Value, activation_at};
use super::folding::Norm;
use super::step::Work;
use crate::kernels::Activation;
use crate::kernels::inference::{Channels, Geometry, PackedConv};
use crate::models::layer_list::{ConvNode, Node, Operation, PoolNode};

impl Compiler<'_> {
    /// A convolution with the norm, the function and the pool that follow it, and a residual that is added before the function.
    pub fn conv(
        &mut self,
        nodes: &[&Node],
        conv: &ConvNode,
        value: Value,
        residual: Option<(Value, Activation)>,
    ) -> Option<(Value, usize)> {
        let node = nodes[0];
        let norm = nodes.get(1).and_then(|node| self.weights.norm(node));
        let before = if norm.is_some() { 2 } else { 1 };
        let (activation, mut taken) = match residual {
            Some((_, activation)) => (activation, before),
            None => activation_at(nodes, before),
        };
        let mut layer = self.packed(node, conv, norm, activation)?;
        let mut values = node.output.checked_values()?;
        if residual.is_none()
            && let Some(next) = nodes.get(taken)
            && is_halving(&next.operation)
            && activation == Activation::Relu
        {
            layer = layer.pooled()?;
            values = next.output.checked_values()?;
            taken += 1;
        }
        let work = Work::Conv {
            layer,
            channels: Channels::all(conv.outputs),
            positions: 1,
        };
        let other = residual.map(|(other, _)| other);
        Some((self.push(work, value, other, values), taken))
    }

    fn packed(
        &self,
        node: &Node,
        conv: &ConvNode,
        norm: Option<Norm>,
        activation: Activation,
    ) -> Option<PackedConv> {
        let [_, height, width] = node.input.maps()?;
        let ConvNode {
            kernel: [kernel, columns],
            stride: [stride, across],
            padding: [padding, beside],
            ..
        } = *conv;
        let is_depthwise = conv.groups == conv.inputs && conv.groups == conv.outputs;
        let is_known = [kernel, stride, padding] == [columns, across, beside]
            && conv.dilation == [1, 1]
            && padding < kernel
            && (conv.groups == 1 || is_depthwise);
        if !is_known {
            return None;
        }
        let geometry = Geometry {
            batch: 1,
            inputs: conv.inputs,
            outputs: conv.outputs,
            height,
            width,
            kernel,
            stride,
            padding,
            groups: conv.groups,
            precision: self.precision,
        };
        let weight = self.weights.of(node, "weight")?;
        let bias = self.weights.bias(node, conv.bias, conv.outputs)?;
        Some(match norm {
            Some(norm) => PackedConv::new(
                geometry,
                &weight,
                Some(&norm.scale()),
                &norm.of_bias(&bias),
                activation,
            ),
            None => PackedConv::new(geometry, &weight, None, &bias, activation),
        })
    }
}

/// Whether a layer is a 2x2 max pool that leaves out an odd last row or column.
fn is_halving(operation: &Operation) -> bool {
    let halving = PoolNode {
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        ceil_mode: false,
    };
    matches!(operation, Operation::MaxPool(pool) if *pool == halving)
}
