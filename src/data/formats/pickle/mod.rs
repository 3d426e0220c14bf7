//! Pickles of plain values and NumPy arrays, such as CIFAR's Python versions.
//!
//! A pickle is a program. This one is never executed: its instructions build a list of values, and of all calls only those are
//! known that make a NumPy array or bytes; any other is refused. Python's `pickletools` lists the instructions. Arrays stay in the
//! file's bytes until they are asked for.

mod item;
mod machine;
mod program;
mod read;

pub use read::Pickle;
