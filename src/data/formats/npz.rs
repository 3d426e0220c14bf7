//! `.npz`, NumPy's archive of arrays: a ZIP file of `.npy` files, each called by its array. A folder of `.npy` files is read alike.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::ArraysFile;
use super::array::Array;
use super::choice::quoted;
use super::npy::{self, NpyProblem};
use crate::archive;
use crate::data::DataError;
use crate::error::{io_problem, one_line};
use crate::files::EMPTY;

/// Extension of the files in the archive, and in a folder.
const EXTENSION: &str = ".npy";
/// Most arrays in a file.
const MAX_ARRAYS: usize = 10_000;

/// Opens an archive, a folder of `.npy` files, or one such file, whose array is called by its name without extension.
///
/// # Errors
/// Missing, unreadable, or neither of these; with the file's name.
pub fn open(path: &Path) -> Result<Box<dyn ArraysFile>, DataError> {
    if path.is_dir() {
        return Ok(Box::new(Folder::list(path)?));
    }
    if path.to_string_lossy().ends_with(EXTENSION) && path.is_file() {
        let files = vec![path.to_path_buf()];
        return Ok(Box::new(Folder { files }));
    }
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let archive =
        Archive::new(BufReader::new(file)).map_err(|problem| DataError::format(path, problem))?;
    Ok(Box::new(archive))
}

/// An archive in memory.
///
/// # Errors
/// No ZIP file, or a damaged one; one problem without the file's name.
pub fn from_bytes(bytes: Vec<u8>) -> Result<Box<dyn ArraysFile>, String> {
    Ok(Box::new(Archive::new(Cursor::new(bytes))?))
}

struct Archive<R> {
    zip: RefCell<ZipArchive<R>>,
    names: Vec<String>,
}

impl<R: Read + Seek> Archive<R> {
    fn new(mut reader: R) -> Result<Self, String> {
        if reader
            .seek(SeekFrom::End(0))
            .is_ok_and(|length| length == 0)
        {
            return Err(EMPTY.into());
        }
        let zip = ZipArchive::new(reader)
            .map_err(|error| format!("is not a .npz file ({})", one_line(error)))?;
        if zip.has_duplicate_names() {
            let start = zip.central_directory_start();
            let names = archive::repeated_names(&mut zip.into_inner(), start);
            let names = names.map_err(|error| format!("is damaged ({})", one_line(error)))?;
            return Err(format!(
                "holds {} more than once, and only one can be read; rewrite the file without the duplicate",
                quoted(&names)
            ));
        }
        if zip.len() > MAX_ARRAYS {
            return Err(format!(
                "has {} arrays; at most {MAX_ARRAYS} are read",
                zip.len()
            ));
        }
        let mut names = Vec::new();
        for name in zip.file_names() {
            let name = name.map_err(|error| format!("is damaged ({})", one_line(error)))?;
            names.extend(name.strip_suffix(EXTENSION).map(ToString::to_string));
        }
        if names.is_empty() {
            return Err("is a ZIP file without .npy files, not a .npz file".into());
        }
        Ok(Self {
            zip: RefCell::new(zip),
            names,
        })
    }
}

impl<R: Read + Seek> ArraysFile for Archive<R> {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let mut zip = self.zip.borrow_mut();
        let damaged = |error: zip::result::ZipError| format!("{name}: {}", one_line(error));
        let mut member = zip
            .by_name(&format!("{name}{EXTENSION}"))
            .map_err(damaged)?;
        let array = read(&mut member, name)?;
        // At the end, the archive's checksum is compared.
        match member.read(&mut [0]) {
            Ok(0) => Ok(array),
            Ok(_) => Err(format!("{name}: has more bytes than its values")),
            Err(error) => Err(format!("{name}: damaged data ({error})")),
        }
    }
}

struct Folder {
    files: Vec<PathBuf>,
}

impl Folder {
    fn list(folder: &Path) -> Result<Self, DataError> {
        let failed = |error| DataError::io(folder, error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.to_string_lossy().ends_with(EXTENSION) {
                files.push(path);
            }
            if files.len() > MAX_ARRAYS {
                let problem = format!("has more than {MAX_ARRAYS} .npy files");
                return Err(DataError::format(folder, problem));
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(DataError::format(folder, "no .npy files"));
        }
        Ok(Self { files })
    }
}

fn stem(file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl ArraysFile for Folder {
    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| stem(file)).collect()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let file = self.files.iter().find(|file| stem(file) == name);
        let file = file.ok_or_else(|| format!("{name}{EXTENSION}: not found"))?;
        let failed = |error| format!("{name}{EXTENSION}: {}", io_problem(&error));
        let open = File::open(file).map_err(failed)?;
        if open.metadata().map_err(failed)?.len() == 0 {
            return Err(format!("{name}{EXTENSION}: {EMPTY}"));
        }
        read(&mut BufReader::new(open), name)
    }
}

fn read(stream: &mut dyn Read, name: &str) -> Result<Array, String> {
    npy::read(stream).map_err(|problem| match problem {
        NpyProblem::Objects => format!(
            "{name}: holds Python objects; rewrite it in Python as numbers: np.savez(\"numbers.npz\", **{{k: np.array(v.tolist()) for k, v in \
             np.load(\"FILE\", allow_pickle=True).items()}})"
        ),
        NpyProblem::Other(problem) => format!("{name}: {problem}"),
    })
}
