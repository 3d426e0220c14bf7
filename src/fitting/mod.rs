//! From a decoded image of any shape to the values of a sample.

mod border;
pub mod crops;
mod letter;
mod normalize;
mod resample;
pub mod sample;
mod view;

pub use crops::RandomCropConfig;
pub use normalize::NormalizeConfig;
#[cfg(feature = "app")]
pub(crate) use resample::Photo;
pub use sample::to_sample;
pub use view::{Fit, View};
