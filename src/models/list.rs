//! The macro that turns the list of networks into [`ModelConfig`](super::ModelConfig) and [`Network`](super::Network).

/// Declares the networks, one per line: `kind: Network(Config)`. The kind is the value of `model.kind` and the network's file; the
/// line's comment describes it in the JSON Schema. Where the kind is not the network's name in snake case, `as "kind"` follows; then
/// `if "feature"` for one that is compiled only with that cargo feature.
macro_rules! networks {
    ($(
        $(#[$description:meta])* $kind:ident: $Network:ident($Config:ident) $(as $name:literal)? $(if $feature:literal)?,
    )+) => {
        $($(#[cfg(feature = $feature)])? pub use $kind::{$Config, $Network};)+

        /// The network.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum ModelConfig {
            $(
                $(#[cfg(feature = $feature)])?
                $(#[$description])* $(#[serde(rename = $name)])? $Network($Config),
            )+
        }

        /// Any of the networks, with its weights.
        #[derive(burn::module::Module, Debug)]
        #[allow(clippy::large_enum_variant)] // A process holds one or two of them.
        pub enum Network {
            $($(#[cfg(feature = $feature)])? $(#[$description])* $Network($Network),)+
        }

        impl ModelConfig {
            /// Each kind of network with its default settings, in the order of the list.
            pub fn defaults() -> Vec<Self> {
                [$($(#[cfg(feature = $feature)])? ModelConfig::$Network($Config::default())),+].into()
            }

            /// The value of `model.kind`.
            pub fn kind(&self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(_) => stringify!($kind),)+
                }
            }

            /// What the network is trained to do.
            pub fn task(&self) -> Task {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(_) => $Network::TASK,)+
                }
            }

            /// How many classes the config asks for; `None` means as many as the data has.
            pub fn classes(&self) -> Option<usize> {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => $Network::classes(config),)+
                }
            }

            /// The key of the `model` section that sets the number of classes.
            pub fn classes_key(&self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => $Network::classes_key(config),)+
                }
            }

            /// What is wrong with these settings for images of `shape`; paths are keys of the `model` section.
            pub fn problems(&self, shape: ImageShape) -> Vec<Problem> {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => $Network::problems(config, shape),)+
                }
            }

            fn problem_with_classes(&self, shape: ImageShape, classes: usize) -> Option<Problem> {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => {
                        $Network::problem_with_classes(config, shape, classes)
                    })+
                }
            }

            /// The network as a list of layers; see [`Architecture::layers`].
            pub fn layers(&self, shape: ImageShape) -> Vec<LayerConfig> {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => $Network::layers(config, shape),)+
                }
            }

            /// Dropout probability, 0 to 1; 0 is no dropout.
            pub fn dropout(&self) -> f64 {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => $Network::dropout(config),)+
                }
            }

            /// The same settings without dropout.
            pub fn without_dropout(self) -> Self {
                match self {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => {
                        ModelConfig::$Network($Network::without_dropout(config))
                    })+
                }
            }
        }

        impl Network {
            /// Builds the network for images of `shape`. Weights are drawn from the device's random generator when they are
            /// first used, so building a network allocates next to nothing; autoencoders ignore `classes`.
            pub fn new(
                config: &ModelConfig,
                shape: ImageShape,
                classes: usize,
                device: &Device,
            ) -> Self {
                match config {
                    $($(#[cfg(feature = $feature)])? ModelConfig::$Network(config) => {
                        Network::$Network($Network::new(config, shape, classes, device))
                    })+
                }
            }

            /// Logits `[batch, classes]`, or images `[batch, pixels]` in [0, 1], of images `[batch, channels, height, width]`.
            pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                match self {
                    $($(#[cfg(feature = $feature)])? Network::$Network(network) => network.forward(images),)+
                }
            }

            /// The network as a backbone and a head, if it can be cut there.
            pub fn backbone(&self) -> Option<&dyn Backbone> {
                match self {
                    $($(#[cfg(feature = $feature)])? Network::$Network(network) => network.backbone(),)+
                }
            }

            /// What one image of `shape` costs.
            pub fn work(&self, shape: ImageShape) -> Work {
                Work::of(&match self {
                    $($(#[cfg(feature = $feature)])? Network::$Network(network) => network.costs(shape),)+
                })
            }

            /// The weights of each unit of the first layer as an image: `[units, channels, rows, columns]`, for images of
            /// `shape`.
            pub fn first_weights(&self, shape: ImageShape) -> Option<Tensor<4>> {
                match self {
                    $($(#[cfg(feature = $feature)])? Network::$Network(network) => network.first_weights(shape),)+
                }
            }
        }
    };
}
