//! Files that list samples by name.
//!
//! A line is the name of a sample ([`DataSource::name`](crate::data::DataSource::name)) or the absolute path of its file; what follows a tab
//! is a remark. Lines that begin with `#` are comments. A name that could be taken for something else is a JSON string.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::error::{FileError, printable};
use crate::files;

/// Maximum unused lines that a note quotes.
const QUOTED: usize = 3;

/// The names in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludeList {
    path: PathBuf,
    /// The number of the line of each name, from 1.
    lines: HashMap<String, usize>,
}

impl ExcludeList {
    /// Reads `name`: a path below `root`, or else one from the current folder on.
    ///
    /// # Errors
    /// There is none, or it can't be read, or a line is not a name.
    pub fn read(name: &str, root: &Path) -> Result<Self, DataError> {
        let path = [root.join(name), PathBuf::from(name)]
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| {
                FileError::new(name, "data.exclude: not found")
                    .advise(format!(
                        "the path is relative to {} or to the current folder",
                        root.display()
                    ))
                    .usage()
            })?;
        if path.is_dir() {
            let problem = "data.exclude: is a folder, where a list of samples is expected";
            return Err(FileError::new(&path, problem)
                .advise("name a file, as `kiln data check --exclude-out` writes it")
                .usage()
                .into());
        }
        let text = files::read_text(&path).map_err(|error| FileError::named(&path, error))?;
        let mut lines = HashMap::new();
        for (index, line) in files::without_mark(&text).lines().enumerate() {
            let number = index + 1;
            match parsed(line) {
                Ok(None) => {}
                Ok(Some(name)) => {
                    lines.entry(name).or_insert(number);
                }
                Err(error) => {
                    let problem = format!("line {number} begins with a quote, but {error}");
                    let advice = "write the name as a JSON string, or without quotes";
                    return Err(FileError::new(&path, problem).advise(advice).usage().into());
                }
            }
        }
        Ok(Self { path, lines })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line that names a sample, by its name or by the absolute path of its file.
    pub fn line_of(&self, name: &str, file: Option<&Path>) -> Option<usize> {
        let by_path = || {
            let path = std::path::absolute(file?).ok()?;
            self.lines.get(path.to_str()?)
        };
        self.lines.get(name).or_else(by_path).copied()
    }

    /// A note about the lines that are not among `used`, if there are any.
    pub fn unused(&self, used: &std::collections::HashSet<usize>) -> Option<String> {
        let mut unused: Vec<(usize, &str)> = self
            .lines
            .iter()
            .map(|(name, &line)| (line, name.as_str()))
            .filter(|(line, _)| !used.contains(line))
            .collect();
        unused.sort_unstable();
        let quoted: Vec<String> = unused
            .iter()
            .take(QUOTED)
            .map(|(line, name)| format!("{name:?} (line {line})"))
            .collect();
        let more = match unused.len().saturating_sub(QUOTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (count, verb) = match unused.len() {
            0 => return None,
            1 => ("1 name".to_string(), "matches"),
            count => (format!("{count} names"), "match"),
        };
        Some(format!(
            "{count} in {} {verb} no sample: {}{more}",
            printable(self.path.display()),
            quoted.join(", ")
        ))
    }
}

/// The name in a line, if there is one.
fn parsed(line: &str) -> Result<Option<String>, serde_json::Error> {
    let line = line.trim_end_matches('\r');
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.starts_with('"') {
        // The string ends where JSON says; a remark may follow.
        let mut strings = serde_json::Deserializer::from_str(line).into_iter::<String>();
        return strings.next().transpose();
    }
    let name = line.split('\t').next().unwrap_or_default().trim_end();
    Ok(Some(name.strip_prefix("./").unwrap_or(name).to_string()))
}

/// A line of a list: a sample, and a remark that is for people.
pub fn line(name: &str, remark: &str) -> String {
    let is_plain = !name.starts_with(['#', '"', ' '])
        && !name.starts_with("./")
        && !name.ends_with(char::is_whitespace)
        && !name.chars().any(char::is_control);
    let name = if is_plain {
        name.to_string()
    } else {
        serde_json::Value::from(name).to_string()
    };
    format!("{name}\t{}\n", printable(remark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_written_is_read_back_whatever_it_contains() {
        let names = [
            "train/17",
            "rose/a b.jpg",
            "#1/x.png",
            "\"q\".png",
            "a\tb.png",
            "./c.png",
            "d ",
            "e\nf",
            "ä/ß.png",
        ];
        for name in names {
            let line = line(name, "why\tit is");
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            let read = parsed(line.trim_end_matches('\n')).unwrap();
            assert_eq!(read.as_deref(), Some(name));
        }
    }

    #[test]
    fn comments_and_empty_lines_name_nothing_and_windows_line_ends_are_no_part_of_a_name() {
        for line in ["", "   ", "# train/1", "\r"] {
            assert_eq!(parsed(line).unwrap(), None, "{line:?}");
        }
        assert_eq!(parsed("train/1\r").unwrap().as_deref(), Some("train/1"));
    }
}
