//! Small grey pictures of samples, by which they are compared.

use crate::shape::ImageShape;

/// Luma of red, green and blue (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The planes of a sample, each brought to `height` x `width` by the mean of the area that a pixel covers.
pub fn resized(values: &[f32], shape: ImageShape, height: usize, width: usize) -> Vec<f32> {
    let (rows, columns) = (
        Areas::new(shape.height, height),
        Areas::new(shape.width, width),
    );
    let planes = values.chunks_exact(shape.pixels().max(1));
    planes
        .flat_map(|plane| {
            let narrow: Vec<f32> = plane
                .chunks_exact(shape.width)
                .flat_map(|row| (0..width).map(|x| columns.mean(x, |at| row[at])))
                .collect();
            let mut out = Vec::with_capacity(height * width);
            for y in 0..height {
                out.extend((0..width).map(|x| rows.mean(y, |at| narrow[at * width + x])));
            }
            out
        })
        .collect()
}

/// A square grey picture of a sample, `side` x `side`, in the range of its values.
pub fn square(values: &[f32], shape: ImageShape, side: usize) -> Vec<f32> {
    let planes = resized(values, shape, side, side);
    let area = side * side;
    match shape.channels {
        3 => (0..area)
            .map(|at| (0..3).map(|c| LUMA[c] * planes[c * area + at]).sum())
            .collect(),
        _ => planes[..area.min(planes.len())].to_vec(),
    }
}

/// For each pixel of an axis, the pixels of another that it covers, and how much of each.
struct Areas(Vec<(usize, Vec<f32>)>);

impl Areas {
    fn new(from: usize, to: usize) -> Self {
        let step = from as f32 / to as f32;
        let pixel = |index: usize| {
            let (start, end) = (index as f32 * step, (index + 1) as f32 * step);
            let first = (start as usize).min(from.saturating_sub(1));
            let last = (end.ceil() as usize).clamp(first + 1, from.max(1));
            let covered = |at: usize| {
                let overlap = end.min((at + 1) as f32) - start.max(at as f32);
                overlap.max(0.0)
            };
            let mut weights: Vec<f32> = (first..last).map(covered).collect();
            let sum: f32 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= sum.max(f32::MIN_POSITIVE);
            }
            (first, weights)
        };
        Self((0..to).map(pixel).collect())
    }

    fn mean(&self, index: usize, value: impl Fn(usize) -> f32) -> f32 {
        let (first, weights) = &self.0[index];
        let weighted = weights.iter().enumerate();
        weighted
            .map(|(at, weight)| weight * value(first + at))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_has_the_means_of_what_its_pixels_cover() {
        let shape = ImageShape::new(1, 2, 3);
        let values = [0.0, 0.3, 0.6, 0.6, 0.3, 0.0];
        // Columns of 1.5 pixels: (0 + 0.15) / 1.5 and (0.15 + 0.6) / 1.5; the second row is mirrored.
        let found = resized(&values, shape, 2, 2);
        for (found, expected) in found.iter().zip([0.1, 0.5, 0.5, 0.1]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn grey_is_the_luma_of_the_colours() {
        let shape = ImageShape::new(3, 1, 1);
        assert!((square(&[1.0, 0.0, 0.0], shape, 1)[0] - 0.299).abs() < 1e-6);
        assert!((square(&[1.0, 1.0, 1.0], shape, 1)[0] - 1.0).abs() < 1e-6);
    }
}
