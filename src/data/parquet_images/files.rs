//! The Parquet files of a set, with their splits by name: `train-00000-of-00002.parquet`, `data/test.parquet`, `validation/0000.parquet`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::source::split_named;
use crate::data::{DataError, NOT_FOUND_ADVICE, Split};
use crate::error::FileError;

const EXTENSION: &str = "parquet";
/// How deep folders are searched: `default/train/0000.parquet`.
const MAX_DEPTH: usize = 3;

/// The files with the splits in their names, in the order of their paths.
///
/// # Errors
/// None there, or one of several parts is missing.
pub(super) fn list(path: &Path) -> Result<Vec<(PathBuf, Option<Split>)>, DataError> {
    if path.is_file() {
        return Ok(vec![(path.to_path_buf(), None)]);
    }
    let mut files = Vec::new();
    search(path, 0, &mut files)?;
    files.sort();
    if files.is_empty() {
        let error = FileError::new(path, "no .parquet files");
        return Err(error.advise(NOT_FOUND_ADVICE).into());
    }
    require_all_parts(path, &files)?;
    let split = |file: &Path| split_of(file.strip_prefix(path).unwrap_or(file));
    Ok(files
        .into_iter()
        .map(|file| {
            let split = split(&file);
            (file, split)
        })
        .collect())
}

fn search(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let failed = |error| DataError::io(folder, error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                search(&path, depth + 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(EXTENSION))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The split by the file's name, or by that of a folder that it is in: the whole name, or its first word.
fn split_of(file: &Path) -> Option<Split> {
    let stem = file.with_extension("");
    let names = stem.iter().rev().map(|name| name.to_string_lossy());
    let mut found = names.filter_map(|name| {
        let word = name.split(['-', '_', '.']).next().unwrap_or_default();
        split_named(&name).or_else(|| split_named(word))
    });
    found.next().map(|(split, _)| split)
}

/// A line about the files whose names say no split, where others' do.
pub(super) fn without_split(files: &[(PathBuf, Option<Split>)]) -> Option<String> {
    let mut unnamed = files.iter().filter(|(_, split)| split.is_none());
    let (first, _) = unnamed.next()?;
    let more = match unnamed.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let has_names = files.iter().any(|(_, split)| split.is_some());
    has_names.then(|| {
        format!(
            "no split in the name of {}{more}: used for training",
            first.display()
        )
    })
}

/// Where the file names give the number of shards, all of them must be present.
fn require_all_parts(folder: &Path, files: &[PathBuf]) -> Result<(), DataError> {
    let mut parts: BTreeMap<(PathBuf, String, usize), usize> = BTreeMap::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let Some((start, count)) = stem.rsplit_once("-of-") else {
            continue;
        };
        let Some((name, number)) = start.rsplit_once('-') else {
            continue;
        };
        if let (Ok(_), Ok(count)) = (number.parse::<usize>(), count.parse::<usize>()) {
            let parent = file.parent().unwrap_or(folder).to_path_buf();
            *parts.entry((parent, name.to_string(), count)).or_default() += 1;
        }
    }
    match parts
        .into_iter()
        .find(|((_, _, count), found)| found < count)
    {
        None => Ok(()),
        Some(((parent, name, count), found)) => Err(FileError::new(
            parent,
            format!("has {found} of the {count} files {name}-*-of-{count:05}.parquet"),
        )
        .advise("fetch the others")
        .into()),
    }
}
