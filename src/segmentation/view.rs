//! How a photograph is looked at: straightened, turned by quarters, and with light writing on dark ground made dark on light.

use super::geometry::Rect;
use super::straightening::Straightening;

/// How a photograph is looked at; the default is as it is in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct View {
    /// What is straightened before all else.
    pub straightening: Option<Straightening>,
    /// Quarter turns clockwise that are made before the page is cut, 0 to 3.
    pub quarter_turns: u8,
    /// Whether dark areas with light writing on them are inverted.
    pub light_writing: bool,
}

impl View {
    /// Degrees clockwise by which the photograph is turned, in 0..360; slants that lines may have don't count.
    pub fn degrees(self) -> u16 {
        let slant = self
            .straightening
            .map_or(0, |straightening| straightening.degrees());
        (slant + 90 * u16::from(self.quarter_turns)) % 360
    }

    /// Columns and rows of the straightened photograph, before it is turned.
    fn straight_size(self, width: u32, height: u32) -> (u32, u32) {
        self.straightening
            .map_or((width, height), |straightening| straightening.size())
    }

    /// Columns and rows of the turned photograph.
    pub(super) fn size(self, width: u32, height: u32) -> (u32, u32) {
        let (width, height) = self.straight_size(width, height);
        if self.quarter_turns % 2 == 1 {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// A box of the turned photograph in the photograph itself, which has `width` x `height` pixels.
    pub(super) fn to_photo(self, turned: Rect, width: u32, height: u32) -> Rect {
        let (straight_width, straight_height) = self.straight_size(width, height);
        let straight = self.turned_back(turned, straight_width, straight_height);
        match self.straightening {
            None => straight,
            Some(straightening) => straightening.to_photo(straight, width, height),
        }
    }

    /// A box of the turned page in the page before it was turned, of `width` x `height` pixels.
    fn turned_back(self, turned: Rect, width: u32, height: u32) -> Rect {
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
