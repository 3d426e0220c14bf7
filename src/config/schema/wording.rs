//! Wording of schema violations.

use serde_json::Value;

/// A name this similar (Jaro-Winkler, 0 to 1) is suggested.
const MIN_SIMILARITY: f64 = 0.75;

/// Maximum number of characters of a value that are quoted.
const MAX_VALUE_CHARS: usize = 60;

/// Maximum number of allowed names that are listed beside a suggestion.
const MAX_NAMES: usize = 24;

/// What other programs call the things that a config names, without case, underscores and `2d`.
const OTHER_NAMES: [(&str, &str); 11] = [
    ("dense", "linear"),
    ("fc", "linear"),
    ("fullyconnected", "linear"),
    ("gemm", "linear"),
    ("convolution", "conv"),
    ("bn", "batch_norm"),
    ("swish", "silu"),
    ("gap", "global_avg_pool"),
    ("concat", "branches"),
    ("skip", "residual"),
    ("se", "squeeze_excite"),
];

/// Layers that lists of other programs have and that kiln's do without, named as in [`OTHER_NAMES`].
const NOT_NEEDED: [(&str, &str); 3] = [
    ("softmax", SOFTMAX_ADVICE),
    ("logsoftmax", SOFTMAX_ADVICE),
    ("identity", "remove it: it changes nothing"),
];

const SOFTMAX_ADVICE: &str =
    "remove it: the loss and the predictions apply softmax to the last layer's output";

/// A value as it is quoted to the user.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(items) => format!("an array of {}", items.len()),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(MAX_VALUE_CHARS) {
                Some((end, _)) => format!("{}...", &text[..end]),
                None => text,
            }
        }
    }
}

/// Values with commas between them.
pub(super) fn list(values: &[Value]) -> String {
    let names: Vec<String> = values.iter().map(Value::to_string).collect();
    names.join(", ")
}

/// The message for a value that is not allowed.
pub(super) fn not_one_of(value: &Value, allowed: &[Value]) -> String {
    let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    let meant = value.as_str().and_then(|found| nearest(&names, found));
    let unneeded = value.as_str().and_then(|found| not_needed(&names, found));
    let found = shown(value);
    if let Some(advice) = unneeded {
        return format!("found {found}; {advice}");
    }
    match (meant, allowed) {
        (None, [only]) => format!("found {found}; must be {only}"),
        (None, _) => format!("found {found}; must be one of {}", list(allowed)),
        (Some(name), _) if allowed.len() > MAX_NAMES => {
            format!("found {found}; did you mean {name:?}?")
        }
        (Some(name), _) => {
            let list = list(allowed);
            format!("found {found}; must be one of {list}; did you mean {name:?}?")
        }
    }
}

/// The message for a text where one of a few names, or a value of one of `types`, is expected.
pub(super) fn neither(value: &Value, names: &[Value], types: &[&str]) -> String {
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    let quoted = names.iter().map(|name| format!("{name:?}"));
    let mut wanted: Vec<String> = quoted
        .chain(types.iter().map(|name| (*name).into()))
        .collect();
    let last = wanted.pop().unwrap_or_default();
    let found = shown(value);
    let message = format!("found {found}; must be {} or {last}", wanted.join(", "));
    match value.as_str().and_then(|text| nearest(&names, text)) {
        Some(name) => format!("{message}; did you mean {name:?}?"),
        None => message,
    }
}

/// The message for a key that does not exist.
pub(super) fn unknown_key(known: &[&str], key: &str) -> String {
    match nearest(known, key) {
        Some(name) => format!(
            "unknown key; did you mean `{name}`? (known: {})",
            known.join(", ")
        ),
        None => format!("unknown key; valid keys: {}", known.join(", ")),
    }
}

/// What to do about a layer that kiln doesn't need; `known` tells whether layers are meant.
fn not_needed(known: &[&str], found: &str) -> Option<&'static str> {
    let plain = plain(found);
    let (_, advice) = NOT_NEEDED.into_iter().find(|(name, _)| *name == plain)?;
    known.contains(&"linear").then_some(advice)
}

/// The known name that is most similar to `found`, if any is similar.
fn nearest<'n>(known: &[&'n str], found: &str) -> Option<&'n str> {
    let plain_found = plain(found);
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == plain_found);
    if let Some((_, other)) = other
        && let Some(name) = known.iter().find(|name| *name == other)
    {
        return Some(name);
    }
    let similarity = |name: &str| {
        if is_swapped(name, found) || plain(name) == plain_found {
            1.0
        } else {
            strsim::jaro_winkler(name, found)
        }
    };
    known
        .iter()
        .map(|name| (similarity(name), *name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// A name without what programs disagree on: case, underscores, and `2d` at the end.
fn plain(name: &str) -> String {
    let mut plain = name.to_lowercase();
    plain.retain(|c| c != '_' && c != '-');
    plain.strip_suffix("2d").unwrap_or(&plain).to_owned()
}

/// Whether two neighbouring letters have changed places (`mpl` for `mlp`), which counts as dissimilar in names of three letters.
fn is_swapped(name: &str, found: &str) -> bool {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    strsim::osa_distance(name, found) == 1 && letters(name) == letters(found)
}

/// `1 value` or `3 values`.
pub(in crate::config) fn values(count: u64) -> String {
    match count {
        1 => "1 value".into(),
        count => format!("{count} values"),
    }
}

/// The name of a JSON type as users know it.
pub(super) fn name_of_type(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array [ ]",
        "object" => "an object { }",
        other => other,
    }
}
