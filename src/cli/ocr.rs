//! `kiln ocr`

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::reading::ReadingArgs;
use super::{Outcome, output};
use crate::config::experiment::Backend;
use crate::metrics::text::{TextScore, score, total};
use crate::ocr::{self, Page, expect, formats};
use crate::timings::Stopwatch;
use crate::{device, files, segmentation};

/// Read photographed pages of hand-printed block capitals.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln ocr page.jpg --overlay read.png
  kiln ocr *.jpg --model runs/nist36_cnn-1 --expect truth.json

--expect takes a text file (a line per line) or a JSON object of file name to list of lines, and prints the character
accuracy 1 - edit distance / length, with and without spaces.")]
pub struct Args {
    /// PNG or JPEG files
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Run directory of a model whose classes are single characters [default: the model that kiln ships]
    #[arg(long, value_name = "RUN")]
    model: Option<PathBuf>,
    /// Engine to compute with [default: flex]
    #[arg(long)]
    backend: Option<Backend>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print JSON: lines, words and letters with boxes and confidences
    #[arg(long)]
    json: bool,
    /// Write the page with boxes and letters drawn on it (one image only)
    #[arg(long, value_name = "PNG")]
    overlay: Option<PathBuf>,
    /// Write every intermediate picture of the segmentation into this folder (one image only)
    #[arg(long, value_name = "DIR")]
    stages: Option<PathBuf>,
    /// Print how long each stage took, on standard error
    #[arg(long)]
    timings: bool,
    /// Compare with the truth in this file
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    image: String,
    #[serde(flatten)]
    page: Page,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<TextScore>,
}

pub fn run(args: Args) -> Outcome {
    if args.images.len() > 1 && (args.overlay.is_some() || args.stages.is_some()) {
        return Err(
            output::UsageError("--overlay and --stages take one image at a time".into()).into(),
        );
    }
    if let Some(path) = &args.overlay {
        output::check_picture(path, args.images.first().map(PathBuf::as_path))?;
    }
    let mut watch = Stopwatch::start();
    let options = args.reading.options()?;
    let truth = args.expect.as_deref().map(read_truth).transpose()?;
    let classifier = match &args.model {
        Some(run) => output::naming_classifier(run, args.backend)?,
        None => ocr::shipped_model(&device::open(args.backend.unwrap_or_default())?)?,
    };
    ocr::check(&classifier)?;
    watch.lap("load model");
    // All pages are read before anything is printed: one that fails leaves no half of a result. (Pictures belong to one
    // image only.)
    let mut documents = Vec::new();
    for path in &args.images {
        let expected = truth
            .as_deref()
            .map(|truth| expected_lines(truth, path, args.expect.as_deref()))
            .transpose()?;
        let photo = output::photo(path)?;
        watch.lap("decode");
        let reading = ocr::read_with(&photo, &classifier, &options)?;
        watch.insert(&reading.timings);
        if let Some(folder) = &args.stages {
            super::segment::write_stages(folder, &reading.segmentation)?;
        }
        if let Some(target) = &args.overlay {
            let labels = formats::labels(&reading.page);
            let picture = segmentation::overlay(&photo, &reading.segmentation, &labels);
            files::write_png(target, &picture)?;
        }
        if reading.page.lines.is_empty() {
            output::note(&format!("{}: no writing was found", path.display()));
        }
        watch.lap("pictures");
        let score = expected.map(|expected| score(&text_lines(&reading.page), &expected));
        documents.push(Document {
            image: path.display().to_string(),
            page: reading.page,
            score,
        });
    }
    match (args.json, documents.as_slice()) {
        (true, [document]) => output::json(document)?,
        (true, documents) => output::json(&documents)?,
        (false, documents) => output::emit(&as_text(documents))?,
    }
    watch.lap("print");
    if args.timings {
        output::note(watch.table().trim_end());
    }
    Ok(())
}

fn text_lines(page: &Page) -> Vec<String> {
    page.lines.iter().map(|line| line.text.clone()).collect()
}

fn read_truth(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        anyhow::anyhow!(
            "{}: {error}; --expect takes a text or JSON file",
            path.display()
        )
    })
}

fn expected_lines(truth: &str, image: &Path, file: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let name = image
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    expect::lines(truth, &name).map_err(|problem| {
        let file = file.unwrap_or(Path::new("--expect")).display();
        output::UsageError(format!("{file}: {problem}")).into()
    })
}

/// The text of all pages; several get a heading each, and a total where there is a truth.
fn as_text(documents: &[Document]) -> String {
    let mut text = String::new();
    for document in documents {
        if documents.len() > 1 {
            text += &format!("== {}\n", document.image);
        }
        text += &formats::text(&document.page);
        if let Some(score) = &document.score {
            text += &describe(score);
        }
    }
    let scores: Vec<TextScore> = documents
        .iter()
        .filter_map(|document| document.score.clone())
        .collect();
    if scores.len() > 1 {
        text += &format!("== all {}\n{}", scores.len(), describe(&total(&scores)));
    }
    text
}

fn describe(score: &TextScore) -> String {
    let line = |name: &str, edit: &crate::metrics::text::EditScore| {
        format!(
            "{name}  {:.4}  ({} of {} right, {} edits)",
            edit.accuracy,
            edit.length.saturating_sub(edit.distance),
            edit.length,
            edit.distance
        )
    };
    format!(
        "{}\n{}\n",
        line(
            "character accuracy without spaces",
            &score.characters_without_spaces
        ),
        line("character accuracy with spaces   ", &score.characters)
    )
}
