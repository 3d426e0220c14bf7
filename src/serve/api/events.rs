//! A run as it is trained: server-sent events (HTML standard, section 9.2) made from `metrics.jsonl` as it grows.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::follow::{Follower, Seen};
use super::query::InPath;
use super::reply::{blocking, content};
use crate::serve::limits::WRITE_TIME;
use crate::serve::problem::Problem;
use crate::serve::site::Site;

/// How often the files are looked at: an epoch of the smallest networks takes a fraction of a second.
const INTERVAL: Duration = Duration::from_millis(400);
/// How often something is sent if nothing happens, so that a client which has gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events that may wait for a slow client.
const AHEAD: usize = 16;
/// The header in which browsers say what they saw last, when they connect again.
const LAST_EVENT: &str = "last-event-id";

/// `GET /api/runs/{id}/events`: `epoch` events with the lines of `metrics.jsonl`, `state` events with the progress, and `reset` where the
/// file has begun again.
pub async fn events(
    State(site): State<Arc<Site>>,
    InPath(id): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let catalog = site.catalog.clone();
    let path = blocking(move || catalog.run(&id)).await?;
    let place = site.streams.enter()?;
    let (sender, receiver) = channel(AHEAD);
    let last = headers.get(LAST_EVENT).and_then(|last| last.to_str().ok());
    let seen = last.and_then(Seen::parse);
    let stop = site.stop.clone();
    tokio::spawn(async move {
        let mut stop = stop;
        let mut follower = Follower::new(path, seen);
        let mut sent = Instant::now();
        while !place.cancel.is_cancelled() {
            let looked = tokio::task::spawn_blocking(move || {
                let events = follower.look();
                (follower, events)
            });
            let Ok((kept, mut text)) = looked.await else {
                break;
            };
            follower = kept;
            if text.is_empty() && sent.elapsed() >= KEEP_ALIVE {
                text = ": nothing new\n\n".into();
            }
            if !text.is_empty() {
                sent = Instant::now();
                // A client that takes nothing keeps no place.
                let taken = timeout(WRITE_TIME, sender.send(Bytes::from(text))).await;
                if !matches!(taken, Ok(Ok(()))) {
                    break;
                }
            }
            if wait(&sender, &mut stop).await.is_none() {
                break;
            }
        }
        drop(place);
    });
    Ok(content("text/event-stream", Body::new(Stream(receiver))))
}

/// Waits for the next look; `None` if the client has gone or the server stops.
async fn wait(sender: &Sender<Bytes>, stop: &mut tokio::sync::watch::Receiver<bool>) -> Option<()> {
    let stopped = stop.wait_for(|stop| *stop);
    match timeout(INTERVAL, stopped).await {
        // Nobody stops the server.
        Err(_) => (!sender.is_closed()).then_some(()),
        Ok(_) => None,
    }
}

/// The events on their way to a client.
struct Stream(Receiver<Bytes>);

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.poll_recv(context);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
