//! Encoded images one after the other: in memory up to a limit, beyond it in a temporary file without a name.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// Where an image is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    is_on_disk: bool,
    start: u64,
    bytes: usize,
}

/// The images.
#[derive(Debug)]
pub(super) struct Pool {
    limit: usize,
    memory: Vec<u8>,
    disk: Option<Mutex<File>>,
    /// Bytes in the temporary file.
    pub on_disk: u64,
}

impl Pool {
    /// An empty pool that keeps up to `limit` bytes in memory.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            memory: Vec::new(),
            disk: None,
            on_disk: 0,
        }
    }

    /// Appends an image.
    ///
    /// # Errors
    /// The temporary file can't be written.
    pub fn push(&mut self, image: &[u8]) -> std::io::Result<Place> {
        let bytes = image.len();
        if self.memory.len() + bytes <= self.limit {
            let start = self.memory.len() as u64;
            self.memory.extend_from_slice(image);
            return Ok(Place {
                is_on_disk: false,
                start,
                bytes,
            });
        }
        if self.disk.is_none() {
            self.disk = Some(Mutex::new(tempfile::tempfile()?));
        }
        if let Some(disk) = &mut self.disk {
            let file = disk.get_mut().unwrap_or_else(PoisonError::into_inner);
            file.write_all(image)?;
        }
        let start = self.on_disk;
        self.on_disk += bytes as u64;
        Ok(Place {
            is_on_disk: true,
            start,
            bytes,
        })
    }

    /// The bytes of an image.
    ///
    /// # Errors
    /// The temporary file can't be read.
    pub fn get(&self, place: Place) -> std::io::Result<std::borrow::Cow<'_, [u8]>> {
        let Place {
            is_on_disk,
            start,
            bytes,
        } = place;
        let (Some(disk), true) = (&self.disk, is_on_disk) else {
            return Ok((&self.memory[start as usize..][..bytes]).into());
        };
        let mut image = vec![0; bytes];
        let mut file = disk.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut image)?;
        Ok(image.into())
    }
}
