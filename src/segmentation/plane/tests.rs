use super::*;
use crate::rng::{seeded, uniform};

/// Widths and heights below, at and above the radii and vectors of the filters.
const SIZES: [(usize, usize); 9] = [
    (1, 1),
    (1, 9),
    (9, 1),
    (2, 3),
    (6, 7),
    (7, 6),
    (13, 5),
    (33, 20),
    (65, 4),
];

fn noise((width, height): (usize, usize)) -> Plane {
    let mut rng = seeded(&[width as u64, height as u64]);
    let values = (0..width * height).map(|_| uniform(&mut rng)).collect();
    Plane {
        width,
        height,
        values,
    }
}

/// Compares with what `expected(x, y)` says of each pixel, in 64 bits.
fn assert_near(found: &Plane, expected: impl Fn(usize, usize) -> f64) {
    for (at, &found_here) in found.values.iter().enumerate() {
        let (x, y) = (at % found.width, at / found.width);
        let expected = expected(x, y);
        assert!(
            (f64::from(found_here) - expected).abs() < 1e-5,
            "{}x{} at {x}, {y}: {found_here} instead of {expected}",
            found.width,
            found.height
        );
    }
}

/// The pixels of a plane at most `radius` rows and columns away.
fn square(
    plane: &Plane,
    x: usize,
    y: usize,
    radius: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let (width, height) = (plane.width, plane.height);
    (0..height)
        .flat_map(move |row| (0..width).map(move |column| (column, row)))
        .filter(move |(column, row)| column.abs_diff(x) <= radius && row.abs_diff(y) <= radius)
}

#[test]
fn a_blur_is_the_gaussian_mean_inside_the_image() {
    for (size, sigma) in SIZES
        .into_iter()
        .flat_map(|size| [(size, 0.8), (size, 2.0)])
    {
        let plane = noise(size);
        let radius = (3.0 * sigma as f64).ceil() as usize;
        assert_near(&plane.blurred(sigma), |x, y| {
            let weighted = square(&plane, x, y, radius).map(|(column, row)| {
                let squared = column.abs_diff(x).pow(2) + row.abs_diff(y).pow(2);
                let weight = (-0.5 * squared as f64 / f64::from(sigma).powi(2)).exp();
                (weight * f64::from(plane.at(column, row)), weight)
            });
            let (sum, total) = weighted.fold((0.0, 0.0), |(sum, total), (value, weight)| {
                (sum + value, total + weight)
            });
            sum / total
        });
    }
}

#[test]
fn dilation_and_erosion_take_the_extremes_of_the_square() {
    for (size, radius) in SIZES.into_iter().flat_map(|size| [(size, 1), (size, 5)]) {
        let plane = noise(size);
        let extreme = |x, y, pick: fn(f32, f32) -> f32| {
            let values = square(&plane, x, y, radius).map(|(x, y)| plane.at(x, y));
            f64::from(values.reduce(pick).unwrap())
        };
        assert_near(&plane.dilated(radius), |x, y| extreme(x, y, f32::max));
        assert_near(&plane.eroded(radius), |x, y| extreme(x, y, f32::min));
    }
}

#[test]
fn a_reduced_image_has_the_means_of_the_areas_under_its_pixels() {
    for (width, height) in SIZES {
        let plane = noise((width, height));
        for (to_width, to_height) in [
            (1, 1),
            (width.div_ceil(2), height.div_ceil(3)),
            (width, height),
        ] {
            let under = |at: usize, from: usize, to: usize, pixel: usize| {
                let step = from as f64 / to as f64;
                let end = ((at + 1) as f64 * step).min((pixel + 1) as f64);
                (end - (at as f64 * step).max(pixel as f64)).max(0.0) / step
            };
            assert_near(&plane.resized(to_width, to_height), |x, y| {
                let pixels = square(&plane, 0, 0, usize::MAX);
                let parts = pixels.map(|(column, row)| {
                    let part = under(x, width, to_width, column) * under(y, height, to_height, row);
                    part * f64::from(plane.at(column, row))
                });
                parts.sum()
            });
        }
    }
}

/// The weighted sum of a row or column around a position in it, beyond whose ends the last value is repeated.
fn around(
    position: f64,
    weights: impl Fn(f64) -> f64,
    reach: isize,
    value: impl Fn(usize) -> f64,
    length: usize,
) -> f64 {
    let first = position.floor() as isize - reach + 1;
    let taps = (first..first + 2 * reach).map(|at| {
        let inside = at.clamp(0, length as isize - 1) as usize;
        weights((position - at as f64).abs()) * value(inside)
    });
    taps.sum()
}

#[test]
fn bilinear_and_cubic_interpolation_are_those_of_the_formulas() {
    let linear = |distance: f64| (1.0 - distance).max(0.0);
    // Keys 1981, equation 4 with a = -0.5.
    let cubic = |d: f64| match d {
        ..=1.0 => 1.5 * d.powi(3) - 2.5 * d.powi(2) + 1.0,
        ..=2.0 => -0.5 * d.powi(3) + 2.5 * d.powi(2) - 4.0 * d + 2.0,
        _ => 0.0,
    };
    for (width, height) in SIZES {
        let plane = noise((width, height));
        let (to_width, to_height) = (3 * width - 1, 2 * height + 1);
        let place =
            |at: usize, from: usize, to: usize| (at as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        assert_near(&plane.bilinear(to_width, to_height), |x, y| {
            let (x, y) = (place(x, width, to_width), place(y, height, to_height));
            let row = |row: usize| {
                around(
                    x,
                    linear,
                    1,
                    |column| f64::from(plane.at(column, row)),
                    width,
                )
            };
            around(y, linear, 1, row, height)
        });
        // Where no value is limited to its neighbours: a plane that rises evenly.
        let rising = Plane::from_rows(width, height, |y, row| {
            row.iter_mut()
                .enumerate()
                .for_each(|(x, value)| *value = (x + 2 * y) as f32 / 64.0);
        });
        assert_near(&rising.enlarged(to_width, to_height), |x, y| {
            let (x, y) = (place(x, width, to_width), place(y, height, to_height));
            let inside = |at: f64, length: usize, value: f64| {
                // Limited beyond the middle of the last pixel.
                let step = at.floor().clamp(0.0, (length - 1) as f64);
                let next = (at.floor() + 1.0).clamp(0.0, (length - 1) as f64);
                value.clamp(step, next)
            };
            let along = |at: f64, length: usize| {
                inside(at, length, around(at, cubic, 2, |at| at as f64, length))
            };
            (along(x, width) + 2.0 * along(y, height)) / 64.0
        });
    }
}
