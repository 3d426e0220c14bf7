//! Value parsers for enums of the library, which does not know clap.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::config::schema::Variant;
use crate::config::{Backend, LogTarget};
use crate::data::Split;
use crate::ocr::Case;
use crate::ocr::formats::{FORMATS, Format};

/// Parses `--backend`.
pub fn backend() -> impl TypedValueParser<Value = Backend> {
    one_of(Backend::ALL.map(|backend| {
        let help = match backend {
            Backend::Flex => "Burn's pure-Rust CPU backend, with kiln's kernels",
            Backend::Ndarray => "Burn's older CPU backend (needs `--features ndarray`)",
            Backend::Wgpu => "GPU through Vulkan, Metal or DirectX (needs `--features wgpu`)",
            Backend::Vulkan => "GPU through Vulkan alone (needs `--features vulkan`)",
            Backend::Cuda => "NVIDIA's GPUs through CUDA (needs `--features cuda`)",
        };
        (backend, backend.name(), help)
    }))
}

/// Parses the split of a data set.
pub fn split() -> impl TypedValueParser<Value = Split> {
    one_of(Split::ALL.map(|split| {
        let help = match split {
            Split::Train => "Samples that the model is trained on",
            Split::Valid => "Samples that select the best epoch",
            Split::Test => "Samples for the final evaluation",
        };
        (split, split.name(), help)
    }))
}

/// Parses the output format of `kiln ocr`.
pub fn format() -> impl TypedValueParser<Value = &'static Format> {
    one_of(FORMATS.map(|format| (format, format.name, format.description)))
}

/// The `--log` flags of a command as an override of the config; `None` without any.
pub fn log_override(targets: &[LogTarget]) -> Option<String> {
    // Targets are always JSON.
    let list = serde_json::to_string(targets).ok()?;
    (!targets.is_empty()).then(|| format!("training.log={list}"))
}

/// Parses `--case`.
pub fn case() -> impl TypedValueParser<Value = Case> {
    one_of(Case::ALL.map(|case| {
        let help = match case {
            Case::Keep => "As on the page",
            Case::Upper => "All letters as capitals",
        };
        (case, case.name(), help)
    }))
}

/// Parses the name of a variant of a config, and describes them in the help.
pub fn variants(variants: Vec<Variant>) -> PossibleValuesParser {
    PossibleValuesParser::new(variants.into_iter().map(|variant| {
        PossibleValue::new(variant.name).help(variant.description.trim_end_matches('.').to_string())
    }))
}

/// A parser of values that each have a name and a help text.
fn one_of<T, const N: usize>(
    choices: [(T, &'static str, &'static str); N],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let possible = choices.map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(possible).try_map(move |text| {
        let chosen = choices.iter().find(|(_, name, _)| *name == text);
        chosen
            .map(|(value, _, _)| *value)
            .ok_or_else(|| format!("unknown value {text}"))
    })
}
