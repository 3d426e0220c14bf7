//! A perceptual hash: which of 16x16 areas of a picture are brighter than its mean.
//!
//! It stays the same under brightness and contrast, changes in few bits when a picture is re-saved or cropped by some percent, and in
//! many between pictures. (The average hash, with 256 bits where 64 are usual: letters need them.)

use super::THUMB;

/// Areas along a side.
const SIDE: usize = 16;

/// Pixels of a picture along the side of an area.
const CELL: usize = THUMB / SIDE;

/// The hash of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u64; SIDE * SIDE / 64]);

impl Hash {
    /// The hash of a grey picture of [`THUMB`] x [`THUMB`] pixels.
    pub fn of(thumb: &[u8]) -> Self {
        let mut areas = [0u32; SIDE * SIDE];
        for (at, &value) in thumb.iter().enumerate() {
            let (y, x) = (at / THUMB / CELL, at % THUMB / CELL);
            areas[y * SIDE + x] += u32::from(value);
        }
        let sum: u32 = areas.iter().sum();
        let mut bits = [0; SIDE * SIDE / 64];
        for (at, area) in areas.iter().enumerate() {
            if area * (SIDE * SIDE) as u32 > sum {
                bits[at / 64] |= 1 << (at % 64);
            }
        }
        Self(bits)
    }

    /// In how many of the 256 bits two hashes differ.
    pub fn distance(&self, other: &Self) -> u32 {
        let pairs = self.0.iter().zip(&other.0);
        pairs.map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Vec<u8> {
        (0..THUMB * THUMB)
            .map(|at| value(at / THUMB, at % THUMB) as u8)
            .collect()
    }

    #[test]
    fn brightness_and_contrast_change_no_bit() {
        let one = picture(|y, x| (y * 3 + x * 5 % 90) as f32);
        let other = picture(|y, x| 40.0 + 0.5 * (y * 3 + x * 5 % 90) as f32);
        assert!(Hash::of(&one).distance(&Hash::of(&other)) <= 2);
    }

    #[test]
    fn halves_and_their_negative_differ_in_every_bit() {
        let left = picture(|_, x| if x < THUMB / 2 { 200.0 } else { 50.0 });
        let right = picture(|_, x| if x < THUMB / 2 { 50.0 } else { 200.0 });
        assert_eq!(Hash::of(&left).distance(&Hash::of(&right)), 256);
    }
}
