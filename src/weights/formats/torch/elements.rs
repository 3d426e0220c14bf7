//! PyTorch's names for types of numbers.

use burn::tensor::DType;

use super::value::Element;
use crate::weights::formats::saved::Unreadable;

/// The elements of a class of storages, such as `FloatStorage`. `None` for an unknown class.
pub fn of_storage(class: &str) -> Option<Element> {
    Some(match class {
        "FloatStorage" => Element::Known(DType::F32),
        "DoubleStorage" => Element::Known(DType::F64),
        "HalfStorage" => Element::Known(DType::F16),
        "BFloat16Storage" => Element::Known(DType::BF16),
        "LongStorage" => Element::Known(DType::I64),
        "IntStorage" => Element::Known(DType::I32),
        "ShortStorage" => Element::Known(DType::I16),
        "CharStorage" => Element::Known(DType::I8),
        "ByteStorage" | "BoolStorage" => Element::Known(DType::U8),
        "UntypedStorage" => Element::Untyped,
        "ComplexFloatStorage" => Element::Unreadable(Unreadable::Complex, 8),
        "ComplexDoubleStorage" => Element::Unreadable(Unreadable::Complex, 16),
        "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
            Element::Unreadable(Unreadable::Quantized, 1)
        }
        "QInt32Storage" => Element::Unreadable(Unreadable::Quantized, 4),
        _ => return None,
    })
}

/// The numbers of a type such as `torch.uint16`, for tensors in untyped storages. `None` for what is not such a type.
pub fn of_dtype(name: &str) -> Option<Element> {
    Some(match name.strip_prefix("torch.")? {
        "float32" | "float" => Element::Known(DType::F32),
        "float64" | "double" => Element::Known(DType::F64),
        "float16" | "half" => Element::Known(DType::F16),
        "bfloat16" => Element::Known(DType::BF16),
        "int64" | "long" => Element::Known(DType::I64),
        "int32" | "int" => Element::Known(DType::I32),
        "int16" | "short" => Element::Known(DType::I16),
        "int8" => Element::Known(DType::I8),
        "uint8" | "bool" => Element::Known(DType::U8),
        "uint16" => Element::Known(DType::U16),
        "uint32" => Element::Known(DType::U32),
        "uint64" => Element::Known(DType::U64),
        name if name.starts_with("float8") => Element::Unreadable(Unreadable::Float8, 1),
        name if name.starts_with("complex") => Element::Unreadable(Unreadable::Complex, 8),
        _ => return None,
    })
}
