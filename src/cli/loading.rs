//! The inputs, decoded one after the other.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::failure::{Failure, VerbResult};
use super::inputs::{Input, Reads, Source};
use crate::document::{Document, PageImage};
use crate::error::io_problem;
use crate::photo::{self, PhotoError};
use crate::progress::CancelToken;

/// Most bytes read from a file; the rest is cut off, and the decoder reports a truncated file.
const MAX_INPUT_BYTES: u64 = 1 << 30;
/// How often the wait for an image asks whether it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
/// Stack of the thread that decodes: PDFs may nest their parts some hundred levels deep.
const STACK_BYTES: usize = 32 << 20;

/// The bytes of a file, or of standard input.
pub fn content(source: &Source) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match source {
        Source::File(path) => std::fs::File::open(path)?
            .take(MAX_INPUT_BYTES)
            .read_to_end(&mut bytes),
        Source::Standard => std::io::stdin()
            .lock()
            .take(MAX_INPUT_BYTES)
            .read_to_end(&mut bytes),
    }?;
    Ok(bytes)
}

/// Reads inputs; keeps the file of the last one, of which the next page may be wanted.
struct Loader {
    reads: Reads,
    open: Option<(Source, Document)>,
}

impl Loader {
    fn load(&mut self, input: &Input) -> Result<PageImage, PhotoError> {
        let name = input.name();
        let name = Path::new(&name);
        let Reads::Pages { dpi } = self.reads else {
            return Ok(PageImage {
                photo: photo::decode(&read(input)?, name)?,
                file: Arc::default(),
                size: None,
                notes: Vec::new(),
            });
        };
        let Some(number) = input.page_number() else {
            return Document::new(read(input)?, name)?.page(1, dpi, name);
        };
        let document = match self.open.take() {
            Some((source, document)) if &source == input.source() => document,
            _ => Document::new(read(input)?, input.path())?,
        };
        let page = document.page(number, dpi, name);
        self.open = Some((input.source().clone(), document));
        page
    }
}

/// The bytes of an input.
fn read(input: &Input) -> Result<Arc<Vec<u8>>, PhotoError> {
    if let Some(content) = input.content() {
        return Ok(content.clone());
    }
    match content(input.source()) {
        Ok(bytes) => Ok(Arc::new(bytes)),
        Err(source) => Err(PhotoError::Io {
            path: input.path().to_path_buf(),
            source,
        }),
    }
}

/// Passes all images to `take`, in order, until it fails or is cancelled. While one is read the next one is decoded, on a
/// thread of its own; there are never more than these two in memory.
pub fn each(
    inputs: &[Input],
    reads: Reads,
    cancel: &CancelToken,
    mut take: impl FnMut(usize, Result<PageImage, PhotoError>) -> VerbResult,
) -> VerbResult {
    let take = |(): &mut (), index, loaded| take(index, loaded);
    each_with(inputs, reads, cancel, || Ok(()), take)
}

/// [`each`] with what `prepare` makes while the first image is decoded.
pub fn each_with<T>(
    inputs: &[Input],
    reads: Reads,
    cancel: &CancelToken,
    prepare: impl FnOnce() -> Result<T, Failure>,
    mut take: impl FnMut(&mut T, usize, Result<PageImage, PhotoError>) -> VerbResult,
) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        // Without room: the next image waits in the hands of its thread.
        let (sender, receiver) = sync_channel(0);
        let decode = move || {
            let mut loader = Loader { reads, open: None };
            for input in inputs {
                // The other side has gone: nobody wants the rest.
                if sender.send(loader.load(input)).is_err() {
                    break;
                }
            }
        };
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = builder.spawn_scoped(scope, decode);
        thread.map_err(|error| {
            Failure::failed(format!("cannot start a thread: {}", io_problem(&error)))
        })?;
        let mut prepared = prepare()?;
        for index in 0..inputs.len() {
            let loaded = loop {
                cancel.check()?;
                match receiver.recv_timeout(CANCEL_INTERVAL) {
                    Ok(loaded) => break loaded,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(prepared),
                }
            };
            take(&mut prepared, index, loaded)?;
        }
        Ok(prepared)
    })
}

/// The result of a subcommand that continued after images that could not be read.
pub fn all_were_read(failed: usize, inputs: &[Input]) -> VerbResult {
    let has_pages = inputs.iter().any(|input| input.page_number().is_some());
    let kind = if has_pages { "pages" } else { "images" };
    match failed {
        0 => Ok(()),
        failed => Err(Failure::failed(format!(
            "{failed} of {} {kind} could not be read",
            inputs.len()
        ))),
    }
}
