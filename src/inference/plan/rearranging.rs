//! Orders of the values of an image, as the index of each value in the order before. Maps lie channels last.

use crate::models::layer_list::{DepthToSpaceMode, MapShape};

/// Maps of a vector whose values are channels first.
pub fn unflattened(maps: MapShape) -> Option<Vec<u32>> {
    let [channels, height, width] = maps.maps()?;
    let positions = 0..height * width;
    let order = positions
        .flat_map(|position| (0..channels).map(move |channel| channel * height * width + position));
    indices(order)
}

/// A vector with values channels first, of these maps.
pub fn flattened(maps: MapShape) -> Option<Vec<u32>> {
    let [channels, height, width] = maps.maps()?;
    let order = (0..channels)
        .flat_map(|channel| (0..height * width).map(move |position| position * channels + channel));
    indices(order)
}

/// Groups of channels of these maps as neighbouring pixels.
pub fn depth_to_space(maps: MapShape, block: usize, mode: DepthToSpaceMode) -> Option<Vec<u32>> {
    let [all, height, width] = maps.maps()?;
    let channels = all / (block * block);
    let of = |row: usize, column: usize, channel: usize| {
        let within = row % block * block + column % block;
        let from = match mode {
            DepthToSpaceMode::Crd => channel * block * block + within,
            DepthToSpaceMode::Dcr => within * channels + channel,
        };
        (row / block * width + column / block) * all + from
    };
    let order = (0..block * height).flat_map(|row| {
        (0..block * width)
            .flat_map(move |column| (0..channels).map(move |channel| of(row, column, channel)))
    });
    indices(order)
}

fn indices(order: impl Iterator<Item = usize>) -> Option<Vec<u32>> {
    order.map(|index| u32::try_from(index).ok()).collect()
}
