//! Finds printed boxes by their outline: connected ink that ends in a thin straight line on all four sides. The sides of a box around
//! one or two letters are too short to be told from strokes by their length.

use super::rule_tracing::{CrossSection, MAX_SLOPE, Rule, Strip};
use crate::segmentation::geometry::Area;
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::median;

/// Least width and height of a box, in pixels.
const MIN_SIDE: usize = 16;
/// Greatest width and height, as a fraction of the page's: a frame around the page has no letters to be told from.
const MAX_SIDE: f32 = 0.5;
/// A side is within this fraction of the box's breadth from the edge of the connected ink: printed boxes are hardly turned.
const MAX_DEPTH: f32 = 0.25;
/// Parts of a side that its direction is taken from: corners belong to the other sides.
const THIRDS: [(f32, f32); 2] = [(0.1, 0.4), (0.6, 0.9)];
/// Greatest distance of a side from the straight line, in pixels.
const TOLERANCE: f32 = 1.5;
/// Minimum fraction of a side that is on the straight line.
const MIN_STRAIGHT: f32 = 0.85;
/// Greatest width of a side as a fraction of the box's shorter side.
const MAX_WIDTH: f32 = 0.12;

/// The sides of a box, each as a rule whose sections are no wider than itself.
pub(super) struct Outline {
    pub area: Area,
    /// The upper and the lower side.
    pub across: [Rule; 2],
    /// The left and the right side.
    pub down: [Rule; 2],
}

/// The boxes among connected pieces of ink, of each of which the bounds are given.
pub(super) fn outlines(mask: &[bool], ink: &Plane, pieces: &[Area]) -> Vec<Outline> {
    let is_box_size = |area: &&Area| {
        area.width().min(area.height()) >= MIN_SIDE
            && (area.width() as f32) <= MAX_SIDE * ink.width as f32
            && (area.height() as f32) <= MAX_SIDE * ink.height as f32
    };
    let pieces = pieces.iter().filter(is_box_size);
    pieces
        .filter_map(|area| outline(mask, ink, *area))
        .collect()
}

/// The outline of connected ink with these bounds, if it is a box.
fn outline(mask: &[bool], ink: &Plane, area: Area) -> Option<Outline> {
    let strip = |along_rows| Strip {
        mask,
        ink,
        area: &area,
        along_rows,
        writing: 0.0,
    };
    let (rows, columns) = (strip(true), strip(false));
    let down = [side(&columns, false)?, side(&columns, true)?];
    let across = [side(&rows, false)?, side(&rows, true)?];
    let [across, down] = [(rows, across), (columns, down)]
        .map(|(strip, sides)| sides.map(|sections| strip.measured(sections)));
    Some(Outline { area, across, down })
}

/// The side of a piece of ink at the low or the high end across a strip; `None` where it doesn't end in a thin straight line. Where ink
/// touches the side, only the side's width is returned.
fn side(strip: &Strip, high: bool) -> Option<Vec<CrossSection>> {
    let (along, across) = strip.spans();
    let outermost: Vec<CrossSection> = along
        .clone()
        .filter_map(|at| outermost(strip, at, high))
        .collect();
    let edge = |section: &CrossSection| {
        let edge = if high { section.end } else { section.first };
        edge as f32
    };
    let length = along.len() as f32;
    let [(before, from), (after, to)] = THIRDS.map(|(from, to)| {
        let part = outermost.iter().filter(|section| {
            let at = (section.along - along.start) as f32 / length;
            (from..to).contains(&at)
        });
        let middle = along.start as f32 + (from + to) / 2.0 * length;
        (median(&mut part.map(edge).collect::<Vec<f32>>()), middle)
    });
    let (before, after) = (before?, after?);
    let slope = (after - before) / (to - from);
    if slope.abs() > MAX_SLOPE {
        return None;
    }
    let is_on_line = |section: &CrossSection| {
        let expected = before + slope * (section.along as f32 - from);
        (edge(section) - expected).abs() <= TOLERANCE
    };
    let mut straight = outermost;
    straight.retain(is_on_line);
    if (straight.len() as f32) < MIN_STRAIGHT * length {
        return None;
    }
    let mut widths: Vec<f32> = straight.iter().map(CrossSection::width).collect();
    let width = median(&mut widths)?;
    let widest = (MAX_WIDTH * across.len().min(along.len()) as f32).min(strip.widest() as f32);
    if width > widest {
        return None;
    }
    let most = width as usize + 1;
    for section in &mut straight {
        if high {
            section.first = section.first.max(section.end.saturating_sub(most));
        } else {
            section.end = section.end.min(section.first + most);
        }
    }
    Some(straight)
}

/// The ink nearest to one end across a strip.
fn outermost(strip: &Strip, along: usize, high: bool) -> Option<CrossSection> {
    let (_, across) = strip.spans();
    let depth = (MAX_DEPTH * across.len() as f32) as usize;
    let is_ink = |at: &usize| strip.mask[strip.index(along, *at)];
    let (first, end) = if high {
        let last = across.clone().rev().take(depth).find(is_ink)?;
        let inked = (across.start..=last).rev().take_while(is_ink);
        (inked.last()?, last + 1)
    } else {
        let first = across.clone().take(depth).find(is_ink)?;
        let inked = (first..across.end).take_while(is_ink);
        (first, inked.last()? + 1)
    };
    Some(CrossSection { along, first, end })
}
