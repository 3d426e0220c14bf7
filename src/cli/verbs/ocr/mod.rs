//! `kiln ocr`

mod progress;
mod targets;

use std::path::{Path, PathBuf};

use image::RgbImage;

use self::progress::Progress;
use self::targets::Target;
use crate::cli::choices;
use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::inputs::{self, Input, Loaded};
use crate::cli::open;
use crate::cli::reading::ReadingArgs;
use crate::cli::terminal::output;
use crate::cli::terminal::stages::listening_monitor;
use crate::cli::verbs::segment::write_stages;
use crate::config::Backend;
use crate::inference::Classifier;
use crate::metrics::text::{TextScore, score};
use crate::ocr::formats::{self, FORMATS, Format, JSON, Picture, Sheet, TEXT};
use crate::ocr::truth::{BESIDE, Truth, TruthSource};
use crate::ocr::{self, Alphabet, ReadOptions, Reading, scores};
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

Folders are searched for images, but not recursively. An image that can't be read is reported on standard error;
the others are written, and the exit code is 1.

--output is a file. For several images it is a folder that gets one file per image, unless it has one of the format's
extensions (.txt .json .hocr .xml .tsv .pdf): then all pages go into that file. JSON is an object for one image and a list for
several; with --expect the list is under `pages`, beside the total `score`.

--expect takes a text file (one line of text per line of writing), a JSON object that maps file names to lists of lines, a
folder with a .txt per image, or the word `beside` for a .txt beside each image; a .json that `kiln data page` has written
works as well. It prints the character accuracy (1 - edit distance / length) with and without spaces, character and word
error rates (edits / length), and the most frequent confusions.")]
pub struct Args {
    /// Image files, folders of them, or - for standard input
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
    /// File format of the pages [default: by the extension of --output, else text]
    #[arg(long, value_parser = choices::format())]
    format: Option<&'static Format>,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write to this file or folder instead of standard output
    #[arg(long, short, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Write the page with boxes and letters drawn on it; for several images, use a folder
    #[arg(long, value_name = "PNG|DIR")]
    overlay: Option<PathBuf>,
    /// Write an image of every segmentation stage into this folder; for several images, into one subfolder per image
    #[arg(long, value_name = "DIR")]
    stages: Option<PathBuf>,
    /// Print how long each stage took, on standard error
    #[arg(long)]
    timings: bool,
    /// Exit with code 3 if a page has no text that kiln can read, or is read with low confidence
    #[arg(long)]
    strict: bool,
    /// Score against ground truth in this file or folder; `beside` looks next to each image
    #[arg(long, value_name = "FILE|DIR|beside")]
    expect: Option<PathBuf>,
}

impl Args {
    /// The requested format, or the one that the output's name implies.
    fn format(&self) -> &'static Format {
        let by_name = |output: &PathBuf| FORMATS.into_iter().find(|format| format.has_name(output));
        if self.json {
            &JSON
        } else {
            self.format
                .or_else(|| self.output.as_ref().and_then(by_name))
                .unwrap_or(&TEXT)
        }
    }

    /// The ground truth of each image, if there is any.
    fn truths(&self, inputs: &[Input]) -> Result<Option<Vec<Truth>>, Failure> {
        let Some(expect) = &self.expect else {
            return Ok(None);
        };
        let source = TruthSource::open(expect)?;
        let of = |input: &Input| match (&source, input) {
            (TruthSource::Beside, Input::Standard) => Err(UsageError(format!(
                "--expect {BESIDE}: not available for standard input; pass a ground-truth file"
            ))
            .into()),
            _ => Ok(source.of(input.path(), &input.stem())?),
        };
        inputs.iter().map(of).collect::<Result<_, _>>().map(Some)
    }

    /// The model, which can read at least one character of the alphabet.
    fn classifier(&self, alphabet: &Alphabet) -> Result<Classifier, Failure> {
        let classifier = match &self.model {
            Some(run) => {
                let opened = open::naming_model(run, self.backend)?;
                ocr::check(&opened.classifier).map_err(|error| {
                    UsageError(format!("--model {}: {error}", opened.file.display()))
                })?;
                opened.classifier
            }
            None => ocr::shipped_model(&device::open(self.backend.unwrap_or_default())?)?,
        };
        ocr::check_alphabet(&classifier, alphabet)?;
        Ok(classifier)
    }
}

pub fn run(args: Args) -> VerbResult {
    let (inputs, several) = inputs::list(&args.images)?;
    let format = args.format();
    let target = Target::new(args.output.as_deref(), format, &inputs, several)?;
    let overlays = args.overlay.as_deref();
    let overlays = overlays
        .map(|path| targets::overlays(path, &inputs, several))
        .transpose()?;
    let stages = args.stages.as_deref();
    let stages = stages
        .map(|path| targets::stages(path, &inputs, several))
        .transpose()?;
    let mut watch = Stopwatch::start();
    let options = ReadOptions {
        stage_pictures: stages.is_some(),
        ..args.reading.options()?
    };
    let truths = args.truths(&inputs)?;
    let mut read: Vec<&Path> = args.reading.word_list().into_iter().collect();
    read.extend(truths.iter().flatten().map(|truth| truth.file.as_path()));
    targets::validate_distinct(&target, overlays.as_deref().unwrap_or_default(), &read)?;
    let classifier = args.classifier(&options.alphabet)?;
    watch.lap("load model");
    let mut batch = Batch {
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
        unsure: 0,
    };
    let monitor = listening_monitor()?;
    inputs::each(&inputs, monitor.cancel(), |index, loaded| {
        batch.page(index, loaded)
    })?;
    batch.progress.clear();
    batch.print()?;
    batch.watch.lap("print");
    if args.timings {
        output::note(output::stage_table(batch.watch.laps()).trim_end());
    }
    inputs::all_were_read(batch.failed, &inputs)?;
    if args.strict {
        batch.all_are_sure()
    } else {
        Ok(())
    }
}

