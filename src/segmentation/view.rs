//! How a photograph is looked at: turned by quarters, and with light writing on dark ground made dark on light.

use super::geometry::Rect;

/// How a photograph is looked at; the default is as it is in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// Quarter turns clockwise that are made before the page is cut, 0 to 3.
    pub quarter_turns: u8,
    /// Whether dark areas with light writing on them are inverted.
    pub light_writing: bool,
}

impl View {
    /// Columns and rows of the turned photograph.
    pub(super) fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.quarter_turns % 2 == 1 {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// A box of the turned photograph in the photograph itself, which has `width` x `height` pixels.
    pub(super) fn to_photo(self, turned: Rect, width: u32, height: u32) -> Rect {
        let (right, bottom) = (turned.x + turned.width, turned.y + turned.height);
        match self.quarter_turns % 4 {
            0 => turned,
            1 => Rect {
                x: turned.y,
                y: height - right,
                width: turned.height,
                height: turned.width,
            },
            2 => Rect {
                x: width - right,
                y: height - bottom,
                ..turned
            },
            _ => Rect {
                x: width - bottom,
                y: turned.x,
                width: turned.height,
                height: turned.width,
            },
        }
    }
}
