//! What a network may grow to.

/// Largest network: 1 GiB of weights, four times that in training with Adam.
pub const MAX_MODEL_VALUES: usize = 1 << 28;

/// Largest image that a network is built for. Layers have thousands of channels; beyond this, the number of values in their
/// maps might not fit into `usize`. That is 2^40 values, or 2^20 in WebAssembly, whose `usize` has 32 bits.
pub const MAX_IMAGE_VALUES: usize = usize::MAX >> (usize::BITS / 8 * 3);
