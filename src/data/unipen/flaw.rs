//! Which recorded segments are not characters.

use super::draw::UNITS;
use crate::handwriting::strokes::{self, Polyline};

/// Why a segment is not a character, judged by what any writing of it must have; `None` if it is one. Of a punctuation mark only
/// scribbles are refused: most marks are dots, bars or pieces.
///
/// The limits were set by inspecting the segments they exclude from the 30,045 (about 1 %): taps of the pen, crossings
/// out, and segments that were cut wrongly, so that a bar or a piece of the character is left.
pub fn flaw(character: &str, strokes: &[Polyline]) -> Option<&'static str> {
    let (low, high) = strokes::extent(strokes)?;
    let (width, height) = (high[0] - low[0], high[1] - low[1]);
    let path: f32 = strokes.iter().map(path_length).sum();
    let bar_allowed = matches!(character, "I" | "1" | "i" | "l");
    // One simple stroke makes these; every other character goes back or round, and is longer than its box.
    let simple = bar_allowed
        || matches!(
            character,
            "L" | "V" | "C" | "J" | "7" | "c" | "j" | "r" | "v"
        );
    let narrow = width.min(height) < 0.1 * width.max(height);
    let is_mark = !character.chars().all(char::is_alphanumeric);
    if path > 9.0 * UNITS || strokes.len() > 9 {
        Some("a scribble")
    } else if is_mark {
        None
    } else if path < 0.4 * UNITS {
        Some("a dot")
    } else if bar_allowed && width > 2.0 * height {
        Some("a lying bar")
    } else if !bar_allowed && (narrow || is_straight(strokes, path)) {
        Some("a bar")
    } else if !simple && path < 1.1 * UNITS {
        Some("a piece")
    } else {
        None
    }
}

/// Whether one stroke goes straight from its beginning to its end (allowing 10 % for a shaky hand).
fn is_straight(strokes: &[Polyline], path: f32) -> bool {
    match strokes {
        [stroke] => match (stroke.first(), stroke.last()) {
            (Some(a), Some(b)) => path < 1.1 * (b[0] - a[0]).hypot(b[1] - a[1]),
            _ => false,
        },
        _ => false,
    }
}

fn path_length(stroke: &Polyline) -> f32 {
    let pairs = stroke.iter().zip(stroke.iter().skip(1));
    pairs.map(|(a, b)| (b[0] - a[0]).hypot(b[1] - a[1])).sum()
}
