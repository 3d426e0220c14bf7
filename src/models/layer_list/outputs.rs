//! How many values a list of layers gives, as far as it says so itself.

use super::spec::LayerConfig;

/// The number of values at the end of a list whose last sized layer states it, such as `{"kind": "linear", "features": 36}`;
/// `None` if that layer leaves it open, or if it depends on the image.
pub fn fixed_outputs(layers: &[LayerConfig]) -> Option<usize> {
    for (index, layer) in layers.iter().enumerate().rev() {
        match layer {
            LayerConfig::Linear(config) => return config.features,
            LayerConfig::Conv(config) => {
                // Maps become one value each only in a pool over whole maps.
                let is_pooled = layers[index..].iter().any(|layer| {
                    matches!(
                        layer,
                        LayerConfig::GlobalAvgPool(_) | LayerConfig::GlobalMaxPool(_)
                    )
                });
                return config.channels.filter(|_| is_pooled);
            }
            LayerConfig::Group(config) => return fixed_outputs(&config.layers),
            LayerConfig::Repeat(_)
            | LayerConfig::Residual(_)
            | LayerConfig::Branches(_)
            | LayerConfig::DepthwiseConv(_)
            | LayerConfig::FirstToken(_)
            | LayerConfig::Unflatten(_)
            | LayerConfig::DepthToSpace(_) => return None,
            _ => {}
        }
    }
    None
}
