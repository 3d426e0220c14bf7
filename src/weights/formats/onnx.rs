//! The weights of an ONNX model: the tensors of its graph under their names.

use std::sync::Arc;

use burn::tensor::DType;

use super::saved::{Saved, Stored, Unreadable};
use super::source::{Region, Source};
use super::tensor::FileTensor;
use crate::onnx::{self, Numbers, StoredTensor, number_type};

/// The start of the names of constants that are not weights, in files that kiln wrote.
const CONSTANT: &str = "constant/";

/// Reads the description of a file. Whole numbers and single numbers are not weights of a network and are left out.
pub fn read(source: &Arc<Source>) -> Result<Saved, String> {
    let contents = onnx::read(&|start, count| source.read(start, count), source.len())?;
    let is_own = contents.producer == onnx::PRODUCER;
    let is_weight = |tensor: &StoredTensor| {
        !tensor.shape.is_empty()
            && is_float(tensor.elements)
            && !(is_own && tensor.name.starts_with(CONSTANT))
    };
    let tensors = contents.tensors.into_iter().filter(is_weight);
    let tensors = tensors.map(|tensor| {
        let name = tensor.name.clone();
        let stored = stored(tensor, source).map_err(|problem| format!("{name}: {problem}"))?;
        Ok((name, stored))
    });
    Ok(Saved {
        dictionaries: vec![String::new()],
        tensors: tensors.collect::<Result<_, String>>()?,
        // Exporters optimize graphs before they write them.
        in_order: false,
    })
}

/// Whether the numbers are not integers, strings or booleans; numbers of types that came later are of 8 bits or less.
fn is_float(elements: u64) -> bool {
    ![
        number_type::UINT8,
        number_type::INT8,
        number_type::UINT16,
        number_type::INT16,
        number_type::INT32,
        number_type::INT64,
        number_type::TEXT,
        number_type::BOOL,
        number_type::UINT32,
        number_type::UINT64,
    ]
    .contains(&elements)
}

fn stored(tensor: StoredTensor, source: &Arc<Source>) -> Result<Stored, String> {
    let dtype = match tensor.elements {
        number_type::FLOAT => DType::F32,
        number_type::DOUBLE => DType::F64,
        number_type::FLOAT16 => DType::F16,
        number_type::BFLOAT16 => DType::BF16,
        _ => return Ok(Stored::Unreadable(Unreadable::Onnx)),
    };
    let region = match tensor.numbers {
        Numbers::Stored(span) => Region {
            source: Arc::clone(source),
            start: span.start,
            length: span.length,
            checksum: None,
        },
        Numbers::Unpacked(bytes) => Region {
            start: 0,
            length: bytes.len() as u64,
            source: Arc::new(Source::Memory(bytes.into())),
            checksum: None,
        },
        Numbers::External | Numbers::Sparse => {
            return Ok(Stored::Unreadable(Unreadable::Onnx));
        }
    };
    let mut sides = tensor.shape.iter();
    let length = sides.try_fold(dtype.size(), |all, &side| all.checked_mul(side));
    if length.map(|length| length as u64) != Some(region.length) {
        let (found, shape) = (region.length, &tensor.shape);
        return Err(format!(
            "{found} bytes are not the numbers of the shape {shape:?}"
        ));
    }
    FileTensor::contiguous(dtype, tensor.shape, region).map(Stored::Tensor)
}
