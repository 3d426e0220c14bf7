//! Comparing two pictures directly: the correlation where the part of one that shows the other fits best.

/// Largest fraction of a side that a crop may have removed at one edge.
const MAX_CROP: f32 = 0.15;

/// Smallest part of the first picture that the second must show.
const MIN_SHOWN: f32 = 0.6;

/// Side of the areas whose mean is subtracted to see the details.
const BLUR: usize = 5;

/// Steps of the edges in the search, as parts of a side.
pub const COARSE: [f32; 2] = [0.06, 0.03];
/// Those of the second half.
pub const FINE: [f32; 2] = [0.015, 0.0075];
/// Those on larger pictures.
pub const FINEST: [f32; 2] = [0.0075, 0.003];

/// Sweeps over all moves with one step, if each sweep finds a better place.
const SWEEPS: usize = 3;

/// The directions in which the edges (left, right, top, bottom) are moved: each alone, all at once, and both of an axis in parallel.
const MOVES: [[f32; 4]; 7] = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
    [1.0, 1.0, 1.0, 1.0],
    [1.0, -1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, -1.0],
];

/// The part of the second picture that shows the first: how much lies beyond its left, right, upper and lower edge, in parts of a side.
/// Negative where the first shows more.
pub type Edges = [f32; 4];

/// A square grey picture.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// Row by row.
    pub values: &'a [f32],
    /// Rows, and columns.
    pub side: usize,
}

/// The best place of one picture in the other.
#[derive(Debug, Clone, Copy)]
pub struct Fit {
    /// Where.
    pub edges: Edges,
    /// Correlation of the pixels, -1 to 1.
    pub correlation: f32,
}

impl Fit {
    /// As they are.
    pub fn identity(first: Picture, second: Picture) -> Self {
        let edges = [0.0; 4];
        let correlation = correlation(&matched(first, second, edges));
        Self { edges, correlation }
    }

    /// Moves the edges by these steps as long as the correlation grows.
    pub fn refine(mut self, first: Picture, second: Picture, steps: [f32; 2]) -> Self {
        self.correlation = correlation(&matched(first, second, self.edges));
        for step in steps {
            for _ in 0..SWEEPS {
                let before = self.correlation;
                for direction in MOVES {
                    for signed in [step, -step] {
                        let mut edges = self.edges;
                        for (edge, part) in edges.iter_mut().zip(direction) {
                            *edge = (*edge + signed * part).clamp(-MAX_CROP, MAX_CROP);
                        }
                        let found = correlation(&matched(first, second, edges));
                        if found > self.correlation {
                            self = Self {
                                edges,
                                correlation: found,
                            };
                        }
                    }
                }
                if self.correlation <= before {
                    break;
                }
            }
        }
        self
    }

    /// Correlation of what remains when each pixel's surroundings are subtracted: pictures with the same light but other content fail.
    pub fn details(&self, first: Picture, second: Picture) -> f32 {
        let [a, b] = [Side::First, Side::Second].map(|side| {
            let pixels: Vec<Option<f32>> = places(first.side, self.edges)
                .map(|place| {
                    place.map(|(at, x, y)| match side {
                        Side::First => first.values[at],
                        Side::Second => sampled(second, x, y),
                    })
                })
                .collect();
            sharp(&pixels, first.side)
        });
        let pairs = a.into_iter().zip(b);
        let both: Vec<(f32, f32)> = pairs.filter_map(|(a, b)| Some((a?, b?))).collect();
        correlation(&both)
    }
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Second,
}

/// Each pixel of a picture, if the other shows it: its index, and its place in the other in parts of a side.
fn places(side: usize, edges: Edges) -> impl Iterator<Item = Option<(usize, f32, f32)>> {
    let [left, right, top, bottom] = edges;
    (0..side * side).map(move |at| {
        let place = |index: usize, before: f32, after: f32| {
            before + (index as f32 + 0.5) / side as f32 * (1.0 - before - after)
        };
        let (x, y) = (place(at % side, left, right), place(at / side, top, bottom));
        let inside = |part: f32| (0.0..=1.0).contains(&part);
        (inside(x) && inside(y)).then_some((at, x, y))
    })
}

/// The pixels of both pictures where both show something; none if they share too little.
fn matched(first: Picture, second: Picture, edges: Edges) -> Vec<(f32, f32)> {
    let pairs: Vec<(f32, f32)> = places(first.side, edges)
        .flatten()
        .map(|(at, x, y)| (first.values[at], sampled(second, x, y)))
        .collect();
    let shown = pairs.len() as f32 / first.values.len().max(1) as f32;
    if shown < MIN_SHOWN { Vec::new() } else { pairs }
}

