//! Follows the files of a run, and tells what has happened as text of an event stream.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::files;
use crate::metrics::EpochRecord;
use crate::run_dir::RunDir;
use crate::serve::catalog::{Progress, progress};
use crate::sweeps::runs::RunRecord;

/// Bytes of a file that are read at a time; a longer line is no epoch.
const MAX_PIECE: u64 = 1 << 20;
/// Tells a client to begin anew; it connects again after a second.
const RESET: &str = "retry: 1000\nevent: reset\ndata: {}\n\n";

/// An epoch as a client knows it: its number, and a checksum of its line, since another run may have begun in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    epoch: u64,
    sum: u32,
}

impl Seen {
    /// From the identifier of an event.
    pub fn parse(id: &str) -> Option<Self> {
        let (epoch, sum) = id.split_once('-')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            sum: u32::from_str_radix(sum, 16).ok()?,
        })
    }

    fn of(line: &str, record: &EpochRecord) -> Self {
        Self {
            epoch: record.epoch as u64,
            sum: crc32fast::hash(line.as_bytes()),
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:08x}", self.epoch, self.sum)
    }
}

/// Follows the files of a run.
pub struct Follower {
    run: PathBuf,
    /// Where the next line begins.
    offset: u64,
    /// Whether the next line is the rest of one that is too long.
    skips: bool,
    /// A client that connects again has seen the epochs up to this one.
    seen: Option<Seen>,
    progress: Option<Progress>,
    is_new: bool,
}

impl Follower {
    /// Follows a run for a client that has seen its epochs up to one.
    pub fn new(run: PathBuf, seen: Option<Seen>) -> Self {
        Self {
            run,
            offset: 0,
            skips: false,
            seen,
            progress: None,
            is_new: true,
        }
    }

    /// What has happened since the last look, as text of the stream.
    pub fn look(&mut self) -> String {
        let mut text = String::new();
        let file = RunDir::open(&self.run).map(|run| run.metrics_file());
        if std::mem::take(&mut self.is_new) {
            let is_known = file.as_ref().is_ok_and(|file| self.goes_on(file));
            if !is_known {
                text += RESET;
            }
        }
        let before = text.len();
        if let Ok(file) = file {
            self.add_lines(&file, &mut text);
        }
        let progress = progress(&RunRecord::read(&self.run));
        // A file that is being written may look damaged for a moment.
        if self.progress.as_ref() != Some(&progress) || text.len() > before {
            let data = serde_json::to_string(&progress).unwrap_or_default();
            text += &format!("event: state\ndata: {data}\n\n");
            self.progress = Some(progress);
        }
        text
    }

    /// Goes on after the epoch that the client has seen; false if it is not in the file (any more).
    fn goes_on(&mut self, path: &Path) -> bool {
        let Some(seen) = self.seen.take() else {
            return false;
        };
        while let Some((lines, end)) = self.next_lines(path) {
            let mut at = self.offset;
            for line in lines.split_inclusive(|&byte| byte == b'\n') {
                at += line.len() as u64;
                if epoch(line).is_some_and(|(_, found)| found == seen) {
                    self.offset = at;
                    return true;
                }
            }
            self.offset = end;
        }
        (self.offset, self.skips) = (0, false);
        false
    }

    /// Adds the next complete lines of the file as events.
    fn add_lines(&mut self, path: &Path, text: &mut String) {
        if std::fs::metadata(path).is_ok_and(|file| file.len() < self.offset) {
            // A run that was resumed from an earlier epoch.
            (self.offset, self.skips) = (0, false);
            *text += RESET;
        }
        let Some((lines, end)) = self.next_lines(path) else {
            return;
        };
        self.offset = end;
        // Only what is an epoch is passed on.
        for (line, seen) in lines.split(|&byte| byte == b'\n').filter_map(epoch) {
            *text += &format!("id: {seen}\nevent: epoch\ndata: {line}\n\n");
        }
    }

    /// The complete lines after the offset, a piece of the file at most, and where they end; `None` at the end of the file.
    fn next_lines(&mut self, path: &Path) -> Option<(Vec<u8>, u64)> {
        let mut file = files::open(path).ok()?;
        loop {
            let bytes = piece(&mut file, self.offset)?;
            let end = bytes.iter().rposition(|&byte| byte == b'\n');
            let begin = match (self.skips, end) {
                (false, Some(_)) => 0,
                (true, Some(_)) => bytes.iter().position(|&byte| byte == b'\n')? + 1,
                // The rest of the line is not written yet.
                (_, None) if (bytes.len() as u64) < MAX_PIECE => return None,
                (_, None) => {
                    self.skips = true;
                    self.offset += bytes.len() as u64;
                    continue;
                }
            };
            self.skips = false;
            self.offset += begin as u64;
            let lines = &bytes[begin..=end?];
            if lines.is_empty() {
                continue;
            }
            return Some((lines.to_vec(), self.offset + lines.len() as u64));
        }
    }
}

/// Bytes of a file from a place on; `None` if it can't be read.
fn piece(file: &mut File, offset: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).ok()?;
    file.take(MAX_PIECE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A line that is an epoch, without its end.
fn epoch(line: &[u8]) -> Option<(&str, Seen)> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let record = serde_json::from_str::<EpochRecord>(line).ok()?;
    // A carriage return would end the event's line.
    (!line.contains('\r')).then(|| (line, Seen::of(line, &record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: usize) -> String {
        format!(
            r#"{{"epoch": {number}, "learning_rate": 0.1, "train": {{"loss": 1.5}}, "valid": {{"loss": 1.25}}}}"#
        )
    }

    fn run(lines: &[String]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        std::fs::write(folder.path().join("metrics.jsonl"), lines.concat()).unwrap();
        let path = folder.path().to_path_buf();
        (folder, path)
    }

    fn all(follower: &mut Follower) -> String {
        (0..5).map(|_| follower.look()).collect()
    }

    #[test]
    fn a_line_that_is_no_epoch_is_passed_over_however_long_it_is() {
        let long = "x".repeat(3 << 20) + "\n";
        let lines = [
            epoch(1) + "\n",
            long,
            epoch(2) + "\n",
            "\n".into(),
            epoch(3) + "\n",
        ];
        let (_folder, path) = run(&lines);
        let text = all(&mut Follower::new(path, None));
        for number in 1..=3 {
            assert!(text.contains(&epoch(number)), "{number}");
        }
    }

    #[test]
    fn a_client_goes_on_after_what_it_saw_and_begins_anew_where_that_is_gone() {
        let lines = [epoch(1) + "\n", epoch(2) + "\n"];
        let (_folder, path) = run(&lines);
        let text = all(&mut Follower::new(path.clone(), None));
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("id: "))
            .unwrap();
        let seen = Seen::parse(id);
        assert!(seen.is_some());
        let text = all(&mut Follower::new(path.clone(), seen));
        assert!(!text.contains("reset") && !text.contains(&epoch(1)) && text.contains(&epoch(2)));
        let gone = Some(Seen { epoch: 1, sum: 7 });
        let text = all(&mut Follower::new(path, gone));
        assert!(text.contains("reset") && text.contains(&epoch(1)) && text.contains(&epoch(2)));
    }
}
