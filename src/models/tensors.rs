//! The weights of a network by name, with PyTorch's names and layouts.

use std::collections::HashMap;
use std::io;

use burn::store::burn_pack::Tensor;
use burn::store::{BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot};
use burn::tensor::DType;

use super::Network;

/// The weights of a network, 32 bits each.
pub struct Tensors {
    by_name: HashMap<String, Tensor>,
}

impl Tensors {
    /// Of a network; nothing is copied yet.
    pub fn of(network: &Network) -> Self {
        let adapter = BurnToPyTorchAdapter.chain(FloatCastAdapter::to(DType::F32));
        let tensors = network.collect(None, Some(Box::new(adapter)), true);
        let by_name = tensors.into_iter();
        Self {
            by_name: by_name
                .map(|tensor| (tensor.name.clone(), tensor))
                .collect(),
        }
    }

    /// The numbers of a tensor row by row, little-endian.
    pub fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let tensor = self.by_name.get(name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no weight {name}"),
            )
        })?;
        let bytes = tensor.to_bytes().map_err(io::Error::other)?;
        Ok(bytes.to_vec())
    }
}
