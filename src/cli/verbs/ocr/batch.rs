//! The images of one call of `kiln ocr`, one after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;
use maud::Markup;

use super::progress::Progress;
use super::targets::Target;
use crate::cli::failure::{Failure, VerbResult};
use crate::cli::inputs::Input;
use crate::cli::page_files::create_folder;
use crate::cli::terminal::output;
use crate::cli::verbs::segment::write_stages;
use crate::document::PageImage;
use crate::inference::Classifier;
use crate::metrics::text::{TextScore, score};
use crate::ocr::formats::{self, Format, Picture, Sheet, TEXT};
use crate::ocr::truth::Truth;
use crate::ocr::{self, Page, ReadOptions, Reading, Unreadable, review, scores};
use crate::photo::PhotoError;
use crate::timings::Stopwatch;
use crate::{files, segmentation};

/// All images of one call, and what was read so far.
pub struct Batch<'a> {
    pub inputs: &'a [Input],
    pub several: bool,
    pub format: &'static Format,
    pub target: Target,
    /// By input.
    pub overlays: Option<Vec<PathBuf>>,
    /// By input.
    pub stages: Option<Vec<PathBuf>>,
    /// Where the page to correct goes, and its sections so far.
    pub review: Option<&'a Path>,
    pub sections: Vec<Markup>,
    /// By input.
    pub truths: Option<Vec<Truth>>,
    pub classifier: Classifier,
    pub options: ReadOptions,
    pub progress: Progress,
    pub watch: Stopwatch,
    /// Those that are written together, at the end.
    pub sheets: Vec<Sheet>,
    /// By the names of the images.
    pub scores: Vec<(String, TextScore)>,
    pub failed: usize,
    /// Pages without text, or with low confidence.
    pub unsure: usize,
}

/// What was found on a page, in words.
fn found(page: &Page, unreadable: Option<Unreadable>) -> String {
    if let Some(reason) = unreadable {
        return format!("no writing that kiln can read: {reason}");
    }
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (lines, letters) = (page.lines.len(), page.letters().count());
    format!(
        "{lines} line{}, {letters} letter{}",
        plural(lines),
        plural(letters)
    )
}

impl Batch<'_> {
    /// Whether every page has text, read with confidence.
    pub fn all_are_sure(&self) -> VerbResult {
        match self.unsure {
            0 => Ok(()),
            unsure => Err(Failure::unread(format!(
                "{unsure} of {} pages had no readable text or low confidence (--strict)",
                self.inputs.len()
            ))),
        }
    }

    /// Reads an image. One that can't be read is reported and doesn't stop the others; a file that can't be written does.
    pub fn page(&mut self, index: usize, loaded: Result<PageImage, PhotoError>) -> VerbResult {
        self.watch.lap("decode");
        let name = self.inputs[index].name();
        self.progress.starts(index, &name);
        let read = |loaded| self.read(&name, loaded);
        let (photo, reading, picture) = match loaded.map_err(Failure::from).and_then(read) {
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
        if self.review.is_some() {
            let file = Path::new(&name).file_name().unwrap_or_default();
            let section = review::section(&file.to_string_lossy(), &photo, &reading.page);
            self.sections.push(section.map_err(Failure::failed)?);
        }
        self.tell(index, &name, &reading);
        let page = reading.page;
        self.watch.lap("pictures");
        let truth = self.truths.as_ref().and_then(|truths| truths.get(index));
        let score = truth.map(|truth| score(&page.text_lines(), &truth.lines));
        if let Some(score) = &score {
            self.scores.push((name, score.clone()));
        }
        let input = &self.inputs[index];
        self.deliver(
            index,
            Sheet {
                image: input.path().display().to_string(),
                page_number: input.page_number(),
                page,
                score,
                picture,
            },
        )
    }

    /// Reads an image, and keeps it for the formats that show it.
    fn read(
        &self,
        name: &str,
        loaded: PageImage,
    ) -> Result<(RgbImage, Reading, Option<Picture>), Failure> {
        for note in &loaded.notes {
            self.progress.note(&format!("{name}: {note}"));
        }
        let photo = loaded.photo.into_rgb8();
        let reading = ocr::read_with(&photo, &self.classifier, &self.options)?;
        let picture = self.format.shows_image.then(|| {
            let file = Arc::unwrap_or_clone(loaded.file);
            Picture::new(file, &photo).on_page(loaded.size)
        });
        Ok((photo, reading, picture))
    }

    /// Says what was read on a page, how it was turned, and whether it is sure.
    fn tell(&mut self, index: usize, name: &str, reading: &Reading) {
        let page = &reading.page;
        if page.rotated != 0 && !page.lines.is_empty() {
            let turned = page.rotated;
            self.progress.note(&format!(
                "{name}: read after rotating it {turned} degrees clockwise"
            ));
        }
        self.unsure += usize::from(page.has_low_confidence() || page.lines.is_empty());
        if page.has_low_confidence() {
            self.progress.note(&format!(
                "{name}: low confidence (mean {:.2}); much of it may be wrong",
                page.confidence()
            ));
        }
        let found = found(page, reading.unreadable);
        self.progress
            .ended(index, name, &found, page.lines.is_empty());
    }

    /// Writes the requested images.
    fn draw(&self, index: usize, photo: &RgbImage, reading: &Reading) -> VerbResult {
        if let Some(folder) = self.stages.as_ref().and_then(|folders| folders.get(index)) {
            write_stages(folder, &reading.stage_pictures, self.inputs[index].path())?;
        }
        if let Some(path) = self.overlays.as_ref().and_then(|paths| paths.get(index)) {
            if self.several {
                create_folder(path)?;
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
            create_folder(path)?;
            let bytes = self.format.write(&[sheet], false)?;
            files::write(path, &bytes)?;
            self.watch.lap("write");
        } else {
            self.sheets.push(sheet);
        }
        Ok(())
    }

    /// Writes what waited for the end; with `timings`, prints how long each stage took.
    pub fn finish(&mut self, timings: bool) -> VerbResult {
        self.progress.clear();
        self.print()?;
        self.watch.lap("print");
        if timings {
            output::note(output::stage_table(self.watch.laps()).trim_end());
        }
        Ok(())
    }

    /// Writes the sheets that waited for the end, and the scores: with the text or in the JSON; otherwise where the pages are not.
    fn print(&mut self) -> VerbResult {
        let summary = self.summary();
        if let Some(path) = self.review {
            files::write(path, review::document(&self.sections).as_bytes())?;
        }
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