/// All images of one call, and what was read so far.
struct Batch<'a> {
    inputs: &'a [Input],
    several: bool,
    format: &'static Format,
    target: Target,
    /// By input.
    overlays: Option<Vec<PathBuf>>,
    /// By input.
    stages: Option<Vec<PathBuf>>,
    /// By input.
    truths: Option<Vec<Truth>>,
    classifier: Classifier,
    options: ReadOptions,
    progress: Progress,
    watch: Stopwatch,
    /// Those that are written together, at the end.
    sheets: Vec<Sheet>,
    /// By the names of the images.
    scores: Vec<(String, TextScore)>,
    failed: usize,
    /// Pages without text, or with low confidence.
    unsure: usize,
}

impl Batch<'_> {
    /// Whether every page has text, read with confidence.
    fn all_are_sure(&self) -> VerbResult {
        match self.unsure {
            0 => Ok(()),
            unsure => Err(Failure::unread(format!(
                "{unsure} of {} pages without text that kiln can read surely (--strict)",
                self.inputs.len()
            ))),
        }
    }

    /// Reads an image. One that can't be read is reported and doesn't stop the others; a file that can't be written does.
    fn page(&mut self, index: usize, loaded: Result<Loaded, PhotoError>) -> VerbResult {
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
            // With a single image, its error is that of the subcommand.
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
        if page.rotated != 0 {
            let turned = page.rotated;
            self.progress.note(&format!(
                "{name}: read turned clockwise by {turned} degrees"
            ));
        }
        self.unsure += usize::from(page.has_low_confidence() || page.lines.is_empty());
        if page.has_low_confidence() {
            self.progress.note(&format!(
                "{name}: low confidence (mean {:.2}); much of it may be wrong",
                page.confidence()
            ));
        }
        self.progress
            .ended(index, &name, page.lines.len(), page.letters().count());
        self.watch.lap("pictures");
        let truth = self.truths.as_ref().and_then(|truths| truths.get(index));
        let score = truth.map(|truth| score(&page.text_lines(), &truth.lines));
        if let Some(score) = &score {
            self.scores.push((name.clone(), score.clone()));
        }
        let picture = self.format.shows_image.then(|| Picture::new(file, &photo));
        self.deliver(
            index,
            Sheet {
                image: name,
                page,
                score,
                picture,
            },
        )
    }

    /// Writes the requested images.
    fn draw(&self, index: usize, photo: &RgbImage, reading: &Reading) -> VerbResult {
        if let Some(folder) = self.stages.as_ref().and_then(|folders| folders.get(index)) {
            write_stages(folder, &reading.stage_pictures, self.inputs[index].path())?;
        }
        if let Some(path) = self.overlays.as_ref().and_then(|paths| paths.get(index)) {
            if self.several {
                targets::create_folder(path)?;
            }
            let labels = reading.page.labels();
            let picture = segmentation::overlay(photo, &reading.segmentation, &labels);
            files::write_png(path, &picture)?;
        }
        Ok(())
    }

    /// Writes a sheet that has a file of its own; the others wait for the end.
    fn deliver(&mut self, index: usize, sheet: Sheet) -> VerbResult {
        if let Target::Files(paths) = &self.target
            && let Some(path) = paths.get(index)
        {
            targets::create_folder(path)?;
            let bytes = self.format.write(&[sheet], false)?;
            files::write(path, &bytes)?;
            self.watch.lap("write");
        } else {
            self.sheets.push(sheet);
        }
        Ok(())
    }

    /// Writes the sheets that waited for the end, and the scores: with the text or in the JSON; otherwise where the pages are not.
    fn print(&mut self) -> VerbResult {
        let summary = self.summary();
        match &self.target {
            // Nothing could be read.
            Target::Standard | Target::File(_) if self.sheets.is_empty() => {}
            Target::Standard if self.format == &TEXT => {
                let score = |sheet: &Sheet| sheet.score.as_ref().map(scores::describe);
                let text = formats::texts(&self.sheets, self.several, |sheet| {
                    score(sheet).unwrap_or_default()
                });
                let total = if self.several { summary } else { String::new() };
                output::emit(&(text + &total))?;
            }
            Target::Standard => {
                output::emit_bytes(&self.format.write(&self.sheets, self.several)?)?;
                if !self.format.holds_scores && !summary.is_empty() {
                    output::note(summary.trim_end());
                }
            }
            Target::File(path) => {
                files::write(path, &self.format.write(&self.sheets, self.several)?)?;
                output::emit(&summary)?;
            }
            Target::Files(_) => output::emit(&summary)?,
        }
        Ok(())
    }

    /// All scores as text; nothing without ground truth.
    fn summary(&self) -> String {
        match self.scores.as_slice() {
            [] => String::new(),
            [(_, score)] if !self.several => scores::describe(score),
            scores => scores::summary(scores),
        }
    }
}
