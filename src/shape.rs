//! The shape of an image: channels, rows and columns.

/// The shape of one image of a data set or a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImageShape {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// A shape from its three sizes.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// Number of values in one image; the product must fit into `usize` (see [`checked_values`](Self::checked_values)).
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Number of values in one image, or `None` if it is more than `usize` holds.
    pub fn checked_values(&self) -> Option<usize> {
        self.channels
            .checked_mul(self.height)?
            .checked_mul(self.width)
    }

    /// Pixels of one channel.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// `[channels, height, width]`, the order of a tensor's dimensions.
    pub const fn dims(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }
}

impl From<[usize; 3]> for ImageShape {
    /// Of `[channels, height, width]`.
    fn from([channels, height, width]: [usize; 3]) -> Self {
        Self::new(channels, height, width)
    }
}

impl std::fmt::Display for ImageShape {
    /// `3x224x224`: channels, height, width.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}
