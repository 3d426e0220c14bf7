//! The loop that accepts connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connection::serve_connection;
use super::registry::{Place, Registry};
use crate::progress::CancelToken;
use crate::serve::error::ServeError;
use crate::serve::limits::{PLACE_TIME, STOP_TIME};
use crate::serve::options::ServeOptions;
use crate::serve::router;
use crate::serve::site::Site;

/// How often the loop asks whether it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
/// The wait after a connection that can't be accepted, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a connection that waits for a place asks for it.
const PLACE_INTERVAL: Duration = Duration::from_millis(5);
/// After the last answer, for its bytes to leave.
const FLUSH_TIME: Duration = Duration::from_millis(100);
/// Threads that handle connections; the work is done elsewhere.
const THREADS: usize = 2;
/// Threads for what waits for a disk, decodes an image or draws one. At most seven of them do what takes long: two images that are decoded
/// for the reader and two for the classifier ([`MAX_DECODED`](crate::serve::limits::MAX_DECODED)), two pictures that are drawn
/// ([`MAX_PICTURES`](crate::serve::limits::MAX_PICTURES)), and an evaluation. The others are for lists and events.
const BLOCKING_THREADS: usize = 16;
/// Stack of these threads: PDFs may nest their parts some hundred levels deep.
const STACK_BYTES: usize = 32 << 20;

/// Serves until it is cancelled; then requests in progress are finished. `listens` is told the address.
///
/// # Errors
/// [`ServeError`]: an option can't be used, the model can't be opened, or the address is taken.
pub fn serve(
    options: &ServeOptions,
    cancel: &CancelToken,
    listens: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    options.validate()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    let result = runtime.block_on(run(options, cancel, listens));
    // Work that is not over by now is given up.
    runtime.shutdown_background();
    result
}

/// A place for a new connection, as soon as there is one; `None` after [`PLACE_TIME`].
async fn enter(registry: &Arc<Registry>, cancel: &CancelToken) -> Option<Place> {
    let began = Instant::now();
    loop {
        if let Some(place) = registry.enter() {
            return Some(place);
        }
        if began.elapsed() > PLACE_TIME || cancel.is_cancelled() {
            return None;
        }
        tokio::time::sleep(PLACE_INTERVAL).await;
    }
}

async fn run(
    options: &ServeOptions,
    cancel: &CancelToken,
    listens: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let bind_error = |source| ServeError::Bind {
        address: options.bind,
        source,
    };
    // Before the models are loaded: it fails more often.
    let listener = TcpListener::bind(options.bind).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let (stopper, stop) = watch::channel(false);
    let registry = Arc::new(Registry::default());
    let site = Site::open(options, address, registry.clone(), stop.clone())?;
    let router = router::of(Arc::new(site));
    listens(address);
    while !cancel.is_cancelled() {
        let Ok(accepted) = tokio::time::timeout(CANCEL_INTERVAL, listener.accept()).await else {
            continue;
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(place) = enter(&registry, cancel).await else {
            continue;
        };
        let number = place.number();
        let task = tokio::spawn(serve_connection(
            stream,
            place,
            router.clone(),
            stop.clone(),
        ));
        registry.served_by(number, task.abort_handle());
    }
    drop(listener);
    let _ = stopper.send(true);
    let began = Instant::now();
    while registry.requests() > 0 && began.elapsed() < STOP_TIME {
        tokio::time::sleep(CANCEL_INTERVAL).await;
    }
    tokio::time::sleep(FLUSH_TIME).await;
    Ok(())
}
