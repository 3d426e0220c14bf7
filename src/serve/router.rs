//! Which address is answered by what, and what every request passes before.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::api::{self, Counters, Observed};
use super::guard::{cookie_of, harden};
use super::net::{Activity, Answer};
use super::pages;
use super::problem::Problem;
use super::site::Site;

/// What the way through all requests needs.
#[derive(Clone)]
struct Shared {
    site: Arc<Site>,
    counters: Arc<Counters>,
}

/// All addresses.
pub fn of(site: Arc<Site>) -> Router {
    let counters = Arc::new(Counters::default());
    let shared = Shared {
        site: site.clone(),
        counters: counters.clone(),
    };
    Router::new()
        .route("/", get(pages::runs))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/live", get(pages::run_live))
        .route("/runs/{id}/mistakes", get(pages::mistakes))
        .route("/compare", get(pages::compare))
        .route("/sweeps/{id}", get(pages::sweep))
        .route("/read", get(pages::read))
        .route("/classify", get(pages::classify))
        .route("/login", get(pages::login).post(pages::log_in))
        .route("/assets/{name}", get(pages::asset))
        .route("/api/ocr", post(api::ocr))
        .route("/api/predict", post(api::predict))
        .route("/api/explain", post(api::explain))
        .route("/api/runs", get(api::runs))
        .route("/api/runs/{id}", get(api::run))
        .route("/api/runs/{id}/events", get(api::events))
        .route("/api/runs/{id}/mistakes", get(api::mistakes))
        .route("/api/runs/{id}/samples/{split}/{file}", get(api::sample))
        .route("/api/compare", get(api::compare))
        .route("/api/sweeps", get(api::sweeps))
        .route("/api/sweeps/{id}", get(api::sweep))
        .route("/api/openapi.json", get(api::openapi::openapi))
        .route("/healthz", get(healthz))
        .route("/metrics", get(api::metrics))
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(counters))
        .layer(from_fn_with_state(shared, pass))
        .with_state(site)
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn missing(headers: HeaderMap, uri: Uri) -> Response {
    let problem = Problem::not_found(format!("there is nothing at {}", uri.path()));
    if wants_page(&headers) {
        pages::problem(problem)
    } else {
        problem.into_response()
    }
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let message = format!("{method} is not for {}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

/// What every request passes: it is let in or not, counted, and its answer hardened.
async fn pass(
    State(shared): State<Shared>,
    Extension(activity): Extension<Activity>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let mut answering = activity.answering();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", |path| path.as_str()).to_string();
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST") => known,
        _ => "other",
    };
    let method = method.to_string();
    let mut response = match admit(&shared.site, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    };
    let counted = shared.site.answers.count(response.body(), &mut answering);
    if let Err(busy) = counted {
        response = busy.into_response();
    }
    harden(response.headers_mut());
    shared.counters.observe(Observed {
        method,
        route,
        status: response.status().as_u16(),
        time: began.elapsed(),
    });
    response.map(|body| Body::new(Answer::new(body, answering)))
}

/// Refuses what is from elsewhere, and what lacks the token.
fn admit(site: &Site, request: &Request) -> Result<(), Box<Response>> {
    let (uri, headers) = (request.uri(), request.headers());
    let authority = uri.authority().map(|authority| authority.as_str());
    let origins = &site.origins;
    let checked = origins.check(request.method(), request.version(), authority, headers);
    checked.map_err(|problem| Box::new(problem.into_response()))?;
    let Some(token) = &site.token else {
        return Ok(());
    };
    let is_open = matches!(uri.path(), "/healthz" | "/login") || uri.path().starts_with("/assets/");
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| bearer(value.to_str().ok()?));
    let is_known = bearer.is_some_and(|secret| token.is(secret))
        || cookie_of(headers, token.cookie_name()).is_some_and(|value| token.is_cookie(value));
    if is_open || is_known {
        return Ok(());
    }
    let refusal = if request.method() == Method::GET && wants_page(headers) {
        pages::to_login(uri)
    } else {
        let message =
            "a token is needed: `Authorization: Bearer TOKEN`, as given to `kiln serve --token`";
        Problem::new(StatusCode::UNAUTHORIZED, message).into_response()
    };
    Err(Box::new(refusal))
}

/// The secret of an `Authorization` header, whose scheme may be written in any case (RFC 9110, section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, secret) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| secret.trim_start_matches(' '))
}

/// Whether a person looks at the answer.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    accepted.is_some_and(|kinds| {
        kinds
            .to_str()
            .is_ok_and(|kinds| kinds.contains("text/html"))
    })
}
