//! The weights of an ONNX model: the tensors of its graph under their names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use burn::tensor::DType;

use super::saved::{Saved, Stored, Unreadable};
use super::source::{Region, Source};
use super::tensor::FileTensor;
use crate::onnx::{self, Numbers, StoredOperator, StoredTensor, number_type};

/// The start of the names of constants that are not weights, in files that kiln wrote.
const CONSTANT: &str = "constant/";

/// How often a tensor's name is followed through operators that only give it another one; they may go round in a circle.
const MAX_RENAMINGS: usize = 8;

/// Reads the description of a file. Whole numbers and single numbers are not weights of a network and are left out.
pub fn read(source: &Arc<Source>) -> Result<Saved, String> {
    let contents = onnx::read(&|start, count| source.read(start, count), source.len())?;
    let is_own = contents.producer == onnx::PRODUCER;
    let is_weight = |tensor: &StoredTensor| {
        !tensor.shape.is_empty()
            && is_float(tensor.elements)
            && !(is_own && tensor.name.starts_with(CONSTANT))
    };
    let transposed = transposed(&contents.operators);
    let initializers = contents.tensors.into_iter().filter(is_weight);
    let mut tensors: Vec<StoredTensor> = initializers.collect();
    if tensors.is_empty() && !is_own {
        // Some programs write weights as operators. Where there are initializers, such constants are no weights.
        let constants = contents.operators.into_iter().filter_map(constant);
        tensors = constants.filter(is_weight).collect();
    }
    let tensors = tensors.into_iter().map(|tensor| {
        let name = tensor.name.clone();
        let stored = stored(tensor, source).map_err(|problem| format!("{name}: {problem}"))?;
        Ok(match stored {
            Stored::Tensor(tensor) if tensor.shape.len() == 2 && transposed.contains(&name) => {
                (name, Stored::Tensor(tensor.transposed()))
            }
            stored => (name, stored),
        })
    });
    let tensors: Vec<(String, Stored)> = tensors.collect::<Result<_, String>>()?;
    let is_matrix = |stored: &Stored| match stored {
        Stored::Tensor(tensor) => tensor.shape.len() == 2,
        Stored::Unreadable(_) => false,
    };
    let names = tensors.iter().filter(|(_, stored)| is_matrix(stored));
    let names = names.map(|(name, _)| name.clone());
    Ok(Saved {
        dictionaries: vec![String::new()],
        transposed: names.filter(|name| transposed.contains(name)).collect(),
        tensors,
        // Exporters optimize graphs before they write them.
        in_order: false,
        ..Saved::default()
    })
}

/// What an operator gives if that is always the same.
fn constant(operator: StoredOperator) -> Option<StoredTensor> {
    if !operator.is("Constant") {
        return None;
    }
    let name = operator.outputs.into_iter().next()?;
    let value = operator.value?;
    Some(StoredTensor { name, ..value })
}

/// Names of the tensors that a product takes as `[inputs, outputs]`: the second operand of `MatMul`, and of `Gemm` unless it
/// transposes that. PyTorch's weights are `[outputs, inputs]`.
fn transposed(operators: &[StoredOperator]) -> HashSet<String> {
    let other_names = operators.iter().filter(|operator| operator.is("Identity"));
    let other_names: HashMap<&str, &str> = other_names
        .filter_map(|operator| Some((&**operator.outputs.first()?, &**operator.inputs.first()?)))
        .collect();
    let products = operators.iter().filter(|operator| {
        let takes_outputs_first = operator.integer("transB").unwrap_or(0) != 0;
        operator.is("MatMul") || operator.is("Gemm") && !takes_outputs_first
    });
    let weights = products.filter_map(|operator| operator.inputs.get(1));
    let names = weights.map(|name| {
        let mut name = name.as_str();
        for _ in 0..MAX_RENAMINGS {
            name = other_names.get(name).copied().unwrap_or(name);
        }
        name.to_string()
    });
    names.collect()
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
        Numbers::External => return Ok(Stored::Unreadable(Unreadable::OnnxOutside)),
        Numbers::Sparse => return Ok(Stored::Unreadable(Unreadable::Onnx)),
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
