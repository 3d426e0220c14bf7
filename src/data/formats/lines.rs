//! Lines of untrusted text, possibly decompressed on the fly, with limits on the length of a line and of the file.

use std::io::{BufRead, BufReader, Read};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

/// Maximum lengths in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of a line, including its line break.
    pub line: u64,
    /// Of the whole text.
    pub file: u64,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: usize,
    /// Including its line break, if it has one.
    pub text: &'a str,
}

/// Reads a text line by line.
pub struct Lines<R> {
    reader: BufReader<R>,
    limits: Limits,
    line: Vec<u8>,
    number: usize,
    total: u64,
}

impl<R: Read> Lines<R> {
    /// Starts before the first line.
    pub fn new(reader: R, limits: &Limits) -> Self {
        Self {
            reader: BufReader::with_capacity(BLOCK, reader),
            limits: *limits,
            line: Vec::new(),
            number: 0,
            total: 0,
        }
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    /// Unreadable or non-UTF-8 text, and text that exceeds the limits; the error has the line's number.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, String> {
        self.number += 1;
        let number = self.number;
        let at = |problem: String| format!("line {number}: {problem}");
        self.line.clear();
        let length = self
            .reader
            .by_ref()
            .take(self.limits.line + 1)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| at(error.to_string()))? as u64;
        self.total += length;
        if length > self.limits.line {
            return Err(at(format!(
                "longer than the maximum of {} bytes per line",
                self.limits.line
            )));
        }
        if self.total > self.limits.file {
            return Err(at(format!(
                "the file unpacks to more than {} bytes",
                self.limits.file
            )));
        }
        if length == 0 {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.line).map_err(|error| at(error.to_string()))?;
        Ok(Some(Line { number, text }))
    }
}
