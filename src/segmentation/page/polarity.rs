//! Finds dark areas with light writing on them (chalk, a screenshot, a printed band) and turns them into dark writing on light.
//!
//! Ground and writing are told apart by width and area: writing is thin and covers the smaller part of any neighbourhood. So the
//! ground is a median over windows wider than letters' strokes, and a dark area is one of light writing if what differs from its
//! ground is thin, much lighter, and rarely darker.

use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::{LANES, Lanes, Medians, median};

/// Longer side of the copy on which dark areas are searched, in pixels.
const SIDE: usize = 400;
/// Radius of the window whose median is the ground, in pixels of that copy: wider than a bold stroke of a headline.
const GROUND_RADIUS: usize = 12;
/// Step between the rows and columns of a window that are looked at: a median needs no more.
const GROUND_STEP: usize = 4;
/// Radius of the opening that leaves only what is broader than strokes, in pixels of that copy.
const STROKE_RADIUS: usize = 7;
/// An area is dark if its background is darker than this fraction of paper.
const MAX_DARKNESS: f32 = 0.6;
/// Minimum grey level that is taken for paper, so that a page which is dark throughout is still found to be dark.
const MIN_PAPER: f32 = 200.0;
/// The quantile of the ground that is taken for paper.
const PAPER_QUANTILE: f32 = 0.95;
/// Minimum fraction of the image that a dark area covers.
const MIN_SHARE: f32 = 0.03;
/// Writing is lighter than its ground by at least this many grey levels, or ...
const MIN_CONTRAST: f32 = 24.0;
/// ... this part of the way from ground to white.
const MIN_RELATIVE_CONTRAST: f32 = 0.1;
/// Fraction of a dark area that light writing covers: at least this ...
const MIN_INK: f32 = 0.004;
/// ... and at most this.
const MAX_INK: f32 = 0.35;
/// Light strokes in it are this many times as many pixels as dark ones.
const MIN_LIGHTER: f32 = 3.0;

/// Radius of the square that fits into a dark area's corner and into no stroke, in pixels of that copy.
const CORNER_RADIUS: usize = 3;
/// Width of the step between a dark area and the paper, to either side, in pixels of that copy.
const EDGE: usize = 2;

/// The page with light writing made dark on light paper; `None` where no dark area has light writing on it.
pub(super) fn with_dark_writing(grey: &Plane) -> Option<Plane> {
    let small = grey.fitted(SIDE);
    let darker = |level: &&f32| **level < MAX_DARKNESS * f32::from(u8::MAX);
    if (small.values.iter().filter(darker).count() as f32) < MIN_SHARE * small.values.len() as f32 {
        return None;
    }
    let ground = ground(&small);
    let mut levels = ground.values.clone();
    let at = (PAPER_QUANTILE * (levels.len() - 1) as f32) as usize;
    let (_, paper, _) = levels.select_nth_unstable_by(at, f32::total_cmp);
    let paper = paper.max(MIN_PAPER);
    let panels = panels(&small, &ground, MAX_DARKNESS * paper)?;
    let corners = corners(&panels, &small, MAX_DARKNESS * paper);
    Some(inverted(grey, &ground, &panels, &corners, paper))
}

/// Where light writing stands, as ones: areas with a ground up to `darkest`, and the better lit parts of such boards.
fn panels(small: &Plane, ground: &Plane, darkest: f32) -> Option<Plane> {
    let dark: Vec<bool> = ground.values.iter().map(|&level| level < darkest).collect();
    let thin = {
        let opened = small.eroded(STROKE_RADIUS).dilated(STROKE_RADIUS);
        difference(small, &opened)
    };
    let mut panels = vec![0.0; dark.len()];
    let mut found = false;
    for area in areas(&dark, small.width) {
        if (area.len() as f32) < MIN_SHARE * dark.len() as f32 {
            continue;
        }
        if has_light_writing(&area, &dark, small, ground, &thin) {
            found = true;
            area.iter().for_each(|&at| panels[at] = 1.0);
        }
    }
    if !found {
        return None;
    }
    // The better lit part of a dark board is lighter than that, but its writing is lighter still.
    let lit: Vec<bool> = dark.iter().map(|dark| !dark).collect();
    for area in areas(&lit, small.width) {
        let beside_panel = |&at: &usize| {
            let mut beside = beside(at, small.width, lit.len());
            beside.any(|at| dark[at] && panels[at] > 0.0)
        };
        if (area.len() as f32) >= MIN_SHARE * lit.len() as f32
            && area.iter().any(beside_panel)
            && has_light_writing(&area, &lit, small, ground, &thin)
        {
            area.iter().for_each(|&at| panels[at] = 1.0);
        }
    }
    Some(Plane {
        values: panels,
        ..ground.clone()
    })
}

