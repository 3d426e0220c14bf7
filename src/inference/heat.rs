//! An activation map over the image that it explains.

use image::{Rgb, RgbImage};

use crate::models::ActivationMap;
use crate::shape::ImageShape;

/// Smallest side of the picture in pixels: smaller images are enlarged by a whole factor.
const MIN_SIDE: usize = 224;
/// How much of the colour is seen where the map is 1; the image shows through.
const MOST_COLOUR: f32 = 0.65;
/// Colours of the map from 0 to 1, evenly spaced: dark blue, purple, red, orange, yellow. Brightness rises all along, so that it can be
/// read without telling the colours apart.
const COLOURS: [[f32; 3]; 5] = [
    [13.0, 8.0, 84.0],
    [126.0, 3.0, 168.0],
    [204.0, 71.0, 120.0],
    [248.0, 149.0, 64.0],
    [240.0, 249.0, 33.0],
];

/// The picture: `pixels` are `[channels, height, width]` in [0, 1]. `None` if they don't match the shape.
pub fn heat_over(shape: ImageShape, pixels: &[f32], map: &ActivationMap) -> Option<RgbImage> {
    let values = shape.checked_values().filter(|&values| values > 0)?;
    if values != pixels.len() || map.values.len() != map.height * map.width || map.values.is_empty()
    {
        return None;
    }
    let zoom = MIN_SIDE.div_ceil(shape.height.min(shape.width)).max(1);
    let (width, height) = (shape.width * zoom, shape.height * zoom);
    let size = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    Some(RgbImage::from_fn(size.0, size.1, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let heat = at(
            map,
            (x as f32 + 0.5) / width as f32,
            (y as f32 + 0.5) / height as f32,
        );
        let colour = colour(heat);
        let part = MOST_COLOUR * heat;
        Rgb([0, 1, 2].map(|channel| {
            let plane = if shape.channels == 3 { channel } else { 0 };
            let from = (plane * shape.height + y / zoom) * shape.width + x / zoom;
            let grey = 255.0 * pixels[from].clamp(0.0, 1.0);
            ((1.0 - part) * grey + part * colour[channel]).round() as u8
        }))
    }))
}

/// The map at a place in [0, 1], between the middles of its values.
fn at(map: &ActivationMap, x: f32, y: f32) -> f32 {
    let (left, right, across) = between(x, map.width);
    let (top, bottom, down) = between(y, map.height);
    let value = |row: usize, column: usize| map.values[row * map.width + column];
    let row = |row| (1.0 - across) * value(row, left) + across * value(row, right);
    (1.0 - down) * row(top) + down * row(bottom)
}

/// The two nearest of `count` middles, and how far the place is from the first to the second.
fn between(place: f32, count: usize) -> (usize, usize, f32) {
    let at = (place * count as f32 - 0.5).clamp(0.0, (count - 1) as f32);
    let first = at as usize;
    (first, (first + 1).min(count - 1), at - first as f32)
}

fn colour(heat: f32) -> [f32; 3] {
    let (first, second, part) = between(
        // From the middle of the first colour to that of the last.
        (heat.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32 + 0.5) / COLOURS.len() as f32,
        COLOURS.len(),
    );
    [0, 1, 2]
        .map(|channel| (1.0 - part) * COLOURS[first][channel] + part * COLOURS[second][channel])
}
