//! Downloading one file and checking it.
//!
//! An interrupted download is resumed where it stopped (HTTP ranges, RFC 9110 chapter 14), in this process or a later one. If the server
//! does not support ranges, or has another version of the file by now, the download is restarted.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::catalogue::RemoteFile;
use super::checksum::{self, Verdict};
use super::error::FetchError;
use super::headers::{content_length, content_range, validator};
use super::part::{self, Note, Part};
use super::progress::{Event, Patience};
use crate::error::{FileError, one_line};
use crate::progress::{CancelToken, Cancelled};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;
/// This many new bytes reset the count of failed attempts.
const PROGRESS: u64 = 1 << 20;

/// A file on disk: downloaded, or placed there by the user.
pub struct Obtained {
    /// Open and locked.
    pub file: File,
    /// Where it is.
    pub path: PathBuf,
    /// Its URL, or its path if the user placed it there.
    name: String,
    by_hand: bool,
}

impl Obtained {
    /// Removes a downloaded file after use. A file that the user placed there is kept.
    pub fn discard(self) {
        if !self.by_hand {
            part::remove(&self.path);
        }
    }

    /// The error for an invalid file. A downloaded one is deleted, so that the next attempt does not reuse it.
    pub fn reject(&self, problem: impl Into<String>) -> FetchError {
        if !self.by_hand {
            part::remove(&self.path);
        }
        FetchError::Wrong {
            file: self.name.clone(),
            problem: problem.into(),
            deleted: !self.by_hand,
        }
    }
}

