//! What every error of the library is made of: a problem of a file or a key, and the exit code of the program.
//!
//! Every error of the library implements [`ErrorExit`]: it says itself whether it is wrong usage or a failure.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How the program exits when an error ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitKind {
    /// Wrong usage or config: exit code 2.
    Usage,
    /// Something went wrong: exit code 1.
    Failure,
    /// The user, or whoever ends the process, stopped it: 128 and the number of the signal.
    Cancelled,
}

/// An error that knows how the program exits.
pub trait ErrorExit: std::error::Error + Send + Sync + 'static {
    /// The exit that fits this error; a failure unless it says otherwise.
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Failure
    }
}

/// Whether a file can't be read because its name is wrong: there is none, or it is a folder, or there is a file where the name
/// has a folder.
pub fn is_wrong_name(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory
    )
}

/// What is wrong with a file or folder that can't be made.
const NOT_WRITTEN: &str = "cannot be written";
const NOT_CREATED: &str = "cannot be created";

/// Why a path has no folder to be in.
enum NoFolder<'a> {
    /// There is none.
    Missing(&'a Path),
    /// It is a file, or lies in one.
    File(&'a Path),
}

impl<'a> NoFolder<'a> {
    /// `None` if there is a folder for the path.
    fn of(path: &'a Path) -> Option<Self> {
        let folder = path.parent()?;
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return None;
        }
        let existing = folder.ancestors().find(|ancestor| ancestor.exists());
        Some(match existing.filter(|existing| !existing.is_dir()) {
            Some(file) => Self::File(file),
            None => Self::Missing(folder),
        })
    }

    /// What is wrong, and what to do.
    fn in_words(&self) -> (String, &'static str) {
        match self {
            Self::Missing(folder) => {
                let problem = format!("there is no folder {}", folder.display());
                (problem, "create it first, or choose another path")
            }
            Self::File(file) => {
                let problem = format!("{} is a file, not a folder", file.display());
                (problem, "choose another path")
            }
        }
    }
}

/// One file or folder, what is wrong with it, and what to do about it: `PATH: PROBLEM; ADVICE` in one line.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    problem: String,
    advice: Option<Cow<'static, str>>,
    kind: ExitKind,
    source: Option<std::io::Error>,
}

