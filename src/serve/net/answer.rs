//! The body of an answer, sent in pieces, so that it is known how much of it the client has taken.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;

use super::activity::Answering;
use crate::serve::limits::{MAX_ANSWERS, SEND_TIME};
use crate::serve::problem::Problem;

/// Bytes that are handed over at a time.
const PIECE: usize = 64 << 10;
/// Bytes that are counted as one.
const UNIT: u64 = 4 << 10;
/// Smaller answers don't count: connections are limited as well.
const MIN_COUNTED: u64 = 64 << 10;

/// The memory for all answers that are being sent.
#[derive(Debug, Clone)]
pub struct Answers(Arc<Semaphore>);

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ANSWERS / UNIT as usize)))
    }
}

impl Answers {
    /// Counts an answer until it is written.
    ///
    /// # Errors
    /// The answers of others take all the memory there is for them.
    pub fn count(&self, body: &Body, answering: &mut Answering) -> Result<(), Problem> {
        let Some(bytes) = body.size_hint().exact().filter(|&b| b >= MIN_COUNTED) else {
            return Ok(());
        };
        let full = || {
            let message = "too many large answers are being sent; try again in a moment";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, message)
        };
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| full())?;
        let memory = self.0.clone().try_acquire_many_owned(units);
        answering.holds(memory.map_err(|_| full())?);
        Ok(())
    }
}

/// A body that counts as a request in progress until all of it has left.
pub struct Answer {
    body: Body,
    /// What is left of the last piece of the body.
    rest: Bytes,
    /// When it began, if its length is known: streams may last.
    began: Option<Instant>,
    answering: Option<Answering>,
}

impl Answer {
    /// A body, and the request that it answers.
    pub fn new(body: Body, answering: Answering) -> Self {
        Self {
            began: body.size_hint().exact().map(|_| Instant::now()),
            body,
            rest: Bytes::new(),
            answering: Some(answering),
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Frame::data(piece)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(answering) = self.answering.take() {
            answering.hand_over();
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.began.is_some_and(|began| began.elapsed() > SEND_TIME) {
            let error = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(axum::Error::new(error))));
        }
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other,
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(bytes) => {
                self.rest = bytes;
                self.next_piece()
            }
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
