//! The networks: one file each, with settings, limits and layers.
//!
//! A network is written once for every backend. To add one, write its file and add it below; `docs/adding-a-network.md` has an
//! example. The reader alone (without the feature `app`) has only the networks of the models that kiln ships.

use burn::prelude::*;

use crate::error::Problem;
use crate::shape::ImageShape;
use blocks::Layout;
use layer_list::{LayerConfig, Node, infer};
use limits::MAX_IMAGE_VALUES;

mod activation_map;
pub mod architecture;
#[cfg(feature = "app")]
pub mod autoencoder;
// Few networks use them all.
#[cfg_attr(not(feature = "app"), allow(dead_code, unused_imports))]
mod blocks;
pub mod cnn;
#[cfg(feature = "app")]
pub mod conv_autoencoder;
#[cfg(feature = "app")]
mod described;
#[cfg(feature = "app")]
pub mod efficientnet_lite0;
pub mod layer_list;
pub mod limits;
#[macro_use]
mod list;
#[cfg(feature = "app")]
pub mod layers;
#[cfg(feature = "app")]
pub mod mlp;
pub mod parameters;
#[cfg(feature = "app")]
pub mod sequential;
#[cfg(feature = "app")]
pub mod squeezenet;
#[cfg(feature = "app")]
pub mod torchvision;

pub use activation_map::ActivationMap;
pub use architecture::{Architecture, Backbone, Task};
pub use blocks::{LayerCost, Work};
pub use limits::MAX_MODEL_VALUES;
#[cfg(feature = "app")]
use torchvision::{convnext_tiny, efficientnet_b0, resnet18, resnet34, resnet50};
#[cfg(feature = "app")]
use torchvision::{mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small, squeezenet1_0, vit_b_16};

networks! {
    /// Fully connected layers.
    mlp: Mlp(MlpConfig) if "app",
    /// Blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one hidden layer.
    cnn: Cnn(CnnConfig),
    /// SqueezeNet 1.1 (Iandola et al. 2016) for images of at least 25 pixels a side.
    squeezenet: Squeezenet(SqueezenetConfig) if "app",
    /// SqueezeNet 1.0 (Iandola et al. 2016) for images of at least 29 pixels a side.
    squeezenet1_0: Squeezenet1_0(Squeezenet1_0Config) if "app",
    /// ResNet-18 (He et al. 2016).
    resnet18: Resnet18(Resnet18Config) if "app",
    /// ResNet-34 (He et al. 2016).
    resnet34: Resnet34(Resnet34Config) if "app",
    /// ResNet-50 (He et al. 2016).
    resnet50: Resnet50(Resnet50Config) if "app",
    /// MobileNetV2 (Sandler et al. 2018).
    mobilenet_v2: MobilenetV2(MobilenetV2Config) if "app",
    /// The small MobileNetV3 (Howard et al. 2019).
    mobilenet_v3_small: MobilenetV3Small(MobilenetV3SmallConfig) if "app",
    /// The large MobileNetV3 (Howard et al. 2019).
    mobilenet_v3_large: MobilenetV3Large(MobilenetV3LargeConfig) if "app",
    /// EfficientNet-B0 (Tan and Le 2019).
    efficientnet_b0: EfficientnetB0(EfficientnetB0Config) if "app",
    /// EfficientNet-Lite0: EfficientNet-B0 without squeeze and excitation and with ReLU6.
    efficientnet_lite0: EfficientnetLite0(EfficientnetLite0Config) if "app",
    /// ConvNeXt-Tiny (Liu et al. 2022) for images of at least 32 pixels a side.
    convnext_tiny: ConvnextTiny(ConvnextTinyConfig) if "app",
    /// Vision transformer ViT-B/16 (Dosovitskiy et al. 2021) for images whose sides are multiples of 16.
    vit_b_16: VitB16(VitB16Config) as "vit_b_16" if "app",
    /// Fully connected autoencoder with a low-dimensional code.
    autoencoder: Autoencoder(AutoencoderConfig) if "app",
    /// Convolutional autoencoder with a low-dimensional code.
    conv_autoencoder: ConvAutoencoder(ConvAutoencoderConfig) if "app",
    /// Any list of layers that ends with one value for each class.
    layers: Layers(LayersConfig) if "app",
}

impl ModelConfig {
    /// Number of weights, biases and statistics of the network for images of `shape`, or `None` if `usize` does not hold it.
    ///
    /// Counts an undrawn network, so nothing large is allocated. The settings must have no
    /// [`problems`](Self::problems) with the shape.
    pub fn values(&self, shape: ImageShape, classes: usize) -> Option<usize> {
        if shape.checked_values()? > MAX_IMAGE_VALUES {
            return None;
        }
        parameters::count(&Network::new(self, shape, classes, &Device::flex()))
    }

    /// What is wrong with the network for images of `shape` and so many classes: it has more than [`MAX_MODEL_VALUES`] parameters.
    /// The path is a key of the `model` section, or empty for the whole of it. The settings must have no
    /// [`problems`](Self::problems) with the shape.
    pub fn size_problem(&self, shape: ImageShape, classes: usize) -> Option<Problem> {
        let problem = self.problem_with_classes(shape, classes);
        problem.or_else(|| {
            let found = match self.values(shape, classes) {
                Some(values) if values <= MAX_MODEL_VALUES => return None,
                Some(values) => format!("{values} parameters"),
                None => "too many parameters (count overflows)".into(),
            };
            let problem = format!(
                "the network has {found}; the maximum is {MAX_MODEL_VALUES}; make its layers narrower"
            );
            Some(Problem::new("", problem))
        })
    }
}

impl ModelConfig {
    /// The layers of the network for images of `shape`, with names, shapes and sizes. The error names the first layer that does
    /// not fit.
    pub fn nodes(&self, shape: ImageShape, classes: usize) -> Result<Vec<Node>, Problem> {
        let outputs = match self.task() {
            Task::Classify => classes,
            Task::Reconstruct => shape.values(),
        };
        infer(&self.layers(shape), shape, outputs)
    }
}

impl Network {
    /// The mean of each feature over an image, `[batch, features]`, of images `[batch, channels, height, width]`; `None` without a
    /// backbone.
    pub fn mean_features(&self, images: Tensor<4>) -> Option<Tensor<2>> {
        let layout = Layout::of(&images.device());
        let features = layout.to_channels_first(self.backbone()?.features(images));
        let [batch, channels, ..] = features.dims();
        let means = features.flatten::<3>(2, 3).mean_dim(2);
        Some(means.reshape([batch, channels]))
    }

    /// Whether the network has a backbone in which nothing trains, batch norms included, so that the features of an image stay
    /// the same.
    pub fn has_fixed_features(&self) -> bool {
        let Some(backbone) = self.backbone() else {
            return false;
        };
        let parameters = parameters::list(self);
        !backbone.parameters().iter().any(|pattern| {
            let mut within = parameters
                .iter()
                .filter(|parameter| parameters::matches(pattern, &parameter.name));
            within.any(|parameter| parameter.trainable)
                || parameters::behaves_as_in_training(self, pattern)
        })
    }
}