/// Downloads a file, unless the user placed it in the folder of downloads, and verifies its checksum.
pub fn obtain(
    remote: &RemoteFile,
    store: &Path,
    patience: &Patience,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Obtained, FetchError> {
    let by_hand = store.join(remote.name);
    if by_hand.is_file() {
        return found(remote, by_hand, cancel, watch);
    }
    let path = store.join(format!("{}.part", remote.name));
    let mut part = Part::open(path, &remote.url)?;
    let got = Download::new(remote, by_hand, patience, cancel).run(&mut part, watch);
    if part.length == 0 || matches!(got, Err(FetchError::TooLarge { .. })) {
        part::remove(&part.path);
    }
    got?;
    let obtained = Obtained {
        file: part.file,
        path: part.path,
        name: remote.url.clone(),
        by_hand: false,
    };
    verified(obtained, remote, cancel, watch)
}

/// Takes a file that is there already, and verifies its checksum.
pub fn found(
    remote: &RemoteFile,
    path: PathBuf,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Obtained, FetchError> {
    watch(Event::Found(&path));
    let file = File::open(&path).map_err(|source| FetchError::Read {
        path: path.clone(),
        source,
    })?;
    part::lock(&file, &path)?;
    let obtained = Obtained {
        file,
        name: path.display().to_string(),
        path,
        by_hand: true,
    };
    verified(obtained, remote, cancel, watch)
}

fn verified(
    mut obtained: Obtained,
    remote: &RemoteFile,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Obtained, FetchError> {
    cancel.check()?;
    let check = checksum::check(&mut obtained.file, remote.sum.as_ref()).map_err(|source| {
        FetchError::Read {
            path: obtained.path.clone(),
            source,
        }
    })?;
    if let Verdict::Wrong {
        kind,
        found,
        expected,
    } = &check.verdict
    {
        return Err(obtained.reject(format!(
            "its {kind} checksum is {found}; expected {expected}"
        )));
    }
    watch(Event::Checked {
        name: remote.name,
        check: &check,
    });
    Ok(obtained)
}

/// Why an attempt failed.
enum Failed {
    /// The next attempt may succeed.
    Again(String),
    /// The server was not reached; worth retrying only if it was before.
    Unreached(String),
    /// Another attempt would not help.
    Final(FetchError),
}

impl From<Cancelled> for Failed {
    fn from(cancelled: Cancelled) -> Self {
        Failed::Final(cancelled.into())
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        Failed::Final(error.into())
    }
}

struct Download<'a> {
    remote: &'a RemoteFile,
    /// Where the user may place the file.
    by_hand: PathBuf,
    patience: &'a Patience,
    cancel: &'a CancelToken,
    agent: Agent,
    /// Whether the server has answered at all.
    reached: bool,
}

impl<'a> Download<'a> {
    fn new(
        remote: &'a RemoteFile,
        by_hand: PathBuf,
        patience: &'a Patience,
        cancel: &'a CancelToken,
    ) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
            // The file itself, without transfer compression.
            .accept_encoding("identity")
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.stall))
            .timeout_per_write(Some(patience.stall))
            .build();
        Self {
            remote,
            by_hand,
            patience,
            cancel,
            agent: agent.into(),
            reached: false,
        }
    }

    /// Retries until the file is complete, an error is final, or the attempts are used up.
    fn run(&mut self, part: &mut Part, watch: &mut dyn FnMut(Event)) -> Result<(), FetchError> {
        let mut failures = 0;
        let mut furthest = part.length;
        while !part.is_whole() {
            let problem = match self.attempt(part, watch) {
                Ok(()) => break,
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Again(problem)) => problem,
                Err(Failed::Unreached(problem)) if self.reached => problem,
                Err(Failed::Unreached(problem)) => return Err(self.unreachable(problem, part)),
            };
            if part.length >= furthest.saturating_add(PROGRESS) {
                furthest = part.length;
                failures = 0;
            }
            failures += 1;
            if failures >= self.patience.attempts {
                return Err(self.unreachable(problem, part));
            }
            let pause = self.patience.pause * 2u32.saturating_pow(failures - 1);
            watch(Event::Waits {
                problem: &problem,
                pause,
            });
            self.cancel.sleep(pause)?;
        }
        Ok(())
    }

    fn unreachable(&self, problem: String, part: &Part) -> FetchError {
        FetchError::Unreachable {
            url: self.remote.url.clone(),
            problem,
            done: part.length,
            by_hand: self.by_hand.clone(),
        }
    }

    /// One request for the missing bytes.
    fn attempt(&mut self, part: &mut Part, watch: &mut dyn FnMut(Event)) -> Result<(), Failed> {
        let mut request = self.agent.get(&self.remote.url);
        if part.length > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.length));
            if let Some(validator) = &part.note.validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let response = request.call().map_err(|error| self.failed(error))?;
        self.reached = true;
        match response.status() {
            StatusCode::OK => {
                if part.length > 0 {
                    watch(Event::StartsOver("the server ignored the range request"));
                }
                part.restart(Note {
                    url: self.remote.url.clone(),
                    validator: validator(response.headers()),
                    total: content_length(response.headers()),
                })?;
            }
            StatusCode::PARTIAL_CONTENT => self.check_range(&response, part, watch)?,
            StatusCode::RANGE_NOT_SATISFIABLE => {
                watch(Event::StartsOver(
                    "the server rejected the range request (HTTP 416)",
                ));
                self.restart(part)?;
                return Err(Failed::Again(
                    "the server rejected the range request (HTTP 416)".into(),
                ));
            }
            status => return Err(self.refused(status)),
        }
        if let Some(bytes) = part
            .note
            .total
            .filter(|total| *total > self.remote.max_bytes)
        {
            return Err(self.too_large(bytes));
        }
        watch(Event::Begins {
            url: &self.remote.url,
            done: part.length,
            total: part.note.total,
        });
        self.receive(response, part, watch)
    }

    /// Whether a partial answer begins where the part ends and belongs to the same version of the file.
    fn check_range(
        &self,
        response: &Response<Body>,
        part: &mut Part,
        watch: &mut dyn FnMut(Event),
    ) -> Result<(), Failed> {
        let range = content_range(response.headers());
        let same_mark = match (validator(response.headers()), &part.note.validator) {
            (Some(new), Some(old)) => new == *old,
            _ => true,
        };
        let fits = |(start, total): (u64, Option<u64>)| {
            let same_total = part.note.total.is_none() || part.note.total == total;
            start == part.length && same_total && same_mark
        };
        match range.filter(|range| fits(*range)) {
            Some((_, total)) => {
                let note = Note {
                    total,
                    ..part.note.clone()
                };
                Ok(part.set_note(note)?)
            }
            None => {
                let problem = "the server returned a different byte range than requested";
                watch(Event::StartsOver(problem));
                self.restart(part)?;
                Err(Failed::Again(problem.into()))
            }
        }
    }

    fn restart(&self, part: &mut Part) -> Result<(), Failed> {
        Ok(part.restart(Note {
            url: self.remote.url.clone(),
            ..Note::default()
        })?)
    }

    /// Appends the body to the part.
    fn receive(
        &self,
        response: Response<Body>,
        part: &mut Part,
        watch: &mut dyn FnMut(Event),
    ) -> Result<(), Failed> {
        part.seek_to_end()?;
        let mut body = response.into_body().into_reader();
        let mut block = vec![0; BLOCK];
        loop {
            self.cancel.check()?;
            let read = match body.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(error.into())),
            };
            if part.length + read as u64 > self.remote.max_bytes {
                return Err(self.too_large(part.length + read as u64));
            }
            part.append(block.get(..read).unwrap_or_default())?;
            watch(Event::Bytes {
                done: part.length,
                total: part.note.total,
            });
        }
        match part.note.total {
            Some(total) if total != part.length => Err(Failed::Again(BROKE_OFF.into())),
            // Without a content length, the end of the body is the end of the file.
            _ => Ok(part.set_note(Note {
                total: Some(part.length),
                ..part.note.clone()
            })?),
        }
    }

    fn refused(&self, status: StatusCode) -> Failed {
        let tries_later = status.is_server_error()
            || status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS;
        if tries_later {
            return Failed::Again(format!("the server returned {status}"));
        }
        Failed::Final(FetchError::Refused {
            url: self.remote.url.clone(),
            status: status.to_string(),
            by_hand: self.by_hand.clone(),
        })
    }

    fn too_large(&self, bytes: u64) -> Failed {
        Failed::Final(FetchError::TooLarge {
            url: self.remote.url.clone(),
            bytes,
            most: self.remote.max_bytes,
        })
    }

    /// Classifies a connection error.
    fn failed(&self, error: ureq::Error) -> Failed {
        use ureq::{Error, Timeout};
        let seconds = |time: Duration| format!("{} s", time.as_secs_f32());
        match error {
            Error::HostNotFound => Failed::Unreached(NO_SERVER.into()),
            Error::ConnectionFailed => Failed::Unreached("connection failed".into()),
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => Failed::Unreached(format!(
                "connection timed out after {}",
                seconds(self.patience.connect)
            )),
            Error::Timeout(_) => Failed::Again(format!(
                "no data received for {}",
                seconds(self.patience.stall)
            )),
            Error::Io(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    Failed::Again(BROKE_OFF.into())
                }
                // Certificates among others.
                io::ErrorKind::InvalidData => self.unusable(&error),
                // The standard library has no kind for names that are not found.
                _ if error.to_string().starts_with(NO_ADDRESS) => {
                    Failed::Unreached(NO_SERVER.into())
                }
                _ => Failed::Unreached(one_line(&error)),
            },
            Error::Protocol(error) => Failed::Again(one_line(&error)),
            error => self.unusable(&error),
        }
    }

    fn unusable(&self, error: &dyn std::fmt::Display) -> Failed {
        Failed::Final(FetchError::Address {
            url: self.remote.url.clone(),
            problem: one_line(error),
        })
    }
}

/// The problem of a connection that ends prematurely.
const BROKE_OFF: &str = "the connection was lost";
/// The problem of a host name that is not found.
const NO_SERVER: &str = "host not found, or no internet connection";
/// How the standard library's error for such a name begins.
const NO_ADDRESS: &str = "failed to lookup address information";
