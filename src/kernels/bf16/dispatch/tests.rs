//! Tests of the loops.

use std::mem::MaybeUninit;

use super::*;
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::Patches;
use crate::kernels::simd::PANEL;

/// Numbers between -1 and 1 that look random.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn rows_of(values: &[f32], step: usize, width: usize) -> Rows<'_> {
    Rows {
        values,
        step,
        width,
    }
}

fn exact(value: f32) -> f64 {
    f64::from(f32::from_bits(u32::from(rounded(value)) << 16))
}

fn convolved(
    run: fn(&mut Dots),
    patches: Patches,
    [input, weights]: [&[Pair]; 2],
    bias: &[f32],
    [rows, columns, channels]: [usize; 3],
) -> Vec<f32> {
    let mut output = vec![MaybeUninit::new(f32::NAN); rows * columns * channels];
    run(&mut Dots {
        patches,
        input,
        weights,
        panel: patches.depth() * PANEL,
        epilogue: Epilogue::bias(bias),
        rows,
        columns,
        channels,
        step: channels,
        row_step: columns * channels,
        output: &mut output,
    });
    // SAFETY: written above, at the least with NaN.
    #[allow(unsafe_code)]
    output
        .into_iter()
        .map(|value| unsafe { value.assume_init() })
        .collect()
}

#[test]
fn convolutions_are_those_of_rounded_values_and_the_same_bits_with_and_without_the_instructions() {
    // Rows, columns, output channels, kernel, stride, input channels.
    for (seed, [rows, columns, channels, kernel, stride, inputs]) in [
        [3, 3, 5, 1, 1, 2],
        [5, 7, 16, 3, 1, 6],
        [4, 5, 33, 3, 2, 4],
        [2, 1, 48, 5, 1, 16],
        [1, 13, 20, 1, 1, 64],
    ]
    .into_iter()
    .enumerate()
    {
        let width = (columns - 1) * stride + kernel;
        let height = (rows - 1) * stride + kernel;
        let depth = kernel * kernel * inputs;
        let image = noise(height * width * inputs, 1 + seed as u32);
        let panels = channels.div_ceil(PANEL);
        let weight = noise(panels * depth * PANEL, 100 + seed as u32);
        let bias = noise(panels * PANEL, 200 + seed as u32);
        let (mut input, mut weights) = (vec![0; image.len() / 2], vec![0; weight.len() / 2]);
        round_all(&image, &mut input);
        join_rows(rows_of(&weight, PANEL, PANEL), &mut weights, PANEL);
        let patches = Patches {
            runs: kernel,
            run: kernel * inputs / 2,
            pitch: width * inputs / 2,
            step: stride * inputs / 2,
            row_step: stride * width * inputs / 2,
        };
        let sizes = [rows, columns, channels];
        let found = convolved(convolve, patches, [&input, &weights], &bias, sizes);
        for (index, &found) in found.iter().enumerate() {
            let (position, channel) = (index / channels, index % channels);
            let origin = (position / columns * width + position % columns) * stride * inputs;
            let mut sum = f64::from(bias[channel]);
            for tap in 0..depth {
                let at = origin + tap / (kernel * inputs) * width * inputs;
                let value = image[at + tap % (kernel * inputs)];
                let lane = channel / PANEL * depth * PANEL + tap * PANEL + channel % PANEL;
                sum += exact(value) * exact(weight[lane]);
            }
            assert!(
                (f64::from(found) - sum).abs() < 1e-4,
                "{found} is not {sum}"
            );
        }
        let other = convolved(
            portable::convolve,
            patches,
            [&input, &weights],
            &bias,
            sizes,
        );
        assert_eq!(found, other);
    }
}

#[test]
fn sums_over_positions_are_those_of_rounded_values_and_the_same_bits_everywhere() {
    for (seed, [count, taps, channels, step]) in [
        [1, 1, 16, 16],
        [7, 13, 32, 40],
        [12, 31, 48, 48],
        [5, 6, 16, 19],
    ]
    .into_iter()
    .enumerate()
    {
        let values = noise(count * taps, 1 + seed as u32);
        let slopes = noise(count * step, 50 + seed as u32);
        let before = noise(taps * channels, 99 + seed as u32);
        let (mut input, mut gradient) = (
            vec![0; count.div_ceil(2) * taps],
            vec![0; count.div_ceil(2) * channels],
        );
        join_rows(rows_of(&values, taps, taps), &mut input, taps);
        let used = (count - 1) * step + channels;
        join_rows(
            rows_of(&slopes[..used], step, channels),
            &mut gradient,
            channels,
        );
        let summed = |run: fn(&mut Products)| {
            let mut sums = before.clone();
            run(&mut Products {
                input: &input,
                input_step: taps,
                gradient: &gradient,
                gradient_step: channels,
                count: count.div_ceil(2),
                taps,
                channels,
                first_tap: 0,
                depth: taps,
                sums: &mut sums,
            });
            sums
        };
        let found = summed(add_products);
        for tap in 0..taps {
            for channel in 0..channels {
                let at = (channel / PANEL * taps + tap) * PANEL + channel % PANEL;
                let products = (0..count).map(|index| {
                    exact(values[index * taps + tap]) * exact(slopes[index * step + channel])
                });
                let expected = f64::from(before[at]) + products.sum::<f64>();
                assert!((f64::from(found[at]) - expected).abs() < 1e-5);
            }
        }
        assert_eq!(found, summed(portable::add_products));
    }
}

#[test]
fn values_are_rounded_and_joined_to_the_same_bits_everywhere() {
    let mut values = noise(7 * 37, 3);
    values[5] = f32::NAN;
    values[41] = f32::INFINITY;
    values[100] = -0.0;
    for (step, width) in [(37, 37), (37, 20), (37, 3)] {
        let to_step = width + 1;
        let mut all = [vec![1; 4 * to_step], vec![1; 4 * to_step]];
        let seven = rows_of(&values[..6 * step + width], step, width);
        join_rows(seven, &mut all[0], to_step);
        portable::join_rows(seven, &mut all[1], to_step);
        assert_eq!(all[0], all[1]);
        let half = |index: usize| u32::from(rounded(values[index]));
        assert_eq!(all[0][2], half(2) | half(step + 2) << 16);
        assert_eq!(all[0][3 * to_step], half(6 * step));
        assert_eq!(all[0][width], 1, "what is between rows stays");
        let even = rows_of(&values[..6 * step + width], step, width / 2 * 2);
        let mut all = [vec![1; 7 * to_step], vec![1; 7 * to_step]];
        round_rows(even, &mut all[0], to_step);
        portable::round_rows(even, &mut all[1], to_step);
        assert_eq!(all[0], all[1]);
        assert_eq!(all[0][to_step], half(step) | half(step + 1) << 16);
    }
    let mut all = [vec![0; 129], vec![0; 129]];
    round_all(&values[..258], &mut all[0]);
    portable::round_all(&values[..258], &mut all[1]);
    assert_eq!(all[0], all[1]);
}
