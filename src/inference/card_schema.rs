//! The check of a model card's settings against the schema that configs have.

use serde_json::Value;

use crate::config::schema;
use crate::data::NormalizeConfig;
use crate::error::Problem;
use crate::models::ModelConfig;

/// Checks the settings in a card against the schema of their types. The error is one line without the file's name.
pub(super) fn against_schema(value: &Value) -> Result<(), String> {
    let part = |key: &str| value.get(key).cloned().unwrap_or_default();
    let model = schema::problems(&schema::of::<ModelConfig>(), &part("model"));
    let normalize = match part("normalize") {
        Value::Null => Vec::new(),
        found => schema::problems(&schema::of::<NormalizeConfig>(), &found),
    };
    let sections = [("model", model), ("normalize", normalize)];
    let mut problems = sections
        .into_iter()
        .flat_map(|(section, problems)| problems.into_iter().map(move |found| (section, found)));
    if let Some((section, Problem { path, message })) = problems.next() {
        let dot = if path.is_empty() { "" } else { "." };
        return Err(format!(
            "its `kiln` metadata: {section}{dot}{path}: {message}"
        ));
    }
    Ok(())
}
