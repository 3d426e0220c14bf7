//! The flag `--operators`.

use crate::kernels::{self, Scoped};

/// The operators to compute with.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Operators {
    /// kiln's kernels where the backend has them
    Kiln,
    /// Burn's only
    Burn,
}

impl Operators {
    /// Uses them on this thread until the guard is dropped.
    pub fn choose(self) -> Scoped<kernels::Operators> {
        let operators = match self {
            Operators::Kiln => kernels::Operators::Kiln,
            Operators::Burn => kernels::Operators::Burn,
        };
        operators.scoped()
    }
}
