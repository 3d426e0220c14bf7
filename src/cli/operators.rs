//! The flag that says whose operators compute.

use crate::kernels;

/// Whose operators compute.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Operators {
    /// kiln's kernels where the engine has them
    Kiln,
    /// Burn's alone
    Burn,
}

impl Operators {
    /// Computes with them from now on.
    pub fn choose(self) {
        if self == Operators::Burn {
            kernels::use_burns_operators();
        }
    }
}
