//! Whose operators compute on flex: kiln's kernels or Burn's own; and in which precision the kernels multiply.

use std::cell::Cell;
use std::marker::PhantomData;

use burn::tensor::Device;

use super::bf16;

/// Whose operators networks and optimizers compute with on flex. Other backends always compute with Burn's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operators {
    /// kiln's kernels.
    #[default]
    Kiln,
    /// Burn's own operators, to compare.
    Burn,
}

thread_local! {
    static IN_USE: Cell<Operators> = const { Cell::new(Operators::Kiln) };
}

impl Operators {
    /// The operators of this thread.
    pub fn in_use() -> Self {
        IN_USE.get()
    }

    /// Computes with these operators on this thread, and in the steps that it passes to [`in_pool`](super::in_pool), until the
    /// guard is dropped.
    #[must_use = "the operators are in use until the guard is dropped"]
    pub fn scoped(self) -> OperatorsGuard {
        OperatorsGuard {
            before: IN_USE.replace(self),
            on_this_thread: PhantomData,
        }
    }
}

/// Restores the operators that were in use before [`Operators::scoped`].
#[derive(Debug)]
pub struct OperatorsGuard {
    before: Operators,
    /// Not `Send`: the choice is the thread's.
    on_this_thread: PhantomData<*const ()>,
}

impl Drop for OperatorsGuard {
    fn drop(&mut self) {
        IN_USE.set(self.before);
    }
}

/// Whether operations on this device run on kiln's kernels.
pub fn supported(device: &Device) -> bool {
    device.clone().inner() == Device::flex() && Operators::in_use() == Operators::Kiln
}

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
    static PRECISION: Cell<ComputePrecision> = const { Cell::new(ComputePrecision::F32) };
}

impl ComputePrecision {
    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ComputePrecision::F32 => "f32",
            ComputePrecision::Bf16 => "bf16",
        }
    }

    /// Whether the processor has instructions for bfloat16.
    pub fn bf16_is_native() -> bool {
        bf16::is_native()
    }

    /// The precision of the convolutions that this thread computes on flex, and of their gradients.
    pub fn in_use() -> Self {
        PRECISION.get()
    }

    /// Computes convolutions in this precision on this thread, and in the steps that it passes to [`in_pool`](super::in_pool), until the
    /// guard is dropped. Gradients are computed in the precision of their forward pass.
    #[must_use = "the precision is in use until the guard is dropped"]
    pub fn scoped(self) -> PrecisionGuard {
        PrecisionGuard {
            before: PRECISION.replace(self),
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
        PRECISION.set(self.before);
    }
}
