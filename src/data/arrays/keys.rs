//! The config keys that all sources of arrays have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range::Range;
use crate::data::SplitRule;
use crate::data::split_rule::ShareConfig;
use crate::error::Problem;
use crate::shape::ImageShape;

/// Keys of sources that read arrays of numbers. A source's config flattens it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArrayKeys {
    /// Height of an image in pixels; files of another size are refused.
    #[schemars(range(min = 1, max = 1024))]
    pub height: usize,
    /// Width of an image in pixels.
    #[schemars(range(min = 1, max = 1024))]
    pub width: usize,
    /// 1 (greyscale) or 3 (colour).
    #[schemars(extend("enum" = [1, 3]))]
    pub channels: usize,
    /// Names of the classes in the order of their labels, from 0 or from 1. If empty, classes are called by their labels.
    #[schemars(length(max = 10_000))]
    pub classes: Vec<String>,
    /// Values that stand for black and white: `auto` finds them in the training images.
    pub range: Range,
    /// Whether black becomes white: for white ink on black, such as MNIST's, where augmentation or photographs expect dark ink on
    /// white.
    pub invert: bool,
    /// Whether rows and columns are exchanged; null exchanges those of files whose names begin with `emnist-`.
    pub transpose: Option<bool>,
    /// How training samples are divided where a split has no file of its own.
    pub split: SplitRule,
}

impl Default for ArrayKeys {
    fn default() -> Self {
        Self {
            height: 28,
            width: 28,
            channels: 1,
            classes: Vec::new(),
            range: Range::Auto,
            invert: false,
            transpose: None,
            split: SplitRule::Share(ShareConfig {
                stratify: true,
                ..ShareConfig::default()
            }),
        }
    }
}

impl ArrayKeys {
    /// The shape of a sample.
    pub fn shape(&self) -> ImageShape {
        ImageShape::new(self.channels, self.height, self.width)
    }

    /// Number of classes, if they are named.
    pub fn class_count(&self) -> Option<usize> {
        (!self.classes.is_empty()).then_some(self.classes.len())
    }

    /// Contradictions between the keys; `path` is that of the section.
    pub fn problems(&self, path: &str) -> Vec<Problem> {
        let names = self.classes.iter().enumerate();
        let twice = names
            .filter(|(index, name)| self.classes[..*index].contains(name))
            .map(|(index, name)| {
                Problem::new(
                    format!("{path}.classes[{index}]"),
                    format!("duplicate name {name:?}; remove it"),
                )
            });
        let empty = self.classes.iter().position(|name| name.trim().is_empty());
        let empty = empty.map(|index| {
            Problem::new(
                format!("{path}.classes[{index}]"),
                "empty; name the class, or leave out the key to call classes by their labels",
            )
        });
        twice.take(1).chain(empty).collect()
    }

    /// Whether the images of a file are transposed.
    pub fn is_transposed(&self, file: &str) -> bool {
        self.transpose
            .unwrap_or_else(|| file.starts_with("emnist-"))
    }
}
