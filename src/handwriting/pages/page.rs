//! A drawn page and its ground truth.

use image::RgbImage;
use serde::Serialize;

/// A box of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Bounds {
    /// The smallest box around both.
    pub fn union(self, other: Bounds) -> Bounds {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Bounds {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// A letter on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnLetter {
    /// The character.
    pub character: char,
    /// Its ink's box.
    pub bounds: Bounds,
}

/// A word on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnWord {
    /// Its letters in a row.
    pub text: String,
    /// The box around the letters.
    pub bounds: Bounds,
    /// From left to right.
    pub letters: Vec<DrawnLetter>,
}

/// A line on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnLine {
    /// Its words, with one space between them.
    pub text: String,
    /// The box around the words.
    pub bounds: Bounds,
    /// From left to right.
    pub words: Vec<DrawnWord>,
}

/// A page and its text. Its JSON (the ground truth) omits the image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnPage {
    /// The image.
    #[serde(skip)]
    pub image: RgbImage,
    /// Width of the image.
    pub width: u32,
    /// Height of the image.
    pub height: u32,
    /// The written lines from top to bottom; empty lines of the text only take up space.
    pub lines: Vec<DrawnLine>,
}

impl DrawnPage {
    /// The text: the lines joined by line breaks.
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}
