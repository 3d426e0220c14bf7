//! `kiln ocr`

mod progress;
mod scores;
mod targets;
mod truth;

use std::path::{Path, PathBuf};

use image::RgbImage;

use self::progress::Progress;
use self::targets::Target;
use self::truth::Truth;
use crate::cli::choices;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::inputs::{self, Input, Loaded};
use crate::cli::open;
use crate::cli::reading::ReadingArgs;
use crate::cli::terminal::output;
use crate::config::experiment::Backend;
use crate::inference::Classifier;
use crate::metrics::text::{TextScore, score};
use crate::ocr::formats::{Format, Picture, Sheet};
use crate::ocr::{self, Page, Reading, formats};
use crate::photo::PhotoError;
use crate::timings::Stopwatch;
use crate::{device, files, segmentation};

/// Read photographed pages of hand-printed block capitals.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln ocr page.jpg --overlay read.png
  kiln ocr scans/ --format pdf -o scans.pdf
  kiln ocr *.jpg --format alto -o alto/
  curl -s https://example.org/page.png | kiln ocr - --json
  kiln ocr *.jpg --model runs/nist36_cnn-1 --expect truth.json
  kiln ocr scans/ --expect beside

Folders are searched for PNG and JPEG files, not for folders. An image that can't be read is told on standard error, the
others are written, and the exit code is 1.

--output is a file. For several images it is a folder that gets a file for each of them, unless its name ends as the format's
files do (.txt .json .hocr .xml .tsv .pdf): then all pages are in that file. JSON has an object for one image and a list for
several; with --expect the list is under `pages`, beside the `score` of all.

--expect takes a text file (a line per line), a JSON object of file name to list of lines, a folder with a .txt for each
image, or the word `beside` for a .txt beside each image; a .json that `kiln data page` has written does as well. It prints the character accuracy 1 - edit distance / length with
and without spaces, character and word error rates (edits / length), and the commonest confusions.")]
pub struct Args {
    /// PNG or JPEG files, folders of them, or - for standard input
    #[arg(required = true, value_name = "IMAGE|FOLDER|-")]
    images: Vec<PathBuf>,
    /// Run directory of a model whose classes are single characters [default: the model that kiln ships]
    #[arg(long, value_name = "RUN")]
    model: Option<PathBuf>,
    /// Backend to compute with [default: flex]
    #[arg(long, value_parser = choices::backend())]
    backend: Option<Backend>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// What to write the pages as [default: what the name of --output ends in, else text]
    #[arg(long, value_parser = choices::format())]
    format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write to this file or folder instead of standard output
    #[arg(long, short, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Write the page with boxes and letters drawn on it; for several images, into this folder
    #[arg(long, value_name = "PNG|DIR")]
    overlay: Option<PathBuf>,
    /// Write every intermediate picture of the segmentation into this folder; for several images, into folders in it
    #[arg(long, value_name = "DIR")]
    stages: Option<PathBuf>,
    /// Print how long each stage took, on standard error
    #[arg(long)]
    timings: bool,
    /// Compare with the truth in this file or folder, or `beside` each image
    #[arg(long, value_name = "FILE|DIR|beside")]
    expect: Option<PathBuf>,
}

pub fn run(args: Args) -> Outcome {
    let (inputs, several) = inputs::list(&args.images)?;
    let format = match (args.json, args.format, args.output.as_deref()) {
        (true, ..) => Format::Json,
        (false, Some(format), _) => format,
        (false, None, Some(output)) => Format::of_name(output).unwrap_or_default(),
        (false, None, None) => Format::default(),
    };
    let target = Target::new(args.output.as_deref(), format, &inputs, several)?;
    let overlay = args.overlay.as_deref();
    let overlays = overlay.map(|path| targets::overlays(path, &inputs, several));
    let stages = args.stages.as_deref();
    let stages = stages.map(|path| targets::stages(path, &inputs, several));
    let (overlays, stages) = (overlays.transpose()?, stages.transpose()?);
    let mut watch = Stopwatch::start();
    let mut options = args.reading.options()?;
    options.stage_pictures = stages.is_some();
    let expect = args.expect.as_deref();
    let truths = expect.map(|path| truth::find(path, &inputs)).transpose()?;
    let mut read: Vec<&Path> = args.reading.word_list().into_iter().collect();
    read.extend(truths.iter().flatten().map(|truth| truth.file.as_path()));
    targets::are_apart(&target, overlays.as_deref().unwrap_or_default(), &read)?;
    let classifier = match &args.model {
        Some(run) => open::naming_classifier(run, args.backend)?,
        None => ocr::shipped_model(&device::open(args.backend.unwrap_or_default())?)?,
    };
    ocr::check(&classifier)?;
    watch.lap("load model");
    let mut job = Job {
        progress: Progress::new(inputs.len()),
        inputs: &inputs,
        several,
        format,
        target,
        overlays,
        stages,
        truths,
        classifier,
        options,
        watch,
        sheets: Vec::new(),
        scores: Vec::new(),
        failed: 0,
    };
    inputs::each(&inputs, |index, loaded| job.page(index, loaded))?;
    job.progress.clear();
    job.print()?;
    job.watch.lap("print");
    if args.timings {
        output::note(job.watch.table().trim_end());
    }
    inputs::all_were_read(job.failed, &inputs)
}

