//! A network's weights as a file for PyTorch.

use std::path::Path;

use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};

use crate::error::FileError;
use crate::files;
use crate::models::Network;

/// Writes a network's tensors as safetensors under PyTorch's names, for `safetensors.torch.load_file`.
pub fn save(network: &Network, path: &Path) -> Result<(), FileError> {
    // Programs around PyTorch expect this entry.
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata("format", "pt");
    network
        .save_into(&mut store)
        .map_err(|error| FileError::new(path, error))?;
    let bytes = store
        .get_bytes()
        .map_err(|error| FileError::new(path, error))?;
    files::write(path, &bytes)
}
