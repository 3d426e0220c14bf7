//! A network that the config describes layer by layer.

use serde::{Deserialize, Deserializer, Serialize};

use super::described::{Described, LayerList};
use super::layer_list::{self, LayerConfig, expand_names};
use crate::shape::ImageShape;

/// A network of any layers.
pub type Layers = Described<LayersConfig>;

/// Settings of a network that is described layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "app", schemars(extend("examples" = [{"layers": [
    {"kind": "conv", "channels": 16, "kernel": 3, "padding": 1}, "relu", {"kind": "max_pool", "kernel": 2},
    {"kind": "conv", "channels": 32, "kernel": 3, "padding": 1}, "relu", {"kind": "max_pool", "kernel": 2},
    "flatten", "linear"
]}])))]
pub struct LayersConfig {
    /// The layers, first layer first. The last one that has a size may leave it out: then it has one value for each class.
    #[serde(deserialize_with = "from_forms")]
    #[cfg_attr(
        feature = "app",
        schemars(with = "Vec<layer_list::LayerForm>", length(min = 1, max = 1024))
    )]
    pub layers: Vec<LayerConfig>,
    /// Number of classes; null takes it from the data.
    #[serde(default)]
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

/// Reads layers of which some are only names.
fn from_forms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LayerConfig>, D::Error> {
    let mut value = serde_json::Value::deserialize(deserializer)?;
    expand_names(&mut value);
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}

impl Default for LayersConfig {
    /// The smallest convolutional network.
    fn default() -> Self {
        Self {
            layers: vec![
                LayerConfig::Conv(layer_list::conv(16, 3).padding(1)),
                layer_list::relu(),
                layer_list::global_avg_pool(),
                LayerConfig::Linear(layer_list::linear(None)),
            ],
            classes: None,
        }
    }
}

impl LayerList for LayersConfig {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        self.layers.clone()
    }

    fn classes(&self) -> Option<usize> {
        self.classes.or(layer_list::fixed_outputs(&self.layers))
    }

    fn classes_key(&self) -> &'static str {
        if self.classes.is_some() {
            "classes"
        } else {
            "layers"
        }
    }

    fn dropout(&self) -> f64 {
        layer_list::dropout_of(&self.layers)
    }

    fn without_dropout(self) -> Self {
        Self {
            layers: layer_list::without_dropout(self.layers),
            ..self
        }
    }
}
