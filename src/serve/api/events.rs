//! A run as it is trained: server-sent events (HTML standard, section 9.2) made from `metrics.jsonl` as it grows.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::query::InPath;
use super::reply::{blocking, content};
use crate::run_dir::RunDir;
use crate::serve::catalog::{Progress, progress};
use crate::serve::net::{Activity, Working};
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::sweeps::runs::RunRecord;

/// How often the files are looked at: an epoch of the smallest networks takes a fraction of a second.
const INTERVAL: Duration = Duration::from_millis(400);
/// How often something is sent if nothing happens, so that a client which has gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes of a file that are read at a time.
const MAX_PIECE: u64 = 1 << 20;
/// Events that may wait for a slow client.
const AHEAD: usize = 16;
/// The header in which browsers say what they saw last, when they connect again.
const LAST_EVENT: &str = "last-event-id";

/// `GET /api/runs/{id}/events`: `epoch` events with the lines of `metrics.jsonl`, `state` events with the progress, and `reset` where the
/// file has begun again.
pub async fn events(
    State(site): State<Arc<Site>>,
    Extension(activity): Extension<Activity>,
    InPath(id): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let catalog = site.catalog.clone();
    let path = blocking(move || catalog.run(&id)).await?;
    let place = site.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::busy())?;
    let (sender, receiver) = channel(AHEAD);
    let last = headers.get(LAST_EVENT).and_then(|last| last.to_str().ok());
    let seen = last.and_then(|last| last.parse().ok());
    let stop = site.stop.clone();
    tokio::spawn(async move {
        let mut stop = stop;
        let mut follower = Follower::new(path, seen);
        let mut sent = Instant::now();
        loop {
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
                if sender.send(Bytes::from(text)).await.is_err() {
                    break;
                }
            }
            if wait(&sender, &mut stop).await.is_none() {
                break;
            }
        }
        drop(place);
    });
    let body = Body::new(Stream {
        receiver,
        _working: activity.begin(),
    });
    Ok(content("text/event-stream", body))
}

/// Waits for the next look; `None` if the client has gone or the server stops.
async fn wait(sender: &Sender<Bytes>, stop: &mut tokio::sync::watch::Receiver<bool>) -> Option<()> {
    let stopped = stop.wait_for(|stop| *stop);
    match tokio::time::timeout(INTERVAL, stopped).await {
        // Nobody stops the server.
        Err(_) => (!sender.is_closed()).then_some(()),
        Ok(_) => None,
    }
}

/// The events on their way to a client.
struct Stream {
    receiver: Receiver<Bytes>,
    /// The connection is not closed for others meanwhile.
    _working: Working,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.receiver.poll_recv(context);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Follows the files of a run.
struct Follower {
    run: PathBuf,
    /// Where the next line begins.
    offset: u64,
    /// A client that connects again has seen the epochs up to this one.
    seen: Option<u64>,
    progress: Option<Progress>,
    is_new: bool,
}

impl Follower {
    fn new(run: PathBuf, seen: Option<u64>) -> Self {
        Self {
            run,
            offset: 0,
            seen,
            progress: None,
            is_new: true,
        }
    }

    /// What has happened since the last look, as text of the stream.
    fn look(&mut self) -> String {
        let mut text = String::new();
        if std::mem::take(&mut self.is_new) && self.seen.is_none() {
            text += "retry: 1000\nevent: reset\ndata: {}\n\n";
        }
        let file = RunDir::open(&self.run).map(|run| run.metrics_file());
        let before = text.len();
        if let Ok(file) = file {
            loop {
                let lines = self.new_lines(&file, &mut text);
                if lines == 0 {
                    break;
                }
            }
        }
        let progress = progress(&RunRecord::read(&self.run));
        // A file that is being written may look damaged for a moment.
        if self.progress.as_ref() != Some(&progress) || text.len() > before {
            let data = serde_json::to_string(&progress).unwrap_or_default();
            text += &format!("event: state\ndata: {data}\n\n");
            self.progress = Some(progress);
        }
        text
    }

    /// Adds the next complete lines of the file as events, and returns how many there were.
    fn new_lines(&mut self, path: &std::path::Path, text: &mut String) -> usize {
        let Ok(mut file) = File::open(path) else {
            return 0;
        };
        let length = file.metadata().map_or(0, |file| file.len());
        if length < self.offset {
            // A run that was resumed from an earlier epoch.
            self.offset = 0;
            self.seen = None;
            *text += "event: reset\ndata: {}\n\n";
        }
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| file.take(MAX_PIECE).read_to_end(&mut bytes));
        let end = bytes.iter().rposition(|&byte| byte == b'\n');
        let (Ok(_), Some(end)) = (read, end) else {
            return 0;
        };
        self.offset += end as u64 + 1;
        let lines = String::from_utf8_lossy(&bytes[..end]);
        let mut count = 0;
        for line in lines.lines() {
            count += 1;
            // Only what is an epoch is passed on.
            let Ok(record) = serde_json::from_str::<crate::metrics::EpochRecord>(line) else {
                continue;
            };
            let epoch = record.epoch as u64;
            if self.seen.is_none_or(|seen| epoch > seen) {
                *text += &format!("id: {epoch}\nevent: epoch\ndata: {line}\n\n");
            }
        }
        count
    }
}
