//! A note that rank 0 leaves for the `kiln train --ranks` that has started it: its process, the folder of the run, and whether it came to an
//! end that it has printed itself.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The environment variable with the file of the note.
const VARIABLE: &str = "KILN_RANKS_NOTE";

const PROCESS: &str = "process ";
const FOLDER: &str = "folder ";
const ENDED: &str = "ended";

/// Whether this process was started by `kiln train --ranks`.
pub fn is_launched() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Notes which process this is.
pub fn began() {
    add(&format!("{PROCESS}{}", std::process::id()));
}

/// Notes the folder of the run.
pub fn folder(path: &Path) {
    add(&format!("{FOLDER}{}", path.display()));
}

/// Notes that the run has ended by itself.
pub fn ended() {
    add(ENDED);
}

fn add(line: &str) {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return;
    };
    // Without its note the launcher can only say less.
    if let Ok(mut file) = OpenOptions::new().append(true).open(path) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// The file of a note, for the launcher.
pub struct Note {
    file: tempfile::NamedTempFile,
}

impl Note {
    /// An empty note.
    pub fn new() -> std::io::Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        Ok(Self { file })
    }

    /// The environment variable that tells rank 0 of it.
    pub fn variable(&self) -> (&'static str, &OsStr) {
        (VARIABLE, self.file.path().as_os_str())
    }

    /// Where the note is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The process of rank 0.
    pub fn process(path: &Path) -> Option<i32> {
        last(path, PROCESS)?.parse().ok()
    }

    /// The folder of the run.
    pub fn folder(&self) -> Option<PathBuf> {
        last(self.path(), FOLDER).map(PathBuf::from)
    }

    /// Whether rank 0 has said itself how the run ended.
    pub fn has_ended(&self) -> bool {
        last(self.path(), ENDED).is_some()
    }
}

/// The rest of the last line that begins so.
fn last(path: &Path, begin: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines().rev();
    lines.find_map(|line| line.strip_prefix(begin).map(String::from))
}
