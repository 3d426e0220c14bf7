//! The flag `--precision`.

use super::failure::{Failure, UsageError};
use super::terminal::output;
use crate::inference::Classifier;
use crate::inference::plan::ComputePrecision;

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
    pub fn of(self, classifier: Classifier) -> Result<Classifier, Failure> {
        if self == Precision::F32 {
            return Ok(classifier);
        }
        let classifier = classifier.with_precision(self.compute());
        if !classifier.has_plan() {
            let problem = "--precision bf16: this network is computed in 32 bits here (bf16 is for the backend flex, and for networks without \
                           attention); remove this option";
            return Err(UsageError(problem.into()).into());
        }
        if !ComputePrecision::bf16_is_native() {
            output::note(
                "--precision bf16: this processor has no AVX512-BF16; f32 is faster here, with the same answers but for rounding",
            );
        }
        Ok(classifier)
    }
}
