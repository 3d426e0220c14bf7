//! The `init` section: weights to start from, and how their names become the network's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::models::parameters;

/// Initial weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InitConfig {
    /// A run directory, or a `.safetensors`, PyTorch `.pth` or `.onnx` file whose tensors have the network's names and shapes.
    /// Relative to `KILN_DATA`, or to the current directory if that is not set.
    pub weights: Option<String>,
    /// Patterns of parameter names that are initialised at random instead; `*` matches any characters, as in
    /// `["classifier.*"]`.
    #[schemars(length(max = 64))]
    pub except: Vec<String>,
    /// How names in the file become names of the network: a list of patterns, the first of which that matches a name applies, as
    /// in `[{"from": "fc1.*", "to": "0.*"}]`; or `"auto"`, by the order and shapes of the layers, if only one assignment is possible.
    #[serde(skip_serializing_if = "Rename::is_empty")]
    pub rename: Rename,
}

/// How names in a file become names of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Rename {
    /// Patterns in order; a name that none matches stays.
    Patterns(#[schemars(length(max = 1024))] Vec<RenamePattern>),
    /// By the order and shapes of the layers.
    Auto(Auto),
}

/// The one word that stands for a mapping by order and shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Auto {
    /// By the order and shapes of the layers.
    Auto,
}

/// A pattern of names in a file, and what these are called in the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenamePattern {
    /// A name in the file, in which `*` matches any characters.
    pub from: String,
    /// The name in the network; each `*` is what the same one in `from` matched.
    pub to: String,
}

impl Default for Rename {
    fn default() -> Self {
        Rename::Patterns(Vec::new())
    }
}

impl Rename {
    /// Whether names stay as they are.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The patterns, none for a mapping by order and shapes.
    pub fn patterns(&self) -> &[RenamePattern] {
        match self {
            Rename::Patterns(patterns) => patterns,
            Rename::Auto(Auto::Auto) => &[],
        }
    }

    /// What is wrong with the patterns; `path` is that of the key.
    pub fn problems(&self, path: &str) -> Vec<Problem> {
        let patterns = self.patterns().iter().enumerate();
        patterns
            .filter_map(|(index, pattern)| pattern.problem(&format!("{path}[{index}]")))
            .collect()
    }
}

impl RenamePattern {
    /// The name in the network of a name in the file; `None` if the pattern does not match it.
    pub fn apply(&self, name: &str) -> Option<String> {
        let captures = parameters::captures(&self.from, name)?;
        let mut parts = self.to.split('*');
        let mut renamed = parts.next().unwrap_or_default().to_string();
        for (part, capture) in parts.zip(captures) {
            renamed.push_str(capture);
            renamed.push_str(part);
        }
        Some(renamed)
    }

    fn problem(&self, path: &str) -> Option<Problem> {
        let stars = |text: &str| text.matches('*').count();
        let (from, to) = (stars(&self.from), stars(&self.to));
        if self.from.is_empty() || self.to.is_empty() {
            let key = if self.from.is_empty() { "from" } else { "to" };
            let message = "empty; set a name or a pattern such as \"fc1.*\"";
            return Some(Problem::new(format!("{path}.{key}"), message));
        }
        (to > from).then(|| {
            Problem::new(
                format!("{path}.to"),
                format!(
                    "{:?} has {to} `*`, but `from` {:?} has {from}; each stands for what the same one in `from` matched",
                    self.to, self.from
                ),
            )
        })
    }
}

impl std::fmt::Display for RenamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}
