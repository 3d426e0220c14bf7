//! Labels that are probably wrong, and classes that are taken for others.
//!
//! A model that has not learned from a sample says which class it has: the models of k folds, trained on [`features`] by [`folds`],
//! or the model of a run ([`of_run`]). [`confident`] finds the labels that its probabilities speak against, [`taken`] the classes.

mod answers;
pub mod confident;
mod features;
mod fold_source;
mod folds;
mod of_run;
mod report;
mod taken;

pub use answers::Answers;
pub use of_run::{RunModel, by_run};
pub use report::{by_folds, report};
