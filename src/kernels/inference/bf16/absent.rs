//! In place of the convolutions in bfloat16: the reader in WebAssembly computes in 32 bits and does without their code.
#![allow(clippy::too_many_arguments)] // As there.

use std::ops::Range;

use crate::kernels::conv::Geometry;

pub type Pair = u32;

/// There are none.
pub enum Weights {}

pub fn is_native() -> bool {
    false
}

pub fn takes(_: &Geometry) -> bool {
    false
}

impl Weights {
    pub fn new(_: &Geometry, _: &[f32], _: Option<&[f32]>) -> Self {
        unreachable!("takes nothing")
    }

    pub fn rows(
        &self,
        _: &Geometry,
        _: &[f32],
        _: Range<usize>,
        _: usize,
        _: &[f32],
        _: &mut Vec<Pair>,
        _: usize,
        _: &mut [f32],
    ) {
        match *self {}
    }
}
