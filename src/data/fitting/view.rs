//! How an image of another shape becomes a sample.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an image of another shape is brought to the shape of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Fit {
    /// Keep the aspect ratio and fill with the colour of the image's border.
    #[default]
    Pad,
    /// Keep the aspect ratio and crop the centre.
    Crop,
    /// Stretch to the shape.
    Stretch,
    /// Find the letter in the photograph and draw it as `kiln ocr` draws the letters of a page: only its ink, centred, with
    /// a uniform pen width. Images without a letter are padded. Square grey samples only.
    Letter,
}

/// How a photograph becomes a sample when nothing is drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// What happens to other proportions.
    pub fit: Fit,
    /// With [`Fit::Crop`]: the share of the largest part in the middle that is kept, along either side.
    pub centre: f64,
}

impl View {
    /// Smallest `centre`.
    pub const MIN_CENTRE: f64 = 0.1;

    /// The whole image, with its proportions.
    pub const PAD: Self = Self {
        fit: Fit::Pad,
        centre: 1.0,
    };
}
