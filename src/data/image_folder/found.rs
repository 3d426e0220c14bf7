//! What is found in a folder of images, and how it is divided into splits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::config::ImageFolderConfig;
use crate::data::Split;
use crate::data::source::PassedOver;
use crate::data::split_rule::{self, ShareConfig, SplitRule};
use crate::error::counted;

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Class names, in the order of their labels.
    pub classes: Vec<String>,
    /// The files of the three splits with their labels.
    pub splits: [Vec<(PathBuf, usize)>; 3],
    /// What is not used.
    pub passed_over: Vec<PassedOver>,
    /// How the folder was understood.
    pub notes: Vec<String>,
}

/// A file with the name that decides its split, and its label.
pub(super) struct Named {
    pub path: PathBuf,
    pub name: String,
    pub label: usize,
}

impl Named {
    /// A file below `folder`. By share, its name is its path from there without extension, after the class where the folder is a
    /// class's: `rose/image_0420`; by number, its name alone.
    pub fn new(
        path: PathBuf,
        folder: &Path,
        class: Option<&str>,
        label: usize,
        rule: &SplitRule,
    ) -> Self {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = match rule {
            SplitRule::Number(_) => stem.into_owned(),
            SplitRule::Share(_) => {
                let below = path.strip_prefix(folder).ok().and_then(Path::parent);
                let folders = below.into_iter().flat_map(Path::components);
                let folders = folders.map(|part| part.as_os_str().to_string_lossy().into_owned());
                let parts = class.map(str::to_owned).into_iter().chain(folders);
                parts
                    .chain([stem.into_owned()])
                    .collect::<Vec<_>>()
                    .join("/")
            }
        };
        Self { path, name, label }
    }
}

impl Listing {
    /// Divides files among the splits by `rule`.
    pub fn divide(&mut self, files: Vec<Named>, rule: &SplitRule) {
        let (paths, samples) = apart(files);
        let splits = split_rule::divide(rule, &samples);
        self.assign(paths, samples, splits);
    }

    /// Divides the files of `train/` where `valid/`, or `valid/` and `test/`, are missing: each class by the shares of `rule`.
    pub fn divide_train(&mut self, files: Vec<Named>, rule: &SplitRule, has_test: bool) {
        let rule = match rule {
            SplitRule::Share(shares) => SplitRule::Share(ShareConfig {
                stratify: true,
                ..shares.clone()
            }),
            SplitRule::Number(_) => rule.clone(),
        };
        let (paths, samples) = apart(files);
        let all = samples.len();
        let splits = split_rule::divide_rest(&rule, &samples, [true, false, has_test]);
        for (split, name) in [(Split::Valid, "validation"), (Split::Test, "test")] {
            let count = splits.iter().filter(|&&found| found == split).count();
            if count > 0 {
                let all = counted(all, "training image", "training images");
                self.notes.push(format!(
                    "{name}: {count} of the {all}, by data.split, as no {} is given",
                    split.name()
                ));
            }
        }
        self.assign(paths, samples, splits);
    }

    fn assign(&mut self, paths: Vec<PathBuf>, samples: Vec<(String, usize)>, splits: Vec<Split>) {
        for ((path, (_, label)), split) in paths.into_iter().zip(samples).zip(splits) {
            self.splits[split.index()].push((path, label));
        }
    }

    /// Class names that only differ in case, which on other systems are one folder.
    pub fn note_same_but_for_case(&mut self) {
        let mut by_lower: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for class in &self.classes {
            by_lower
                .entry(class.to_lowercase())
                .or_default()
                .push(class);
        }
        let alike = by_lower.into_values().filter(|names| names.len() > 1);
        let notes: Vec<String> = alike
            .map(|names| format!("classes that differ only in case: {}", names.join(", ")))
            .collect();
        self.notes.extend(notes);
    }
}

fn apart(files: Vec<Named>) -> (Vec<PathBuf>, Vec<(String, usize)>) {
    files
        .into_iter()
        .map(|file| (file.path, (file.name, file.label)))
        .unzip()
}

/// Class names in the order of their labels.
pub(super) fn in_order(
    names: impl IntoIterator<Item = String>,
    config: &ImageFolderConfig,
) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    config.class_order.sort(&mut names);
    names
}
