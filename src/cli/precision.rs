//! The flag `--precision`.

use super::terminal::output;
use crate::inference::plan::ComputePrecision;
use crate::inference::{Classifier, ModelError};

/// In which precision a model answers.
#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
pub enum Precision {
    /// 32 bits
    #[default]
    F32,
    /// Products of bfloat16 values, sums in 32 bits: faster on processors with AVX512-BF16, slower on others
    Bf16,
}

impl Precision {
    /// What a plan computes in.
    pub fn compute(self) -> ComputePrecision {
        match self {
            Precision::F32 => ComputePrecision::F32,
            Precision::Bf16 => ComputePrecision::Bf16,
        }
    }

    /// The classifier in this precision. It is an error where bfloat16 would have no effect.
    pub fn of(self, classifier: Classifier) -> Result<Classifier, ModelError> {
        if self == Precision::Bf16 && !ComputePrecision::bf16_is_native() {
            output::note(
                "--precision bf16: this processor has no AVX512-BF16; f32 is faster here, with the same answers but for rounding",
            );
        }
        classifier.with_precision(self.compute())
    }
}
