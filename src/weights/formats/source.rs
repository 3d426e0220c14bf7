//! Bytes that are read from any place: a file, or memory.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::files;

/// Where bytes come from.
#[derive(Debug)]
pub enum Source {
    /// A file of this length, which stays open.
    File(Mutex<File>, u64),
    /// Bytes that were unpacked, or that stood inside a pickle.
    Memory(Arc<[u8]>),
}

impl Source {
    /// An open file.
    pub fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Source::File(Mutex::new(file), length))
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Source::File(_, length) => *length,
            Source::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// `count` bytes from `start` on. Nothing is allocated unless they are there.
    pub fn read(&self, start: u64, count: u64) -> io::Result<Vec<u8>> {
        match self {
            Source::Memory(bytes) => {
                let place = |at: Option<u64>| at.and_then(|at| usize::try_from(at).ok());
                let (first, end) = (place(Some(start)), place(start.checked_add(count)));
                let part = first
                    .zip(end)
                    .and_then(|(first, end)| bytes.get(first..end));
                part.map(<[u8]>::to_vec)
                    .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Source::File(file, length) => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner);
                files::read_at(&file, start, count, *length)
            }
        }
    }

    /// At most `count` bytes from the start on.
    pub fn head(&self, count: u64) -> io::Result<Vec<u8>> {
        self.read(0, count.min(self.len()))
    }
}

/// A part of a source.
#[derive(Debug, Clone)]
pub struct Region {
    pub source: Arc<Source>,
    /// Its first byte.
    pub start: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The CRC-32 that its bytes should have, where the file says.
    pub checksum: Option<u32>,
}
