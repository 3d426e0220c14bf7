//! [`BinaryPage`] -> [`Components`]: pieces of connected ink, and the two measures that every later rule is relative to,
//! the height of the letters and the width of the pen.

use super::binarize::{BinaryPage, neighbours};
use super::flatten::Sheet;
use super::geometry::Area;
use super::plane::distances_inside;
use super::statistics::median;

/// A piece of connected ink.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// Its number in [`Components::labels`].
    pub label: u32,
    pub bounds: Area,
    /// Pixels of ink.
    pub ink: usize,
    /// Mean ink value, 0..=1.
    pub contrast: f32,
    /// It touches the edge of the picture or of the sheet.
    pub at_edge: bool,
}

/// All pieces of a page, and which pixel belongs to which.
#[derive(Debug, Clone)]
pub(super) struct Components {
    pub width: usize,
    pub height: usize,
    /// The label of each pixel, row by row; 0 is paper.
    pub labels: Vec<u32>,
    /// In the order of their first pixel; labels count from 1.
    pub list: Vec<Component>,
}

impl Components {
    /// Labels 8-connected ink.
    pub fn of(page: &BinaryPage, sheet: &Sheet) -> Components {
        let mut components = Components {
            width: page.width,
            height: page.height,
            labels: vec![0; page.mask.len()],
            list: Vec::new(),
        };
        for start in 0..page.mask.len() {
            if page.mask[start] && components.labels[start] == 0 {
                let component = components.trace(page, sheet, start);
                components.list.push(component);
            }
        }
        components
    }

    /// Labels all that is connected with `start`.
    fn trace(&mut self, page: &BinaryPage, sheet: &Sheet, start: usize) -> Component {
        let label = self.list.len() as u32 + 1;
        let (mut stack, mut ink, mut sum, mut at_edge) = (vec![start], 0, 0.0, false);
        let mut bounds = Area::pixel(start % self.width, start / self.width);
        self.labels[start] = label;
        while let Some(at) = stack.pop() {
            let (x, y) = (at % self.width, at / self.width);
            bounds = bounds.union(&Area::pixel(x, y));
            ink += 1;
            sum += f64::from(page.ink.values[at]);
            at_edge |= y == 0 || y + 1 == self.height || {
                let (first, end) = sheet.spans[y];
                x <= first || x + 1 >= end
            };
            for next in neighbours(at, self.width, self.height) {
                let (nx, ny) = (next % self.width, next / self.width);
                if page.mask[next] && self.labels[next] == 0 {
                    self.labels[next] = label;
                    stack.push(next);
                }
                at_edge |= !sheet.contains(nx, ny);
            }
        }
        Component {
            label,
            bounds,
            ink,
            contrast: (sum / ink as f64) as f32,
            at_edge,
        }
    }

    /// The piece with this label.
    pub fn get(&self, label: u32) -> Option<&Component> {
        self.list.get((label as usize).checked_sub(1)?)
    }

    /// Where `label` has ink inside `area`, row by row.
    pub fn mask_in(&self, area: &Area, label: u32) -> Vec<bool> {
        (area.top..area.bottom)
            .flat_map(|y| &self.labels[y * self.width + area.left..y * self.width + area.right])
            .map(|&l| l == label)
            .collect()
    }

    /// Median height of the pieces away from the edges, each weighted by its ink, so that specks don't count.
    pub fn letter_height(&self) -> Option<f32> {
        let inner = self.list.iter().filter(|component| !component.at_edge);
        let mut heights: Vec<(usize, usize)> = inner
            .map(|component| (component.bounds.height(), component.ink))
            .collect();
        heights.sort_unstable();
        let all: usize = heights.iter().map(|(_, ink)| ink).sum();
        let mut below = 0;
        for (height, ink) in heights {
            below += ink;
            if 2 * below >= all {
                return Some(height as f32);
            }
        }
        None
    }
}

/// Width of a piece where it is widest: twice the largest distance to the paper.
pub(super) fn widest_stroke(components: &Components, component: &Component) -> f32 {
    let bounds = &component.bounds;
    let mask = components.mask_in(bounds, component.label);
    let distances = distances_inside(&mask, bounds.width(), bounds.height());
    2.0 * distances.into_iter().fold(0.0, f32::max)
}

/// Width of the pen: twice the median distance from a stroke's middle line to the paper, less 0.5. (The distance to the
/// nearest paper pixel's centre is (w + 1) / 2 on the middle of an odd width w and w / 2 beside that of an even one.)
/// The middle line is where no neighbour is further from the paper.
pub(super) fn stroke_width(components: &Components, of: &[u32]) -> Option<f32> {
    let mut ridge = Vec::new();
    for component in of.iter().filter_map(|&label| components.get(label)) {
        let bounds = &component.bounds;
        let (width, height) = (bounds.width(), bounds.height());
        let mask = components.mask_in(bounds, component.label);
        let distances = distances_inside(&mask, width, height);
        ridge.extend((0..mask.len()).filter(|&at| mask[at]).filter_map(|at| {
            let here = distances[at];
            neighbours(at, width, height)
                .all(|next| distances[next] <= here)
                .then_some(here)
        }));
    }
    Some(2.0 * median(&mut ridge)? - 0.5)
}
