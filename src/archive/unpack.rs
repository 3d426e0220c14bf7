//! Unpacks the wanted files of an archive into a folder.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use super::error::{UnpackError, refused};
use super::format::Format;
use super::limits::Limits;
use super::output::{Output, Place};
use super::tar::{self, Compression};
use super::zip;
use crate::progress::Stage;

/// Unpacks the wanted files of an archive into `folder`. Every entry is an item of `stage`, which can cancel it.
///
/// # Errors
/// The archive is damaged, rejected or beyond the limits, a file can't be written, or it was cancelled. Files that were unpacked before
/// stay.
pub fn unpack(
    archive: &mut File,
    format: Format,
    folder: &Path,
    place: Place,
    limits: Limits,
    stage: &Stage,
) -> Result<(), UnpackError> {
    archive
        .seek(SeekFrom::Start(0))
        .map_err(|error| refused(format!("can't be read ({error})")))?;
    let mut output = Output::new(folder, place, limits, stage);
    match format {
        Format::Zip => zip::unpack(archive, &mut output),
        Format::Tar => tar::unpack(archive, Compression::None, limits, &mut output),
        Format::TarGz => tar::unpack(archive, Compression::Gzip, limits, &mut output),
    }
}
