//! Why the server can't start.

use std::net::SocketAddr;

use crate::error::{ErrorExit, ExitKind, io_problem};
use crate::inference::{ModelError, OpenError};
use crate::ocr::ReadError;

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened at.
    #[error(
        "--bind {address}: {}; choose another address or port",
        io_problem(source)
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// An option that can't be used.
    #[error("{0}")]
    Usage(String),
    /// The model can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The models of reading can't be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model can't read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Threads or the network can't be used.
    #[error("the server can't start: {}", io_problem(.0))]
    System(std::io::Error),
}

impl ErrorExit for ServeError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Bind { .. } | Self::Usage(_) => ExitKind::Usage,
            Self::Open(error) => error.exit_kind(),
            Self::Model(error) => error.exit_kind(),
            Self::Read(error) => error.exit_kind(),
            Self::System(_) => ExitKind::Failure,
        }
    }
}
