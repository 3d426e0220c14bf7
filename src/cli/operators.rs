//! The flag that says whose operators compute.

use crate::kernels::{self, OperatorsGuard};

/// Whose operators compute.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Operators {
    /// kiln's kernels where the engine has them
    Kiln,
    /// Burn's alone
    Burn,
}

impl Operators {
    /// Computes with them on this thread until the guard is dropped.
    pub fn choose(self) -> OperatorsGuard {
        let operators = match self {
            Operators::Kiln => kernels::Operators::Kiln,
            Operators::Burn => kernels::Operators::Burn,
        };
        operators.scoped()
    }
}
