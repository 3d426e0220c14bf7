//! Why a config is refused.

use std::path::{Path, PathBuf};

use crate::error::{ErrorExit, ExitKind, FileError, Problem, counted, printable};

/// Why a config was refused; the text has one line per problem. The exit code is always that of wrong usage.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read, or is not JSON.
    #[error(transparent)]
    File(#[from] FileError),
    /// A `--set` that can't be applied.
    #[error("--set {}: {}", shortened(assignment), shortened(message))]
    Override {
        /// The assignment as typed.
        assignment: String,
        /// What is wrong with it.
        message: String,
    },
    /// The content is not a valid experiment.
    #[error("{}", describe(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All problems: those of the schema, or else contradictions between keys.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// One problem of a file.
    pub fn of(file: &Path, problem: Problem) -> Self {
        Self::Invalid {
            path: file.to_path_buf(),
            problems: vec![problem],
        }
    }
}

impl ErrorExit for ConfigError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}

/// Maximum number of characters of an assignment that are shown.
const MAX_ASSIGNMENT_CHARS: usize = 600;

/// One line of limited length with the control characters shown.
fn shortened(text: &str) -> String {
    let short = printable(text.chars().take(MAX_ASSIGNMENT_CHARS).collect::<String>());
    match text.chars().nth(MAX_ASSIGNMENT_CHARS) {
        Some(_) => short + "...",
        None => short,
    }
}

/// Maximum number of problems that are listed.
const MAX_LISTED: usize = 50;

/// Maximum number of characters of a dotted path that are shown.
const MAX_PATH_CHARS: usize = 200;

/// One line per problem, each with the file's path.
fn describe(file: &Path, problems: &[Problem]) -> String {
    let file = printable(file.display());
    let mut lines: Vec<String> = problems
        .iter()
        .take(MAX_LISTED)
        .map(|problem| {
            if problem.path.is_empty() {
                return format!("{file}: {}", printable(&problem.message));
            }
            // A key may hold a line break; the message must not.
            let key: String = problem.path.chars().take(MAX_PATH_CHARS).collect();
            format!(
                "{file}: {}: {}",
                key.escape_debug(),
                printable(&problem.message)
            )
        })
        .collect();
    let more = problems.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        let more = counted(more, "more problem", "more problems");
        lines.push(format!("{file}: and {more}"));
    }
    lines.join("\n")
}
