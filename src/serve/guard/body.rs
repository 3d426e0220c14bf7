//! Bodies of requests, within limits of size, memory and time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::serve::limits::{BODY_PIECE_TIME, BODY_TIME, MAX_BODIES, MAX_BODY};
use crate::serve::problem::Problem;

/// Bytes that are allocated at once, and counted as one.
const BLOCK: usize = 64 << 10;

/// The memory for the bodies of all requests.
#[derive(Debug, Clone)]
pub struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_BODIES / BLOCK)))
    }
}

/// The content of a body, which counts until it is dropped.
#[derive(Debug)]
pub struct Content {
    /// The bytes.
    pub bytes: Arc<Vec<u8>>,
    #[expect(dead_code, reason = "held until the content is dropped")]
    memory: Option<OwnedSemaphorePermit>,
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "the body is larger than {} MB; send a smaller image",
            MAX_BODY >> 20
        ),
    )
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "the body arrives too slowly; send it again, or a smaller image",
    )
}

/// A body while it arrives, in blocks: one that grew and moved would leave its smaller rooms to the allocator, which may keep them.
#[derive(Default)]
struct Blocks {
    blocks: Vec<Vec<u8>>,
    length: usize,
    memory: Option<OwnedSemaphorePermit>,
}

impl Blocks {
    fn push(&mut self, mut piece: &[u8], bodies: &Bodies) -> Result<(), Problem> {
        self.length += piece.len();
        while !piece.is_empty() {
            let block = match self.blocks.last_mut() {
                Some(block) if block.len() < BLOCK => block,
                _ => {
                    let one = bodies.0.clone().try_acquire_owned();
                    let one = one.map_err(|_| Problem::busy())?;
                    match &mut self.memory {
                        Some(memory) => memory.merge(one),
                        None => self.memory = Some(one),
                    }
                    self.blocks.push_mut(Vec::with_capacity(BLOCK))
                }
            };
            let (now, later) = piece.split_at(piece.len().min(BLOCK - block.len()));
            block.extend_from_slice(now);
            piece = later;
        }
        Ok(())
    }

    /// Each block is freed as soon as it is copied.
    fn join(self) -> Content {
        let mut bytes = Vec::with_capacity(self.length);
        for block in self.blocks {
            bytes.extend_from_slice(&block);
        }
        Content {
            bytes: Arc::new(bytes),
            memory: self.memory,
        }
    }
}

/// Reads a body.
///
/// # Errors
/// It is too large, too slow, cut off, or the bodies of other requests take all the memory there is for them.
pub async fn read_body(
    headers: &HeaderMap,
    mut body: Body,
    bodies: &Bodies,
) -> Result<Content, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let began = Instant::now();
    let mut blocks = Blocks::default();
    loop {
        let left = BODY_TIME.saturating_sub(began.elapsed());
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = timeout(left.min(BODY_PIECE_TIME), next).await;
        let Some(frame) = frame.map_err(|_| too_slow())? else {
            break;
        };
        let frame = frame.map_err(|_| Problem::bad_request("the body is cut off"))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if blocks.length + piece.len() > MAX_BODY {
            return Err(too_large());
        }
        blocks.push(&piece, bodies)?;
    }
    Ok(blocks.join())
}