/// What is done for each image, and what is left of it.
struct Job<'a> {
    inputs: &'a [Input],
    several: bool,
    format: Format,
    target: Target,
    overlays: Option<Vec<PathBuf>>,
    stages: Option<Vec<PathBuf>>,
    truths: Option<Vec<Truth>>,
    classifier: Classifier,
    options: ocr::Options,
    progress: Progress,
    watch: Stopwatch,
    /// Those that are written together, at the end.
    sheets: Vec<Sheet>,
    /// By the names of the images.
    scores: Vec<(String, TextScore)>,
    failed: usize,
}

impl Job<'_> {
    /// Reads an image. One that can't be read is told, and doesn't stop the others; a file that can't be written does.
    fn page(&mut self, index: usize, loaded: Result<Loaded, PhotoError>) -> Outcome {
        self.watch.lap("decode");
        let name = self.inputs[index].name();
        self.progress.starts(index, &name);
        let read = |loaded: Loaded| -> Result<(Vec<u8>, RgbImage, Reading), Failure> {
            let photo = loaded.photo.into_rgb8();
            let reading = ocr::read_with(&photo, &self.classifier, &self.options)?;
            Ok((loaded.file, photo, reading))
        };
        let (file, photo, reading) = match loaded.map_err(Failure::from).and_then(read) {
            Ok(read) => read,
            // The only image there is: its error is the verb's.
            Err(error) if !self.several => return Err(error),
            Err(error) => {
                self.progress.note(&format!("error: {error}"));
                self.failed += 1;
                return Ok(());
            }
        };
        self.watch.insert(&reading.timings);
        self.draw(index, &photo, &reading)?;
        let page = reading.page;
        if page.lines.is_empty() {
            self.progress.note(&format!("{name}: no writing was found"));
        } else if page.is_doubtful() {
            self.progress.note(&format!(
                "{name}: hardly any letter is certain (mean confidence {:.2}); pages must be upright, and dark on light",
                page.confidence()
            ));
        }
        self.progress
            .ended(index, &name, page.lines.len(), formats::labels(&page).len());
        self.watch.lap("pictures");
        let truth = self.truths.as_ref().and_then(|truths| truths.get(index));
        let score = truth.map(|truth| score(&text_lines(&page), &truth.lines));
        if let Some(score) = &score {
            self.scores.push((name.clone(), score.clone()));
        }
        let is_shown = self.format == Format::Pdf;
        self.deliver(
            index,
            Sheet {
                image: name,
                page,
                score,
                picture: is_shown.then(|| Picture::new(file, &photo)),
            },
        )
    }

    /// The pictures that were asked for.
    fn draw(&self, index: usize, photo: &RgbImage, reading: &Reading) -> Outcome {
        if let Some(folder) = self.stages.as_ref().and_then(|folders| folders.get(index)) {
            crate::cli::verbs::segment::write_stages(
                folder,
                &reading.stage_pictures,
                self.inputs[index].path(),
            )?;
        }
        if let Some(path) = self.overlays.as_ref().and_then(|paths| paths.get(index)) {
            if self.several {
                targets::make_folder(path)?;
            }
            let labels = formats::labels(&reading.page);
            let picture = segmentation::overlay(photo, &reading.segmentation, &labels);
            files::write_png(path, &picture)?;
        }
        Ok(())
    }

    /// Writes a sheet that has a file of its own; the others wait for the end.
    fn deliver(&mut self, index: usize, sheet: Sheet) -> Outcome {
        if let Target::Files(paths) = &self.target
            && let Some(path) = paths.get(index)
        {
            targets::make_folder(path)?;
            let bytes = formats::write(self.format, &[sheet], false)?;
            files::write(path, &bytes)?;
            self.watch.lap("write");
        } else {
            self.sheets.push(sheet);
        }
        Ok(())
    }

    /// Writes what waits for the end, and the scores: with the text or in the JSON; else where the pages are not.
    fn print(&mut self) -> Outcome {
        let summary = self.summary();
        match (&self.target, self.format) {
            // Nothing could be read.
            (Target::Standard | Target::File(_), _) if self.sheets.is_empty() => {}
            (Target::Standard, Format::Text) => {
                let after = |sheet: &Sheet| sheet.score.as_ref().map(scores::describe);
                let text = formats::texts(&self.sheets, self.several, |sheet| {
                    after(sheet).unwrap_or_default()
                });
                let total = if self.several { summary } else { String::new() };
                output::emit(&(text + &total))?;
            }
            (Target::Standard, format) => {
                output::emit_bytes(&formats::write(format, &self.sheets, self.several)?)?;
                if format != Format::Json && !summary.is_empty() {
                    output::note(summary.trim_end());
                }
            }
            (Target::File(path), format) => {
                files::write(path, &formats::write(format, &self.sheets, self.several)?)?;
                output::emit(&summary)?;
            }
            (Target::Files(_), _) => output::emit(&summary)?,
        }
        Ok(())
    }

    /// All scores as text; nothing without a truth.
    fn summary(&self) -> String {
        match self.scores.as_slice() {
            [] => String::new(),
            [(_, score)] if !self.several => scores::describe(score),
            scores => scores::summary(scores),
        }
    }
}

fn text_lines(page: &Page) -> Vec<String> {
    page.lines.iter().map(|line| line.text.clone()).collect()
}
