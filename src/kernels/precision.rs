//! In which precision products are made.

use std::cell::Cell;
use std::marker::PhantomData;

use super::bf16;

/// In which precision products are made; sums and everything else are in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComputePrecision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16: 8 bits of precision. Depthwise convolutions, and those of an odd number of channels with an odd stride, stay in 32 bits.
    Bf16,
}

thread_local! {
    static IN_USE: Cell<ComputePrecision> = const { Cell::new(ComputePrecision::F32) };
}

impl ComputePrecision {
    /// Whether the processor has instructions for bfloat16.
    pub fn bf16_is_native() -> bool {
        bf16::is_native()
    }

    /// The precision of the convolutions that this thread computes on flex, and of their gradients.
    pub fn in_use() -> Self {
        IN_USE.get()
    }

    /// Computes convolutions in this precision on this thread, and in the steps that it passes to [`in_pool`](super::in_pool), until the
    /// guard is dropped. Gradients are computed in the precision of their forward pass.
    #[must_use = "the precision is in use until the guard is dropped"]
    pub fn scoped(self) -> PrecisionGuard {
        PrecisionGuard {
            before: IN_USE.replace(self),
            on_this_thread: PhantomData,
        }
    }
}

/// Restores the precision that was in use before [`ComputePrecision::scoped`].
#[derive(Debug)]
pub struct PrecisionGuard {
    before: ComputePrecision,
    /// Not `Send`: the choice is the thread's.
    on_this_thread: PhantomData<*const ()>,
}

impl Drop for PrecisionGuard {
    fn drop(&mut self) {
        IN_USE.set(self.before);
    }
}
