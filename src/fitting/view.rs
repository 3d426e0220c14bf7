//! How an image of another shape becomes a sample.

use serde::{Deserialize, Serialize};

/// How an image of another shape is fitted to a sample's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Fit {
    /// Keep the aspect ratio and pad with the colour of the image's border.
    #[default]
    Pad,
    /// Keep the aspect ratio and crop the excess.
    Crop,
    /// Stretch to the sample's size.
    Stretch,
    /// Segment the letter and render it as the page reader does: ink only, centred, stroke width normalized. Falls back to
    /// padding if none is found. Square greyscale only.
    Letter,
}

/// How a photograph becomes a sample without random crops.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// How other aspect ratios are handled.
    pub fit: Fit,
    /// With [`Fit::Crop`]: side of the centre crop, as a fraction of the largest crop with the sample's aspect ratio.
    pub centre: f64,
}

impl View {
    /// Smallest `centre`.
    pub const MIN_CENTRE: f64 = 0.1;

    /// The whole image in its aspect ratio.
    pub const PAD: Self = Self {
        fit: Fit::Pad,
        centre: 1.0,
    };
}