/// The value of a picture at a place in parts of its sides, between its four nearest pixels.
fn sampled(picture: Picture, x: f32, y: f32) -> f32 {
    let side = picture.side;
    let split = |part: f32| {
        let at = (part * side as f32 - 0.5).clamp(0.0, (side - 1) as f32);
        let first = at as usize;
        (first, (first + 1).min(side - 1), at - first as f32)
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (split(x), split(y));
    let row = |y: usize| {
        let row = &picture.values[y * side..][..side];
        row[x0] * (1.0 - fx) + row[x1] * fx
    };
    row(y0) * (1.0 - fy) + row(y1) * fy
}

/// Pearson's correlation; 0 where one side has no variance.
fn correlation(pairs: &[(f32, f32)]) -> f32 {
    let count = pairs.len() as f32;
    if pairs.is_empty() {
        return 0.0;
    }
    let (sum_a, sum_b) = pairs
        .iter()
        .fold((0.0, 0.0), |(a, b), pair| (a + pair.0, b + pair.1));
    let (mean_a, mean_b) = (sum_a / count, sum_b / count);
    let mut sums = (0.0f32, 0.0f32, 0.0f32);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        sums.0 += a * b;
        sums.1 += a * a;
        sums.2 += b * b;
    }
    let scale = (sums.1 * sums.2).sqrt();
    if scale <= f32::EPSILON * count {
        0.0
    } else {
        sums.0 / scale
    }
}

/// Each pixel less the mean of its surroundings.
fn sharp(pixels: &[Option<f32>], side: usize) -> Vec<Option<f32>> {
    let reach = BLUR / 2;
    let around = |at: usize| at.saturating_sub(reach)..(at + reach + 1).min(side);
    (0..pixels.len())
        .map(|at| {
            let value = pixels[at]?;
            let (mut sum, mut count) = (0.0, 0.0);
            for y in around(at / side) {
                for x in around(at % side) {
                    if let Some(near) = pixels[y * side + x] {
                        sum += near;
                        count += 1.0;
                    }
                }
            }
            Some(value - sum / count)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scene that is not the same in any two places.
    fn scene(x: f32, y: f32) -> f32 {
        let waves = [
            (3.0, 5.0, 0.1),
            (11.0, 2.0, 1.3),
            (7.0, -9.0, 2.2),
            (1.5, 1.0, 0.7),
        ];
        let sum: f32 = waves
            .iter()
            .map(|(a, b, c)| (a * x + b * y + c).sin())
            .sum();
        0.5 + sum / 8.0
    }

    fn shot(edges: Edges, side: usize, light: f32) -> Vec<f32> {
        places(side, edges)
            .map(|place| place.map_or(0.0, |(_, x, y)| scene(x, y) * light))
            .collect()
    }

    #[test]
    fn the_edges_of_a_crop_are_found_from_either_picture_whatever_its_brightness() {
        let whole = shot([0.0; 4], 64, 1.0);
        let crop = shot([0.05, 0.03, 0.02, 0.06], 64, 0.8);
        let (whole, crop) = (
            Picture {
                values: &whole,
                side: 64,
            },
            Picture {
                values: &crop,
                side: 64,
            },
        );
        for (first, second) in [(crop, whole), (whole, crop)] {
            let fit = Fit::identity(first, second);
            let fit = fit
                .refine(first, second, COARSE)
                .refine(first, second, FINE);
            assert!(fit.correlation > 0.99, "{fit:?}");
            assert!(fit.details(first, second) > 0.9, "{fit:?}");
        }
        let fit = Fit::identity(crop, whole).refine(crop, whole, COARSE);
        let fit = fit.refine(crop, whole, FINE);
        for (found, cut) in fit.edges.iter().zip([0.05, 0.03, 0.02, 0.06]) {
            assert!((found - cut).abs() < 0.015, "{:?}", fit.edges);
        }
    }

    #[test]
    fn the_correlation_is_pearsons() {
        // numpy.corrcoef([1, 2, 4, 7], [2, 1, 5, 6])[0, 1] = 0.8997354108424372
        let found = correlation(&[(1.0, 2.0), (2.0, 1.0), (4.0, 5.0), (7.0, 6.0)]);
        assert!((found - 0.899_735_4).abs() < 1e-6, "{found}");
        assert_eq!(correlation(&[(1.0, 2.0), (1.0, 3.0)]), 0.0);
    }
}
