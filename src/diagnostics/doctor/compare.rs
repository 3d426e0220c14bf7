//! Compares a layer on one device with Burn's operators on flex, forward and backward, on synthetic inputs.

use std::panic::AssertUnwindSafe;

use burn::prelude::*;
use serde::Serialize;

use crate::panics::catch_panic;
use crate::rng;

/// Largest difference that passes, relative to the largest value of the tensor. Sums of up to 4,608 products in 32-bit floats
/// in another order stay below 1e-5; a GPU's own square roots and exponentials add to that; a wrong layer is off by 1e-2
/// or more.
pub const TOLERANCE: f64 = 1e-4;

/// Gradients smaller than this fraction of the layer's largest are compared with that fraction instead of their own size: the
/// gradient of a bias in front of a batch norm is nothing but rounding.
const FLOOR: f64 = 1e-2;

/// Mixed into the seeds of the synthetic inputs.
const INPUTS: u64 = 0x646f_6374_6f72; // "doctor"

/// Computes a layer from its inputs, the image first.
pub type Compute = fn(&[Tensor<4>]) -> Tensor<4>;

/// A layer as a function, so that a test can compare a wrong one.
#[derive(Clone)]
pub struct Layer {
    /// Its name in a few words.
    pub name: &'static str,
    /// Shapes of the inputs: images `[batch, channels, height, width]` and then weights; `[1, n, 1, 1]` is a vector.
    pub inputs: Vec<[usize; 4]>,
    /// With Burn's operators.
    pub burn: Compute,
    /// With kiln's kernels, which flex has, if there is one.
    pub kernel: Option<Compute>,
}

/// The difference between two computations of a layer, relative to the largest value; infinite if a value is NaN or missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Of the output.
    pub forward: f64,
    /// The largest of the gradients of all inputs.
    pub backward: f64,
}

impl Difference {
    /// Whether it is within [`TOLERANCE`].
    pub fn passes(&self) -> bool {
        self.forward <= TOLERANCE && self.backward <= TOLERANCE
    }
}

/// The output of a layer and its gradients.
struct Measured {
    output: Vec<f32>,
    gradients: Vec<Vec<f32>>,
}

/// Compares `subject` on `device` with the layer's Burn operators on flex.
///
/// # Errors
/// The device fails; the error is its message.
pub fn compare(layer: &Layer, subject: Compute, device: &Device) -> Result<Difference, String> {
    let expected = measure(layer, layer.burn, &Device::flex())?;
    let found = measure(layer, subject, device)?;
    let largest = expected.gradients.iter().map(|gradient| largest(gradient));
    let floor = FLOOR * largest.fold(0.0, f64::max);
    let pairs = found.gradients.iter().zip(&expected.gradients);
    let backward = pairs.map(|(found, expected)| apart(found, expected, floor));
    Ok(Difference {
        forward: apart(&found.output, &expected.output, 0.0),
        backward: backward.fold(0.0, f64::max),
    })
}

fn measure(layer: &Layer, compute: Compute, device: &Device) -> Result<Measured, String> {
    // Some engines panic where others return errors.
    let measured = catch_panic(AssertUnwindSafe(|| {
        let device = device.clone().autodiff();
        let inputs: Vec<Tensor<4>> = (1..)
            .zip(&layer.inputs)
            .map(|(place, shape)| made_up(*shape, place, &device).require_grad())
            .collect();
        let output = compute(&inputs);
        // Every output has another weight in the loss.
        let loss = (output.clone() * made_up(output.dims(), 0, &device)).sum();
        let gradients = loss.backward();
        let values = |tensor: Tensor<4>| {
            let data = tensor.try_into_data().map_err(|error| error.to_string())?;
            Ok(data.iter::<f32>().collect())
        };
        let gradients: Result<_, String> = inputs
            .iter()
            .map(|input| input.grad(&gradients).map_or(Ok(Vec::new()), values))
            .collect();
        Ok(Measured {
            output: values(output)?,
            gradients: gradients?,
        })
    }));
    measured.unwrap_or_else(|| Err("the backend panicked".into()))
}

/// Pseudo-random values between -1 and 1.
fn made_up(shape: [usize; 4], place: u64, device: &Device) -> Tensor<4> {
    let mut rng = rng::seeded(&[INPUTS, place]);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| 2.0 * rng::uniform(&mut rng) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn largest(values: &[f32]) -> f64 {
    values
        .iter()
        .fold(0.0, |most, value| f64::max(most, f64::from(value.abs())))
}

/// The largest difference, relative to the largest expected value or `floor`.
fn apart(found: &[f32], expected: &[f32], floor: f64) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = largest(expected).max(floor);
    let pairs = found.iter().zip(expected);
    let most = pairs.fold(0.0, |most: f64, (found, expected)| {
        let off = f64::from(found - expected).abs();
        // NaN counts as infinitely far apart.
        if off.is_finite() {
            most.max(off)
        } else {
            f64::INFINITY
        }
    });
    if scale > 0.0 {
        most / scale
    } else if most == 0.0 {
        0.0
    } else {
        f64::INFINITY
    }
}