/// The dark pixels that join a panel and are none of it: at its corners most of a window is paper, so that the ground is light. Thin
/// strokes that begin at a panel are writing.
fn corners(panels: &Plane, small: &Plane, darkest: f32) -> Plane {
    let dark = Plane {
        values: small
            .values
            .iter()
            .map(|&value| f32::from(value < darkest))
            .collect(),
        ..*small
    };
    let broad = dark.eroded(CORNER_RADIUS).dilated(CORNER_RADIUS);
    let mut corners = Plane::filled(small.width, small.height, 0.0);
    let mut open: Vec<usize> = (0..panels.values.len())
        .filter(|&at| panels.values[at] > 0.0)
        .collect();
    for _ in 0..GROUND_RADIUS {
        let mut next = Vec::new();
        for at in open {
            for at in beside(at, small.width, small.values.len()) {
                let is_new = panels.values[at] == 0.0 && corners.values[at] == 0.0;
                if is_new && broad.values[at] > 0.0 {
                    corners.values[at] = 1.0;
                    next.push(at);
                }
            }
        }
        open = next;
    }
    corners.dilated(EDGE)
}

fn difference(a: &Plane, b: &Plane) -> Plane {
    Plane {
        values: a.values.iter().zip(&b.values).map(|(a, b)| a - b).collect(),
        ..*a
    }
}

/// Median around each pixel.
fn ground(plane: &Plane) -> Plane {
    let window = |middle: usize, length: usize| {
        let first = middle.saturating_sub(GROUND_RADIUS);
        (first..(middle + GROUND_RADIUS + 1).min(length)).step_by(GROUND_STEP)
    };
    let across = 2 * GROUND_RADIUS / GROUND_STEP + 1;
    let by_rows: Vec<Medians> = (0..=across)
        .map(|rows| Medians::of(rows * across))
        .collect();
    Plane::from_rows(
        plane.width,
        plane.height,
        #[inline(always)]
        |y, out| {
            let rows = window(y, plane.height);
            let medians = &by_rows[rows.len()];
            let mut values = vec![Lanes::default(); medians.count()];
            // Where all columns of the windows are inside the plane, many at once.
            let inner = plane.width.saturating_sub(2 * GROUND_RADIUS) / LANES * LANES;
            let (left, rest) = out.split_at_mut(GROUND_RADIUS.min(plane.width));
            let (middle, right) = rest.split_at_mut(inner);
            for (chunk, out) in middle.chunks_exact_mut(LANES).enumerate() {
                let lines = rows.clone().flat_map(|row| {
                    let row = &plane.row(row)[chunk * LANES..];
                    (0..across).map(|column| &row[column * GROUND_STEP..][..LANES])
                });
                for (values, line) in values.iter_mut().zip(lines) {
                    values.0.copy_from_slice(line);
                }
                out.copy_from_slice(&medians.find(&mut values));
            }
            let after = left.len() + inner;
            let edges = left.iter_mut().enumerate();
            for (x, out) in edges.chain((after..).zip(right)) {
                let columns = window(x, plane.width);
                let mut around: Vec<f32> = rows
                    .clone()
                    .flat_map(|row| columns.clone().map(move |column| plane.at(column, row)))
                    .collect();
                *out = median(&mut around).unwrap_or(0.0);
            }
        },
    )
}

/// The 4 neighbours of a pixel, of `count` in rows of `width`.
fn beside(at: usize, width: usize, count: usize) -> impl Iterator<Item = usize> {
    let x = at % width;
    let beside = [
        (x > 0).then(|| at - 1),
        (x + 1 < width).then_some(at + 1),
        at.checked_sub(width),
        Some(at + width).filter(|&below| below < count),
    ];
    beside.into_iter().flatten()
}

/// Connected areas (4 neighbours), each as its pixels.
fn areas(mask: &[bool], width: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; mask.len()];
    let mut all = Vec::new();
    for start in 0..mask.len() {
        if seen[start] || !mask[start] {
            continue;
        }
        seen[start] = true;
        let (mut area, mut next) = (vec![start], 0);
        while let Some(&at) = area.get(next) {
            next += 1;
            for at in beside(at, width, mask.len()) {
                if mask[at] && !seen[at] {
                    seen[at] = true;
                    area.push(at);
                }
            }
        }
        all.push(area);
    }
    all
}

