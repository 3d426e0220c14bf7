//! Layers of plans of random shapes, in 32 bits and in bfloat16, against sums of products in 64 bits; and the same bits on any number of
//! threads.

use half::bf16;
use kiln::kernels::Activation;
use kiln::kernels::inference::{
    Algorithm, Channels, ComputePrecision, Geometry, Helpers, PackedConv, Team,
};
use proptest::prelude::*;

use super::CLOSE;
use super::cases::{Conv, dense, depthwise, for_each};
use crate::{difference, numbers};

/// Multiply-adds of a case: so many that threads share the larger ones.
const WORK: usize = 3 << 20;

/// A layer of a plan.
#[derive(Debug, Clone)]
struct Layer {
    conv: Conv,
    precision: ComputePrecision,
    is_scaled: bool,
    /// With ReLU, and no residual or other channels.
    is_pooled: bool,
    with_residual: bool,
    activation: Activation,
    /// Channels of the output before and behind those of the layer.
    others: [usize; 2],
}

/// Many weights and few positions: threads share the channels.
fn wide() -> impl Strategy<Value = Conv> {
    let channels = || (8..40usize).prop_map(|count| 16 * count);
    let kernel = proptest::sample::select(vec![1, 3]);
    (1..4usize, channels(), channels(), 1..4usize, kernel).prop_map(
        |(batch, inputs, outputs, side, kernel)| Conv {
            batch,
            inputs,
            outputs,
            size: [side, side],
            kernel,
            stride: 1,
            padding: kernel / 2,
            groups: 1,
        },
    )
}

fn layers() -> impl Strategy<Value = Layer> {
    let precision = proptest::sample::select(vec![ComputePrecision::F32, ComputePrecision::Bf16]);
    let conv = prop_oneof![5 => dense(), 2 => depthwise(), 1 => wide()];
    let activation = proptest::sample::select(vec![
        Activation::Identity,
        Activation::Relu,
        Activation::Silu,
    ]);
    let others = [0..20usize, 0..20usize];
    let choices = (any::<bool>(), 0..4usize);
    (conv, precision, activation, others, choices).prop_map(
        |(conv, precision, activation, others, (is_scaled, form))| {
            let conv = conv.at_most(WORK);
            let has_window = conv.output_size().into_iter().all(|side| side > 1);
            let is_pooled = form == 1 && has_window;
            Layer {
                conv,
                precision,
                is_scaled,
                is_pooled,
                with_residual: form == 2,
                activation: if is_pooled {
                    Activation::Relu
                } else {
                    activation
                },
                others: if form == 3 { others } else { [0; 2] },
            }
        },
    )
}

fn floats(count: usize, salt: u64) -> Vec<f32> {
    let values = numbers(count, salt).into_iter();
    values.map(|value| value as f32).collect()
}

/// What a layer takes, images channels last.
struct Values {
    input: Vec<f32>,
    weight: Vec<f32>,
    scale: Option<Vec<f32>>,
    bias: Vec<f32>,
    residual: Option<Vec<f32>>,
}

fn values(layer: &Layer) -> Values {
    let conv = &layer.conv;
    let count = |dims: [usize; 4]| dims.into_iter().product();
    Values {
        input: floats(count(conv.input()), 1),
        weight: floats(count(conv.weight()), 2),
        scale: layer.is_scaled.then(|| floats(conv.outputs, 3)),
        bias: floats(conv.outputs, 4),
        residual: layer.with_residual.then(|| floats(count(conv.output()), 5)),
    }
}

/// The layer's own channels of its output, by its definition.
fn expected(layer: &Layer, values: &Values, is_rounded: bool) -> Vec<f32> {
    let conv = &layer.conv;
    let ([height, width], [rows, columns]) = (conv.size, conv.output_size());
    let [_, inputs, kernel, _] = conv.weight();
    let round = |value: f32| {
        if is_rounded {
            bf16::from_f32(value).to_f64()
        } else {
            f64::from(value)
        }
    };
    let input: Vec<f64> = values.input.iter().map(|&value| round(value)).collect();
    // `[output][tap][input]`
    let mut weight = Vec::new();
    for (output, values_of) in values
        .weight
        .chunks_exact(inputs * kernel * kernel)
        .enumerate()
    {
        let scale = values.scale.as_ref().map_or(1.0, |scale| scale[output]);
        for tap in 0..kernel * kernel {
            let taps = (0..inputs).map(|input| values_of[input * kernel * kernel + tap]);
            weight.extend(taps.map(|value| round(value * scale)));
        }
    }
    let mut found = Vec::new();
    for (image, row, column) in positions(conv.batch, rows, columns) {
        for output in 0..conv.outputs {
            let first = output / (conv.outputs / conv.groups) * inputs;
            let mut sum = f64::from(values.bias[output]);
            for tap in 0..kernel * kernel {
                let y = (row * conv.stride + tap / kernel).checked_sub(conv.padding);
                let x = (column * conv.stride + tap % kernel).checked_sub(conv.padding);
                let (Some(y), Some(x)) = (y.filter(|&y| y < height), x.filter(|&x| x < width))
                else {
                    continue;
                };
                let place = ((image * height + y) * width + x) * conv.inputs + first;
                let weight = &weight[(output * kernel * kernel + tap) * inputs..][..inputs];
                let products = input[place..].iter().zip(weight);
                sum += products.map(|(value, weight)| value * weight).sum::<f64>();
            }
            if let Some(residual) = &values.residual {
                sum += f64::from(residual[found.len()]);
            }
            found.push(match layer.activation {
                Activation::Identity => sum,
                Activation::Relu => sum.max(0.0),
                _ => sum / (1.0 + (-sum).exp()),
            } as f32);
        }
    }
    if layer.is_pooled {
        return halved(&found, conv);
    }
    found
}

