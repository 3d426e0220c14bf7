//! A network's weights as a file for PyTorch.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};
use serde_json::Value;

use super::limits::LENGTH_BYTES;
use crate::error::FileError;
use crate::files;
use crate::models::Network;

/// Programs around PyTorch expect this entry of the metadata.
const FORMAT: (&str, &str) = ("format", "pt");

/// The entry of a header that holds the metadata.
const METADATA: &str = "__metadata__";

/// Headers are filled with spaces to a multiple of this, so that the tensors after them are aligned.
const ALIGNMENT: usize = 8;

/// The content of a safetensors file.
pub struct Encoded {
    /// The header with metadata and its length; empty if `store` has the right one.
    header: Vec<u8>,
    /// A file of the same tensors.
    store: Vec<u8>,
    /// Where what follows `header` begins in `store`.
    start: usize,
}

impl Encoded {
    /// The parts of the file, in order.
    pub fn parts(&self) -> [&[u8]; 2] {
        let rest = self.store.get(self.start..).unwrap_or_default();
        [&self.header, rest]
    }
}

/// A network's tensors as safetensors under PyTorch's names, for `safetensors.torch.load_file`, with entries of metadata; `path`
/// names the file in errors.
pub fn encode(
    network: &Network,
    metadata: &[(String, String)],
    path: &Path,
) -> Result<Encoded, FileError> {
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata(FORMAT.0, FORMAT.1);
    network
        .save_into(&mut store)
        .map_err(|error| FileError::new(path, error))?;
    let store = store
        .get_bytes()
        .map_err(|error| FileError::new(path, error))?;
    if metadata.is_empty() {
        return Ok(Encoded {
            header: Vec::new(),
            store,
            start: 0,
        });
    }
    let (header, start) = described(&store, metadata)
        .map_err(|problem| FileError::new(path, format!("cannot be written: {problem}")))?;
    Ok(Encoded {
        header,
        store,
        start,
    })
}

/// Writes [`encode`]'s file.
pub fn save_described(
    network: &Network,
    metadata: &[(String, String)],
    path: &Path,
) -> Result<(), FileError> {
    let encoded = encode(network, metadata, path)?;
    files::write_with(path, |file| {
        let mut parts = encoded.parts().into_iter();
        parts.try_for_each(|part| file.write_all(part))
    })
}

/// [`save_described`] without metadata.
pub fn save(network: &Network, path: &Path) -> Result<(), FileError> {
    save_described(network, &[], path)
}

/// A file's header with metadata, its length in front, and where the tensors begin that follow it. The metadata is in alphabetical order:
/// the container writes several entries in a random one.
fn described(file: &[u8], metadata: &[(String, String)]) -> Result<(Vec<u8>, usize), String> {
    let (length, rest) = file
        .split_first_chunk::<{ LENGTH_BYTES as usize }>()
        .ok_or("it has no header")?;
    let length = u64::from_le_bytes(*length) as usize;
    let (header, tensors) = rest.split_at_checked(length).ok_or("it has no header")?;
    let start = file.len() - tensors.len();
    let mut header: BTreeMap<String, Value> =
        serde_json::from_slice(header).map_err(|error| error.to_string())?;
    let format = (FORMAT.0.to_string(), FORMAT.1.to_string());
    let entries = metadata.iter().cloned().chain([format]);
    let entries = entries.map(|(key, value)| (key, Value::String(value)));
    header.insert(METADATA.into(), Value::Object(entries.collect()));
    let mut header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Ok(([length.as_slice(), &header].concat(), start))
}
