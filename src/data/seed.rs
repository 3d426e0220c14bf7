//! Seeds that are a function of what they are for, so that nothing depends on the order of calls or threads.

use rand::SeedableRng;
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
pub fn rng(parts: &[u64]) -> Rng {
    Rng::seed_from_u64(mix(parts))
}

/// 64-bit FNV-1a of a name: stable across platforms and versions, for deciding splits.
pub fn hash_name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
