//! Properties of many random cases: the same ones at every run, and smaller ones where one fails.
#![allow(dead_code)] // No test uses all of it.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Fails unless `check` holds for `usual` cases, or as many as `KILN_SHAPES` says.
pub fn for_each<S: Strategy<Value: Debug>>(
    usual: u32,
    cases: S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let count = std::env::var("KILN_SHAPES").ok().map(|count| {
        let count = count.parse::<u32>();
        count.expect("KILN_SHAPES is a number of cases")
    });
    let config = Config {
        cases: count.unwrap_or(usual),
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        max_local_rejects: u32::MAX,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&cases, check) {
        panic!("{error}");
    }
}

/// A convolution.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub size: [usize; 2],
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
}

impl Conv {
    /// Rows and columns of the output.
    pub fn output_size(&self) -> [usize; 2] {
        self.size
            .map(|side| (side + 2 * self.padding - self.kernel) / self.stride + 1)
    }

    /// `[batch, channels, rows, columns]`
    pub fn input(&self) -> [usize; 4] {
        let [height, width] = self.size;
        [self.batch, self.inputs, height, width]
    }

    /// `[outputs, inputs / groups, kernel, kernel]`
    pub fn weight(&self) -> [usize; 4] {
        let inputs = self.inputs / self.groups;
        [self.outputs, inputs, self.kernel, self.kernel]
    }

    /// `[batch, channels, rows, columns]`
    pub fn output(&self) -> [usize; 4] {
        let [rows, columns] = self.output_size();
        [self.batch, self.outputs, rows, columns]
    }

    pub fn multiply_adds(&self) -> usize {
        let [_, inputs, ..] = self.weight();
        self.output().into_iter().product::<usize>() * inputs * self.kernel * self.kernel
    }

    /// The same on images no smaller than the kernel, and with fewer images and positions if it had more than so many multiply-adds.
    pub fn at_most(mut self, multiply_adds: usize) -> Self {
        let least = self.kernel.saturating_sub(2 * self.padding).max(1);
        self.size = self.size.map(|side| side.max(least));
        while self.multiply_adds() > multiply_adds {
            let before = (self.batch, self.size);
            if self.batch > 2 {
                self.batch /= 2;
            } else {
                self.size = self.size.map(|side| (side / 2).max(least));
            }
            if before == (self.batch, self.size) {
                break;
            }
        }
        self
    }
}

/// Numbers of channels: few, those around whole registers, and many.
pub fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 1..10usize,
        3 => proptest::sample::select(vec![15, 16, 17, 31, 32, 33]),
        2 => proptest::sample::select(vec![48, 64, 80]),
    ]
}

/// Dense convolutions: of any kernel, stride and padding, 1x1, and those that Winograd's algorithm computes.
pub fn dense() -> impl Strategy<Value = Conv> {
    let size = || [1..16usize, 1..16usize];
    let any = (
        1..5usize,
        channels(),
        channels(),
        size(),
        1..6usize,
        1..4usize,
    )
        .prop_flat_map(|(batch, inputs, outputs, size, kernel, stride)| {
            (0..kernel).prop_map(move |padding| Conv {
                batch,
                inputs,
                outputs,
                size,
                kernel,
                stride,
                padding,
                groups: 1,
            })
        });
    let pixelwise = (1..6usize, channels(), channels(), size());
    let pixelwise = pixelwise.prop_map(|(batch, inputs, outputs, size)| Conv {
        batch,
        inputs,
        outputs,
        size,
        kernel: 1,
        stride: 1,
        padding: 0,
        groups: 1,
    });
    let many = || proptest::sample::select(vec![32, 48, 64, 80]);
    let winograd = (1..6usize, many(), many(), size());
    let winograd = winograd.prop_map(|(batch, inputs, outputs, size)| Conv {
        batch,
        inputs,
        outputs,
        size,
        kernel: 3,
        stride: 1,
        padding: 1,
        groups: 1,
    });
    prop_oneof![4 => any, 2 => pixelwise, 2 => winograd]
}

/// Convolutions with a kernel for each channel.
pub fn depthwise() -> impl Strategy<Value = Conv> {
    dense().prop_map(|conv| Conv {
        outputs: conv.inputs,
        groups: conv.inputs,
        ..conv
    })
}

/// Convolutions in several groups of several channels.
pub fn grouped() -> impl Strategy<Value = Conv> {
    (dense(), 2..5usize).prop_map(|(conv, groups)| {
        let few = |channels: usize| channels.div_ceil(groups).min(20) * groups;
        Conv {
            inputs: few(conv.inputs),
            outputs: few(conv.outputs),
            groups,
            ..conv
        }
    })
}

/// Any of them.
pub fn convolution() -> impl Strategy<Value = Conv> {
    prop_oneof![4 => dense(), 2 => depthwise(), 1 => grouped()]
}
