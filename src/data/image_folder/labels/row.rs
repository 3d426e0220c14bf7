//! A file of labels as rows.

/// One image of a file of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line, from 1.
    pub line: u64,
    /// The file, as it is written there.
    pub file: String,
    /// Its class; `None` if there is nothing.
    pub label: Option<String>,
    /// Its split; `None` if there is nothing, or no such column.
    pub split: Option<String>,
}

/// A file of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its rows; at least one.
    pub rows: Vec<Row>,
    /// Whether it has splits.
    pub has_splits: bool,
    /// What its columns were taken for, unless they are called `file`, `label` and `split`.
    pub note: Option<String>,
}

/// A text without white space around it; `None` if nothing is left.
pub(super) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
