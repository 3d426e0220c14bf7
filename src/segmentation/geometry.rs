//! Boxes: in pixels of the photograph ([`Rect`], public) and of the smaller working copy ([`Area`], what the stages use).

/// Degrees that lines may slant without being straightened first: by the steepest slope that is tried, 0.25.
pub(super) const MAX_SLANT: f32 = 14.0;

/// A box in pixels of the upright photograph; never empty and always inside the photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Rect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl Rect {
    /// The smallest box that holds both.
    pub fn union(self, other: Rect) -> Rect {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Rect {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// A box in pixels of the working copy; `right` and `bottom` are one past the last column and row. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    /// A single pixel.
    pub fn pixel(x: usize, y: usize) -> Area {
        Area {
            left: x,
            top: y,
            right: x + 1,
            bottom: y + 1,
        }
    }

    pub fn width(&self) -> usize {
        self.right - self.left
    }

    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    pub fn longer_side(&self) -> usize {
        self.width().max(self.height())
    }

    /// Column and row of the middle.
    pub fn centre(&self) -> (f32, f32) {
        (
            (self.left + self.right) as f32 / 2.0,
            (self.top + self.bottom) as f32 / 2.0,
        )
    }

    pub fn union(&self, other: &Area) -> Area {
        Area {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Columns that both share, as a fraction of the narrower one's columns, in [0, 1].
    pub fn shared_columns(&self, other: &Area) -> f32 {
        let shared = self
            .right
            .min(other.right)
            .saturating_sub(self.left.max(other.left));
        shared as f32 / self.width().min(other.width()) as f32
    }

    /// Rows between the two; 0 where they share rows.
    pub fn rows_between(&self, other: &Area) -> usize {
        self.top
            .max(other.top)
            .saturating_sub(self.bottom.min(other.bottom))
    }

    /// The same box in the photograph: `scale` photograph pixels per working pixel, clamped to `width` x `height`.
    pub fn to_rect(self, scale: (f32, f32), width: u32, height: u32) -> Rect {
        let span = |from: usize, to: usize, scale: f32, limit: u32| {
            let first = ((from as f32 * scale).floor() as u32).min(limit.saturating_sub(1));
            let end = ((to as f32 * scale).ceil() as u32).clamp(first + 1, limit.max(first + 1));
            (first, end - first)
        };
        let (x, width) = span(self.left, self.right, scale.0, width);
        let (y, height) = span(self.top, self.bottom, scale.1, height);
        Rect {
            x,
            y,
            width,
            height,
        }
    }
}

/// The up to eight neighbours of pixel `at`.
pub(in crate::segmentation) fn neighbours(
    at: usize,
    width: usize,
    height: usize,
) -> impl Iterator<Item = usize> + use<> {
    let (x, y) = (at % width, at / width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
        .filter(move |&next| next != at)
}
