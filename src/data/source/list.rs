//! The macro behind the list of data sources.

/// Makes `DataConfig`, with one variant for each line: its documentation, the type of its config, and the value of `kind`.
macro_rules! sources {
    ($($(#[$about:meta])* $name:ident($config:ty) = $kind:tt,)+) => {
        /// The images to train on.
        #[derive(
            Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(tag = "kind")]
        pub enum DataConfig {
            $($(#[$about])* #[serde(rename = $kind)] $name($config),)+
        }

        impl ListedSource for DataConfig {
            fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $kind,)+
                }
            }

            fn config(&self) -> &dyn SourceConfig {
                match self {
                    $(Self::$name(config) => config,)+
                }
            }
        }
    };
}

pub(in crate::data) use sources;
