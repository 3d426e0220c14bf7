//! Reads a PyTorch file.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::legacy;
use super::limits::{BIG_ENDIAN, MAX_BYTES, too_long};
use super::machine;
use super::program::Program;
use super::resolve::Resolver;
use super::value::Values;
use super::walk::walk;
use super::zip::Archive;
use crate::weights::formats::saved::Saved;
use crate::weights::formats::source::{Region, Source};

/// The entry of an archive that describes what was saved.
const PICKLE: &str = "data.pkl";

/// The entry that names the byte order.
const BYTE_ORDER: &str = "byteorder";

/// Maximum length of that name.
const MAX_BYTE_ORDER: u64 = 16;

/// The tensors of an archive that `torch.save` wrote.
pub fn read_archive(archive: &Archive) -> Result<Saved, String> {
    let pickles = archive.entries.iter().filter(|entry| {
        let folder = entry.name.strip_suffix(PICKLE);
        folder.is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    });
    let pickle = pickles.min_by_key(|entry| entry.name.len());
    let pickle = pickle.ok_or("it is a zip archive without a data.pkl, which torch.save writes")?;
    let folder = pickle.name.strip_suffix(PICKLE).unwrap_or_default();
    let entry = |name: &str| {
        let mut entries = archive.entries.iter();
        entries.find(|entry| entry.name.strip_prefix(folder) == Some(name))
    };
    if let Some(order) = entry(BYTE_ORDER).filter(|entry| entry.length <= MAX_BYTE_ORDER)
        && bytes(&archive.content(order)?)? != b"little"
    {
        return Err(BIG_ENDIAN.into());
    }
    if pickle.length > MAX_BYTES {
        return Err(too_long());
    }
    let program = bytes(&archive.content(pickle)?)?;
    let mut values = Values::default();
    let root = machine::run(&mut Program::new(&program), &mut values)
        .map_err(|problem| format!("its {PICKLE} can't be read ({problem})"))?;
    let places: HashMap<&str, usize> = archive
        .entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| {
            let name = entry.name.strip_prefix(folder)?.strip_prefix("data/")?;
            Some((name, index))
        })
        .collect();
    // Unpacked entries are kept: many tensors may lie in one.
    let found: RefCell<HashMap<String, Region>> = RefCell::default();
    let find = |key: &str| -> Result<Region, String> {
        if let Some(region) = found.borrow().get(key) {
            return Ok(region.clone());
        }
        let entry = places
            .get(key)
            .and_then(|&index| archive.entries.get(index));
        let entry = entry.ok_or_else(|| format!("its storage {key:?} is not in the archive"))?;
        let region = archive.content(entry)?;
        found.borrow_mut().insert(key.to_string(), region.clone());
        Ok(region)
    };
    walk(&values, root, &Resolver::new(&values, &find))
}

/// The tensors of a file of pickles.
pub fn read_pickles(source: &Arc<Source>) -> Result<Saved, String> {
    let file = legacy::read(source)?;
    let find = |key: &str| {
        let region = file.storages.get(key).cloned();
        region.ok_or_else(|| format!("its storage {key:?} is not in the file"))
    };
    let mut saved = walk(&file.values, file.root, &Resolver::new(&file.values, &find))?;
    saved.reader.is_plain_pickle = file.is_plain_pickle;
    Ok(saved)
}

/// The content of a small entry.
fn bytes(region: &Region) -> Result<Vec<u8>, String> {
    let bytes = region.source.read(region.start, region.length);
    bytes.map_err(|error| error.to_string())
}
