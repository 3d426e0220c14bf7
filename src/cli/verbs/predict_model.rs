//! The model of `kiln predict`: a run, a model file, or an ONNX model with what the user says about it.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::compute::{ComputeArgs, Precision};
use crate::cli::failure::{Failure, UsageError};
use crate::cli::open;
use crate::cli::terminal::output;
use crate::data::Fit;
use crate::inference::onnx::{OnnxClassifier, OnnxSettings, Size, is_onnx};
use crate::inference::{Predictor, class_names};

/// The ways of `--fit`.
const FITS: [(&str, Fit); 3] = [
    ("crop", Fit::Crop),
    ("pad", Fit::Pad),
    ("stretch", Fit::Stretch),
];

/// Largest and smallest value of `--mean` and `--std`, as in a config.
const MAX_VALUE: f32 = 1000.0;
const MIN_DEVIATION: f32 = 1e-6;

/// What is said about an ONNX model.
#[derive(clap::Args)]
#[command(next_help_heading = "ONNX models of other programs")]
pub struct OnnxArgs {
    /// Size of the model's images where its file leaves it open: 224, 224x192 (height x width), or 3x224x192 in the model's own order
    #[arg(long, value_name = "SIZE")]
    size: Option<Size>,
    /// Mean of values in [0, 1], which is subtracted: one number, or one for each channel [default: ImageNet's, for colour]
    #[arg(long, value_name = "M,...", value_delimiter = ',', value_parser = mean, allow_hyphen_values = true)]
    mean: Option<Vec<f32>>,
    /// Standard deviation, by which values are divided then
    #[arg(long, value_name = "S,...", value_delimiter = ',', value_parser = deviation, allow_hyphen_values = true)]
    std: Option<Vec<f32>>,
    /// How images of other shapes are fitted [default: crop]
    #[arg(long, value_parser = fit())]
    fit: Option<Fit>,
    /// Side of the crop as a fraction of the largest one, from 0.1 to 1 [default: 0.875; 1 for images below 128 pixels]
    #[arg(long, value_name = "FRACTION", value_parser = centre, allow_negative_numbers = true)]
    centre: Option<f64>,
    /// File with the names of the classes, one in each line
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// Output with the scores of the classes, where a model has several
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
}

fn mean(text: &str) -> Result<f32, String> {
    number(text, -MAX_VALUE, MAX_VALUE)
}

fn deviation(text: &str) -> Result<f32, String> {
    number(text, MIN_DEVIATION, MAX_VALUE)
}

fn number(text: &str, least: f32, most: f32) -> Result<f32, String> {
    let value = text.trim().parse::<f32>().ok();
    let value = value.filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| format!("must be a number from {least} to {most}"))
}

fn centre(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok();
    let value = value.filter(|value| (0.1..=1.0).contains(value));
    value.ok_or_else(|| "must be a number from 0.1 to 1".into())
}

fn fit() -> impl TypedValueParser<Value = Fit> {
    PossibleValuesParser::new(FITS.map(|(name, _)| name)).try_map(|text| {
        let mut fits = FITS.into_iter();
        let found = fits.find(|(name, _)| *name == text);
        found
            .map(|(_, fit)| fit)
            .ok_or_else(|| format!("unknown value {text}"))
    })
}

impl OnnxArgs {
    fn settings(self) -> Result<OnnxSettings, Failure> {
        let classes = self.classes.as_deref().map(class_names::read).transpose()?;
        Ok(OnnxSettings {
            size: self.size,
            mean: self.mean,
            std: self.std,
            fit: self.fit,
            centre: self.centre,
            classes,
            output: self.output,
        })
    }
}

/// Opens the model of `path`, and notes what is assumed about it.
pub fn open_predictor(
    path: &Path,
    compute: ComputeArgs,
    precision: Precision,
    onnx: OnnxArgs,
) -> Result<Box<dyn Predictor>, Failure> {
    let settings = onnx.settings()?;
    if is_onnx(path) && path.is_file() {
        let flags = [
            (compute.backend.is_some(), "--backend"),
            (compute.device.is_some(), "--device"),
        ];
        if let Some((_, flag)) = flags.iter().find(|(given, _)| *given) {
            let problem =
                format!("{flag}: ONNX models run on their own runtime; remove this option");
            return Err(UsageError(problem).into());
        }
        if precision != Precision::F32 {
            let problem = "--precision: ONNX models run on their own runtime; remove this option";
            return Err(UsageError(problem.into()).into());
        }
        let classifier = OnnxClassifier::open(path, &settings)?;
        for note in classifier.notes() {
            output::note(&format!("{}: {note}", path.display()));
        }
        return Ok(Box::new(classifier));
    }
    if let Some(flag) = settings.first_flag() {
        let problem = format!(
            "{flag}: {} is not an .onnx file; kiln's own models record how images are prepared; remove {flag}",
            path.display()
        );
        return Err(UsageError(problem).into());
    }
    let classifier = open::naming_model(path, compute)?.for_image_files()?;
    Ok(Box::new(precision.of(classifier)?))
}
