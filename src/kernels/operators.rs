//! Whose operators compute on flex: kiln's kernels or Burn's own.

use std::cell::Cell;
use std::marker::PhantomData;

use burn::tensor::Device;

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
