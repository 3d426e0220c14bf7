//! Weights must be finite numbers.

use burn::store::burn_pack::Tensor;
use burn::tensor::DType;

/// Refuses tensors with values that are not finite numbers.
pub fn validate_finite<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<(), String> {
    for tensor in tensors {
        let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
        if !is_finite(tensor.dtype, &bytes) {
            return Err(format!(
                "{} has values that are not finite numbers",
                tensor.name
            ));
        }
    }
    Ok(())
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
