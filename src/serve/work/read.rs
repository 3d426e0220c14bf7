//! Pages are read, one after the other; meanwhile the next ones are decoded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::models::Models;
use super::places::{Place, Places, Waiting, answer, in_time};
use crate::document::{DEFAULT_DPI, Document, PageImage};
use crate::ocr::formats::{Format, Picture, Sheet, page_name};
use crate::ocr::{self, ReadOptions};
use crate::serve::guard::Content;
use crate::serve::limits::{MAX_DECODED, MAX_PAGES, MAX_PIXELS};
use crate::serve::problem::Problem;

/// Stack of the thread: later pages of PDFs are decoded on it, and may nest their parts deeply.
const STACK_BYTES: usize = 32 << 20;

/// A file to be read.
pub struct ReadRequest {
    /// What the file is called.
    pub name: String,
    /// Its content.
    pub content: Content,
    /// The run whose model reads.
    pub run: Option<PathBuf>,
    /// How it is read; its models are filled in.
    pub options: ReadOptions,
    /// What is made of it.
    pub format: &'static Format,
}

/// A file whose first page is decoded.
struct Job {
    request: ReadRequest,
    document: Document,
    first: PageImage,
    reply: oneshot::Sender<Result<Vec<u8>, Problem>>,
    // Both are free again when the job is done.
    place: Place,
    decoded: Option<OwnedSemaphorePermit>,
}

/// The queue of the reader.
pub struct Read {
    /// Its places.
    pub places: Places,
    decoded: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Read {
    /// Starts the thread that reads.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn start(places: usize, models: Arc<Models>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("read".into())
            .stack_size(STACK_BYTES);
        thread.spawn(move || run(&receiver, &models))?;
        Ok(Self {
            places: Places::new(places),
            decoded: Arc::new(Semaphore::new(MAX_DECODED)),
            jobs: sender,
        })
    }

    /// Reads a file, once it is its turn: the bytes of a file in the requested format.
    ///
    /// # Errors
    /// The image can't be decoded within the limits, the model can't read it, or it takes too long. What is not waited for any more is
    /// stopped.
    pub async fn read(&self, place: Place, request: ReadRequest) -> Result<Vec<u8>, Problem> {
        in_time(self.wait(place, request)).await
    }

    async fn wait(&self, place: Place, mut request: ReadRequest) -> Result<Vec<u8>, Problem> {
        let waiting = Waiting::default();
        request.options.cancel = waiting.cancel();
        // Closed only with the server.
        let decoded = self.decoded.clone().acquire_owned().await.ok();
        // Whoever leaves doesn't free the place of an image that is still being decoded.
        let open = move || open(request).map(|opened| (opened, place, decoded));
        let opened = tokio::task::spawn_blocking(open).await;
        let ((request, document, first), place, decoded) =
            opened.map_err(|_| Problem::failed("the image can't be decoded"))??;
        let (reply, answered) = oneshot::channel();
        let job = Job {
            request,
            document,
            first,
            reply,
            place,
            decoded,
        };
        self.jobs
            .send(job)
            .map_err(|_| Problem::failed("the reader has ended"))?;
        answer(answered).await
    }
}

/// Opens a file and decodes its first page.
fn open(request: ReadRequest) -> Result<(ReadRequest, Document, PageImage), Problem> {
    request.options.cancel.check().map_err(Problem::failed)?;
    let bytes = request.content.bytes.clone();
    let name = Path::new(&request.name);
    let document = Document::new(bytes, name).map_err(Problem::unusable)?;
    let pages = document.pages();
    if pages > MAX_PAGES {
        return Err(Problem::unusable(format!(
            "the file has {pages} pages; at most {MAX_PAGES} are read at a time; send fewer"
        )));
    }
    let first = page(&request.name, &document, 1)?;
    Ok((request, document, first))
}

/// Decodes a page.
fn page(name: &str, document: &Document, number: usize) -> Result<PageImage, Problem> {
    require_pixels(document.page_pixels(number))?;
    let called = called(name, number, document.pages());
    let page = document.page(number, DEFAULT_DPI, Path::new(&called));
    let page = page.map_err(Problem::unusable)?;
    // A page of a PDF has as many as come out.
    require_pixels(Some((page.photo.width(), page.photo.height())))?;
    Ok(page)
}

/// Refuses an image of more pixels than the server reads.
pub fn require_pixels(size: Option<(u32, u32)>) -> Result<(), Problem> {
    let Some((width, height)) = size else {
        // Decoding says what is wrong.
        return Ok(());
    };
    if u64::from(width) * u64::from(height) <= MAX_PIXELS {
        return Ok(());
    }
    Err(Problem::unusable(format!(
        "the image has {width}x{height} pixels; at most {} million are accepted; downscale it",
        MAX_PIXELS / 1_000_000
    )))
}

/// What a page is called in errors.
fn called(name: &str, number: usize, pages: usize) -> String {
    if pages > 1 {
        page_name(name, number)
    } else {
        name.to_string()
    }
}

/// The loop of the thread.
fn run(jobs: &Receiver<Job>, models: &Models) {
    while let Ok(job) = jobs.recv() {
        let Job {
            request,
            document,
            first,
            reply,
            place,
            decoded,
        } = job;
        // Nobody waits any more.
        if request.options.cancel.is_cancelled() {
            continue;
        }
        let read = || read(request, &document, first, models);
        let result = catch_unwind(AssertUnwindSafe(read))
            .unwrap_or_else(|_| Err(Problem::failed("reading this image failed")));
        drop((place, decoded));
        let _ = reply.send(result);
    }
}

/// Reads all pages of a file.
fn read(
    request: ReadRequest,
    document: &Document,
    first: PageImage,
    models: &Models,
) -> Result<Vec<u8>, Problem> {
    let (classifier, mixed) = models.reader(request.run.as_deref())?;
    let options = ReadOptions {
        mixed,
        ..request.options
    };
    ocr::check_alphabet(&classifier, &options.alphabet).map_err(Problem::bad_request)?;
    let pages = document.pages();
    let mut first = Some(first);
    let mut sheets = Vec::with_capacity(pages);
    for number in 1..=pages {
        options.cancel.check().map_err(Problem::failed)?;
        let image = match first.take() {
            Some(first) => first,
            None => page(&request.name, document, number)?,
        };
        let photo = image.photo.into_rgb8();
        let reading = ocr::read_with(&photo, &classifier, &options).map_err(Problem::unusable)?;
        let picture = request.format.shows_image.then(|| {
            let file = Arc::unwrap_or_clone(image.file);
            Picture::new(file, &photo).on_page(image.size)
        });
        sheets.push(Sheet {
            image: request.name.clone(),
            page_number: (pages > 1).then_some(number),
            page: reading.page,
            score: None,
            picture,
        });
    }
    request
        .format
        .write(&sheets, pages > 1)
        .map_err(Problem::failed)
}