impl FileError {
    /// A file that is not what it should be. The problem may repeat what the file holds; it becomes one line.
    pub fn new(path: impl AsRef<Path>, problem: impl std::fmt::Display) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            problem: one_line(problem),
            advice: None,
            kind: ExitKind::Failure,
            source: None,
        }
    }

    /// A file that cannot be opened or read; the operating system's error says why.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::new(path, "").because(source)
    }

    /// A file that the user named and that cannot be read: wrong usage if there is none or if it is a folder, else a failure.
    pub fn named(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let (kind, is_wrong_name) = (source.kind(), is_wrong_name(&source));
        let error = match kind {
            ErrorKind::NotFound => Self::new(path, "not found"),
            ErrorKind::IsADirectory => Self::io(path, source).advise("use a file"),
            _ => Self::io(path, source),
        };
        if is_wrong_name { error.usage() } else { error }
    }

    /// A file that cannot be written.
    pub fn write(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::output(path.as_ref(), NOT_WRITTEN, source)
    }

    /// A file or folder that cannot be created.
    pub fn create(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::output(path.as_ref(), NOT_CREATED, source)
    }

    /// What can't be made: for want of its folder, or as the operating system's error says.
    fn output(path: &Path, problem: &str, source: std::io::Error) -> Self {
        let is_no_folder = matches!(
            source.kind(),
            ErrorKind::NotFound | ErrorKind::NotADirectory
        );
        match NoFolder::of(path).filter(|_| is_no_folder) {
            Some(no_folder) => Self::without_folder(path, problem, &no_folder),
            None => Self::new(path, problem).because(source),
        }
    }

    fn without_folder(path: &Path, problem: &str, no_folder: &NoFolder) -> Self {
        let (why, advice) = no_folder.in_words();
        Self::new(path, format!("{problem}: {why}")).advise(advice)
    }

    /// Refuses a file to be written whose folder does not exist, which is wrong usage.
    pub fn require_folder(path: &Path) -> Result<(), Self> {
        Self::require(path, NOT_WRITTEN)
    }

    /// Refuses a folder to be created in one that does not exist, which is wrong usage.
    pub fn require_parent(path: &Path) -> Result<(), Self> {
        Self::require(path, NOT_CREATED)
    }

    fn require(path: &Path, problem: &str) -> Result<(), Self> {
        match NoFolder::of(path) {
            None => Ok(()),
            Some(no_folder) => Err(Self::without_folder(path, problem, &no_folder).usage()),
        }
    }

    /// Adds the error of the operating system.
    pub fn because(self, source: std::io::Error) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// Adds what the user can do about it.
    pub fn advise(self, advice: impl Into<Cow<'static, str>>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    /// The same error under another name, for a file that the user knows by that one.
    pub fn rename(self, path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            ..self
        }
    }

    /// The same error of a file in the folder `from`, which has a temporary name, under the name that it is to have in `to`.
    pub fn moved(self, from: &Path, to: &Path) -> Self {
        match self.path.strip_prefix(from) {
            Ok(inside) if inside.as_os_str().is_empty() => self.rename(to),
            Ok(inside) => {
                let path = to.join(inside);
                self.rename(path)
            }
            Err(_) => self,
        }
    }

    /// The user named the wrong file: exit code 2.
    pub fn usage(self) -> Self {
        Self {
            kind: ExitKind::Usage,
            ..self
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with the file, without its path and the advice, but with the error of the operating system.
    pub fn reason(&self) -> String {
        match (&self.source, self.problem.as_str()) {
            (Some(source), "") => io_problem(source),
            (Some(source), problem) => format!("{problem}: {}", io_problem(source)),
            (None, problem) => problem.to_owned(),
        }
    }

    /// What is wrong with the file, without its path, the advice and the error of the operating system.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = printable(self.path.display());
        write!(f, "{path}: {}", self.reason())?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FileError {}

impl ErrorExit for FileError {
    fn exit_kind(&self) -> ExitKind {
        self.kind
    }
}

/// One thing that is wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key (`training.epochs`), empty for the whole file.
    pub path: String,
    /// What was found and what is allowed.
    pub message: String,
}

impl Problem {
    /// A problem at a dotted path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// An error of the operating system in words, without its number: `not found`, `permission denied`.
pub fn io_problem(error: &std::io::Error) -> String {
    if error.raw_os_error().is_none() && error.get_ref().is_some() {
        // The text of whoever made it.
        return without_os_number(&error.to_string());
    }
    match error.kind() {
        ErrorKind::NotFound => "not found".into(),
        ErrorKind::IsADirectory => "is a folder".into(),
        ErrorKind::NotADirectory => "a part of this path is a file, not a folder".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        _ => without_os_number(&error.to_string()),
    }
}

/// A message without the numbers of the operating system's errors, such as ` (os error 11)`, that other crates put into theirs.
pub fn without_os_number(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        text.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    text
}

/// A number of things: `1 class`, `2 classes`.
pub fn counted(count: usize, one: &str, several: &str) -> String {
    let what = if count == 1 { one } else { several };
    format!("{count} {what}")
}

/// A text for a listing: a name of a file may hold line breaks and codes that a terminal obeys, which become `\n` and `\u{1b}`.
pub fn printable(text: impl std::fmt::Display) -> String {
    let mut shown = String::new();
    for letter in text.to_string().chars() {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A text of several lines for a terminal: what [`printable`] does to each of them.
pub fn printable_lines(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line.strip_suffix('\r') {
        Some(line) => printable(line) + "\r",
        None => printable(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Maximum length of a quoted text in characters.
const MAX_QUOTED: usize = 600;

/// A string as one line of limited length: errors of other libraries may have several lines and repeat the content of a file.
/// Control characters become U+FFFD.
pub fn one_line(text: impl std::fmt::Display) -> String {
    let text = text.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line
        .chars()
        .take(MAX_QUOTED)
        .map(|letter| {
            if letter.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            }
        })
        .collect();
    if line.chars().nth(MAX_QUOTED).is_some() {
        short.push_str("...");
    }
    short
}
