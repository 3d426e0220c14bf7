//! One connection: HTTP/1.1 with limits on headers and time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::registry::Place;
use super::stream::Watched;
use crate::serve::limits::{HEADER_TIME, MAX_HEADERS};

/// Serves the requests of a connection until one side closes it, or the server stops: then the request in progress is finished.
pub async fn serve_connection(
    stream: TcpStream,
    place: Place,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written in one piece; waiting for more to send with it would only cost time.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let activity = place.activity.clone();
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(activity.clone());
        hyper::service::Service::call(&service, request)
    });
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADERS);
    let stream = TokioIo::new(Watched::new(stream, place.activity.clone()));
    let mut connection = pin!(server.serve_connection(stream, answer));
    let mut stopped = pin!(async move {
        // The sender is gone only when the server is.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    let mut is_stopping = false;
    poll_fn(|context| {
        if !is_stopping && stopped.as_mut().poll(context).is_ready() {
            is_stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        match connection.as_mut().poll(context) {
            // What goes wrong on a connection is its client's concern.
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    drop(place);
}
