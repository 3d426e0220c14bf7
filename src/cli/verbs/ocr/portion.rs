//! The pages that one call of `kiln ocr` reads: a shard of them, without those that were read before.

use std::path::Path;
use std::str::FromStr;
use std::time::SystemTime;

use super::targets::Target;
use crate::cli::failure::UsageError;
use crate::cli::inputs::{Input, Source};

/// One of several calls that divide the pages among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `count`.
    number: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(number, count)| {
            Some((number.parse::<usize>().ok()?, count.parse::<usize>().ok()?))
        });
        match numbers {
            Some((number, count)) if (1..=count).contains(&number) => Ok(Self { number, count }),
            _ => Err("use I/N with I from 1 to N, such as 2/8".into()),
        }
    }
}

impl Shard {
    /// Every `count`-th page, so that shards are equally large and a folder's large pages are spread over them.
    fn has(self, index: usize) -> bool {
        index % self.count == self.number - 1
    }
}

/// Indices of the pages to read, in order, and how many were read before.
pub struct Portion {
    kept: Vec<usize>,
    pub done: usize,
}

impl Portion {
    /// The pages of a shard; with `resume`, without those whose files are there and not older than their images.
    pub fn new(
        shard: Option<Shard>,
        resume: bool,
        target: &Target,
        inputs: &[Input],
    ) -> Result<Self, UsageError> {
        let all = 0..inputs.len();
        let mut kept: Vec<usize> = match shard {
            None => all.collect(),
            Some(shard) => all.filter(|&index| shard.has(index)).collect(),
        };
        let mine = kept.len();
        match target {
            Target::Files(paths) if resume => {
                kept.retain(|&index| !is_done(&paths[index], &inputs[index]));
            }
            Target::Files(_) => {}
            Target::Standard | Target::File(_) => {
                let given = [(resume, "--resume"), (shard.is_some(), "--shard")];
                if let Some((_, flag)) = given.into_iter().find(|(given, _)| *given) {
                    return Err(UsageError(format!(
                        "{flag}: needs a file per page; give a folder with --output, such as -o texts/"
                    )));
                }
            }
        }
        Ok(Self {
            done: mine - kept.len(),
            kept,
        })
    }

    /// The elements of a list by page that belong to it.
    pub fn of<T>(&self, list: Vec<T>) -> Vec<T> {
        if self.kept.len() == list.len() {
            return list;
        }
        let mut kept = self.kept.iter().peekable();
        let all = list.into_iter().enumerate();
        all.filter(|(index, _)| kept.next_if_eq(&index).is_some())
            .map(|(_, element)| element)
            .collect()
    }
}

/// Whether a page's file was written after the page. Files are written whole or not at all.
fn is_done(file: &Path, input: &Input) -> bool {
    let changed = |path: &Path| std::fs::metadata(path)?.modified();
    let Ok(written) = changed(file) else {
        return false;
    };
    match input.source() {
        Source::File(path) => changed(path).unwrap_or(SystemTime::UNIX_EPOCH) <= written,
        Source::Standard => false,
    }
}
