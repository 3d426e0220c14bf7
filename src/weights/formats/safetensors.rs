//! The tensors of a safetensors file.

use std::fs::File;
use std::sync::Arc;

use burn::tensor::DType;
use safetensors::Dtype;

use super::saved::{Saved, Stored, Unreadable};
use super::source::{Region, Source};
use super::tensor::FileTensor;
use crate::weights::limits;

/// Reads the description of a file; its limits have been checked.
pub fn read(mut file: File, length: u64) -> Result<Saved, String> {
    let (header, start) = limits::safetensors(&mut file, length)?;
    let source = Arc::new(Source::of_file(file).map_err(|error| error.to_string())?);
    let tensors = header.offset_keys().into_iter().map(|name| {
        let Some(info) = header.info(&name) else {
            return Err(format!("{name} is not described"));
        };
        let Some(dtype) = dtype(info.dtype) else {
            let kind = match info.dtype {
                Dtype::C64 => Unreadable::Complex,
                _ => Unreadable::Float8,
            };
            return Ok((name, Stored::Unreadable(kind)));
        };
        let (from, to) = info.data_offsets;
        let region = Region {
            source: Arc::clone(&source),
            start: start + from as u64,
            length: (to - from) as u64,
            checksum: None,
        };
        let tensor = FileTensor::contiguous(dtype, info.shape.clone(), region)
            .map_err(|problem| format!("{name}: {problem}"))?;
        Ok((name, Stored::Tensor(tensor)))
    });
    Ok(Saved {
        dictionaries: vec![String::new()],
        tensors: tensors.collect::<Result<_, _>>()?,
        // Writers sort them by type and name.
        in_order: false,
        ..Saved::default()
    })
}

/// Burn's name of a type of numbers; `None` for those that kiln does not read.
fn dtype(dtype: Dtype) -> Option<DType> {
    Some(match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I16 => DType::I16,
        Dtype::I8 => DType::I8,
        Dtype::U64 => DType::U64,
        Dtype::U32 => DType::U32,
        Dtype::U16 => DType::U16,
        Dtype::U8 | Dtype::BOOL => DType::U8,
        _ => return None,
    })
}
