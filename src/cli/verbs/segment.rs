//! `kiln segment`

use std::path::{Path, PathBuf};

use image::RgbImage;
use serde_json::Value;

use crate::cli::destinations;
use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::inputs::Input;
use crate::cli::loading;
use crate::cli::page_files;
use crate::cli::paging::PageArgs;
use crate::cli::terminal::output;
use crate::cli::terminal::stages::listening_monitor;
use crate::document::PageImage;
use crate::files;
use crate::segmentation::{self, Segmentation, StagePicture};

/// Find lines, words and letters on a photographed page.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln segment page.jpg --overlay boxes.png --stages stages/
  kiln segment letters.pdf --pages 2-4 --overlay boxes/

Prints one line of boxes per line of text: x,y,width,height in pixels of the upright image, words separated by \" | \".

All pages of PDF files (cargo feature pdf) and TIFF files are read. Several pages have a heading each and are a list in JSON; --overlay and
--stages are folders then.")]
pub struct Args {
    /// Image or PDF file
    image: PathBuf,
    #[command(flatten)]
    pages: PageArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the page with the boxes drawn on it; for several pages, use a folder
    #[arg(long, value_name = "PNG|DIR")]
    overlay: Option<PathBuf>,
    /// Write an image of every stage into this folder; for several pages, into one subfolder per page
    #[arg(long, value_name = "DIR")]
    stages: Option<PathBuf>,
}

pub fn run(args: Args) -> VerbResult {
    if args.image.is_dir() {
        let problem = format!("{}: is a folder; use an image file", args.image.display());
        return Err(UsageError(problem).into());
    }
    let (inputs, several) = args.pages.list(std::slice::from_ref(&args.image))?;
    let mut job = Job {
        inputs: &inputs,
        several,
        json: args.json,
        overlays: page_files::overlays(args.overlay.as_deref(), &inputs, several)?,
        stages: page_files::stages(args.stages.as_deref(), &inputs, several)?,
        text: String::new(),
        pages: Vec::new(),
        failed: 0,
    };
    let monitor = listening_monitor()?;
    loading::each(
        &inputs,
        args.pages.reads(),
        monitor.cancel(),
        |index, loaded| match loaded {
            Ok(page) => job.page(index, page),
            Err(error) if !several => Err(error.into()),
            Err(error) => {
                output::note(&format!("error: {error}"));
                job.failed += 1;
                Ok(())
            }
        },
    )?;
    job.print()?;
    loading::all_were_read(job.failed, &inputs)
}

/// The pages, and what was found on them so far.
struct Job<'a> {
    inputs: &'a [Input],
    several: bool,
    json: bool,
    /// By page.
    overlays: Option<Vec<PathBuf>>,
    /// By page.
    stages: Option<Vec<PathBuf>>,
    /// The boxes, as text or as JSON.
    text: String,
    pages: Vec<Value>,
    failed: usize,
}

impl Job<'_> {
    fn page(&mut self, index: usize, page: PageImage) -> VerbResult {
        let input = &self.inputs[index];
        let name = input.name();
        for note in &page.notes {
            output::note(&format!("{name}: {note}"));
        }
        let photo = page.photo.into_rgb8();
        let (segmentation, pictures) = if self.stages.is_some() {
            segmentation::segment_with_pictures(&photo, segmentation::View::default())
        } else {
            (segmentation::segment(&photo), Vec::new())
        };
        self.draw(index, &photo, &segmentation)?;
        if let Some(folder) = self.stages.as_ref().and_then(|folders| folders.get(index)) {
            write_stages(folder, &pictures, input.path())?;
        }
        if segmentation.lines.is_empty() {
            output::note(&format!("{name}: no text found"));
        }
        if self.json {
            let mut page = serde_json::json!({
                "image": input.path().display().to_string(),
                "width": segmentation.width,
                "height": segmentation.height,
                "measures": segmentation.measures,
                "lines": segmentation.lines,
            });
            if let Some(number) = input.page_number() {
                page["page"] = number.into();
            }
            self.pages.push(page);
        } else {
            if self.several {
                self.text += &format!("== {name}\n");
            }
            self.text += &table(&segmentation);
        }
        Ok(())
    }

    fn draw(
        &self,
        index: usize,
        photo: &RgbImage,
        segmentation: &Segmentation,
    ) -> Result<(), Failure> {
        if let Some(path) = self.overlays.as_ref().and_then(|paths| paths.get(index)) {
            if self.several {
                page_files::create_folder(path)?;
            }
            files::write_png(path, &segmentation::overlay(photo, segmentation, &[]))?;
        }
        Ok(())
    }

    fn print(&self) -> VerbResult {
        match self.pages.as_slice() {
            _ if !self.json => output::emit(&self.text)?,
            [page] if !self.several => output::json(page)?,
            pages => output::json(&pages)?,
        }
        Ok(())
    }
}

/// Writes the images of the stages, numbered in order.
pub fn write_stages(folder: &Path, pictures: &[StagePicture], image: &Path) -> VerbResult {
    let path = |(number, stage): (usize, &StagePicture)| {
        folder.join(format!("{:02}_{}.png", number + 1, stage.name))
    };
    let paths: Vec<PathBuf> = pictures.iter().enumerate().map(path).collect();
    destinations::refuse_overwrite(paths.iter().map(PathBuf::as_path), [image])?;
    std::fs::create_dir_all(folder)
        .map_err(|source| crate::error::FileError::write(folder, source))?;
    for (path, stage) in paths.iter().zip(pictures) {
        files::write_png(path, &stage.picture)?;
    }
    Ok(())
}

/// The letters' boxes, one line per line of text.
fn table(segmentation: &Segmentation) -> String {
    segmentation
        .lines
        .iter()
        .map(|line| {
            let words: Vec<String> = line
                .words
                .iter()
                .map(|word| {
                    let boxes: Vec<String> = word
                        .letters
                        .iter()
                        .map(|letter| {
                            let b = letter.bounds;
                            format!("{},{},{},{}", b.x, b.y, b.width, b.height)
                        })
                        .collect();
                    boxes.join(" ")
                })
                .collect();
            words.join(" | ") + "\n"
        })
        .collect()
}
