//! How images become the input of an ONNX model.

use image::DynamicImage;

use super::interface::{Input, Layout, Numbers};
use super::settings::OnnxSettings;
use crate::data::{Fit, NormalizeConfig, View};
use crate::fitting::crops::enlarged;
use crate::fitting::to_sample;

/// Mean and standard deviation of ImageNet's pixels in [0, 1], with which nearly all PyTorch networks were trained (torchvision,
/// `transforms/_presets.py`).
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/// Values from -1 to 1, as most TensorFlow networks expect them that don't scale values themselves (Keras,
/// `imagenet_utils.preprocess_input`, mode "tf").
const TENSORFLOW: f32 = 0.5;

/// Of images from this side on, the middle is taken; smaller ones, of digits for example, are taken whole.
const MIN_CROPPED: usize = 128;

/// Side of the middle that is taken: Resize(256) and CenterCrop(224).
const IMAGENET_CENTRE: f64 = 0.875;

/// The largest value of a byte.
const WHITE: f32 = 255.0;

/// How images become the input, and what of that nobody has said.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// How images of other shapes are fitted.
    pub view: View,
    /// Normalization of values in [0, 1]; bytes have none.
    pub normalize: Option<NormalizeConfig>,
}

/// Values of a batch, in the model's layout.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Normalized.
    Floats(Vec<f32>),
    /// From 0 to 255.
    Bytes(Vec<u8>),
}

impl Preparation {
    /// By what the user says, and by what is usual where the user says nothing: the second value tells that, if there is any.
    ///
    /// # Errors
    /// Settings that don't go with the input.
    pub fn of(input: &Input, settings: &OnnxSettings) -> Result<(Self, Vec<String>), String> {
        let mut assumed = Vec::new();
        let (height, width) = (input.shape.height, input.shape.width);
        if settings.centre.is_some() && settings.fit.is_some_and(|fit| fit != Fit::Crop) {
            return Err("--centre requires --fit crop".into());
        }
        let usual = if height.min(width) >= MIN_CROPPED {
            IMAGENET_CENTRE
        } else {
            1.0
        };
        let view = View {
            fit: settings.fit.unwrap_or(Fit::Crop),
            centre: settings.centre.unwrap_or(usual),
        };
        if settings.fit.is_none() && settings.centre.is_none() {
            let [rows, columns] = [height, width].map(|side| enlarged(side, view.centre));
            let resized = format!("images are resized to cover {rows}x{columns} pixels");
            assumed.push(format!(
                "{resized}, then centre-cropped to {height}x{width} (--fit, --centre)"
            ));
        }
        let normalize = normalization(input, settings, &mut assumed)?;
        Ok((Self { view, normalize }, assumed))
    }

    /// The values of an image of any size: `[channels, height, width]` in [0, 1].
    pub fn sample(&self, image: DynamicImage, input: &Input) -> Vec<f32> {
        to_sample(image, input.shape, self.view)
    }

    /// A batch of such images as the model takes them.
    pub fn values(&self, pixels: &[f32], input: &Input) -> Values {
        let (channels, plane) = (input.shape.channels, input.shape.pixels());
        let images = pixels.chunks_exact(input.shape.values());
        let order: Vec<usize> = match input.layout {
            Layout::ChannelsFirst => (0..channels * plane).collect(),
            Layout::ChannelsLast => {
                let pixels = 0..plane;
                let of_pixel = |pixel| (0..channels).map(move |channel| channel * plane + pixel);
                pixels.flat_map(of_pixel).collect()
            }
        };
        let in_order = images.flat_map(|image| order.iter().map(|&at| (at / plane, image[at])));
        match (input.numbers, &self.normalize) {
            (Numbers::Bytes, _) => {
                let bytes = in_order.map(|(_, value)| (value * WHITE).round() as u8);
                Values::Bytes(bytes.collect())
            }
            (Numbers::Floats, None) => Values::Floats(in_order.map(|(_, value)| value).collect()),
            (Numbers::Floats, Some(NormalizeConfig { mean, std })) => {
                let of = |list: &[f32], channel: usize| list[channel.min(list.len() - 1)];
                let normalized =
                    in_order.map(|(channel, value)| (value - of(mean, channel)) / of(std, channel));
                Values::Floats(normalized.collect())
            }
        }
    }
}

fn normalization(
    input: &Input,
    settings: &OnnxSettings,
    assumed: &mut Vec<String>,
) -> Result<Option<NormalizeConfig>, String> {
    let is_given = settings.mean.is_some() || settings.std.is_some();
    if input.numbers == Numbers::Bytes {
        return if is_given {
            Err("its input is uint8, which it normalizes itself; remove --mean and --std".into())
        } else {
            Ok(None)
        };
    }
    if is_given {
        let normalize = NormalizeConfig {
            mean: settings.mean.clone().unwrap_or_else(|| vec![0.0]),
            std: settings.std.clone().unwrap_or_else(|| vec![1.0]),
        };
        let channels = input.shape.channels;
        return match normalize.mismatch(channels) {
            None => Ok(Some(normalize)),
            Some((name, count)) => Err(format!(
                "--{name} has {count} values; use 1, or one for each channel ({channels})"
            )),
        };
    }
    let (normalize, words) = match (input.shape.channels, input.layout) {
        (3, Layout::ChannelsFirst) => (
            Some((IMAGENET.0.to_vec(), IMAGENET.1.to_vec())),
            "values are normalized with ImageNet's mean 0.485,0.456,0.406 and standard deviation 0.229,0.224,0.225",
        ),
        (3, Layout::ChannelsLast) => (
            Some((vec![TENSORFLOW], vec![TENSORFLOW])),
            "values are scaled to -1 to 1, as is usual in TensorFlow (mean and standard deviation 0.5)",
        ),
        _ => (None, "values are from 0 (black) to 1 (white)"),
    };
    assumed.push(format!("{words} (--mean, --std)"));
    Ok(normalize.map(|(mean, std)| NormalizeConfig { mean, std }))
}
