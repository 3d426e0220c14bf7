//! A data set that can be fetched: URLs, checksums, and which parts of each file go where.

use std::path::{Path, PathBuf};

use crate::fetch::error::FetchError;
use crate::fetch::flowers17;

/// A set of files to download, and the folder it becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its name, also that of its folder in the data folder, where configs of this kind look by default.
    pub name: &'static str,
    /// A short description.
    pub about: &'static str,
    /// The files to download.
    pub files: Vec<RemoteFile>,
    /// How the files become the folder.
    pub layout: Layout,
    /// A folder that has the files already: nothing is downloaded then.
    pub local: Option<PathBuf>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteFile {
    /// Its file name.
    pub name: &'static str,
    /// Its URL.
    pub url: String,
    /// Other official URLs of the same file, for when that one does not answer.
    pub mirrors: Vec<String>,
    /// Its checksum; `None` if none is published.
    pub sum: Option<Sum>,
    /// Maximum download size in bytes.
    pub max_bytes: u64,
}

/// A checksum in hexadecimal digits.
#[derive(Debug, Clone, PartialEq)]
pub enum Sum {
    /// SHA-256, 64 digits.
    Sha256(String),
    /// The first digits of SHA-256: torchvision's file names have eight. They recognize a known file; a forger could match them.
    Sha256Start(String),
    /// MD5, 32 digits. Not collision-resistant, but sufficient to recognize a known file.
    Md5(String),
}

/// How the files become the set's folder.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// The single file, under this name.
    Single(&'static str),
    /// All files, under their own names.
    Files,
    /// These files of a zip archive, from any folder in it.
    Zip(&'static [&'static str]),
    /// These files of a gzipped tar archive, from any folder in it.
    TarGz(&'static [&'static str]),
    /// The images of Oxford's 17 flowers in `train/`, `val/`, `test/` with one folder per class.
    Flowers17,
    /// The same from the unpacked images in this folder; the only file is that of the splits.
    Flowers17Images(PathBuf),
}

impl DataSet {
    /// The same set from other URLs. `from` is the URL of a folder that contains the files under their own names or, for
    /// a set of one file, that of the file. A URL is a folder's if it ends in `/` or if its last part has no dot.
    ///
    /// Errors: not an HTTP URL, or a file's URL for a set of several.
    pub fn from_mirror(mut self, from: &str) -> Result<Self, FetchError> {
        let wrong = |problem: &str| FetchError::Address {
            url: from.to_string(),
            problem: problem.to_string(),
        };
        let Some(rest) = ["http://", "https://"]
            .iter()
            .find_map(|scheme| from.strip_prefix(scheme))
        else {
            return Err(wrong("neither an http:// or https:// URL nor a folder"));
        };
        if rest.is_empty() || rest.starts_with('/') || rest.chars().any(char::is_whitespace) {
            return Err(wrong("not a valid URL (no host)"));
        }
        let last = rest.split_once('/').map_or("", |(_, path)| {
            path.rsplit_once('/').map_or(path, |(_, last)| last)
        });
        let folder = !last.contains(['.', '?']);
        for file in &mut self.files {
            file.mirrors.clear();
        }
        match self.files.as_mut_slice() {
            [file] if !folder => file.url = from.to_string(),
            _ if !folder => {
                let names: Vec<&str> = self.files.iter().map(|file| file.name).collect();
                return Err(wrong(&format!(
                    "this is the URL of one file, but {} needs {}; give the URL of their folder, ending in /",
                    self.name,
                    names.join(" and ")
                )));
            }
            files => {
                for file in files {
                    file.url = format!("{}/{}", from.trim_end_matches('/'), file.name);
                }
            }
        }
        Ok(self)
    }

    /// The same set from files that are in a folder already.
    ///
    /// Flowers-17 may be unpacked, as its archive has it: `jpg/image_0001.jpg` and so on, with `datasplits.mat` there or beside them.
    pub fn from_folder(mut self, folder: &Path) -> Self {
        let is_there = |file: &RemoteFile| folder.join(file.name).is_file();
        if self.layout == Layout::Flowers17
            && !self.files.first().is_some_and(is_there)
            && let Some(images) = flowers17::images(folder)
        {
            self.files.remove(0);
            self.layout = Layout::Flowers17Images(images);
        }
        self.local = Some(folder.to_path_buf());
        self
    }

    /// The files, and non-empty folders, of a complete set.
    pub fn expected(&self) -> Vec<PathBuf> {
        match &self.layout {
            Layout::Single(name) => vec![name.into()],
            Layout::Files => self.files.iter().map(|file| file.name.into()).collect(),
            Layout::Zip(names) | Layout::TarGz(names) => names.iter().map(PathBuf::from).collect(),
            Layout::Flowers17 | Layout::Flowers17Images(_) => flowers17::class_folders(),
        }
    }
}
