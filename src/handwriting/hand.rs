//! A handwriting style: the strokes of one character, about 1 high, in the box of its skeleton.

use rand::Rng as _;

use super::skeletons::{self, Skeleton, flatten};
use crate::handwriting::strokes::{Affine, Polyline};
use crate::rng::{Rng, normal};

/// Variation of the writing: standard deviations; lengths are in heights of the character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    /// Position of every node of the path.
    pub node: f32,
    /// Position of a whole stroke, and its size (natural logarithm of the factor).
    pub stroke: f32,
    /// Rotation of a whole stroke in radians.
    pub turn: f32,
    /// Smooth bending of the whole character.
    pub bend: f32,
    /// Rotation of the whole character in radians.
    pub rotate: f32,
    /// Mean shear (tangent; positive leans to the right): the slant.
    pub slant: f32,
    /// Shear around the slant.
    pub shear: f32,
    /// Aspect ratio: natural logarithm of the factor.
    pub aspect: f32,
}

impl Variation {
    /// Many writers: every character by a different one. Set by eye for careful printing; with about half as much again
    /// here and a third more spread of size and place, a perceptron of 256 hidden units read 95 % of the drawn test
    /// set instead of 99 %.
    pub const MANY: Variation = Variation {
        node: 0.017,
        stroke: 0.014,
        turn: 0.03,
        bend: 0.022,
        rotate: 0.045,
        slant: 0.04,
        shear: 0.07,
        aspect: 0.085,
    };

    /// One careful writer: the letters of a page resemble each other.
    pub const ONE: Variation = Variation {
        node: 0.012,
        stroke: 0.012,
        turn: 0.022,
        bend: 0.016,
        rotate: 0.03,
        slant: 0.0,
        shear: 0.03,
        aspect: 0.05,
    };

    /// All random variation times `factor`; the slant is unchanged.
    pub fn scaled(self, factor: f32) -> Variation {
        Variation {
            node: self.node * factor,
            stroke: self.stroke * factor,
            turn: self.turn * factor,
            bend: self.bend * factor,
            rotate: self.rotate * factor,
            slant: self.slant,
            shear: self.shear * factor,
            aspect: self.aspect * factor,
        }
    }
}

/// Chooses a form of a class by the forms' weights; `None` if there is no such class.
pub fn choose(class: usize, rng: &mut Rng) -> Option<&'static Skeleton> {
    let forms = skeletons::forms(class);
    let total: u32 = forms.iter().map(|form| form.share).sum();
    // The remainder's bias is below 1e-8: a sum of weights is far below 2^32.
    let mut rest = (rng.next_u64() >> 32) as u32 % total.max(1);
    for form in forms {
        if rest < form.share {
            return Some(form);
        }
        rest -= form.share;
    }
    None
}

/// Writes one character; `steps` is the number of straight pieces between two nodes.
pub fn write(
    skeleton: &Skeleton,
    variation: &Variation,
    steps: usize,
    rng: &mut Rng,
) -> Vec<Polyline> {
    let mut strokes: Vec<Polyline> = skeleton
        .strokes
        .iter()
        .map(|nodes| {
            let mut nodes = nodes.clone();
            for node in &mut nodes {
                node.at[0] += variation.node * normal(rng);
                node.at[1] += variation.node * normal(rng);
            }
            let mut line = flatten(&nodes, steps);
            vary_stroke(&mut line, variation, rng);
            line
        })
        .collect();
    bend(&mut strokes, variation.bend, rng);
    let shear = variation.slant + variation.shear * normal(rng);
    let wider = (variation.aspect * normal(rng)).exp();
    let rotate = variation.rotate * normal(rng);
    Affine::new(rotate, shear, wider, 1.0).apply_all(&mut strokes);
    strokes
}

/// Varies a recorded character, as if by another writer: strokes in a box of about [0, 1] x [0, 1] are moved relative to
/// each other and bent, and the whole is sheared, rotated and stretched horizontally. `node` and `slant` are ignored: recorded
/// paths are uneven already.
pub fn rewrite(strokes: &mut [Polyline], variation: &Variation, rng: &mut Rng) {
    for line in strokes.iter_mut() {
        vary_stroke(line, variation, rng);
    }
    bend(strokes, variation.bend, rng);
    let shear = variation.shear * normal(rng);
    let wider = (variation.aspect * normal(rng)).exp();
    let rotate = variation.rotate * normal(rng);
    Affine::new(rotate, shear, wider, 1.0).apply_all(strokes);
}

/// Moves, rotates and scales one stroke about its centre.
fn vary_stroke(line: &mut Polyline, variation: &Variation, rng: &mut Rng) {
    let count = line.len().max(1) as f32;
    let sum = line.iter().fold([0.0, 0.0], |sum, point| {
        [sum[0] + point[0], sum[1] + point[1]]
    });
    let middle = [sum[0] / count, sum[1] / count];
    let size = 1.0 + variation.stroke * normal(rng);
    let mut map = Affine::new(variation.turn * normal(rng), 0.0, size, size);
    map.x0 = middle[0] + variation.stroke * normal(rng);
    map.y0 = middle[1] + variation.stroke * normal(rng);
    for point in line {
        *point = map.apply([point[0] - middle[0], point[1] - middle[1]]);
    }
}

/// Bends the whole character smoothly: each axis is displaced by a random mixture of the Legendre polynomials of
/// degree 2 and 3 across the character, and of the product x y.
fn bend(strokes: &mut [Polyline], strength: f32, rng: &mut Rng) {
    let mut weights = [[0.0f32; 4]; 2];
    for weight in weights.iter_mut().flatten() {
        *weight = strength * normal(rng);
    }
    for point in strokes.iter_mut().flatten() {
        // The box of a skeleton is about [0, 1] x [0, 1]; the polynomials live on [-1, 1].
        let (x, y) = (2.0 * point[0] - 1.0, 2.0 * point[1] - 1.0);
        let terms = |along: f32, across: f32| {
            [
                1.5 * across * across - 0.5,
                2.5 * across * across * across - 1.5 * across,
                1.5 * along * along - 0.5,
                along * across,
            ]
        };
        let sum = |weights: &[f32; 4], terms: [f32; 4]| -> f32 {
            weights.iter().zip(terms).map(|(w, t)| w * t).sum()
        };
        point[0] += sum(&weights[0], terms(x, y));
        point[1] += sum(&weights[1], terms(y, x));
    }
}
