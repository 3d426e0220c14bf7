//! Fetching data sets: a [`DataSet`] of the catalogue and the data folder come in, the set's folder goes out.
//!
//! Files are downloaded to `<root>/.kiln-fetch/`, where a broken download waits to be resumed, compared with their sums,
//! unpacked into a folder there, and that is renamed to its place: what is there is complete. A file that somebody has
//! put into `.kiln-fetch` under its own name is used as it is. Nothing here prints: what happens is told as [`Event`]s.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub mod catalogue;
mod checksum;
mod download;
mod flowers17;
mod part;
pub mod unpack;

pub use catalogue::{DataSet, Layout, RemoteFile, Sum};
pub use checksum::{Check, Verdict};

use self::download::Obtained;
use self::unpack::UnpackError;
use crate::data::formats::mat;
use crate::error::{ErrorExit, FileError};

/// The folder in the data folder that holds what is not complete yet.
pub const STORE: &str = ".kiln-fetch";

/// How long to wait, and how often to try again.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    /// Longest time until a connection stands.
    pub connect: Duration,
    /// Longest time without any data.
    pub stall: Duration,
    /// Pause before the second attempt; it doubles with every further one.
    pub pause: Duration,
    /// Attempts that may fail in a row, without a good part of the file between them.
    pub attempts: u32,
}

impl Default for Patience {
    /// Slow servers answer within seconds; half a minute without a byte is a broken line (curl and wget wait for minutes,
    /// in which people give up). Four attempts with 1, 2 and 4 s between them outlast a router that reconnects.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 4,
        }
    }
}

/// What happens on the way.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A file that was put there by hand is used.
    Found(&'a Path),
    /// A download begins, or goes on after `done` bytes.
    Begins {
        /// The file's address.
        url: &'a str,
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file, if the server tells.
        total: Option<u64>,
    },
    /// More bytes have come.
    Bytes {
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file, if the server tells.
        total: Option<u64>,
    },
    /// What was there can't be used; the download begins anew.
    StartsOver(&'a str),
    /// The connection failed; the next attempt comes after a pause.
    Waits {
        /// What was wrong.
        problem: &'a str,
        /// How long.
        pause: Duration,
    },
    /// A file was compared with its sum and is not a wrong one.
    Checked {
        /// The file.
        name: &'a str,
        /// What was found.
        check: &'a Check,
    },
    /// The files are here; the set's folder is being made.
    Unpacks,
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The set was there already.
    Present(PathBuf),
    /// The set is there now.
    Fetched(PathBuf),
}

/// Why a set was not fetched; the text names the address or file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// An address that can't be used.
    #[error("{url}: {problem}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server can't be reached, or does not hold out.
    #[error("{url}: {problem}; {}", advice(*done, by_hand))]
    Unreachable {
        /// The address.
        url: String,
        /// What was wrong.
        problem: String,
        /// Bytes that are there and will be used next time.
        done: u64,
        /// Where to put the file instead.
        by_hand: PathBuf,
    },
    /// The server does not give the file.
    #[error("{url}: the server answers {status}; {}", advice(0, by_hand))]
    Refused {
        /// The address.
        url: String,
        /// The HTTP status.
        status: String,
        /// Where to put the file instead.
        by_hand: PathBuf,
    },
    /// A file that can't be the right one.
    #[error(
        "{url}: {bytes} bytes or more, expected at most {most}; this is another file, name a mirror with --from"
    )]
    TooLarge {
        /// The address.
        url: String,
        /// Its length, as far as it is known.
        bytes: u64,
        /// What is allowed.
        most: u64,
    },
    /// A file whose sum, or content, is not that of the set.
    #[error("{file}: {problem}; {}", if *deleted {
        "the download is deleted: try again, or name a mirror with --from"
    } else {
        "replace or remove this file"
    })]
    Wrong {
        /// Its address, or its path if it was put there by hand.
        file: String,
        /// What is wrong with it.
        problem: String,
        /// Whether it was downloaded, and is gone.
        deleted: bool,
    },
    /// Something else stands where the set belongs.
    #[error("{}: is there, but has no {}; move or remove it and fetch again", folder.display(), missing.display())]
    Occupied {
        /// The set's folder.
        folder: PathBuf,
        /// The first that it lacks.
        missing: PathBuf,
    },
    /// Another process fetches the same file.
    #[error("{}: another kiln is fetching this file; wait for it", .0.display())]
    Busy(PathBuf),
    /// A file that can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that can't be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

impl ErrorExit for FetchError {}

/// What to do when a server does not give a file.
fn advice(done: u64, by_hand: &Path) -> String {
    let kept = match done {
        0 => String::new(),
        done => format!("{done} bytes are kept for the next attempt; "),
    };
    format!(
        "{kept}try again, name a mirror with --from, or put the file there by hand: {}",
        by_hand.display()
    )
}

/// Fetches a set into the data folder `root`, which is made if need be, and returns the set's folder in it.
///
/// A folder that has all its files is left as it is. Errors leave nothing at the set's place; what can be resumed stays
/// in `.kiln-fetch`.
pub fn fetch(
    set: &DataSet,
    root: &Path,
    patience: &Patience,
    watch: &mut dyn FnMut(Event),
) -> Result<Outcome, FetchError> {
    let target = root.join(set.name);
    if is_complete(set, &target)? {
        return Ok(Outcome::Present(target));
    }
    let store = root.join(STORE);
    let root_is_new = !root.exists();
    fs::create_dir_all(&store).map_err(|error| FileError::write(&store, error))?;
    let fetched = fetch_to(set, &target, &store, patience, watch);
    // Only if there is nothing in them.
    let _ = fs::remove_dir(&store);
    if root_is_new {
        let _ = fs::remove_dir(root);
    }
    fetched
}

