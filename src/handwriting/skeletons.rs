//! The notation of the glyphs' skeletons, and how a skeleton becomes polylines.
//!
//! A form is `(share, width, path)`: its weight among the forms of its class, its width in per cent of its
//! height, and the pen's path. A path is a list of nodes `x,y` in per cent of the form's box (x to the right, y down;
//! a node may lie a little outside); `/` lifts the pen. A node is a corner, or with `~` before it the curve passes
//! through it smoothly; between two corners the pen goes straight.
//! The nodes of a [`Skeleton`] can be moved before it is turned into polylines.

use std::sync::LazyLock;

use super::form::Form;
use super::{digits, letters, lower, marks};
use crate::handwriting::strokes::{Point, Polyline};

/// A point on the pen's path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Position; the form has height 1 and its natural width.
    pub at: Point,
    /// Whether the curve is smooth there; otherwise it has a corner.
    pub smooth: bool,
}

/// One form of a character.
#[derive(Debug, Clone, PartialEq)]
pub struct Skeleton {
    /// How often it is chosen, relative to the other forms of the class.
    pub share: u32,
    /// The strokes, in the order in which they are written.
    pub strokes: Vec<Vec<Node>>,
}

/// The forms of all classes, in the order of [`characters`](super::alphabet::characters).
static SKELETONS: LazyLock<Vec<Vec<Skeleton>>> = LazyLock::new(|| {
    tables()
        .map(|forms| forms.iter().filter_map(parse).collect())
        .collect()
});

/// The tables of forms, in the classes' order.
fn tables() -> impl Iterator<Item = &'static &'static [Form]> {
    let capitals_and_digits = letters::LETTERS.iter().chain(&digits::DIGITS);
    capitals_and_digits
        .chain(&lower::LOWER)
        .chain(&marks::MARKS)
}

/// The forms of a class (see [`class_of`](super::alphabet::class_of)); empty for a number that is not a class.
pub fn forms(class: usize) -> &'static [Skeleton] {
    SKELETONS.get(class).map_or(&[], Vec::as_slice)
}

/// Reads a form; `None` if its path is not in the notation (a test rules this out for the tables).
fn parse(&(share, width, path): &Form) -> Option<Skeleton> {
    let width = width as f32 / 100.0;
    let node = |text: &str| {
        let (place, smooth) = match text.strip_prefix('~') {
            Some(place) => (place, true),
            None => (text, false),
        };
        let (x, y) = place.split_once(',')?;
        let (x, y) = (x.parse::<i32>().ok()?, y.parse::<i32>().ok()?);
        Some(Node {
            at: [x as f32 / 100.0 * width, y as f32 / 100.0],
            smooth,
        })
    };
    let strokes = path
        .split('/')
        .map(|stroke| stroke.split_whitespace().map(node).collect())
        .collect::<Option<Vec<Vec<Node>>>>()?;
    Some(Skeleton { share, strokes })
}

/// Turns the nodes of one stroke into a polyline with `steps` pieces per node interval.
///
/// Smooth intervals are cubic Hermite curves; the tangent at a smooth node is that of the parabola through it and its
/// neighbours, with the chords' lengths as parameter (which keeps long and short intervals from overshooting), and an
/// end or corner takes the tangent that leaves the interval a parabola.
pub fn flatten(nodes: &[Node], steps: usize) -> Polyline {
    let mut line = Polyline::with_capacity(nodes.len() * steps + 1);
    line.extend(nodes.first().map(|node| node.at));
    for (index, pair) in nodes.windows(2).enumerate() {
        let [from, to] = [pair[0], pair[1]];
        let before = index.checked_sub(1).and_then(|i| nodes.get(i));
        let length = distance(from.at, to.at);
        let leave = tangent(before, from, Some(&to)).map(|v| scaled(v, length));
        let arrive = tangent(Some(&from), to, nodes.get(index + 2)).map(|v| scaled(v, length));
        let chord = [to.at[0] - from.at[0], to.at[1] - from.at[1]];
        let parabola = |other: Point| [2.0 * chord[0] - other[0], 2.0 * chord[1] - other[1]];
        let (leave, arrive) = match (leave, arrive) {
            (Some(leave), Some(arrive)) => (leave, arrive),
            (Some(leave), None) => (leave, parabola(leave)),
            (None, Some(arrive)) => (parabola(arrive), arrive),
            (None, None) => (chord, chord),
        };
        for step in 1..=steps {
            let t = step as f32 / steps as f32;
            line.push(hermite(from.at, leave, to.at, arrive, t));
        }
    }
    line
}

/// The velocity (per unit of length) at a smooth inner node; `None` at corners and ends.
fn tangent(before: Option<&Node>, node: Node, after: Option<&Node>) -> Option<Point> {
    let (before, after) = (before?, after?);
    if !node.smooth {
        return None;
    }
    let (back, ahead) = (distance(before.at, node.at), distance(node.at, after.at));
    if back <= 0.0 || ahead <= 0.0 {
        return None;
    }
    let axis = |i: usize| {
        let (slope_in, slope_out) = (
            (node.at[i] - before.at[i]) / back,
            (after.at[i] - node.at[i]) / ahead,
        );
        (slope_in * ahead + slope_out * back) / (back + ahead)
    };
    Some([axis(0), axis(1)])
}

/// A point of the cubic Hermite curve.
fn hermite(from: Point, leave: Point, to: Point, arrive: Point, t: f32) -> Point {
    let (t2, t3) = (t * t, t * t * t);
    let axis = |i: usize| {
        (2.0 * t3 - 3.0 * t2 + 1.0) * from[i]
            + (t3 - 2.0 * t2 + t) * leave[i]
            + (3.0 * t2 - 2.0 * t3) * to[i]
            + (t3 - t2) * arrive[i]
    };
    [axis(0), axis(1)]
}

fn distance(a: Point, b: Point) -> f32 {
    let (x, y) = (b[0] - a[0], b[1] - a[1]);
    (x * x + y * y).sqrt()
}

fn scaled(vector: Point, factor: f32) -> Point {
    [vector[0] * factor, vector[1] * factor]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_the_tables_is_in_the_notation() {
        for form in tables().flat_map(|forms| forms.iter()) {
            let skeleton = parse(form).unwrap_or_else(|| panic!("not a path: {}", form.2));
            assert!(form.0 > 0 && skeleton.strokes.iter().all(|nodes| nodes.len() > 1));
        }
    }

    #[test]
    fn every_character_has_forms() {
        let characters = crate::handwriting::characters();
        assert_eq!(characters.count(), SKELETONS.len());
        assert!(SKELETONS.iter().all(|forms| !forms.is_empty()));
    }

    #[test]
    fn a_path_of_corners_stays_straight() {
        let skeleton = parse(&(1, 100, "0,0 50,100 100,0")).unwrap();
        let line = flatten(&skeleton.strokes[0], 2);
        let expected = [[0.0, 0.0], [0.25, 0.5], [0.5, 1.0], [0.75, 0.5], [1.0, 0.0]];
        assert_eq!(line.len(), expected.len());
        for (point, wanted) in line.iter().zip(expected) {
            assert!(distance(*point, wanted) < 1e-6, "{point:?} {wanted:?}");
        }
    }
}
