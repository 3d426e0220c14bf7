//! Products in bfloat16: values are rounded to 8 bits of precision, their products are exact, and sums are made in 32 bits.
//!
//! AVX512-BF16 has an instruction for it, which takes two products at a time; elsewhere the same sums are made with other instructions, in
//! the same order and with the same bits, but without gain. (The instruction takes what is below 1.2e-38 for zero.)

mod dispatch;
mod lanes;
mod pairs;
mod products;
mod rounding;
mod rows;
mod tiles;

#[cfg(feature = "app")]
pub(super) use dispatch::chain;
pub(super) use dispatch::{add_products, convolve, join_rows, round_all, round_rows};
pub(super) use lanes::is_native;
pub(super) use pairs::{Pairs, PairsRef};
pub(super) use products::Products;
pub(super) use rounding::Pair;
pub(super) use rows::Rows;
pub(super) use tiles::Dots;
