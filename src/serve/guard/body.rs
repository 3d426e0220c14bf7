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

/// Bytes that are counted as one.
const UNIT: usize = 4 << 10;

/// The memory for the bodies of all requests.
#[derive(Debug, Clone)]
pub struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_BODIES / UNIT)))
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

/// The room for a body that no longer fits into this many bytes. A quarter more: with twice as many, half could be unused.
fn grown(bytes: usize) -> usize {
    bytes + (bytes / 4).max(64 << 10)
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
    let most = announced.map_or(MAX_BODY, |length| length as usize);
    let began = Instant::now();
    let mut bytes: Vec<u8> = Vec::new();
    let mut memory: Option<OwnedSemaphorePermit> = None;
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
        if bytes.len() + piece.len() > MAX_BODY {
            return Err(too_large());
        }
        let needed = bytes.len() + piece.len();
        if needed > bytes.capacity() {
            let room = grown(bytes.capacity()).clamp(needed, most.max(needed));
            let units = u32::try_from(room.div_ceil(UNIT)).map_err(|_| too_large())?;
            let larger = bodies.0.clone().try_acquire_many_owned(units);
            let larger = larger.map_err(|_| Problem::busy())?;
            // Exactly: what is counted is what is allocated, and while it moves, both rooms are.
            bytes.reserve_exact(room - bytes.len());
            memory = Some(larger);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Content {
        bytes: Arc::new(bytes),
        memory,
    })
}
