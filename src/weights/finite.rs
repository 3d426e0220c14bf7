//! Weights must be finite numbers, also in the 32 bits that kiln computes with.

use burn::store::burn_pack::Tensor;
use burn::tensor::DType;

/// Refuses tensors with values that are not finite numbers, or that 32 bits can't hold.
pub fn validate_finite<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<(), String> {
    for tensor in tensors {
        let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
        if !is_finite(tensor.dtype, &bytes) {
            return Err(format!(
                "{} has values that are not finite numbers",
                tensor.name
            ));
        }
        if tensor.dtype == DType::F64
            && let Some(large) = too_large(&bytes)
        {
            let name = &tensor.name;
            return Err(format!(
                "{name} has the 64-bit value {large:e}, which is too large for 32-bit floats"
            ));
        }
    }
    Ok(())
}

/// The first of some finite 64-bit floats, little-endian, that becomes infinite with 32 bits.
fn too_large(bytes: &[u8]) -> Option<f64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    let mut numbers = numbers.iter().map(|&number| f64::from_le_bytes(number));
    numbers.find(|&number| !(number as f32).is_finite())
}

/// Whether all of a tensor's little-endian numbers are finite: in IEEE 754 those whose exponent is not all ones.
fn is_finite(dtype: DType, bytes: &[u8]) -> bool {
    fn all<const N: usize>(bytes: &[u8], exponent: [u8; N]) -> bool {
        let (numbers, _) = bytes.as_chunks::<N>();
        let is_special = |number: &[u8; N]| {
            number
                .iter()
                .zip(exponent)
                .all(|(byte, mask)| byte & mask == mask)
        };
        !numbers.iter().any(is_special)
    }
    match dtype {
        DType::F64 => all(bytes, 0x7ff0_0000_0000_0000_u64.to_le_bytes()),
        DType::F32 => all(bytes, 0x7f80_0000_u32.to_le_bytes()),
        DType::F16 => all(bytes, 0x7c00_u16.to_le_bytes()),
        DType::BF16 => all(bytes, 0x7f80_u16.to_le_bytes()),
        _ => true,
    }
}
