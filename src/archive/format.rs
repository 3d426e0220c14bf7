//! The formats of archives.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// A format of archives that kiln unpacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.zip`.
    Zip,
    /// `.tar`.
    Tar,
    /// `.tar.gz` and `.tgz`.
    TarGz,
}

/// Endings of names of archives, in lower case: those that are unpacked, and those that are only recognized.
const UNPACKED: [&str; 4] = [".zip", ".tar", ".tar.gz", ".tgz"];
const RECOGNIZED: [&str; 11] = [
    ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz", ".tbz2", ".tar.lz4", ".tar.z",
    ".7z", ".rar",
];

/// Whether a path is a file that is called like an archive.
pub fn is_archive(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().to_lowercase();
    let mut endings = UNPACKED.iter().chain(&RECOGNIZED);
    endings.any(|ending| name.ends_with(ending)) && path.is_file()
}

impl Format {
    /// The format of an open file, by its content; `None` for any other content.
    pub fn of(file: &mut File) -> io::Result<Option<Self>> {
        /// Where a tar archive has its mark (POSIX.1-1988, ustar), and its length.
        const USTAR: (usize, &[u8]) = (257, b"ustar");
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(512).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(0))?;
        let is_tar = head
            .get(USTAR.0..)
            .is_some_and(|rest| rest.starts_with(USTAR.1));
        Ok(match head.as_slice() {
            // The first entry, or the end of an archive without any.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            _ if is_tar => Some(Self::Tar),
            _ => None,
        })
    }
}
