//! The networks of torchvision, with its layers, names, defaults and initial weights, so that its published weights fit.

pub mod convnext_tiny;
pub mod efficientnet_b0;
pub mod mobilenet_v2;
mod mobilenet_v3;
pub mod mobilenet_v3_large;
pub mod mobilenet_v3_small;
mod parts;
mod resnet;
pub mod resnet18;
pub mod resnet34;
pub mod resnet50;
pub mod squeezenet1_0;
pub mod vit_b_16;

pub use parts::{divisible, misfit};
