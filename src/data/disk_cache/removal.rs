//! What is removed from a cache to make room: images for other settings first, then those of files that are gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use super::entry;
use super::layout::{self, Form, on_disk};
use crate::files;

/// Removes at least `wanted` bytes if it can, and says how many: the images of settings that no process uses, the longest unused
/// first. Then, if `tidies`, those of files that are gone. The caller holds the lock of the cache.
pub fn make_room(root: &Path, wanted: u64, tidies: bool) -> io::Result<u64> {
    let mut freed = 0;
    let mut forms = layout::forms(root)?;
    forms.sort_by_cached_key(last_use);
    for form in &forms {
        if freed >= wanted {
            return Ok(freed);
        }
        if let Some(_lock) = form.lock_alone() {
            freed += usage(form);
            fs::remove_dir_all(form.path())?;
        }
    }
    if tidies && freed < wanted {
        freed += forms.iter().map(remove_orphans).sum::<u64>();
    }
    Ok(freed)
}

/// Bytes that the images of one form take.
pub fn usage(form: &Form) -> u64 {
    let length = |path: &PathBuf| fs::metadata(path).map_or(0, |data| on_disk(data.len()));
    form.shards()
        .par_iter()
        .map(|shard| layout::entries(shard).iter().map(length).sum::<u64>())
        .sum()
}

/// Removes what killed processes left in a form. No process may be using it.
pub fn remove_temporaries(form: &Form) {
    for shard in form.shards() {
        files::remove_temporaries(&shard);
    }
}

fn last_use(form: &Form) -> SystemTime {
    let used = File::open(form.about()).and_then(|file| file.metadata()?.modified());
    used.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Removes the images of files that are gone.
fn remove_orphans(form: &Form) -> u64 {
    let Some(folder) = form.data_folder() else {
        return 0;
    };
    let removed = |path: &PathBuf| -> Option<u64> {
        let name = entry::name(path)?;
        if folder.join(name).exists() {
            return None;
        }
        let length = fs::metadata(path).ok()?.len();
        fs::remove_file(path).ok()?;
        Some(on_disk(length))
    };
    form.shards()
        .par_iter()
        .map(|shard| {
            let entries = layout::entries(shard);
            entries.iter().filter_map(removed).sum::<u64>()
        })
        .sum()
}
