//! The flag `--operators`.

use crate::kernels;

/// The operators to compute with.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Operators {
    /// kiln's kernels where the backend has them
    Kiln,
    /// Burn's only
    Burn,
}

impl Operators {
    /// Uses them from now on.
    pub fn choose(self) {
        if self == Operators::Burn {
            kernels::use_burns_operators();
        }
    }
}
