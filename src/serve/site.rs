//! What all requests share.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::catalog::Catalog;
use super::error::ServeError;
use super::guard::{Bodies, Origins, Streams, Token};
use super::limits::MAX_PICTURES;
use super::net::{Answers, Registry};
use super::options::ServeOptions;
use super::work::{Classify, Evaluations, Models, Read};

/// What all requests share.
pub struct Site {
    /// Runs and sweeps.
    pub catalog: Catalog,
    /// Which hosts and origins are answered.
    pub origins: Origins,
    /// The secret that clients must know.
    pub token: Option<Token>,
    /// The memory for bodies.
    pub bodies: Bodies,
    /// The memory for answers.
    pub answers: Answers,
    /// The models that were opened.
    pub models: Arc<Models>,
    /// The reader of pages.
    pub read: Read,
    /// The classifier of images.
    pub classify: Classify,
    /// The evaluations of runs.
    pub evaluations: Evaluations,
    /// Turns at drawing pictures of samples.
    pub pictures: Arc<Semaphore>,
    /// Places for streams of events.
    pub streams: Streams,
    /// The connections.
    pub registry: Arc<Registry>,
    /// Becomes true when the server stops.
    pub stop: watch::Receiver<bool>,
    /// The folders as the user named them, for the pages.
    pub folders: Vec<PathBuf>,
}

impl Site {
    /// Opens the models and starts the threads that work.
    ///
    /// # Errors
    /// [`ServeError`]
    pub fn open(
        options: &ServeOptions,
        address: SocketAddr,
        registry: Arc<Registry>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, ServeError> {
        let models = Arc::new(Models::open(options.model.as_deref(), options.precision)?);
        Ok(Self {
            catalog: Catalog::new(options.folders.clone()),
            origins: Origins::new(address, options.token.is_some()),
            token: options
                .token
                .as_deref()
                .map(|token| Token::new(token, address.port())),
            bodies: Bodies::default(),
            answers: Answers::default(),
            read: Read::start(options.queue, models.clone()).map_err(ServeError::System)?,
            classify: Classify::start(options.queue, models.clone()).map_err(ServeError::System)?,
            evaluations: Evaluations::new(models.clone()),
            models,
            pictures: Arc::new(Semaphore::new(MAX_PICTURES)),
            streams: Streams::default(),
            registry,
            stop,
            folders: options.folders.clone(),
        })
    }
}
