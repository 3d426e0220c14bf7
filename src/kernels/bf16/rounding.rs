//! From 32 bits to bfloat16.

/// Two neighbouring values: the first in the low half.
pub type Pair = u32;

#[inline(always)]
pub fn joined(low: u16, high: u16) -> Pair {
    u32::from(low) | u32::from(high) << 16
}

/// The nearest bfloat16, of two the even one; NaN stays NaN.
#[inline(always)]
pub fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    let is_nan = bits & 0x7fff_ffff > 0x7f80_0000;
    // Half a unit in the last place that stays, a little less if that is even.
    let up = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    let kept = if is_nan { bits | 0x0040_0000 } else { up };
    (kept >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(half: u16) -> f32 {
        f32::from_bits(u32::from(half) << 16)
    }

    #[test]
    fn values_are_rounded_to_the_nearest_and_of_two_to_the_even_one() {
        for (value, expected) in [
            (1.0, 1.0),
            (1.0 + 1.0 / 256.0, 1.0),
            (1.0 + 3.0 / 256.0, 1.015_625),
            (1.0 + 1.1 / 256.0, 1.007_812_5),
            (-3.3, -3.296_875),
            (f32::INFINITY, f32::INFINITY),
            (f32::MAX, f32::INFINITY),
            (0.0, 0.0),
        ] {
            assert_eq!(wide(rounded(value)), expected, "{value}");
        }
        assert!(wide(rounded(f32::NAN)).is_nan());
        assert!(wide(rounded(f32::from_bits(0x7f80_0001))).is_nan());
    }
}
