//! The folders of a cache: `SET/FORM/SHARD/IMAGE`. A set is what was made of one folder of images, a form the images for the same
//! settings, which are spread over up to 256 shards.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files;

/// File of a form that says what it is of; it is touched on every use.
const ABOUT: &str = "about.json";

/// File of a form, or of the whole cache, which every process that uses it locks together with the others.
const IN_USE: &str = "in-use";

/// Tells backup programs that this can be made again (<https://bford.info/cachedir/>).
const TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# Images that kiln has decoded (data.cache). They can be removed while no run uses \
     them.\n",
);

/// Bytes of a checksum in the name of a folder, and in that of an image.
const FOLDER_NAME: usize = 8;
const IMAGE_NAME: usize = 16;

/// Digits of an image's name that name its shard.
const SHARD: usize = 2;

/// Files take whole blocks of the disk, of this size on nearly every file system.
const BLOCK: u64 = 4096;

/// Bytes that a file of this length takes.
pub fn on_disk(length: u64) -> u64 {
    length.next_multiple_of(BLOCK)
}

/// What a form is of.
#[derive(Debug, Serialize, Deserialize)]
pub struct About {
    /// The folder of the images.
    pub folder: PathBuf,
    /// The version of kiln that decoded them.
    pub kiln: String,
    /// What else decides their values.
    pub settings: serde_json::Value,
}

/// Whether a folder is a cache, of kiln or of another program.
pub fn is_cache(folder: &Path) -> bool {
    folder.join(TAG.0).is_file()
}

/// Makes the folder of a cache.
pub fn create(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let (name, text) = TAG;
    let tag = root.join(name);
    if !tag.exists() {
        fs::write(tag, text)?;
    }
    Ok(())
}

/// The folder of the set of a folder of images.
pub fn set_folder(root: &Path, data_folder: &Path) -> PathBuf {
    root.join(digest(
        data_folder.as_os_str().as_encoded_bytes(),
        FOLDER_NAME,
    ))
}

/// All forms of a cache.
pub fn forms(root: &Path) -> io::Result<Vec<Form>> {
    let mut forms = Vec::new();
    for set in folders(root)? {
        forms.extend(folders(&set)?.into_iter().map(Form));
    }
    forms.retain(|form| form.about().is_file());
    Ok(forms)
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The images in a shard, without temporary files.
pub fn entries(shard: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(shard).into_iter().flatten().flatten();
    let found = found.filter(|entry| !files::is_temporary(&entry.file_name()));
    found.map(|entry| entry.path()).collect()
}

/// The images of one folder for the same settings.
#[derive(Debug)]
pub struct Form(PathBuf);

impl Form {
    /// Makes the folder of a form, or touches it; nothing of the cache may be removed meanwhile.
    pub fn create(set: &Path, about: &About) -> io::Result<Self> {
        let text = serde_json::to_string_pretty(about)?;
        let form = Self(set.join(digest(text.as_bytes(), FOLDER_NAME)));
        fs::create_dir_all(&form.0)?;
        let written = files::read_text(&form.about());
        if written.is_ok_and(|written| written == text) {
            let file = File::options().write(true).open(form.about())?;
            file.set_modified(SystemTime::now())?;
        } else {
            fs::write(form.about(), text)?;
        }
        Ok(form)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file that says what it is of.
    pub fn about(&self) -> PathBuf {
        self.0.join(ABOUT)
    }

    /// The folder of the images, if it is known.
    pub fn data_folder(&self) -> Option<PathBuf> {
        let text = files::read_text(&self.about()).ok()?;
        let about: About = serde_json::from_str(&text).ok()?;
        Some(about.folder)
    }

    /// The shards that there are.
    pub fn shards(&self) -> Vec<PathBuf> {
        folders(&self.0).unwrap_or_default()
    }

    /// Where an image is, or would be.
    pub fn entry(&self, name: &str) -> PathBuf {
        let digest = digest(name.as_bytes(), IMAGE_NAME);
        self.0.join(&digest[..SHARD]).join(&digest)
    }

    /// Locks the form together with others that use it, until the file is closed.
    pub fn lock_shared(&self) -> io::Result<File> {
        lock_shared(&self.0)
    }

    /// Locks the form if nobody uses it.
    pub fn lock_alone(&self) -> Option<File> {
        lock_alone(&self.0).ok().flatten()
    }
}

/// Locks a folder together with other users, until the file is closed.
pub fn lock_shared(folder: &Path) -> io::Result<File> {
    let file = lock_file(folder)?;
    match file.lock_shared() {
        // A file system without locks.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        locked => locked?,
    }
    Ok(file)
}

/// Locks a folder if nobody uses it.
pub fn lock_alone(folder: &Path) -> io::Result<Option<File>> {
    let file = lock_file(folder)?;
    let is_used = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok((!is_used).then_some(file))
}

fn lock_file(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    options.open(folder.join(IN_USE))
}

/// The first bytes of a SHA-256 as digits.
fn digest(bytes: &[u8], length: usize) -> String {
    files::hexadecimal(&Sha256::digest(bytes)[..length])
}
