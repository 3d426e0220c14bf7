//! Files and folders of a data set that are not used, each with its reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::split::Split;
use crate::error::{counted, printable};
use crate::photo;

/// A file or folder that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

impl PassedOver {
    /// A file or folder and why it is not used.
    pub fn new(path: impl Into<PathBuf>, reason: Reason) -> Self {
        Self {
            path: path.into(),
            reason,
        }
    }
}

/// A sample that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSample {
    /// Its split.
    pub split: Split,
    /// Its place in the split.
    pub index: usize,
    /// Its file, and what is wrong with it.
    pub image: PassedOver,
}

/// Why a file or folder is not used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No image that kiln reads, by its extension (in lower case, without the dot; empty if it has none).
    OtherKind(String),
    /// A folder of a class without images.
    EmptyClass,
    /// An image, but not in the folder of a class.
    OutsideClasses,
    /// A folder beside those of the splits.
    BesideSplits,
    /// An image that the file of labels does not name.
    NotNamed,
    /// A row of the file of labels without a label.
    NoLabel,
    /// A row of the file of labels that repeats another.
    Repeated,
    /// An image that can't be read, with the problem.
    Unreadable(String),
    /// A link to something that does not exist.
    BrokenLink,
    /// A link to one of its parent folders.
    LinkLoop,
    /// A folder more levels below its class than are searched.
    TooDeep,
    /// A pipe, socket or device.
    Special,
    /// Hidden, or what an operating system or a program keeps among other people's files.
    System,
}

impl Reason {
    /// What `count` of these are, as in "3 unreadable images".
    fn counted(&self, count: usize) -> String {
        let plural = |one: &str, several: &str| counted(count, one, several);
        match self {
            Self::OtherKind(extension) if extension.is_empty() => {
                plural("file without an extension", "files without an extension")
            }
            Self::OtherKind(extension) => format!("{} (.{extension})", plural("file", "files")),
            Self::EmptyClass => plural("empty class", "empty classes"),
            Self::OutsideClasses => plural(
                "image outside of the class folders",
                "images outside of the class folders",
            ),
            Self::BesideSplits => plural("folder beside the splits", "folders beside the splits"),
            Self::NotNamed => plural(
                "image without a row in data.labels",
                "images without a row in data.labels",
            ),
            Self::NoLabel => plural("row without a label", "rows without a label"),
            Self::Repeated => plural("repeated row", "repeated rows"),
            Self::Unreadable(_) => plural("unreadable image", "unreadable images"),
            Self::BrokenLink => plural("broken link", "broken links"),
            Self::LinkLoop => plural(
                "link to one of its parent folders",
                "links to one of their parent folders",
            ),
            Self::TooDeep => plural("folder nested too deeply", "folders nested too deeply"),
            Self::Special => plural("pipe, socket or device", "pipes, sockets or devices"),
            Self::System => plural("hidden or system file", "hidden or system files"),
        }
    }

    /// The reason in a few words, the same for all files of the kind.
    pub fn name(&self) -> String {
        match self {
            Self::OtherKind(extension) if extension.is_empty() => "no extension".into(),
            Self::OtherKind(extension) => format!(".{extension}"),
            Self::EmptyClass => "empty class".into(),
            Self::OutsideClasses => "outside of the class folders".into(),
            Self::BesideSplits => "beside the splits".into(),
            Self::NotNamed => "not in data.labels".into(),
            Self::NoLabel => "without a label".into(),
            Self::Repeated => "repeated row".into(),
            Self::Unreadable(_) => "unreadable".into(),
            Self::BrokenLink => "broken link".into(),
            Self::LinkLoop => "link to one of its parent folders".into(),
            Self::TooDeep => "nested too deeply".into(),
            Self::Special => "pipe, socket or device".into(),
            Self::System => "hidden or system file".into(),
        }
    }

    /// The reason of one file, with what helps.
    pub fn explanation(&self) -> String {
        match self {
            Self::OtherKind(extension) => match photo::conversion(extension) {
                Some(advice) => format!("{} is not read; {advice}", self.name()),
                None if extension.is_empty() => {
                    "no extension, and not an image by its content".into()
                }
                None => format!("{} is not read", self.name()),
            },
            Self::EmptyClass => "no images in this class folder".into(),
            Self::Unreadable(problem) => problem.clone(),
            other => other.name(),
        }
    }
}

/// How many of each reason there are, by its [`name`](Reason::name).
pub fn count(files: &[PassedOver]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for file in files {
        *counts.entry(file.reason.name()).or_default() += 1;
    }
    counts
}

/// Maximum reasons in a line; of extensions, the most frequent.
const REASONS_SHOWN: usize = 6;

/// What is not used, by reason: `22 files (.heic), 1 empty class`.
pub fn listed(files: &[PassedOver]) -> String {
    let mut groups: BTreeMap<String, (Reason, usize)> = BTreeMap::new();
    for file in files {
        let group = groups.entry(file.reason.name());
        group.or_insert_with(|| (file.reason.clone(), 0)).1 += 1;
    }
    let mut groups: Vec<(Reason, usize)> = groups.into_values().collect();
    let is_kind = |reason: &Reason| matches!(reason, Reason::OtherKind(_));
    groups.sort_by(|(a, many), (b, few)| {
        let by_kind = is_kind(b).cmp(&is_kind(a));
        let by_count = if is_kind(a) { few.cmp(many) } else { a.cmp(b) };
        by_kind.then(by_count)
    });
    let kinds = groups.iter().filter(|(reason, _)| is_kind(reason)).count();
    let hidden = groups
        .len()
        .saturating_sub(REASONS_SHOWN)
        .min(kinds.saturating_sub(1));
    let rest = groups
        .drain(kinds - hidden..kinds)
        .map(|(_, count)| count)
        .sum::<usize>();
    let mut words: Vec<String> = groups
        .iter()
        .map(|(reason, count)| reason.counted(*count))
        .collect();
    if rest > 0 {
        words.insert(kinds - hidden, counted(rest, "other file", "other files"));
    }
    words.join(", ")
}

/// A line about what is not used, if there is anything.
pub fn line(files: &[PassedOver]) -> Option<String> {
    let list = "`kiln data info CONFIG --files` lists them";
    (!files.is_empty()).then(|| format!("passed over: {}; {list}", listed(files)))
}

/// Maximum number of bad images that an error lists.
const BAD_IMAGES_SHOWN: usize = 20;

/// The list of bad images below an error, one line each: path and problem.
pub fn bad_images(images: impl ExactSizeIterator<Item = (String, String)>) -> String {
    let more = images.len().saturating_sub(BAD_IMAGES_SHOWN);
    let shown = images.take(BAD_IMAGES_SHOWN);
    let mut lines: Vec<String> = shown
        .map(|(path, problem)| format!("{}: {problem}", printable(path)))
        .collect();
    if more > 0 {
        lines.push(format!(
            "and {more} more; `kiln data info CONFIG --files` lists all"
        ));
    }
    lines.join("\n")
}
