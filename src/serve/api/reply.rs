//! Answers, and the threads on which they are made.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

use crate::serve::problem::Problem;

/// Bytes as an answer of this kind.
pub fn content(kind: &'static str, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A value as indented JSON.
///
/// # Errors
/// It can't be written as JSON.
pub fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string_pretty(value).map_err(Problem::failed)? + "\n";
    Ok(content("application/json", text))
}

/// Does what waits for a disk on a thread that may wait.
///
/// # Errors
/// Those of the work; or it panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::failed("this request failed"))?
}
