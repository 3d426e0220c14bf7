//! A tensor of a file: where its numbers are. They are read when they are asked for.

use std::io;
use std::sync::Arc;

use burn::store::burn_pack::{Bytes, Error, Tensor};
use burn::tensor::DType;

use super::source::Region;

/// A tensor of a file.
#[derive(Debug, Clone)]
pub struct FileTensor {
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// Elements from one index of each dimension to the next.
    strides: Vec<usize>,
    storage: Region,
    /// Elements of the storage before the first one.
    offset: usize,
    /// Elements from the first one to one past the last one.
    extent: usize,
}

impl FileTensor {
    /// A tensor in a piece of memory. The error says why it does not lie inside.
    pub fn new(
        dtype: DType,
        shape: Vec<usize>,
        strides: Vec<usize>,
        offset: usize,
        storage: Region,
    ) -> Result<Self, String> {
        let outside = || format!("a tensor of shape {shape:?} does not fit into its memory");
        if shape.len() != strides.len() {
            return Err(outside());
        }
        let extent = extent(&shape, &strides).ok_or_else(outside)?;
        let end = offset
            .checked_add(extent)
            .and_then(|end| end.checked_mul(dtype.size()));
        match end {
            Some(end) if end as u64 <= storage.length => Ok(Self {
                dtype,
                shape,
                strides,
                storage,
                offset,
                extent,
            }),
            _ => Err(outside()),
        }
    }

    /// A tensor that fills its piece of memory row by row.
    pub fn contiguous(dtype: DType, shape: Vec<usize>, storage: Region) -> Result<Self, String> {
        let strides = row_major(&shape);
        Self::new(dtype, shape, strides, 0, storage)
    }

    /// A matrix with rows and columns exchanged.
    pub fn transposed(mut self) -> Self {
        self.shape.reverse();
        self.strides.reverse();
        self
    }

    /// Whether two tensors are the same numbers of the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        let (a, b) = (&self.storage, &other.storage);
        let same_memory = Arc::ptr_eq(&a.source, &b.source) && a.start == b.start;
        same_memory
            && self.dtype == other.dtype
            && self.offset == other.offset
            && self.shape == other.shape
            && self.strides == other.strides
    }

    /// Its numbers row by row, little-endian.
    fn read(&self) -> io::Result<Vec<u8>> {
        let size = self.dtype.size();
        let (start, count) = ((self.offset * size) as u64, (self.extent * size) as u64);
        let bytes = self
            .storage
            .source
            .read(self.storage.start + start, count)?;
        if let Some(expected) = self.storage.checksum
            && count == self.storage.length
        {
            let mut checksum = flate2::Crc::new();
            checksum.update(&bytes);
            if checksum.sum() != expected {
                let problem = "its bytes don't have the checksum of the file";
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
        }
        if self.is_contiguous() {
            return Ok(bytes);
        }
        Ok(self.gathered(&bytes))
    }

    fn is_contiguous(&self) -> bool {
        let steps = self.shape.iter().zip(&self.strides);
        let mut pairs = steps.zip(row_major(&self.shape));
        pairs.all(|((&size, &stride), expected)| size <= 1 || stride == expected)
    }

    /// The elements in the order of their indices, from the bytes of the extent.
    fn gathered(&self, bytes: &[u8]) -> Vec<u8> {
        let size = self.dtype.size();
        let count: usize = self.shape.iter().product();
        let mut out = Vec::with_capacity(count * size);
        for index in 0..count {
            let (mut rest, mut at) = (index, 0);
            for (&length, &stride) in self.shape.iter().zip(&self.strides).rev() {
                at += rest % length * stride;
                rest /= length;
            }
            out.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        }
        out
    }

    /// The same tensor for Burn, under a name.
    pub fn named(self, name: String) -> Tensor {
        let (dtype, shape) = (self.dtype, self.shape.clone());
        let bytes = shape.iter().product::<usize>() * dtype.size();
        Tensor::deferred(name, dtype, shape, None, bytes, move || {
            let bytes = self
                .read()
                .map_err(|error| Error::IoError(error.to_string()))?;
            Ok(Bytes::from_bytes_vec(bytes))
        })
    }
}

/// Elements from the first to one past the last element; `None` if `usize` does not hold them, or the number of all bytes.
fn extent(shape: &[usize], strides: &[usize]) -> Option<usize> {
    // Eight bytes is the largest element.
    let values = shape
        .iter()
        .try_fold(8usize, |all, &size| all.checked_mul(size))?;
    if values == 0 {
        return Some(0);
    }
    let steps = shape.iter().zip(strides);
    let mut last = steps.map(|(&size, &stride)| (size - 1).checked_mul(stride));
    let last = last.try_fold(0usize, |sum, step| sum.checked_add(step?))?;
    last.checked_add(1)
}

/// The strides of a tensor that lies in memory row by row. The number of its elements must fit into `usize`.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at].saturating_mul(shape[at]);
    }
    strides
}
