//! Whose operators compute on flex: kiln's kernels or Burn's own; and in which precision the kernels multiply.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::thread::LocalKey;

use burn::tensor::Device;

use super::bf16;

/// A setting of this thread, until it is dropped; then the one before is restored.
#[derive(Debug)]
pub struct Scoped<T: 'static> {
    setting: &'static LocalKey<RefCell<T>>,
    before: Option<T>,
    /// Not `Send`: the setting is the thread's.
    on_this_thread: PhantomData<*const ()>,
}

impl<T> Scoped<T> {
    pub(super) fn new(setting: &'static LocalKey<RefCell<T>>, value: T) -> Self {
        Self {
            setting,
            before: Some(setting.replace(value)),
            on_this_thread: PhantomData,
        }
    }
}

impl<T> Drop for Scoped<T> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            self.setting.set(before);
        }
    }
}

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
    static IN_USE: RefCell<Operators> = const { RefCell::new(Operators::Kiln) };
}

impl Operators {
    /// The operators of this thread.
    pub fn in_use() -> Self {
        IN_USE.with_borrow(|operators| *operators)
    }

    /// Computes with these operators on this thread, and in the steps that it passes to [`in_pool`](super::in_pool), until the
    /// guard is dropped.
    #[must_use = "the operators are in use until the guard is dropped"]
    pub fn scoped(self) -> Scoped<Self> {
        Scoped::new(&IN_USE, self)
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
    static PRECISION: RefCell<ComputePrecision> = const { RefCell::new(ComputePrecision::F32) };
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
        PRECISION.with_borrow(|precision| *precision)
    }

    /// Computes convolutions in this precision on this thread, and in the steps that it passes to [`in_pool`](super::in_pool), until the
    /// guard is dropped. Gradients are computed in the precision of their forward pass.
    #[must_use = "the precision is in use until the guard is dropped"]
    pub fn scoped(self) -> Scoped<Self> {
        Scoped::new(&PRECISION, self)
    }
}
