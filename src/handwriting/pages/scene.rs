//! The view of a page: the projection of its points into the image, and their colour before lighting.

use imageproc::geometric_transformations::Projection;

use super::options::{PURPOSE, PageOptions, Scene, Surface};
use crate::rng::{self, uniform};

/// Colours in full light: paper, board, a dark blue-black pen, printed rules, a desk.
const PAPER_COLOUR: [f32; 3] = [250.0, 248.0, 242.0];
const BOARD_COLOUR: [f32; 3] = [222.0, 226.0, 227.0];
const INK_COLOUR: [f32; 3] = [38.0, 40.0, 54.0];
const RULE_COLOUR: [f32; 3] = [176.0, 198.0, 230.0];
const DESK_COLOUR: [f32; 3] = [58.0, 46.0, 38.0];
const FRAME_COLOUR: [f32; 3] = [44.0, 45.0, 48.0];

/// Width of a printed rule in letter heights, at least one pixel.
const RULE_WIDTH: f32 = 0.025;
/// Side of a square in letter heights.
const SQUARE: f32 = 0.95;
/// Fraction of the grain's pores that a pencil leaves white at most; a marker (`ink` 1) leaves none.
const GRAIN: f32 = 0.35;
/// Waves of a wooden desk: part of its colour, and length in pixels.
const WOOD: (f32, f32) = (0.18, 23.0);
/// How much a foreshortened sheet is lower, as a part of what its far side is shorter.
const FORESHORTENING: f32 = 0.8;

/// Seed component of the scene.
const SCENE: u64 = u64::MAX - 1;

/// The projection between the flat page and the image.
pub(super) struct View {
    /// Size of the image.
    pub width: u32,
    pub height: u32,
    /// Page to image; `None` if they are the same.
    projection: Option<(Projection, Projection)>,
    page: (f32, f32),
}

impl View {
    /// The view of a page of this size.
    pub fn new(page_width: u32, page_height: u32, options: &PageOptions) -> View {
        let scene = &options.scene;
        let page = (page_width as f32, page_height as f32);
        let mut view = View {
            width: page_width,
            height: page_height,
            projection: None,
            page,
        };
        if scene.turn == 0.0 && scene.perspective == 0.0 && scene.desk == 0.0 {
            return view;
        }
        let margin = scene.desk * page.0.max(page.1);
        let mut corners = corners_seen(page, options);
        let low = |axis: usize| corners.iter().map(|c| c[axis]).fold(f32::MAX, f32::min);
        let high = |axis: usize| corners.iter().map(|c| c[axis]).fold(f32::MIN, f32::max);
        let origin = [low(0) - margin, low(1) - margin];
        let size = [high(0) + margin - origin[0], high(1) + margin - origin[1]];
        for corner in &mut corners {
            *corner = [corner[0] - origin[0], corner[1] - origin[1]];
        }
        let from = [(0.0, 0.0), (page.0, 0.0), page, (0.0, page.1)];
        let to = corners.map(|[x, y]| (x, y));
        // The corners of a sheet make a convex quadrilateral, between which and a rectangle there is always a projection.
        view.projection = Projection::from_control_points(from, to).map(|p| (p, p.invert()));
        if view.projection.is_some() {
            view.width = (size[0].ceil() as u32).max(1);
            view.height = (size[1].ceil() as u32).max(1);
        }
        view
    }

    /// Projects a point of the page into the image.
    pub fn to_picture(&self, point: (f32, f32)) -> (f32, f32) {
        self.projection.map_or(point, |(there, _)| there * point)
    }

    /// The point of the page seen at a point of the image; it may lie outside the page.
    fn to_page(&self, point: (f32, f32)) -> (f32, f32) {
        self.projection.map_or(point, |(_, back)| back * point)
    }

    /// Whether image and page are the same.
    pub fn is_plain(&self) -> bool {
        self.projection.is_none()
    }
}

/// The page's corners (clockwise from the upper left) as seen by a camera at one of its four sides.
fn corners_seen((width, height): (f32, f32), options: &PageOptions) -> [[f32; 2]; 4] {
    let scene = &options.scene;
    let (x, y) = (width / 2.0, height / 2.0);
    let mut corners = [[-x, -y], [x, -y], [x, y], [-x, y]];
    let mut rng = rng::seeded(&[PURPOSE, options.seed, SCENE]);
    let far_side = (4.0 * uniform(&mut rng)) as usize % 4;
    // The far side lies between corners `far_side` and the next; across it, the sheet is foreshortened.
    let along = far_side % 2;
    for corner in [far_side, (far_side + 1) % 4] {
        corners[corner][along] *= 1.0 - scene.perspective;
    }
    for corner in &mut corners {
        corner[1 - along] *= 1.0 - FORESHORTENING * scene.perspective;
    }
    let (sin, cos) = scene.turn.to_radians().sin_cos();
    corners.map(|[x, y]| [cos * x - sin * y, sin * x + cos * y])
}