/// Whether there is light writing on an area; `dark` has all pixels of its kind, and other ground around them is paper.
fn has_light_writing(
    area: &[usize],
    dark: &[bool],
    small: &Plane,
    ground: &Plane,
    thin: &Plane,
) -> bool {
    let above = |at: usize| small.values[at] - ground.values[at];
    let least = |at: usize| {
        MIN_CONTRAST.max(MIN_RELATIVE_CONTRAST * (f32::from(u8::MAX) - ground.values[at]))
    };
    // The corners of a light sheet on a dark desk are thin and lighter than their ground, but no writing.
    let of_paper = joined_to_paper(area, dark, small.width, |at| above(at) > least(at));
    let is_light =
        |at: usize| above(at) > least(at) && thin.values[at] > least(at) && !of_paper[at];
    let light = area.iter().filter(|&&at| is_light(at)).count();
    let is_dark = |at: usize| above(at) < -MIN_CONTRAST;
    // What reaches the edge of the image lies around the sheet: the corners of one that was turned.
    let around = joined_to_edge(area, small, is_dark);
    let dark = area.iter().filter(|&&at| is_dark(at) && !around[at]);
    let dark = dark.count();
    let share = light as f32 / area.len() as f32;
    (MIN_INK..=MAX_INK).contains(&share) && light as f32 >= MIN_LIGHTER * dark as f32
}

/// The light pixels of a dark area that other light pixels join to what is not dark.
fn joined_to_paper(
    area: &[usize],
    dark: &[bool],
    width: usize,
    is_light: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let mut joined = vec![false; dark.len()];
    let at_paper = |&at: &usize| beside(at, width, dark.len()).any(|at| !dark[at]);
    let mut open: Vec<usize> = area.iter().copied().filter(|&at| is_light(at)).collect();
    open.retain(at_paper);
    open.iter().for_each(|&at| joined[at] = true);
    while let Some(at) = open.pop() {
        for next in beside(at, width, dark.len()) {
            if dark[next] && !joined[next] && is_light(next) {
                joined[next] = true;
                open.push(next);
            }
        }
    }
    joined
}

/// The dark pixels of an area that other dark pixels of it join to the edge of the image.
fn joined_to_edge(area: &[usize], small: &Plane, is_dark: impl Fn(usize) -> bool) -> Vec<bool> {
    let (width, height) = (small.width, small.height);
    let mut waiting = vec![false; small.values.len()];
    for &at in area {
        waiting[at] = is_dark(at);
    }
    let mut joined = vec![false; waiting.len()];
    let at_edge = |&at: &usize| {
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let mut open: Vec<usize> = area.iter().copied().filter(at_edge).collect();
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut waiting[at], false) {
            joined[at] = true;
            open.extend(beside(at, width, waiting.len()));
        }
    }
    joined
}

/// The page with its panels inverted: their ground becomes paper, what is as light as paper becomes black. Faint light writing stays faint,
/// like the dark writing beside it.
fn inverted(grey: &Plane, ground: &Plane, panels: &Plane, corners: &Plane, paper: f32) -> Plane {
    let sx = ground.width as f32 / grey.width as f32;
    let sy = ground.height as f32 / grey.height as f32;
    // Where panel and paper meet, the step between them is not writing.
    let (inner, outer) = (panels.eroded(EDGE), panels.dilated(EDGE));
    let mut page = ground.bilinear(grey.width, grey.height);
    page.change_rows(|y, out| {
        let row = (((y as f32 + 0.5) * sy) as usize).min(ground.height - 1);
        for (x, out) in out.iter_mut().enumerate() {
            let column = (((x as f32 + 0.5) * sx) as usize).min(ground.width - 1);
            let in_panel = panels.at(column, row) > 0.0;
            let at_edge = inner.at(column, row) == 0.0
                && (outer.at(column, row) > 0.0 || corners.at(column, row) > 0.0);
            let level = *out;
            *out = if at_edge {
                paper
            } else if in_panel {
                // At a panel's rim the ground is lighter than in it.
                let white = (paper - level).max(MIN_CONTRAST);
                let ink = ((grey.at(x, y) - level) / white).clamp(0.0, 1.0);
                paper * (1.0 - ink)
            } else {
                grey.at(x, y)
            };
        }
    });
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ground_is_the_median_of_every_fourth_pixel_around() {
        for (width, height) in [
            (1, 1),
            (11, 30),
            (24, 3),
            (39, 12),
            (40, 41),
            (41, 25),
            (90, 7),
        ] {
            let plane = Plane {
                width,
                height,
                values: (0..width * height)
                    .map(|at| (at * 37 % 101) as f32)
                    .collect(),
            };
            let ground = ground(&plane);
            for (at, &found) in ground.values.iter().enumerate() {
                let around = |middle: usize, length: usize| {
                    (middle.saturating_sub(12)..(middle + 13).min(length)).step_by(4)
                };
                let (x, y) = (at % width, at / width);
                let mut window: Vec<f32> = around(y, height)
                    .flat_map(|y| around(x, width).map(move |x| (x, y)))
                    .map(|(x, y)| plane.at(x, y))
                    .collect();
                window.sort_by(f32::total_cmp);
                assert_eq!(
                    found,
                    window[window.len() / 2],
                    "{width}x{height}: {x}, {y}"
                );
            }
        }
    }
}
