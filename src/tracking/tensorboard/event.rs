//! The messages of an event file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::{Field, Fields, Message};
use crate::tracking::params;
use crate::tracking::pictures::Picture;

/// The first message of every file.
const VERSION: &str = "brain.Event:2";

/// `tensorflow.Event`
mod field {
    pub const WALL_TIME: u64 = 1;
    pub const STEP: u64 = 2;
    pub const FILE_VERSION: u64 = 3;
    pub const SUMMARY: u64 = 5;
    pub const SESSION_LOG: u64 = 7;
}

/// `DataType`
const DT_FLOAT: u64 = 1;
const DT_STRING: u64 = 7;

/// `SessionLog.SessionStatus`: events of this step and later ones that came before are void.
const SESSION_START: u64 = 1;

/// `hparams.Status`
#[derive(Debug, Clone, Copy)]
pub enum SessionStatus {
    /// All epochs were trained, or no more improved.
    Success = 1,
    /// It failed, or was stopped.
    Failure = 2,
}

/// Seconds since 1970, as events have them.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub f64);

/// The event that a file starts with.
pub fn version(time: Time) -> Vec<u8> {
    let event = Message::default().double(field::WALL_TIME, time.0);
    event.bytes(field::FILE_VERSION, VERSION).encoded()
}

/// The event that makes those of `step` and later ones void which were written before it.
pub fn session_start(time: Time, step: usize) -> Vec<u8> {
    let log = Message::default().integer(1, SESSION_START);
    of_step(time, step)
        .message(field::SESSION_LOG, log)
        .encoded()
}

/// The event of a summary at a step.
pub fn event(time: Time, step: usize, summary: &[u8]) -> Vec<u8> {
    of_step(time, step).bytes(field::SUMMARY, summary).encoded()
}

fn of_step(time: Time, step: usize) -> Message {
    let event = Message::default().double(field::WALL_TIME, time.0);
    event.integer(field::STEP, step as u64)
}

/// Step and summary of an event; `None` for one without a summary.
pub fn summary_of(event: &[u8]) -> Option<(usize, &[u8])> {
    let (mut step, mut summary) = (0, None);
    for (number, value) in Fields(event) {
        match (number, value) {
            (field::STEP, Field::Integer(value)) => step = usize::try_from(value).ok()?,
            (field::SUMMARY, Field::Bytes(bytes)) => summary = Some(bytes),
            _ => {}
        }
    }
    Some((step, summary?))
}

/// A summary of numbers. They become 32-bit floats, as TensorBoard shows them.
pub fn scalars(values: &BTreeMap<String, f64>) -> Vec<u8> {
    let value = |(name, value): (&String, &f64)| tagged(name).float(2, *value as f32);
    summary(values.iter().map(value))
}

/// A summary of a picture; `None` if it is no PNG file.
pub fn picture(picture: &Picture) -> Option<Vec<u8>> {
    /// Red, green and blue; the file itself says what it has.
    const COLORS: u64 = 3;
    let (width, height) = picture.size()?;
    let image = Message::default()
        .integer(1, height.into())
        .integer(2, width.into())
        .integer(3, COLORS)
        .bytes(4, &picture.png);
    Some(summary([tagged(&picture.name).message(4, image)]))
}

/// A summary of a text in Markdown.
pub fn text(name: &str, text: &str) -> Vec<u8> {
    let shape = Message::default().message(2, Message::default().integer(1, 1));
    let tensor = Message::default()
        .integer(1, DT_STRING)
        .message(2, shape)
        .bytes(8, text);
    let value = tagged(name).message(9, plugin("text", &[]));
    summary([value.message(8, tensor)])
}

/// A summary of the settings, which TensorBoard's table of hyper-parameters shows.
pub fn hyper_parameters(settings: &[(String, Value)], name: &str, time: Time) -> Vec<u8> {
    let mut start = Message::default();
    for (path, value) in settings {
        let value = match value {
            Value::Null => continue,
            Value::Number(number) => {
                Message::default().double(2, number.as_f64().unwrap_or(f64::NAN))
            }
            Value::Bool(value) => Message::default().integer(4, u64::from(*value)),
            other => Message::default().bytes(3, params::text(other)),
        };
        // An entry of a map: its key, its value.
        let entry = Message::default().bytes(1, path).message(2, value);
        start = start.message(1, entry);
    }
    let start = start.bytes(4, name).double(5, time.0);
    session("_hparams_/session_start_info", 3, start)
}

/// A summary that the run is over.
pub fn session_end(status: SessionStatus, time: Time) -> Vec<u8> {
    let end = Message::default()
        .integer(1, status as u64)
        .double(2, time.0);
    session("_hparams_/session_end_info", 4, end)
}

/// A summary with a part of `HParamsPluginData`; its number is empty.
fn session(name: &str, part: u64, content: Message) -> Vec<u8> {
    let data = Message::default().message(part, content).encoded();
    let number = Message::default()
        .integer(1, DT_FLOAT)
        .message(2, Message::default())
        .float(5, 0.0);
    let value = tagged(name).message(9, plugin("hparams", &data));
    summary([value.message(8, number)])
}

/// `SummaryMetadata` that names the part of TensorBoard which shows a value.
fn plugin(name: &str, content: &[u8]) -> Message {
    let data = Message::default().bytes(1, name).bytes(2, content);
    Message::default().message(1, data)
}

fn tagged(name: &str) -> Message {
    Message::default().bytes(1, name)
}

fn summary(values: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let add = |summary: Message, value| summary.message(1, value);
    values.into_iter().fold(Message::default(), add).encoded()
}
