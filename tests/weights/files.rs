//! Files of weights, made by hand.

use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView};

use super::common::repository;

/// A tensor of a file: name, shape, values.
pub type Named = (String, Vec<usize>, Vec<f32>);

pub fn named(name: &str, shape: &[usize], offset: f32) -> Named {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|i| i as f32 * 0.25 + offset).collect();
    (name.into(), shape.to_vec(), values)
}

/// The tensors of [`small`]; the files in tests/fixtures hold the same.
///
/// These were written by torch 2.15:
///
/// ```python
/// class Net(torch.nn.Module):
///     def __init__(self):
///         super().__init__()
///         self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)])
/// net = Net()
/// for i, (name, p) in enumerate(sorted(net.named_parameters())):
///     p.data = (torch.arange(p.numel()) * 0.25 + i).reshape(p.shape)
/// torch.save(net.state_dict(), "torch.pth")
/// torch.save(net.state_dict(), "torch_legacy.pth", _use_new_zipfile_serialization=False)
/// torch.save(torch.nn.Linear(2, 2), "torch_module.pth")
/// ```
pub fn whole() -> Vec<Named> {
    vec![
        named("layers.0.bias", &[3], 0.0),
        named("layers.0.weight", &[3, 4], 1.0),
        named("layers.1.bias", &[2], 2.0),
        named("layers.1.weight", &[2, 3], 3.0),
    ]
}

pub fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures").join(name)
}

/// Numbers as a file may hold them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    F64,
    F32,
    F16,
    Bf16,
}

impl Precision {
    pub const ALL: [Precision; 4] = [
        Precision::F64,
        Precision::F32,
        Precision::F16,
        Precision::Bf16,
    ];

    /// The bytes of a number that every precision holds exactly.
    pub fn bytes(self, value: f32) -> Vec<u8> {
        let bits = value.to_bits();
        match self {
            Precision::F64 => f64::from(value).to_le_bytes().to_vec(),
            Precision::F32 => value.to_le_bytes().to_vec(),
            Precision::Bf16 => ((bits >> 16) as u16).to_le_bytes().to_vec(),
            // Sign, exponent less the difference of the biases, the first ten bits of the fraction.
            Precision::F16 if value == 0.0 => vec![0, 0],
            Precision::F16 => {
                let exponent = ((bits >> 23) & 0xff) + 15 - 127;
                let half = (bits >> 16) & 0x8000 | exponent << 10 | (bits >> 13) & 0x3ff;
                (half as u16).to_le_bytes().to_vec()
            }
        }
    }

    pub fn dtype(self) -> Dtype {
        match self {
            Precision::F64 => Dtype::F64,
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
            Precision::Bf16 => Dtype::BF16,
        }
    }

    /// PyTorch's name for a piece of memory with such numbers.
    pub fn storage(self) -> &'static str {
        match self {
            Precision::F64 => "DoubleStorage",
            Precision::F32 => "FloatStorage",
            Precision::F16 => "HalfStorage",
            Precision::Bf16 => "BFloat16Storage",
        }
    }
}

pub fn safetensors_file(tensors: &[Named], precision: Precision) -> Vec<u8> {
    let data: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, values)| {
            let bytes = values.iter().flat_map(|&value| precision.bytes(value));
            (name.as_str(), shape.clone(), bytes.collect())
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(precision.dtype(), shape.clone(), bytes).unwrap();
        (*name, view)
    });
    safetensors::serialize(views, None).unwrap()
}
