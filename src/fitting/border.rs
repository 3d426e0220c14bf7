//! The colour of an image's border.

use super::resample::Photo;

/// One channel of the outermost rows and columns; corners count once.
pub(super) fn border(photo: &Photo, channel: usize) -> impl Iterator<Item = u8> {
    let (right, bottom) = (photo.width - 1, photo.height - 1);
    let sides = (0..photo.height).flat_map(move |y| {
        let step = if y == 0 || y == bottom {
            1
        } else {
            right.max(1)
        };
        (0..=right).step_by(step).map(move |x| (x, y))
    });
    sides.map(move |(x, y)| photo.bytes[(y * photo.width + x) * photo.channels + channel])
}

/// The median (the upper one of two); black for no values.
pub(super) fn median(values: impl Iterator<Item = u8>) -> u8 {
    let mut counts = [0usize; 256];
    for value in values {
        counts[usize::from(value)] += 1;
    }
    let total: usize = counts.iter().sum();
    let mut below = 0;
    let found = counts.iter().position(|count| {
        below += count;
        below > total / 2
    });
    found.unwrap_or_default() as u8
}