/// Whether the set's folder has all that it should. Errors: it has other things instead.
pub fn is_complete(set: &DataSet, folder: &Path) -> Result<bool, FetchError> {
    let is_empty_folder =
        |path: &Path| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !folder.exists() || is_empty_folder(folder) {
        return Ok(false);
    }
    match missing(set, folder) {
        None => Ok(true),
        Some(missing) => Err(FetchError::Occupied {
            folder: folder.to_path_buf(),
            missing,
        }),
    }
}

/// The first expected file or folder that is not there or empty.
fn missing(set: &DataSet, folder: &Path) -> Option<PathBuf> {
    let is_there = |name: &PathBuf| {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => found.len() > 0,
            Ok(_) => fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()),
            Err(_) => false,
        }
    };
    set.expected().into_iter().find(|name| !is_there(name))
}

fn fetch_to(
    set: &DataSet,
    target: &Path,
    store: &Path,
    patience: &Patience,
    watch: &mut dyn FnMut(Event),
) -> Result<Outcome, FetchError> {
    // All of them stay locked until the end.
    let mut files = Vec::new();
    for file in &set.files {
        files.push(download::obtain(file, store, patience, watch)?);
    }
    watch(Event::Unpacks);
    // Of a fixed name, so that one that was left behind is found: nobody else is here while the files are locked.
    let unpacked = store.join(format!("{}.unpacked", set.name));
    let written = |result: std::io::Result<()>| result.map_err(|e| FileError::write(&unpacked, e));
    if unpacked.exists() {
        written(fs::remove_dir_all(&unpacked))?;
    }
    written(fs::create_dir(&unpacked))?;
    let made = make(set, &mut files, &unpacked).and_then(|()| put(set, &unpacked, target));
    if let Err(error) = made {
        let _ = fs::remove_dir_all(&unpacked);
        return Err(error);
    }
    for file in files {
        file.discard();
    }
    Ok(Outcome::Fetched(target.to_path_buf()))
}

/// Makes the content of the set's folder out of its files.
fn make(set: &DataSet, files: &mut [Obtained], folder: &Path) -> Result<(), FetchError> {
    let Some((first, others)) = files.split_first_mut() else {
        return Ok(());
    };
    let among = |names: &'static [&'static str]| {
        move |name: &str| names.contains(&name).then(|| PathBuf::from(name))
    };
    let unpacked = match set.layout {
        Layout::Single(name) => {
            let path = folder.join(name);
            return copy(&mut first.file, &path).map_err(|e| FileError::write(&path, e).into());
        }
        Layout::Zip(names) => unpack::zip(&mut first.file, folder, &among(names)),
        Layout::TarGz(names) => unpack::tar_gz(&mut first.file, folder, &among(names)),
        Layout::Flowers17 => {
            let places = match others.first_mut() {
                Some(splits) => flower_places(splits)?,
                None => Default::default(),
            };
            let place = |name: &str| places.get(name).cloned();
            let unpacked = unpack::tar_gz(&mut first.file, folder, &place);
            unpacked.and_then(|()| {
                match places.iter().find(|(_, path)| !folder.join(path).exists()) {
                    Some((name, _)) => Err(UnpackError::Archive(format!("has no {name} in it"))),
                    None => Ok(()),
                }
            })
        }
    };
    let unpacked = unpacked.and_then(|()| match missing(set, folder) {
        Some(name) => Err(UnpackError::Archive(format!(
            "has no {} in it",
            name.display()
        ))),
        None => Ok(()),
    });
    unpacked.map_err(|error| match error {
        UnpackError::Write(error) => error.into(),
        UnpackError::Archive(problem) => first.reject(problem),
    })
}

fn flower_places(
    splits: &mut Obtained,
) -> Result<std::collections::BTreeMap<String, PathBuf>, FetchError> {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    splits
        .file
        .rewind()
        .and_then(|()| {
            (&mut splits.file)
                .take(mat::MAX_FILE_BYTES)
                .read_to_end(&mut bytes)
        })
        .map_err(|source| FetchError::Read {
            path: splits.path.clone(),
            source,
        })?;
    flowers17::places(bytes).map_err(|problem| splits.reject(problem))
}

fn copy(from: &mut File, to: &Path) -> std::io::Result<()> {
    use std::io::Seek;
    from.rewind()?;
    let mut file = File::create_new(to)?;
    std::io::copy(from, &mut file)?;
    file.sync_all()
}

/// Moves the finished folder to its place.
fn put(set: &DataSet, unpacked: &Path, target: &Path) -> Result<(), FetchError> {
    // An empty folder, which not every system replaces.
    let _ = fs::remove_dir(target);
    match fs::rename(unpacked, target) {
        Ok(()) => Ok(()),
        // Somebody else was faster.
        Err(_) if is_complete(set, target)? => {
            let _ = fs::remove_dir_all(unpacked);
            Ok(())
        }
        Err(error) => Err(FileError::write(target, error).into()),
    }
}
