//! PyTorch files before 1.6, and pickles that no `torch.save` wrote.
//!
//! A file has five pickles (a magic number, the version, the system, what was saved, and the names of its storages), and then the
//! storages in that order, each after the number of its elements.

use std::collections::HashMap;
use std::sync::Arc;

use super::limits::{BIG_ENDIAN, MAX_BYTES, too_long};
use super::machine;
use super::program::Program;
use super::value::{Element, Id, Place, Value, Values};
use crate::weights::formats::source::{Region, Source};

/// 0x1950a86a20f9469cfc6c, little-endian: what every file begins with.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the layout.
const VERSION: i64 = 1001;

/// Bytes of the number of elements in front of a storage.
const COUNT_BYTES: u64 = 8;

/// What a file describes, and its storages by name.
pub struct Legacy {
    pub values: Values,
    pub root: Id,
    pub storages: HashMap<String, Region>,
    /// Whether it is one pickle, which no `torch.save` wrote.
    pub is_plain_pickle: bool,
}

/// Reads the description of a file.
pub fn read(source: &Arc<Source>) -> Result<Legacy, String> {
    // One byte more than the limit, so that a longer file is known to be.
    let head = source
        .head(MAX_BYTES + 1)
        .map_err(|error| error.to_string())?;
    let mut program = Program::new(&head);
    let mut values = Values::default();
    let first = machine::run(&mut program, &mut values).map_err(|problem| {
        if problem == too_long() {
            problem
        } else {
            format!("neither safetensors nor a PyTorch file ({problem})")
        }
    })?;
    let is_magic = matches!(values.get(first), Value::Long(number) if *number == MAGIC);
    if !is_magic {
        return Ok(Legacy {
            values,
            root: first,
            storages: HashMap::new(),
            is_plain_pickle: true,
        });
    }
    let version = machine::run(&mut program, &mut values)?;
    if !matches!(values.get(version), Value::Integer(VERSION)) {
        return Err("it has a layout of an unknown version".into());
    }
    let system = machine::run(&mut program, &mut values)?;
    if let Some(little) = values.entry(system, "little_endian")
        && matches!(values.get(little), Value::Bool(false))
    {
        return Err(BIG_ENDIAN.into());
    }
    let root = machine::run(&mut program, &mut values)?;
    let keys = machine::run(&mut program, &mut values)?;
    let storages = layout(source, &values, keys, program.position() as u64)?;
    Ok(Legacy {
        values,
        root,
        storages,
        is_plain_pickle: false,
    })
}

/// Where each storage lies; the first begins at `start`.
fn layout(
    source: &Arc<Source>,
    values: &Values,
    keys: Id,
    start: u64,
) -> Result<HashMap<String, Region>, String> {
    let declared: HashMap<&str, (usize, Element)> = values
        .iter()
        .filter_map(|value| match value {
            Value::Storage(storage) => match &storage.place {
                Place::Key(key) => Some((key.as_str(), (storage.count, storage.element))),
                Place::Packed(_) => None,
            },
            _ => None,
        })
        .collect();
    let mut regions = HashMap::new();
    let mut at = start;
    for &key in values.items(keys).unwrap_or_default() {
        let key = values.text(key).unwrap_or_default();
        let &(count, element) = declared
            .get(key.as_str())
            .ok_or_else(|| format!("storage {key:?} is nowhere described"))?;
        let length = (count as u64).checked_mul(element.size() as u64);
        let end = length.and_then(|length| at.checked_add(COUNT_BYTES)?.checked_add(length));
        let (Some(length), Some(end)) = (length, end.filter(|&end| end <= source.len())) else {
            return Err("it ends within its weights; it is not complete".into());
        };
        let found = source
            .read(at, COUNT_BYTES)
            .map_err(|error| error.to_string())?;
        if found != (count as u64).to_le_bytes() {
            return Err(format!("storage {key:?} is not as long as described"));
        }
        let region = Region {
            source: Arc::clone(source),
            start: at + COUNT_BYTES,
            length,
            checksum: None,
        };
        regions.insert(key, region);
        at = end;
    }
    Ok(regions)
}
