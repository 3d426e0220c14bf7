//! The options of a page: handwriting, writing surface and camera pose.

use super::error::PageError;

/// Seed component of pages.
pub(super) const PURPOSE: u64 = 0x0070_6167_6573; // "pages"

/// How a page is written and lit.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOptions {
    /// Random seed for handwriting style, jitter and lighting.
    pub seed: u64,
    /// Height of a letter in pixels, 8 to 2000.
    pub letter_height: f32,
    /// Pen width in pixels; `None` chooses one proportional to the letters.
    pub pen: Option<f32>,
    /// Width and height of the page in pixels; `None` fits the text, with margins.
    pub size: Option<(u32, u32)>,
    /// Strength of the variation within the page, 0 to 2: 1 is natural, 0 is as regular as print.
    pub variation: f32,
    /// Slant as a tangent (positive leans to the right), -0.5 to 0.5.
    pub slant: f32,
    /// How much darker the darkest corner is than the brightest, 0 to 0.9.
    pub light: f32,
    /// Camera noise: standard deviation in grey levels (of 255), 0 to 60.
    pub noise: f32,
    /// Whether lower case is written as such; otherwise it becomes capitals.
    pub lower_case: bool,
    /// Writing surface and camera pose.
    pub scene: Scene,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            letter_height: 80.0,
            pen: None,
            size: None,
            variation: 1.0,
            slant: 0.04,
            light: 0.15,
            noise: 2.5,
            lower_case: false,
            scene: Scene::default(),
        }
    }
}

/// The surface that a page is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Surface {
    /// White paper.
    #[default]
    Plain,
    /// Paper with a pale blue line under every line of writing.
    Ruled,
    /// Paper with pale blue squares.
    Squared,
    /// A light grey board in a dark frame, with the glare of a lamp.
    Whiteboard,
}

/// Writing surface and camera pose. The default is a plain sheet that fills the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// Writing surface.
    pub surface: Surface,
    /// How dark the pen is, 0.15 to 1: a marker is 1, a pencil 0.35, with grain.
    pub ink: f32,
    /// Fraction of the light that a shadow over part of the image removes, 0 to 0.8.
    pub shadow: f32,
    /// Width of the dark desk (or a whiteboard's frame) on every side, as a fraction of the sheet's longer side, 0 to 1. At 0,
    /// paper fills the image.
    pub desk: f32,
    /// Clockwise rotation of the sheet in degrees, -10 to 10.
    pub turn: f32,
    /// How much shorter the far side of the sheet is than the near one, 0 to 0.5.
    pub perspective: f32,
    /// Darkness of the remains of erased writing, 0 to 0.4.
    pub ghosts: f32,
    /// Standard deviation of the tilt of single words in degrees, 0 to 10.
    pub word_tilt: f32,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            surface: Surface::Plain,
            ink: 1.0,
            shadow: 0.0,
            desk: 0.0,
            turn: 0.0,
            perspective: 0.0,
            ghosts: 0.0,
            word_tilt: 0.0,
        }
    }
}

/// Checks that every option is in its range.
pub(super) fn validate(options: &PageOptions) -> Result<(), PageError> {
    let pen = options.pen.unwrap_or(1.0);
    // Thicker than a third of the letter, a pen fills the bowls.
    let thickest = options.letter_height / 3.0;
    let scene = &options.scene;
    for (option, value, least, most) in [
        (
            "letter height in pixels",
            options.letter_height,
            8.0,
            2000.0,
        ),
        ("pen width in pixels", pen, 0.5, thickest.max(0.5)),
        ("variation", options.variation, 0.0, 2.0),
        ("slant", options.slant, -0.5, 0.5),
        ("lighting falloff", options.light, 0.0, 0.9),
        ("noise in grey levels", options.noise, 0.0, 60.0),
        ("ink", scene.ink, 0.15, 1.0),
        ("shadow", scene.shadow, 0.0, 0.8),
        ("desk", scene.desk, 0.0, 1.0),
        ("rotation in degrees", scene.turn, -10.0, 10.0),
        ("perspective", scene.perspective, 0.0, 0.5),
        ("ghosts", scene.ghosts, 0.0, 0.4),
        ("word tilt in degrees", scene.word_tilt, 0.0, 10.0),
    ] {
        if !(value >= least && value <= most) {
            return Err(PageError::Option {
                option,
                value,
                least,
                most,
            });
        }
    }
    Ok(())
}
