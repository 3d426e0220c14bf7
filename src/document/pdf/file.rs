//! A PDF file and its pages.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::{
    Context, Device, InterpreterCache, InterpreterSettings, InterpreterWarning, TransformExt,
    interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::kurbo::{Affine, Rect};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, Luma};

use super::render::{self, FAILED, Raster};
use super::scan::Scan;
use super::streams;
use super::survey::{Content, Survey};
use crate::document::page::PageImage;
use crate::panics::catch_panic;

/// A PDF file whose pages have been found.
pub(in crate::document) struct PdfFile {
    pdf: Pdf,
}

impl PdfFile {
    /// Finds the pages of a file.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do, in one line.
    pub fn open(bytes: Arc<Vec<u8>>) -> Result<Self, String> {
        streams::check(&bytes)?;
        let opened = catch_panic(AssertUnwindSafe(|| Pdf::new(bytes)));
        let pdf = match opened {
            Some(Ok(pdf)) => pdf,
            Some(Err(LoadPdfError::Decryption(error))) => return Err(encrypted(error).into()),
            Some(Err(LoadPdfError::Invalid)) | None => {
                return Err(
                    "this PDF file is damaged or incomplete; copy or download it again, or repair it with \
                     `qpdf in.pdf out.pdf`"
                        .into(),
                );
            }
        };
        if pdf.pages().is_empty() {
            return Err("this PDF file has no pages".into());
        }
        Ok(Self { pdf })
    }

    /// The number of pages.
    pub fn pages(&self) -> usize {
        self.pdf.pages().len()
    }

    /// A page by its number from 1: the scan that fills it, or else rendered at up to `dpi` dots per inch.
    ///
    /// # Errors
    /// What is wrong with the page, in one line.
    pub fn page(&self, number: usize, dpi: u16) -> Result<PageImage, String> {
        let pages = self.pdf.pages();
        let page = number.checked_sub(1).and_then(|index| pages.get(index));
        let page = page.ok_or_else(|| format!("there is no page {number} of {}", pages.len()))?;
        let (width, height) = page.render_dimensions();
        let raster = Raster::of((width, height), dpi)?;
        let sides = [width, height].map(|side| f64::from(side * raster.scale));
        let quiet = InterpreterSettings::default();
        let survey = Survey::of(|survey| interpret(page, raster, &quiet, survey))?;
        let taken = match survey.content(sides[0], sides[1]) {
            Content::Empty => Some(blank(sides)),
            Content::Scan(turn) => take(page, raster, turn)?,
            Content::Drawing => None,
        };
        let drawn = match taken {
            Some(taken) => taken,
            None => draw(page, raster)?,
        };
        Ok(PageImage {
            size: Some([width, height]),
            ..drawn
        })
    }
}

/// The problem of a file that can't be decrypted.
fn encrypted(error: DecryptionError) -> &'static str {
    match error {
        DecryptionError::PasswordProtected => {
            "this PDF file is protected by a password; remove it with \
             `qpdf --decrypt --password=PASSWORD in.pdf out.pdf`"
        }
        DecryptionError::MissingIDEntry
        | DecryptionError::InvalidEncryption
        | DecryptionError::UnsupportedAlgorithm => {
            "this PDF file is encrypted in a way that kiln does not support; decrypt it with `qpdf --decrypt in.pdf out.pdf`"
        }
    }
}

/// Lets a page draw on a device, in pixels of the rendered page.
fn interpret<'a>(
    page: &'a Page<'a>,
    raster: Raster,
    settings: &InterpreterSettings,
    device: &mut impl Device<'a>,
) {
    let (width, height) = page.render_dimensions();
    let scale = f64::from(raster.scale);
    let transform = Affine::scale(scale) * page.initial_transform(true).to_kurbo();
    let target = Rect::new(
        0.0,
        0.0,
        f64::from(width) * scale,
        f64::from(height) * scale,
    );
    let cache = InterpreterCache::new();
    let mut context = Context::new(transform, target, &cache, page.xref(), settings.clone());
    interpret_page(page, &mut context, device);
}

/// A white page.
fn blank([width, height]: [f64; 2]) -> PageImage {
    let side = |pixels: f64| (pixels as u32).max(1);
    let white = GrayImage::from_pixel(side(width), side(height), Luma([u8::MAX]));
    plain(white.into())
}

fn plain(photo: DynamicImage) -> PageImage {
    PageImage {
        photo,
        file: Arc::default(),
        size: None,
        notes: Vec::new(),
    }
}

/// The scan of a page, upright; `None` if it has transparent parts, and must be rendered.
fn take(page: &Page<'_>, raster: Raster, turn: Orientation) -> Result<Option<PageImage>, String> {
    let mut scan = Scan::default();
    let (settings, has_failed) = recording_failures();
    let taking = AssertUnwindSafe(|| interpret(page, raster, &settings, &mut scan));
    catch_panic(taking).ok_or(FAILED)?;
    if has_failed.load(Ordering::Relaxed) {
        return Err(
            "the image on the page is damaged, or of a kind that kiln does not read; convert the page with \
             `pdftoppm -r 300 -png in.pdf page`"
                .into(),
        );
    }
    let Some(mut photo) = scan.image else {
        return Ok(None);
    };
    photo.apply_orientation(turn);
    let file = scan.jpeg.filter(|_| turn == Orientation::NoTransforms);
    Ok(Some(PageImage {
        file: file.unwrap_or_default(),
        ..plain(photo)
    }))
}

/// The page, rendered.
fn draw(page: &Page<'_>, raster: Raster) -> Result<PageImage, String> {
    let (settings, has_failed) = recording_failures();
    let drawing = AssertUnwindSafe(|| render::draw(page, &settings, raster));
    let photo = catch_panic(drawing).ok_or(FAILED)??;
    let mut notes = Vec::new();
    if let Some(dpi) = raster.reduced {
        notes.push(format!(
            "rendered at {dpi:.0} dots per inch because the page is large"
        ));
    }
    if has_failed.load(Ordering::Relaxed) {
        notes.push("an image on the page can't be decoded and is missing".into());
    }
    Ok(PageImage {
        notes,
        ..plain(photo)
    })
}

/// Settings that notice when an image can't be decoded.
fn recording_failures() -> (InterpreterSettings, Arc<AtomicBool>) {
    let has_failed = Arc::new(AtomicBool::new(false));
    let flag = has_failed.clone();
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::ImageDecodeFailure) {
                flag.store(true, Ordering::Relaxed);
            }
        }),
        ..InterpreterSettings::default()
    };
    (settings, has_failed)
}
