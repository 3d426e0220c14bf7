//! What the user says about an ONNX model that does not say it itself.

use std::str::FromStr;

use crate::data::Fit;

/// The size of a model's images, where its file leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Height and width, in pixels.
    Sides(usize, usize),
    /// All three dimensions of an image, in the model's order.
    Whole([usize; 3]),
}

/// Largest dimension of an image, so that a batch fits into memory.
pub const MAX_SIDE: usize = 8192;

impl FromStr for Size {
    type Err = String;

    /// `224`, `224x192` (height x width), or `3x224x192` in the model's order.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "must be like 224, 224x192 (height x width) or 3x224x192 (the model's order), with numbers from 1 to {MAX_SIDE}"
            )
        };
        let number = |part: &str| {
            let number = part.parse().map_err(|_| wrong())?;
            if (1..=MAX_SIDE).contains(&number) {
                Ok(number)
            } else {
                Err(wrong())
            }
        };
        let numbers: Vec<usize> = text.split('x').map(number).collect::<Result<_, _>>()?;
        match *numbers.as_slice() {
            [side] => Ok(Size::Sides(side, side)),
            [height, width] => Ok(Size::Sides(height, width)),
            [first, second, third] => Ok(Size::Whole([first, second, third])),
            _ => Err(wrong()),
        }
    }
}

/// What is said about an ONNX model; each is `None` where nothing is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnnxSettings {
    /// The size of its images.
    pub size: Option<Size>,
    /// What is subtracted from values in [0, 1]: a number, or one for each channel.
    pub mean: Option<Vec<f32>>,
    /// What they are divided by then.
    pub std: Option<Vec<f32>>,
    /// How images of other shapes are fitted.
    pub fit: Option<Fit>,
    /// Side of the crop, as a fraction of the largest one.
    pub centre: Option<f64>,
    /// Names of the classes in the order of the outputs.
    pub classes: Option<Vec<String>>,
    /// The output to read, of several.
    pub output: Option<String>,
}

impl OnnxSettings {
    /// The flag of the first setting that there is.
    pub fn first_flag(&self) -> Option<&'static str> {
        let given = [
            ("--size", self.size.is_some()),
            ("--mean", self.mean.is_some()),
            ("--std", self.std.is_some()),
            ("--fit", self.fit.is_some()),
            ("--centre", self.centre.is_some()),
            ("--classes", self.classes.is_some()),
            ("--output", self.output.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.next().map(|(flag, _)| flag)
    }
}
