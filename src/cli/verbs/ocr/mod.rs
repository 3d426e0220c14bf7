//! `kiln ocr`

mod batch;
mod form;
mod portion;
mod progress;
mod targets;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::batch::Batch;
use self::form::FormRequest;
use self::portion::{Portion, Shard};
use self::progress::Progress;
use self::targets::Target;
use crate::cli::choices;
use crate::cli::compute::{ComputeArgs, Precision};
use crate::cli::destinations;
use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::inputs::{Input, Source};
use crate::cli::loading;
use crate::cli::open;
use crate::cli::page_files;
use crate::cli::paging::PageArgs;
use crate::cli::reading::ReadingArgs;
use crate::cli::terminal::output;
use crate::cli::terminal::stages::listening_monitor;
use crate::inference::Classifier;
use crate::ocr::formats::{FORMATS, Format, JSON, TEXT};
use crate::ocr::truth::{BESIDE, Truth, TruthSource};
use crate::ocr::{self, Alphabet, MixedModel, ReadOptions};
use crate::timings::Stopwatch;

/// Read photographed pages of hand-printed letters.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln ocr page.jpg --overlay read.png
  kiln ocr scans/ --format pdf -o scans.pdf
  kiln ocr letters.pdf --pages 2-4 -o letters.txt
  kiln ocr *.jpg --format alto -o alto/
  curl -s https://example.org/page.png | kiln ocr - --json
  kiln ocr *.jpg --model runs/nist36_cnn-1 --expect truth.json
  kiln ocr scans/ --expect beside
  kiln ocr scans/ --form form.json -o rows.csv
  kiln ocr scans/ -o texts/ --shard 2/8 --resume

Folders are searched for images and PDFs, but not recursively. All pages of PDF and TIFF files are read, each as an image of its own:
`scan.pdf, page 2`, or scan-page-2.txt for the file made from it. PDF files need a kiln that was built with the cargo feature pdf. An
image or page that can't be read is reported on standard error; the others are written, and the exit code is 1.

--output is a file. For several images it is a folder that gets one file per image, unless it has one of the format's
extensions (.txt .json .hocr .xml .tsv .pdf): then all pages go into that file. JSON is an object for one image and a list for
several; with --expect the list is under `pages`, beside the total `score`.

--expect takes a text file (one line of text per line of writing), a JSON object that maps file names to lists of lines, a
folder with a .txt per image (scan-page-2.txt for a page), or the word `beside` for a .txt beside each image; a .json that `kiln data page` has written
works as well. It prints the character accuracy (1 - edit distance / length) with and without spaces, character and word
error rates (edits / length), and the most frequent confusions.")]
pub struct Args {
    /// Image and PDF files, folders of them, or - for standard input
    #[arg(required = true, value_name = "IMAGE|FOLDER|-")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    pages: PageArgs,
    /// Run directory of a model whose classes are single characters [default: the model that kiln ships]
    #[arg(long, value_name = "RUN")]
    model: Option<PathBuf>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Precision of products; sums are always made in 32 bits
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
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
    /// Read only one of N parts of the pages, from 1 to N, into the folder of --output: several machines divide the pages
    #[arg(long, value_name = "I/N", conflicts_with_all = ["form", "review"])]
    shard: Option<Shard>,
    /// Pass over pages whose file in the folder of --output is there and not older than the image
    #[arg(long, conflicts_with_all = ["form", "review", "expect"])]
    resume: bool,
    /// Read the boxes of a form, described in this JSON file: a row of CSV (or JSON, with --json) per page
    #[arg(long, value_name = "FORM.json", conflicts_with_all = ["format", "overlay", "review", "stages", "expect", "timings"])]
    form: Option<PathBuf>,
    /// Write the page with boxes and letters drawn on it; for several images, use a folder
    #[arg(long, value_name = "PNG|DIR")]
    overlay: Option<PathBuf>,
    /// Write an HTML page to correct what was read, letter by letter
    #[arg(long, value_name = "HTML")]
    review: Option<PathBuf>,
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
        let of = |input: &Input| match (&source, input.source()) {
            (TruthSource::Beside, Source::Standard) => Err(UsageError(format!(
                "--expect {BESIDE}: not available for standard input; pass a ground-truth file"
            ))
            .into()),
            // A page has its own name.
            _ if input.page_number().is_some() => {
                Ok(source.of(Path::new(&input.name()), &input.stem())?)
            }
            _ => Ok(source.of(input.path(), &input.stem())?),
        };
        inputs.iter().map(of).collect::<Result<_, _>>().map(Some)
    }

    /// Refuses to write the page to correct over something else.
    fn validate_review(&self, inputs: &[Input]) -> Result<(), UsageError> {
        let Some(review) = &self.review else {
            return Ok(());
        };
        if self.output.as_ref() == Some(review) {
            let problem = "--review and --output are the same file; choose another for one of them";
            return Err(UsageError(problem.into()));
        }
        page_files::not_an_input(review, inputs)?;
        destinations::require_folder(review)
    }

    /// What `--form` asks for.
    fn form_request<'a>(&'a self, form: &'a Path) -> Result<FormRequest<'a>, Failure> {
        let options = self.reading.options()?;
        let (classifier, mixed) = self.models(&options.alphabet)?;
        Ok(FormRequest {
            form,
            images: &self.images,
            pages: &self.pages,
            classifier,
            options: ReadOptions { mixed, ..options },
            json: self.json,
            output: self.output.as_deref(),
        })
    }

    /// The model, which can read at least one character of the alphabet, and the one for mixed text.
    fn models(&self, alphabet: &Alphabet) -> Result<(Classifier, Option<MixedModel>), Failure> {
        let (classifier, mixed) = match &self.model {
            Some(run) => {
                let opened = open::naming_model(run, self.compute)?;
                ocr::check(&opened.classifier).map_err(|error| {
                    UsageError(format!("--model {}: {error}", opened.file.display()))
                })?;
                let mixed = MixedModel::of(&opened.classifier);
                (opened.classifier, mixed)
            }
            None => {
                let device = self.compute.open()?;
                let (model, mixed) = rayon::join(
                    || ocr::shipped_model(&device),
                    || ocr::shipped_mixed_model(&device),
                );
                (model?, Some(mixed?))
            }
        };
        ocr::check_alphabet(&classifier, alphabet)?;
        let in_precision = |mixed: MixedModel| mixed.with_precision(self.precision.compute());
        let mixed = mixed.map(in_precision).transpose()?;
        Ok((self.precision.of(classifier)?, mixed))
    }
}

