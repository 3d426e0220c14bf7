//! Weights of steps: batch norms folded into factors and offsets, fully connected layers for channels that come last.

use crate::models::layer_list::{MapShape, Node, Operation, join};
use crate::models::parameters::Tensors;

/// The weights of a network by name.
pub struct Weights<'a>(pub &'a Tensors);

impl Weights<'_> {
    /// A layer's parameter, row by row as in files.
    pub fn of(&self, node: &Node, name: &str) -> Option<Vec<f32>> {
        let bytes = self.0.bytes(&join(&node.name, name)).ok()?;
        let (values, _) = bytes.as_chunks();
        Some(
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect(),
        )
    }

    /// A layer's bias, or zeros.
    pub fn bias(&self, node: &Node, is_there: bool, outputs: usize) -> Option<Vec<f32>> {
        if is_there {
            self.of(node, "bias")
        } else {
            Some(vec![0.0; outputs])
        }
    }

    /// A batch norm as `scale x + shift` of each channel.
    pub fn norm(&self, node: &Node) -> Option<Norm> {
        let Operation::BatchNorm { epsilon, .. } = &node.operation else {
            return None;
        };
        let [gamma, beta, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|name| self.of(node, name));
        let scale: Vec<f64> = gamma?
            .into_iter()
            .zip(variance?)
            .map(|(gamma, variance)| f64::from(gamma) / (f64::from(variance) + epsilon).sqrt())
            .collect();
        let shift = beta?.into_iter().zip(mean?).zip(&scale);
        let shift = shift
            .map(|((beta, mean), scale)| f64::from(beta) - f64::from(mean) * scale)
            .collect();
        Some(Norm { scale, shift })
    }
}

/// `scale x + shift` of each channel.
pub struct Norm {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Norm {
    pub fn scale(&self) -> Vec<f32> {
        self.scale.iter().map(|&scale| scale as f32).collect()
    }

    pub fn shift(&self) -> Vec<f32> {
        self.shift.iter().map(|&shift| shift as f32).collect()
    }

    /// What a bias before the norm becomes.
    pub fn of_bias(&self, bias: &[f32]) -> Vec<f32> {
        let factors = self.scale.iter().zip(&self.shift);
        let folded = bias.iter().zip(factors);
        folded
            .map(|(&bias, (scale, shift))| (f64::from(bias) * scale + shift) as f32)
            .collect()
    }
}

/// Weights `[outputs, channels x rows x columns]` for maps of this shape that were flattened channels first, as those of maps whose
/// channels come last.
pub fn channels_last(weight: Vec<f32>, flattened: MapShape) -> Vec<f32> {
    let Some([channels, height, width]) = flattened.maps() else {
        return weight;
    };
    let positions = height * width;
    if positions == 1 || channels == 1 {
        return weight;
    }
    let rows = weight.chunks_exact(channels * positions);
    rows.flat_map(|row| {
        (0..positions).flat_map(move |position| row[position..].iter().step_by(positions).copied())
    })
    .collect()
}
