//! What the processor does at best with the instructions that the kernels use: multiply-adds from registers, and bytes from each cache and
//! the memory. Measured on all threads at once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pulp::{Simd, WithSimd};

use super::bf16;
use super::simd::{Real, lanes, put, widest};

/// Sums that do not wait for each other: more than the multiply-adds that a processor has under way at a time (2 a cycle, 4 cycles each),
/// fewer than the 16 registers of AVX2.
const SUMS: usize = 12;

/// Each rate is measured so often; the best counts, as other programs may run meanwhile.
const ROUNDS: usize = 12;

/// A measurement takes about this long.
const TIME: Duration = Duration::from_millis(20);

/// 32-bit floating-point operations per second, two for a multiply-add.
pub fn f32_flops() -> f64 {
    best(|| rate(|repeats| 2.0 * f32::dispatch(MultiplyAdds(repeats))))
}

/// Operations per second on products of bfloat16 values with sums in 32 bits, two for a multiply-add; `None` if the processor has no
/// instructions for them.
pub fn bf16_flops() -> Option<f64> {
    /// Multiply-adds of an instruction.
    const AT_ONCE: usize = 32;
    bf16::is_native().then(|| {
        best(|| {
            rate(|repeats| {
                black_box(bf16::chain::<SUMS>(repeats));
                (2 * AT_ONCE * SUMS * repeats) as f64
            })
        })
    })
}

/// Bytes per second of `a = b + s c` over three arrays that have so many bytes together, in each thread (McCalpin's triad): two are read
/// and one is written.
pub fn bytes_per_second(bytes: usize) -> f64 {
    let count = bytes / 3 / size_of::<f32>();
    best(|| {
        let (b, c) = (vec![1.0f32; count], vec![2.0f32; count]);
        let mut a = vec![0.0f32; count];
        rate(|repeats| {
            for _ in 0..repeats {
                triad(&mut a, black_box(&b), &c);
                black_box(&mut a);
            }
            (repeats * 3 * count * size_of::<f32>()) as f64
        })
    })
}

fn triad(a: &mut [f32], b: &[f32], c: &[f32]) {
    widest::<f32, _>(
        #[inline(always)]
        || {
            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                *a = 0.5 * c + b;
            }
        },
    );
}

/// What all threads do together, in the best of several rounds.
fn best(rate: impl Fn() -> f64 + Sync) -> f64 {
    let round = || rayon::broadcast(|_| rate()).into_iter().sum();
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

/// What `work` does per second, repeated as often as the time allows: it takes a number of repeats, and returns how much it has done.
fn rate(mut work: impl FnMut(usize) -> f64) -> f64 {
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        let done = work(repeats);
        let time = start.elapsed();
        if time >= TIME {
            return done / time.as_secs_f64();
        }
        repeats *= 2;
    }
}

/// So many times, a multiply-add to each of [`SUMS`] registers; returns the number of multiply-adds.
struct MultiplyAdds(usize);

impl WithSimd for MultiplyAdds {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let splat = |value: f32| f32::splat(simd, black_box(value));
        // Sums stay near 1.
        let (factor, term) = (splat(0.5), splat(0.5));
        let mut sums = [splat(1.0); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = f32::multiply_add(simd, *sum, factor, term);
            }
        }
        let lanes = lanes::<S, f32>();
        let mut found = [0.0f32; 16];
        for sum in sums {
            put::<S, f32>(&mut found, 0, sum);
            black_box(&found);
        }
        (self.0 * SUMS * lanes) as f64
    }
}
