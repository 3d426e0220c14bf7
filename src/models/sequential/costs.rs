//! What a list of layers costs, and what its first layer looks at.

use burn::prelude::*;

use super::module::{Layer, Operator, Sequence};
use crate::models::blocks::{LayerCost, unit_images};
use crate::shape::ImageShape;

/// Multiply-adds of each layer with weights for one image, first layer first.
pub fn costs(layers: &Sequence) -> Vec<LayerCost> {
    layers.layers.iter().flat_map(costs_of).collect()
}

fn costs_of(layer: &Layer) -> Vec<LayerCost> {
    let positions = layer.positions;
    match &layer.operator {
        Operator::Conv(conv) => vec![LayerCost::new(&conv.weight, positions)],
        Operator::Linear(linear) => vec![LayerCost::new(&linear.weight, positions)],
        Operator::SelfAttention(attention) => {
            let projection = LayerCost::new(&attention.in_proj_weight, positions);
            let output = LayerCost::new(&attention.out_proj.weight, positions);
            // Each token's scores with all tokens, and their weighted sum.
            let features = attention.out_proj.weight.shape()[0];
            let scores = LayerCost {
                forward: 2 * positions * positions * features,
                trains: projection.trains,
            };
            vec![projection, scores, output]
        }
        Operator::Residual { body, shortcut, .. } => [costs(body), costs(shortcut)].concat(),
        Operator::Branches(branches) => branches.iter().flat_map(costs).collect(),
        Operator::Group(layers) | Operator::SqueezeExcite { convs: layers, .. } => costs(layers),
        _ => Vec::new(),
    }
}

/// The weights of each unit of the first layer as an image, if it looks at the image of `shape`: `[units, channels, rows,
/// columns]`.
pub fn first_weights(layers: &Sequence, shape: ImageShape) -> Option<Tensor<4>> {
    layers
        .layers
        .iter()
        .find_map(|layer| match &layer.operator {
            Operator::Conv(conv) => Some(conv.weight.val()),
            Operator::Linear(linear) => {
                let fits = linear.weight.shape()[0] == shape.values();
                fits.then(|| unit_images(linear, shape))
            }
            Operator::Residual { body, .. } => first_weights(body, shape),
            Operator::Group(layers) => first_weights(layers, shape),
            Operator::Branches(branches) => branches.iter().find_map(|b| first_weights(b, shape)),
            _ => None,
        })
}
