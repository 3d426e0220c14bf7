//! `kiln predict`

use std::io::IsTerminal;
use std::path::PathBuf;

use super::predict_model::{OnnxArgs, open_predictor};
use crate::cli::compute::{ComputeArgs, Precision};
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::inputs::{self, Input, Reads};
use crate::cli::loading;
use crate::cli::page_files::{self, create_folder};
use crate::cli::terminal::{output, stages};
use crate::document::PageImage;
use crate::error::printable;
use crate::files;
use crate::inference::{Prediction, Predictor};
use crate::photo::PhotoError;

/// Images of a batch.
const BATCH: usize = 64;

/// Classify images with a run, or with an ONNX model.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln predict runs/glyphs_mlp-1 letter.png --top-k 3
  kiln predict runs/flowers17_squeezenet-1 photographs/ --json
  kiln predict resnet50.onnx photographs/ --classes imagenet.txt --top-k 5

Images of another size or number of channels are converted to the model's input size and channels, with the validation
preprocessing. An ONNX model that kiln exported is used in the same way; of others, the options below say what the file does not.

Folders are searched for images, without their subfolders (FOLDER/*/ names these). An image that can't be read is
reported on standard error, the others are classified, and the exit code is 1.")]
pub struct Args {
    /// Run directory, model.safetensors, or an .onnx file
    run: PathBuf,
    /// Image files, folders of them, or - for standard input
    #[arg(required = true, value_name = "IMAGE|FOLDER|-")]
    images: Vec<PathBuf>,
    /// Number of predictions to print per image
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Precision of products; sums are always made in 32 bits
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Draw where each image speaks for its class (Grad-CAM); for several images, use a folder
    #[arg(long, value_name = "PNG|DIR")]
    explain: Option<PathBuf>,
    #[command(flatten)]
    onnx: OnnxArgs,
}

pub fn run(args: Args) -> VerbResult {
    let (inputs, several) = inputs::list(&args.images, Reads::Images)?;
    let explained = page_files::overlays(args.explain.as_deref(), &inputs, several)?;
    let predictor = open_predictor(&args.run, args.compute, args.precision, args.onnx)?;
    let mut job = Job {
        inputs: &inputs,
        several,
        predictor,
        guesses: args.top_k as usize,
        json: args.json,
        explained,
        places: Vec::new(),
        names: Vec::new(),
        pixels: Vec::new(),
        predictions: Vec::new(),
        failed: 0,
    };
    let monitor = stages::listening_monitor()?;
    // Results on the terminal are progress enough, and would run into a bar.
    let shows_results = !args.json && std::io::stdout().is_terminal();
    let stage = (!shows_results).then(|| monitor.stage("classifying images", Some(inputs.len())));
    loading::each(&inputs, Reads::Images, monitor.cancel(), |index, loaded| {
        if let Some(stage) = &stage {
            stage.advance(1)?;
        }
        job.image(index, loaded)
    })?;
    job.classify()?;
    drop(stage);
    if args.json && !job.predictions.is_empty() {
        output::emit(&Prediction::to_json(&job.predictions)?)?;
    }
    loading::all_were_read(job.failed, &inputs)
}

/// The images on their way through the model.
struct Job<'a> {
    inputs: &'a [Input],
    several: bool,
    predictor: Box<dyn Predictor>,
    guesses: usize,
    json: bool,
    /// By input.
    explained: Option<Vec<PathBuf>>,
    /// Indices of the images of the batch.
    places: Vec<usize>,
    /// Images of the batch that is being filled, and their values.
    names: Vec<String>,
    pixels: Vec<f32>,
    /// Predictions that are printed together at the end, as JSON.
    predictions: Vec<Prediction>,
    failed: usize,
}

impl Job<'_> {
    /// Adds an image to the batch. One that can't be read is reported and skipped.
    fn image(&mut self, index: usize, loaded: Result<PageImage, PhotoError>) -> VerbResult {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            // The only image: its error is the command's.
            Err(error) if !self.several => return Err(error.into()),
            Err(error) => {
                output::note(&format!("error: {error}"));
                self.failed += 1;
                return Ok(());
            }
        };
        let sample = self.predictor.sample(loaded.photo);
        self.pixels.extend(sample);
        self.places.push(index);
        self.names.push(self.inputs[index].name());
        if self.names.len() == BATCH {
            self.classify()?;
        }
        Ok(())
    }

    /// Classifies the batch; text is printed at once.
    fn classify(&mut self) -> VerbResult {
        if self.names.is_empty() {
            return Ok(());
        }
        let names = std::mem::take(&mut self.names);
        let pixels = std::mem::take(&mut self.pixels);
        let places = std::mem::take(&mut self.places);
        let pictured = self.explained.is_some().then(|| pixels.clone());
        let rows = self.predictor.probabilities(pixels, names.len())?;
        if let Some(pixels) = pictured {
            let values = pixels.len() / names.len();
            for ((&place, row), sample) in places.iter().zip(&rows).zip(pixels.chunks(values)) {
                self.explain(place, row, sample)?;
            }
        }
        let predictions: Vec<Prediction> = names
            .into_iter()
            .zip(rows)
            .map(|(image, row)| Prediction::new(image, &row, self.predictor.as_ref(), self.guesses))
            .collect();
        if self.json {
            self.predictions.extend(predictions);
        } else {
            output::emit(&predictions.iter().map(line).collect::<String>())?;
        }
        Ok(())
    }
}

impl Job<'_> {
    /// Draws where an image speaks for its most probable class.
    fn explain(&self, place: usize, probabilities: &[f32], sample: &[f32]) -> VerbResult {
        let Some(path) = self.explained.as_ref().and_then(|paths| paths.get(place)) else {
            return Ok(());
        };
        let classes = probabilities.iter().enumerate();
        let best = classes.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        let class = best.map_or(0, |(class, _)| class);
        let Some(picture) = self.predictor.explain(sample, class)? else {
            let problem = "--explain: this model has no feature maps (perceptrons, transformers and ONNX models have none); use a convolutional \
                           run, or remove --explain";
            return Err(UsageError(problem.into()).into());
        };
        if self.several {
            create_folder(path)?;
        }
        Ok(files::write_png(path, &picture)?)
    }
}

/// The line that is printed for an image.
fn line(prediction: &Prediction) -> String {
    let guesses: Vec<String> = prediction
        .guesses
        .iter()
        .map(|guess| format!("{} {:.3}", printable(&guess.class), guess.confidence))
        .collect();
    // One line an image, even if its name has line breaks.
    let name = prediction.image.replace(char::is_control, "\u{fffd}");
    format!("{name}: {}\n", guesses.join(", "))
}