/// What is read, and where it goes; everything by page.
struct Job {
    inputs: Vec<Input>,
    /// Whether there may be several pages.
    several: bool,
    target: Target,
    overlays: Option<Vec<PathBuf>>,
    stages: Option<Vec<PathBuf>>,
    truths: Option<Vec<Truth>>,
}

impl Job {
    /// What the arguments ask for, checked before anything is read.
    fn new(args: &Args) -> Result<Self, Failure> {
        let (inputs, several) = args.pages.list(&args.images)?;
        let target = Target::new(args.output.as_deref(), args.format(), &inputs, several)?;
        let overlays = page_files::overlays(args.overlay.as_deref(), &inputs, several)?;
        let stages = page_files::stages(args.stages.as_deref(), &inputs, several)?;
        let truths = args.truths(&inputs)?;
        args.validate_review(&inputs)?;
        let mut read: Vec<&Path> = args.reading.word_list().into_iter().collect();
        read.extend(truths.iter().flatten().map(|truth| truth.file.as_path()));
        targets::validate_distinct(&target, overlays.as_deref().unwrap_or_default(), &read)?;
        let portion = Portion::new(args.shard, args.resume, &target, &inputs)?;
        if portion.done > 0 {
            output::note(&format!("passed over: {} pages read before", portion.done));
        }
        Ok(Self {
            target: match target {
                Target::Files(paths) => Target::Files(portion.of(paths)),
                together => together,
            },
            overlays: overlays.map(|paths| portion.of(paths)),
            stages: stages.map(|paths| portion.of(paths)),
            truths: truths.map(|truths| portion.of(truths)),
            inputs: portion.of(inputs),
            several,
        })
    }
}

/// Does now, on the threads that decoding the first page leaves idle, what reading it would do first.
fn prepare_networks(classifier: &Classifier, mixed: Option<&MixedModel>, options: &ReadOptions) {
    let networks = [Some(classifier), mixed.map(MixedModel::classifier)];
    rayon::join(
        || {
            networks
                .into_par_iter()
                .flatten()
                .for_each(Classifier::prepare)
        },
        || options.context.ngram(),
    );
}

pub fn run(args: Args) -> VerbResult {
    if let Some(form) = &args.form {
        return form::run(&args.form_request(form)?);
    }
    let mut options = args.reading.options()?;
    let Job {
        inputs,
        several,
        target,
        overlays,
        stages,
        truths,
    } = Job::new(&args)?;
    options.stage_pictures = stages.is_some();
    let mut watch = Stopwatch::start();
    let prepare = || {
        let (classifier, mixed) = args.models(&options.alphabet)?;
        prepare_networks(&classifier, mixed.as_ref(), &options);
        options.mixed = mixed;
        watch.lap("load model");
        Ok(Batch {
            progress: Progress::new(inputs.len()),
            inputs: &inputs,
            several,
            format: args.format(),
            target,
            overlays,
            stages,
            review: args.review.as_deref(),
            sections: Vec::new(),
            truths,
            classifier,
            options,
            watch,
            sheets: Vec::new(),
            scores: Vec::new(),
            failed: 0,
            unsure: 0,
        })
    };
    let monitor = listening_monitor()?;
    let mut batch = loading::each_with(
        &inputs,
        args.pages.reads(),
        monitor.cancel(),
        prepare,
        Batch::page,
    )?;
    batch.finish(args.timings)?;
    loading::all_were_read(batch.failed, &inputs)?;
    if args.strict {
        batch.all_are_sure()
    } else {
        Ok(())
    }
}
