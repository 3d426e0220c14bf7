//! A file that holds several arrays, each under a name.

use super::array::Array;

/// An opened file of named arrays. Problems are strings without the file's name, which the caller adds.
pub trait ArraysFile {
    /// The names of its arrays.
    fn names(&self) -> Vec<String>;

    /// Reads one of them.
    ///
    /// # Errors
    /// No array of this name, one of values that are not numbers or strings, or a damaged one; the message names it.
    fn array(&self, name: &str) -> Result<Array, String>;
}
