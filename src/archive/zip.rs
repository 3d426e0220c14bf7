//! Zip archives.

use std::fs::File;
use std::io::BufReader;

use super::error::{UnpackError, damaged, no_archive, outside};
use super::output::Output;

/// Unpacks the wanted files.
pub fn unpack(archive: &mut File, output: &mut Output) -> Result<(), UnpackError> {
    let broken = |error| no_archive("zip", error);
    let mut archive = zip::ZipArchive::new(BufReader::new(archive)).map_err(broken)?;
    for index in 0..archive.len() {
        // Raw: entries that are not wanted need not be of a kind that can be unpacked.
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(|error| no_archive("zip", error))?;
        let name = name.into_owned();
        if entry.is_symlink() {
            return Err(outside(&name, "is a link"));
        }
        let is_file = entry.is_file();
        drop(entry);
        if let Some(path) = output.target(&name)?.filter(|_| is_file) {
            let mut entry = archive
                .by_index(index)
                .map_err(|error| damaged(&name, error))?;
            output.write(&mut entry, &name, &path)?;
        }
    }
    Ok(())
}
