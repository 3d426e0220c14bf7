//! Masks for dropout.

use super::threads;

/// Values that a job fills.
const CHUNK: usize = 1 << 15;
/// Work of a value in multiply-adds.
const WORK: usize = 8;

/// Factors for `count` values: 0 with probability `p` (0 to 1, not included), else `1 / (1 - p)`, so that the mean stays. Each is a function of
/// its index and the seed: SplitMix64 (Steele, Lea and Flood 2014), half of a number each.
pub fn dropout_mask(count: usize, p: f64, seed: u64) -> Vec<f32> {
    let mut mask = vec![0.0; count];
    let chunks = mask.chunks_mut(CHUNK).zip(0u64..).collect();
    let jobs = |(), (chunk, number): (&mut [f32], u64)| {
        fill(chunk, p, seed, number * (CHUNK as u64 / 2));
    };
    threads::for_each(count * WORK, chunks, || (), |(), job| jobs((), job));
    mask
}

/// Fills values in pairs, of which `first` is the number of the first.
fn fill(values: &mut [f32], p: f64, seed: u64, first: u64) {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let dropped = (p * (1u64 << 32) as f64) as u32;
    let kept = (1.0 / (1.0 - p)) as f32;
    let factor = |bits: u32| if bits < dropped { 0.0 } else { kept };
    let mut state = seed.wrapping_add(first.wrapping_mul(STEP));
    for pair in values.chunks_mut(2) {
        state = state.wrapping_add(STEP);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        pair[0] = factor(z as u32);
        if let Some(second) = pair.get_mut(1) {
            *second = factor((z >> 32) as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_splitmix64() {
        // The first outputs of the generator with seed 1234567, as its authors' code prints them.
        let outputs: [u64; 3] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        let mask = dropout_mask(6, 0.5, 1_234_567);
        for (pair, output) in mask.chunks(2).zip(outputs) {
            let is_kept = [output as u32, (output >> 32) as u32].map(|bits| bits >= 1 << 31);
            assert_eq!(pair, is_kept.map(|kept| if kept { 2.0 } else { 0.0 }));
        }
    }

    #[test]
    fn the_share_that_is_dropped_and_the_mean_are_as_asked() {
        for p in [0.1, 0.5, 0.75] {
            let mask = dropout_mask(1_000_001, p, 7);
            let dropped = mask.iter().filter(|&&value| value == 0.0).count();
            // Five standard deviations of a binomial count.
            let deviation = (1e6 * p * (1.0 - p)).sqrt();
            assert!((dropped as f64 - 1e6 * p).abs() < 5.0 * deviation + 1.0);
            let mean = mask.iter().map(|&value| f64::from(value)).sum::<f64>() / 1e6;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
        }
    }

    #[test]
    fn a_mask_does_not_depend_on_the_threads() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads");
            pool.install(|| dropout_mask(3_000_000, 0.3, 11))
        };
        assert!(on(1) == on(3));
    }
}
