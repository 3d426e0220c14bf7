//! CIFAR-10 and CIFAR-100 (Krizhevsky 2009), 32x32 in colour: the binary versions and those for Python.

pub mod cifar10;
pub mod cifar100;
mod records;

pub use cifar10::Cifar10Config;
pub use cifar100::Cifar100Config;
pub use records::Records;
