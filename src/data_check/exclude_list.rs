//! Findings as a list for `data.exclude`.

use std::collections::BTreeMap;

use super::findings::{Duplicate, Findings, Likeness};
use super::samples::Sample;
use super::text;
use crate::data::exclude;
use crate::error::printable;

/// A list, and how much is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The file's content.
    pub text: String,
    /// Number of samples that it excludes.
    pub samples: usize,
}

/// What stands at the top of a list.
const HEAD: &str = "# Samples that training leaves out, if data.exclude names this file: one name a line, remarks after a tab.
# Delete the lines of samples that are to stay. Lines that begin with # exclude nothing.
# Of duplicates one stays: that of test before that of valid before that of train. If their classes differ, all are listed.
";

/// The list of what a check suspects: unreadable samples, duplicates and probably wrong labels. What is merely unusual, and classes that
/// are taken for others, are comments.
pub fn exclude_list(findings: &Findings) -> Excluded {
    let mut remarks = Remarks::new();
    for unreadable in &findings.unreadable {
        let reason = "unreadable".to_string();
        add(&mut remarks, &unreadable.sample, reason);
    }
    for duplicate in &findings.duplicates {
        for (sample, remark) in superfluous(duplicate) {
            add(&mut remarks, sample, remark);
        }
    }
    for suspect in findings.labels.iter().flat_map(|labels| &labels.suspects) {
        let (class, suggested) = (&suspect.sample.class, &suspect.suggested);
        let reason = format!("labelled {class}, looks like {suggested}");
        add(&mut remarks, &suspect.sample, reason);
    }
    let mut text = HEAD.to_string();
    for (name, remarks) in &remarks {
        text += &exclude::line(name, &remarks.join("; "));
    }
    for doubtful in findings.labels.iter().flat_map(|labels| &labels.doubtful) {
        let (class, suggested) = (&doubtful.sample.class, &doubtful.suggested);
        let remark = format!("labelled {class}, perhaps {suggested}");
        text += &format!("# {}", exclude::line(&doubtful.sample.name, &remark));
    }
    for unusual in &findings.unusual {
        let remark = text::unusual_in_words(unusual);
        text += &format!("# {}", exclude::line(&unusual.sample.name, &remark));
    }
    for taken in &findings.taken {
        text += &format!("# {}\n", printable(text::taken_in_words(taken)));
    }
    Excluded {
        text,
        samples: remarks.len(),
    }
}

/// Why each sample is listed, by its name.
type Remarks<'a> = BTreeMap<&'a str, Vec<String>>;

fn add<'a>(remarks: &mut Remarks<'a>, sample: &'a Sample, reason: String) {
    remarks.entry(&sample.name).or_default().push(reason);
}

/// The samples of a group of duplicates that are listed, with the reason.
fn superfluous(duplicate: &Duplicate) -> Vec<(&Sample, String)> {
    let what = match duplicate.likeness {
        Likeness::Exact => "a copy of",
        Likeness::Near => "nearly the same as",
    };
    // The last split; of several samples of it the first.
    let kept = duplicate
        .samples
        .iter()
        .rev()
        .max_by_key(|sample| sample.split.index());
    let Some(kept) = kept else {
        return Vec::new();
    };
    let others = duplicate.samples.iter().filter(|sample| *sample != kept);
    let first_other = others.clone().next().unwrap_or(kept);
    let mut listed: Vec<(&Sample, String)> = others
        .map(|sample| (sample, format!("{what} {}", kept.name)))
        .collect();
    if duplicate.different_classes {
        for (sample, remark) in &mut listed {
            *remark = format!("{remark}, as {} and {}", sample.class, kept.class);
        }
        let classes = format!("as {} and {}", kept.class, first_other.class);
        listed.push((kept, format!("{what} {}, {classes}", first_other.name)));
    }
    listed
}