fn positions(
    batch: usize,
    rows: usize,
    columns: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..batch * rows * columns).map(move |index| {
        (
            index / (rows * columns),
            index / columns % rows,
            index % columns,
        )
    })
}

/// The largest of each window of 2x2.
fn halved(values: &[f32], conv: &Conv) -> Vec<f32> {
    let ([rows, columns], channels) = (conv.output_size(), conv.outputs);
    let mut found = Vec::new();
    for (image, row, column) in positions(conv.batch, rows / 2, columns / 2) {
        for channel in 0..channels {
            let at = |y: usize, x: usize| {
                let position = (image * rows + 2 * row + y) * columns + 2 * column + x;
                values[position * channels + channel]
            };
            found.push(at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1)));
        }
    }
    found
}

/// The layer's own channels, and how they were computed.
fn computed(layer: &Layer, values: &Values, team: &Team) -> (Vec<f32>, Algorithm) {
    /// What other channels have, before and after.
    const OTHER: f32 = 77.5;
    let conv = &layer.conv;
    let geometry = Geometry {
        batch: 1,
        inputs: conv.inputs,
        outputs: conv.outputs,
        height: conv.size[0],
        width: conv.size[1],
        kernel: conv.kernel,
        stride: conv.stride,
        padding: conv.padding,
        groups: conv.groups,
        precision: layer.precision,
    };
    let packed = PackedConv::new(
        geometry,
        &values.weight,
        values.scale.as_deref(),
        &values.bias,
        layer.activation,
    );
    let (packed, [rows, columns]) = if layer.is_pooled {
        let size = conv.output_size().map(|side| side / 2);
        (packed.pooled().expect("ReLU"), size)
    } else {
        (packed, conv.output_size())
    };
    let [before, behind] = layer.others;
    let channels = Channels {
        first: before,
        step: before + conv.outputs + behind,
    };
    let mut output = vec![OTHER; conv.batch * rows * columns * channels.step];
    let residual = values.residual.as_deref();
    packed.run(
        conv.batch,
        &values.input,
        residual,
        channels,
        &mut output,
        team,
    );
    let mut own = Vec::new();
    for position in output.chunks_exact(channels.step) {
        let (start, rest) = position.split_at(before);
        let (found, end) = rest.split_at(conv.outputs);
        assert!(start.iter().chain(end).all(|&value| value == OTHER));
        own.extend(found);
    }
    (own, packed.algorithm())
}

#[test]
fn layers_of_plans_are_sums_of_products_and_have_the_same_bits_on_any_number_of_threads() {
    let pools = [2, 3, 7].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        (pool.expect("threads"), Helpers::default())
    });
    for_each(500, layers(), |layer| {
        let values = values(&layer);
        let (found, algorithm) = computed(&layer, &values, &Team::alone());
        let expected = expected(&layer, &values, algorithm == Algorithm::Bf16);
        let apart = difference(&found, &expected);
        // Winograd's method rounds transformed values, of 8 bits.
        let bound = match algorithm {
            Algorithm::WinogradBf16 => 2e-2,
            _ => CLOSE,
        };
        prop_assert!(apart < bound, "{layer:?}: {apart}");
        let bits =
            |values: Vec<f32>| -> Vec<u32> { values.into_iter().map(f32::to_bits).collect() };
        let alone = bits(found);
        for (pool, helpers) in &pools {
            let team_of = |team: &Team| bits(computed(&layer, &values, team).0);
            let on_threads = pool.install(|| helpers.gather(usize::MAX, team_of));
            let threads = pool.current_num_threads();
            prop_assert!(alone == on_threads, "{layer:?} on {threads} threads");
        }
        Ok(())
    });
}
