//! `kiln predict`

use std::path::PathBuf;

use serde::Serialize;

use super::{Outcome, output};
use crate::config::data::DataConfig;
use crate::config::experiment::Backend;
use crate::data::image_folder::{View, to_sample};
use crate::photo;
use crate::run_dir::RunDir;

/// Classify images with a run.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln predict runs/glyphs_mlp-1 letter.png --top-k 3

Images of another size or number of channels are brought to what the model takes, with their proportions kept; for a
run on folders of images they are treated as in validation.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// PNG or JPEG files
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// How many guesses to print
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    /// Engine to compute with [default: flex]
    #[arg(long)]
    backend: Option<Backend>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Prediction {
    image: String,
    guesses: Vec<Guess>,
}

#[derive(Serialize)]
struct Guess {
    class: String,
    confidence: f32,
}

pub fn run(args: Args) -> Outcome {
    let classifier = output::naming_classifier(&args.run, args.backend)?;
    let card = classifier.card();
    // A mix is measured on its first source, so images are brought to the samples' size as there.
    let view = match RunDir::open(&args.run)?.experiment()?.data.parts().first() {
        Some(DataConfig::ImageFolder(config)) => View::of(config),
        _ => View::PAD,
    };
    let mut pixels = Vec::new();
    for path in &args.images {
        pixels.extend(to_sample(photo::open(path)?, card.input, view));
    }
    let rows = classifier.probabilities(pixels, args.images.len())?;
    let predictions: Vec<Prediction> = args
        .images
        .iter()
        .zip(rows)
        .map(|(path, row)| {
            let mut guesses: Vec<Guess> = card
                .classes
                .iter()
                .zip(row)
                .map(|(class, confidence)| Guess {
                    class: class.clone(),
                    confidence,
                })
                .collect();
            guesses.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            guesses.truncate(args.top_k as usize);
            Prediction {
                image: path.display().to_string(),
                guesses,
            }
        })
        .collect();
    if args.json {
        output::json(&predictions)?;
        return Ok(());
    }
    let lines: String = predictions
        .iter()
        .map(|prediction| {
            let guesses: Vec<String> = prediction
                .guesses
                .iter()
                .map(|guess| format!("{} {:.3}", guess.class, guess.confidence))
                .collect();
            format!("{}: {}\n", prediction.image, guesses.join(", "))
        })
        .collect();
    Ok(output::emit(&lines)?)
}
