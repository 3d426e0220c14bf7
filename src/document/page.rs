//! A page as an image.

use std::sync::Arc;

use image::DynamicImage;

/// Points in an inch (ISO 32000-1, 8.3.2.3).
pub(super) const POINTS_PER_INCH: f32 = 72.0;

/// An upright page, with what else its file says about it.
#[derive(Debug, Clone)]
pub struct PageImage {
    /// The image, upright: 8-bit grey or RGB.
    pub photo: DynamicImage,
    /// The bytes of an image file that shows this page and no other; empty where there is none.
    pub file: Arc<Vec<u8>>,
    /// Width and height in points (1/72 inch), where the file says how large the page is.
    pub size: Option<[f32; 2]>,
    /// What was left out or changed, in one line each.
    pub notes: Vec<String>,
}
