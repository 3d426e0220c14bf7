//! PyTorch files: what `torch.save` writes of a `state_dict`, of whole modules and of dictionaries around them, as a zip archive
//! (since PyTorch 1.6) or as pickles in a row (before), and pickles with tensors by other hands.
//!
//! A pickle is a program. It is never executed: [`machine`] keeps its values and knows the few calls that rebuild tensors, and the
//! limits of [`limits`] hold before anything is allocated. Errors are one problem without the file's name.

mod calls;
mod elements;
mod legacy;
mod limits;
mod machine;
mod program;
mod read;
mod resolve;
mod value;
mod walk;
mod zip;

pub use read::{read_archive, read_pickles};
pub use zip::Archive;
