//! Opening a file and taking its pages.

use std::path::Path;
use std::sync::Arc;

use super::page::{POINTS_PER_INCH, PageImage};
#[cfg(feature = "pdf")]
use super::pdf::PdfFile;
use crate::photo::{self, Header, PhotoError};

/// Resolution at which pages of PDFs are rendered, in dots per inch: what archives scan handwriting at. A letter of 3 mm is 35 pixels high.
pub const DEFAULT_DPI: u16 = 300;

/// Bytes at the start of a file that [`may_have_pages`] looks at: readers of PDF accept the header anywhere in them (ISO 32000-1, annex
/// H, note 13 to 3.4.1).
pub const START_BYTES: usize = 1024;

/// The start of a PDF's header.
const PDF_HEADER: &[u8] = b"%PDF-";

/// Whether a file that starts with these bytes may have several pages, so that it has to be opened to count them.
pub fn may_have_pages(start: &[u8]) -> bool {
    photo::is_tiff(start) || is_pdf(start)
}

/// Whether a file that starts with these bytes is a PDF, and this build reads it.
fn is_pdf(start: &[u8]) -> bool {
    let start = &start[..start.len().min(START_BYTES)];
    let has_header = || start.windows(PDF_HEADER.len()).any(|at| at == PDF_HEADER);
    cfg!(feature = "pdf") && !photo::has_image_signature(start) && has_header()
}

/// Whether a file of a folder has the extension of an image, or of a document that this build reads.
pub fn has_extension(path: &Path) -> bool {
    let is_pdf = || {
        let extension = path.extension().unwrap_or_default();
        extension.eq_ignore_ascii_case("pdf")
    };
    photo::has_image_extension(path) || (cfg!(feature = "pdf") && is_pdf())
}

/// A file with its pages.
pub struct Document {
    kind: Kind,
}

enum Kind {
    /// The file, and the numbers of the images in it that are pages.
    Image(Arc<Vec<u8>>, Vec<usize>),
    #[cfg(feature = "pdf")]
    Pdf(PdfFile),
}

impl Document {
    /// Opens the content of a file; `name` is only for the error. Images are not decoded yet.
    ///
    /// # Errors
    /// [`PhotoError`]: a PDF that can't be opened, is protected by a password, or unpacks to more than kiln's limit.
    #[cfg_attr(not(feature = "pdf"), allow(unused_variables))]
    pub fn new(bytes: Arc<Vec<u8>>, name: &Path) -> Result<Self, PhotoError> {
        #[cfg(feature = "pdf")]
        if is_pdf(&bytes) {
            let opened = PdfFile::open(bytes).map_err(|problem| PhotoError::Format {
                path: name.to_path_buf(),
                problem,
            });
            return Ok(Self {
                kind: Kind::Pdf(opened?),
            });
        }
        let pages = photo::page_indices(&bytes);
        Ok(Self {
            kind: Kind::Image(bytes, pages),
        })
    }

    /// The number of pages; at least 1. Reduced copies of a page and masks in a TIFF don't count.
    pub fn pages(&self) -> usize {
        match &self.kind {
            Kind::Image(_, pages) => pages.len(),
            #[cfg(feature = "pdf")]
            Kind::Pdf(file) => file.pages(),
        }
    }

    /// Pixels across and down of a page, by its number from 1, without decoding it; `None` where that isn't known: of PDFs, and of what is
    /// damaged.
    pub fn page_pixels(&self, number: usize) -> Option<(u32, u32)> {
        match &self.kind {
            Kind::Image(bytes, pages) => {
                let index = pages.get(number.checked_sub(1)?)?;
                Header::of_page(bytes, *index).map(|header| header.size)
            }
            #[cfg(feature = "pdf")]
            Kind::Pdf(_) => None,
        }
    }

    /// A page, by its number from 1. Pages of PDFs that are not a scan are rendered at `dpi` dots per inch, or at fewer if they would
    /// need more memory than [`photo::MAX_WORKING_BYTES`]. `name` is what the page is called in errors.
    ///
    /// # Errors
    /// [`PhotoError`]: there is no such page, or it can't be decoded within the limits.
    #[cfg_attr(not(feature = "pdf"), allow(unused_variables))]
    pub fn page(&self, number: usize, dpi: u16, name: &Path) -> Result<PageImage, PhotoError> {
        match &self.kind {
            Kind::Image(bytes, pages) => {
                let index = number.checked_sub(1).and_then(|index| pages.get(index));
                let &index = index.ok_or_else(|| PhotoError::Format {
                    path: name.to_path_buf(),
                    problem: format!("there is no page {number} of {}", pages.len()),
                })?;
                let photo = photo::decode_page(bytes, name, index)?;
                let sides = [photo.width(), photo.height()];
                let resolution = photo::resolution(bytes, index);
                Ok(PageImage {
                    size: resolution
                        .map(|dpi| [0, 1].map(|at| POINTS_PER_INCH * sides[at] as f32 / dpi[at])),
                    photo,
                    file: if pages.len() > 1 {
                        Arc::default()
                    } else {
                        bytes.clone()
                    },
                    notes: Vec::new(),
                })
            }
            #[cfg(feature = "pdf")]
            Kind::Pdf(file) => file
                .page(number, dpi)
                .map_err(|problem| PhotoError::Format {
                    path: name.to_path_buf(),
                    problem,
                }),
        }
    }
}
