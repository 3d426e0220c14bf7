//! Event files for TensorBoard: `tensorboard/events.out.tfevents.*` in the run directory.
//!
//! The format is TensorFlow's: `event.proto` and `summary.proto` in `tensorflow/core`, and the hyper-parameters of
//! `plugins/hparams/plugin_data.proto` in TensorBoard, as messages of protocol buffers (`wire`, `event`) in records with checksums
//! (`record`). [`EventWriter`] is the tracker.

mod event;
mod record;
mod wire;
mod writer;

pub use writer::EventWriter;
