//! Weights that PyTorch's utilities keep in parts, of which a module computes the weights that are used.

use std::path::Path;

use super::fit::Fit;
use crate::weights::formats::foreign::beside;

/// How names of the parts end or what they contain, what made them, and the Python that puts the weights together in a `model`.
const UTILITIES: [(&[&str], &str, &str); 4] = [
    (
        &[".parametrizations."],
        "torch.nn.utils.parametrizations",
        "from torch.nn.utils import parametrize as p; \
         [p.remove_parametrizations(m, n) for m in list(model.modules()) if p.is_parametrized(m) for n in list(m.parametrizations)]",
    ),
    (
        &["_g", "_v"],
        "torch.nn.utils.weight_norm",
        "from torch.nn.utils import remove_weight_norm; \
         [remove_weight_norm(m) for m in model.modules() if hasattr(m, \"weight_g\")]",
    ),
    (
        &["_orig", "_mask"],
        "torch.nn.utils.prune",
        "from torch.nn.utils import prune; \
         [prune.remove(m, n[:-5]) for m in model.modules() for n in list(m._parameters) if n.endswith(\"_orig\")]",
    ),
    (
        &["_orig", "_u"],
        "torch.nn.utils.spectral_norm",
        "from torch.nn.utils import remove_spectral_norm; \
         [remove_spectral_norm(m) for m in model.modules() if hasattr(m, \"weight_orig\")]",
    ),
];

/// What to do if names that the network lacks are parts of weights, and the weights are missing.
pub fn advice(fit: &Fit, path: &Path) -> Option<String> {
    if fit.missing.is_empty() {
        return None;
    }
    let has = |part: &str| {
        let mut names = fit.unknown.iter().map(|(name, _)| name);
        names.any(|name| {
            if part.starts_with('.') {
                name.contains(part)
            } else {
                name.ends_with(&format!("weight{part}"))
            }
        })
    };
    let mut all = UTILITIES.iter();
    let (_, made_by, python) = all.find(|(parts, _, _)| parts.iter().all(|part| has(part)))?;
    Some(format!(
        "its weights are in parts, as {made_by} keeps them; put them together in Python, with the model: import torch; {python}; \
         torch.save(model.state_dict(), {})",
        beside(path, "pt")
    ))
}
