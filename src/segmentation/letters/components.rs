//! Labels connected ink, and measures what later rules are relative to: the height of the letters and the width of the pen.

use crate::segmentation::distance::distances_inside;
use crate::segmentation::geometry::{Area, neighbours};
use crate::segmentation::page::binarize::BinaryPage;
use crate::segmentation::page::sheet::Sheet;
use crate::segmentation::statistics::{median, weighted_median};

/// Connected ink (8 neighbours).
#[derive(Debug, Clone)]
pub(in crate::segmentation) struct Component {
    /// Its number in [`Components::labels`].
    pub label: u32,
    /// The box around it.
    pub bounds: Area,
    /// Pixels of ink.
    pub ink: usize,
    /// Mean ink value, in 0..=1.
    pub contrast: f32,
    /// It touches the edge of the photograph or of the sheet.
    pub at_edge: bool,
}

/// All components of a page, and the component of each pixel.
#[derive(Debug, Clone)]
pub(in crate::segmentation) struct Components {
    pub width: usize,
    pub height: usize,
    /// The label of each pixel, row by row; 0 is paper.
    pub labels: Vec<u32>,
    /// In the order of their first pixel; labels count from 1.
    pub list: Vec<Component>,
}

impl Components {
    /// Labels the ink of a page.
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

    /// Labels all ink that is connected with pixel `start`.
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

    /// The component with this label.
    pub fn get(&self, label: u32) -> Option<&Component> {
        self.list.get((label as usize).checked_sub(1)?)
    }

    /// Whether each pixel of `area` belongs to `label`, row by row.
    pub fn mask_in(&self, area: &Area, label: u32) -> Vec<bool> {
        (area.top..area.bottom)
            .flat_map(|y| &self.labels[y * self.width + area.left..y * self.width + area.right])
            .map(|&l| l == label)
            .collect()
    }

    /// Median height in pixels of the components away from the edges, each weighted by its ink, so that specks don't count; `None`
    /// without any.
    pub fn letter_height(&self) -> Option<f32> {
        let inner = self.list.iter().filter(|component| !component.at_edge);
        let heights = inner.map(|component| (component.bounds.height() as f32, component.ink));
        weighted_median(heights.collect())
    }
}

/// Width of a component where it is widest, in pixels: twice the largest distance to the paper.
pub(in crate::segmentation) fn widest_stroke(
    components: &Components,
    component: &Component,
) -> f32 {
    let bounds = &component.bounds;
    let mask = components.mask_in(bounds, component.label);
    let distances = distances_inside(&mask, bounds.width(), bounds.height());
    2.0 * distances.into_iter().fold(0.0, f32::max)
}

/// Width of the pen in pixels: twice the median distance from a stroke's centre line to the paper, less 0.5; `None` without ink.
///
/// The distance to the nearest paper pixel's centre is (w + 1) / 2 in the middle of an odd width w, and w / 2 beside the middle of
/// an even one. The centre line is where no neighbour is further from the paper.
pub(in crate::segmentation) fn stroke_width(components: &Components, of: &[u32]) -> Option<f32> {
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