/// The colours of the page, of its cover with ink (paper 1) and of the ghosts on it.
pub(super) struct Colours<'a> {
    pub view: &'a View,
    pub cover: &'a [f32],
    /// As `cover`; empty if there are none.
    pub ghosts: &'a [f32],
    pub options: &'a PageOptions,
    /// Position of the first rule.
    pub first_rule: f32,
    /// Distance between two rules.
    pub pitch: f32,
}

impl Colours<'_> {
    /// Colour of the pixel in column `x` and row `y`, in full light.
    pub fn at(&self, x: u32, y: u32) -> [f32; 3] {
        let scene = &self.options.scene;
        if self.view.is_plain() && *scene == Scene::default() {
            let paper = self.cover[(y * self.view.width + x) as usize];
            return blend(INK_COLOUR, PAPER_COLOUR, paper);
        }
        let (u, v) = self.view.to_page((x as f32 + 0.5, y as f32 + 0.5));
        let white = self.surface(u, v);
        let page = self.page_colour(u, v, white);
        // The sheet's edge is as soft as a pixel.
        let (width, height) = self.view.page;
        let inside = u.min(v).min(width - u).min(height - v);
        match scene.desk {
            0.0 => page,
            _ => blend(self.desk(x), page, (inside + 0.5).clamp(0.0, 1.0)),
        }
    }

    /// Paper with its rules.
    fn surface(&self, u: f32, v: f32) -> [f32; 3] {
        let height = self.options.letter_height;
        let width = (RULE_WIDTH * height).max(1.0);
        // Fraction of the pixel covered by a rule that repeats every `step`.
        let rule = |at: f32, step: f32| {
            let distance = (at - step * (at / step).round()).abs();
            (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0)
        };
        let ruled = match self.options.scene.surface {
            Surface::Plain => 0.0,
            Surface::Whiteboard => return BOARD_COLOUR,
            Surface::Ruled => rule(v - self.first_rule, self.pitch),
            Surface::Squared => rule(u, SQUARE * height).max(rule(v, SQUARE * height)),
        };
        blend(RULE_COLOUR, PAPER_COLOUR, 1.0 - ruled)
    }

    /// The page's own colour: surface, ghosts, ink.
    fn page_colour(&self, u: f32, v: f32, white: [f32; 3]) -> [f32; 3] {
        let scene = &self.options.scene;
        let ghost = scene.ghosts * (1.0 - self.sample(self.ghosts, u, v));
        let white = blend(INK_COLOUR, white, 1.0 - ghost);
        let mut ink = scene.ink * (1.0 - self.sample(self.cover, u, v));
        if ink > 0.0 && scene.ink < 1.0 {
            let pore = rng::mix(&[self.options.seed, u as i64 as u64, v as i64 as u64]);
            ink *= 1.0 - GRAIN * (1.0 - scene.ink) * (pore >> 40) as f32 / (1u64 << 24) as f32;
        }
        blend(INK_COLOUR, white, 1.0 - ink)
    }

    fn desk(&self, x: u32) -> [f32; 3] {
        if self.options.scene.surface == Surface::Whiteboard {
            return FRAME_COLOUR;
        }
        let wave = 1.0 + WOOD.0 * (x as f32 / WOOD.1).sin();
        DESK_COLOUR.map(|value| value * wave)
    }

    /// Bilinear value of a cover at a point of the page; bare paper outside it.
    fn sample(&self, cover: &[f32], u: f32, v: f32) -> f32 {
        let (width, height) = (self.view.page.0 as i64, self.view.page.1 as i64);
        let at = |x: i64, y: i64| {
            if (0..width).contains(&x) && (0..height).contains(&y) {
                cover.get((y * width + x) as usize).copied().unwrap_or(1.0)
            } else {
                1.0
            }
        };
        let (x, y) = ((u - 0.5).floor(), (v - 0.5).floor());
        let (fx, fy) = (u - 0.5 - x, v - 0.5 - y);
        let (x, y) = (x as i64, y as i64);
        let upper = at(x, y) * (1.0 - fx) + at(x + 1, y) * fx;
        let lower = at(x, y + 1) * (1.0 - fx) + at(x + 1, y + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// Blend of `a` and `b`, with `share` of `b`.
fn blend(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}
