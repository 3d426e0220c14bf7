//! What a careful person would look at in a data set before believing a number: duplicates, absent classes, images unlike their
//! class, unreadable files, labels that are probably wrong, and classes that are taken for others.
//!
//! [`check`](fn@check) reads every sample once and returns [`Findings`]. `duplicates` compares images, `labels` asks a model; the findings become
//! text ([`summary`]), a page ([`page`]) or a list that training leaves out ([`exclude_list`]).

mod check;
mod classes;
mod duplicates;
mod error;
mod exclude_list;
mod findings;
mod grey;
mod labels;
mod page;
mod samples;
mod scan;
mod text;
mod unusual;

pub use check::{Options, check};
pub use error::CheckError;
pub use exclude_list::{Excluded, exclude_list};
pub use findings::{
    ClassCount, Confused, CountProblem, Duplicate, Findings, LabelCheck, Likeness, Property,
    Suspect, Taken, Unreadable, Unusual,
};
pub use labels::RunModel;
pub use labels::confident::{Issue, confident_issues};
pub use page::page;
pub use samples::Sample;
pub use text::summary;
