//! Seeds that are a function of what they are for, so that nothing depends on the order of calls or threads.

use rand::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The random generator of everything that kiln draws: small, fast, and the same on every platform and version
/// (Blackman and Vigna 2018).
pub type Rng = Xoshiro256PlusPlus;

/// Mixes any number of values into one seed (SplitMix64's finaliser, Steele et al. 2014, after each value).
pub fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, &part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A generator seeded by `parts`.
pub fn seeded(parts: &[u64]) -> Rng {
    Rng::seed_from_u64(mix(parts))
}

/// 64-bit FNV-1a of a name: stable across platforms and versions, for deciding splits.
pub fn hash_name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Largest absolute value that [`normal`] returns: `2 sqrt(3)`.
pub const NORMAL_LIMIT: f32 = 3.464_102;

/// A bell-shaped random number of mean 0 and standard deviation 1: the sum of four uniform ones (Irwin-Hall), scaled.
///
/// Bounded by [`NORMAL_LIMIT`], so that no sample is absurd, and the same to the bit on every platform, which the
/// logarithms and sines of an exact normal variable are not.
pub fn normal(rng: &mut Rng) -> f32 {
    let bits = rng.next_u64();
    let sum = (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);
    // Four integers of mean 32767.5 and variance (2^32 - 1) / 12; sqrt(12 / 4) / 65536 brings the sum to variance 1.
    const SCALE: f32 = 1.732_050_8 / 65_536.0;
    (sum as f32 - 4.0 * 32_767.5) * SCALE
}

/// A uniform random number in [0, 1).
pub fn uniform(rng: &mut Rng) -> f32 {
    const STEP: f32 = 1.0 / (1u32 << 24) as f32;
    (rng.next_u64() >> 40) as f32 * STEP
}
