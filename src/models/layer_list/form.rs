//! Sizes that a config may write in two forms.

use serde::{Deserialize, Serialize};

/// Rows and columns: one number for both, or `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Side {
    /// The same both ways.
    Square(#[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))] usize),
    /// `[rows, columns]`
    Sides(#[cfg_attr(feature = "app", schemars(inner(range(min = 1, max = 65536))))] [usize; 2]),
}

impl Side {
    /// `[rows, columns]`
    pub fn sides(self) -> [usize; 2] {
        match self {
            Side::Square(side) => [side; 2],
            Side::Sides(sides) => sides,
        }
    }
}

impl From<usize> for Side {
    fn from(side: usize) -> Self {
        Side::Square(side)
    }
}

/// Border on each side: a number, `[above and below, left and right]`, or `"same"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Padding {
    /// The same on all sides.
    Equal(#[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))] usize),
    /// `[above and below, left and right]`
    Sides(#[cfg_attr(feature = "app", schemars(inner(range(min = 0, max = 65536))))] [usize; 2]),
    /// As much as keeps the size with stride 1.
    Named(NamedPadding),
}

/// A border by its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum NamedPadding {
    /// Keeps the size with stride 1; requires odd kernels.
    Same,
}

impl Default for Padding {
    fn default() -> Self {
        Padding::Equal(0)
    }
}

impl From<usize> for Padding {
    fn from(padding: usize) -> Self {
        Padding::Equal(padding)
    }
}

impl From<[usize; 2]> for Padding {
    fn from(sides: [usize; 2]) -> Self {
        Padding::Sides(sides)
    }
}
