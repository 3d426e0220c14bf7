//! The page that asks for the token.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use tokio::time::timeout;

use super::layout::{PageParts, encoded};
use crate::serve::api::typed;
use crate::serve::limits::BODY_PIECE_TIME;
use crate::serve::net::Activity;
use crate::serve::problem::Problem;
use crate::serve::site::Site;

/// How long a browser keeps the cookie, in seconds: 30 days. Once the server has ended, it opens nothing.
const MAX_AGE: u64 = 30 * 24 * 3600;
/// Bytes of the form: whoever sends it may be anybody.
const MAX_FORM: usize = 4 << 10;
/// The wait after a wrong token: guessing is not made faster by it than a network is anyway, but quieter.
const WRONG_PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    token: String,
    next: String,
}

/// Where somebody without the token is sent.
pub fn to_login(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
    Redirect::to(&format!("/login?next={}", encoded(wanted))).into_response()
}

/// An address of this server; the first page for any other.
fn here(next: &str) -> &str {
    let is_here = next.starts_with('/')
        && !next.starts_with("//")
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_here { next } else { "/" }
}

fn page(next: &str, is_wrong: bool) -> Response {
    PageParts {
        title: "Token",
        place: "",
        script: None,
        body: html! {
            p { "This server was started with a token: what `kiln serve --token` was given." }
            @if is_wrong { p.error role="alert" { "This is not the token." } }
            form.controls method="post" action="/login" {
                input type="hidden" name="next" value=(here(next));
                label { "Token " input type="password" name="token" autocomplete="current-password" required; }
                button { "Continue" }
            }
        },
    }
    .answer()
}

/// `GET /login`
pub async fn login(query: Result<Query<LoginForm>, QueryRejection>) -> Result<Response, Problem> {
    Ok(page(&typed(query)?.next, false))
}

/// `POST /login`
pub async fn log_in(
    State(site): State<Arc<Site>>,
    Extension(activity): Extension<Activity>,
    body: Body,
) -> Result<Response, Problem> {
    let receiving = activity.receiving();
    let form = timeout(BODY_PIECE_TIME, to_bytes(body, MAX_FORM)).await;
    drop(receiving);
    let form = form.ok().and_then(Result::ok);
    let wrong_form = || Problem::bad_request("this is not the form of the page");
    let form = form.ok_or_else(wrong_form)?;
    let text = std::str::from_utf8(&form).map_err(|_| wrong_form())?;
    let uri: Uri = format!("/?{text}").parse().map_err(|_| wrong_form())?;
    let Query(form) = Query::<LoginForm>::try_from_uri(&uri).map_err(|_| wrong_form())?;
    let known = site.token.as_ref().filter(|token| token.is(&form.token));
    let Some(token) = known else {
        tokio::time::sleep(WRONG_PAUSE).await;
        let mut response = page(&form.next, true);
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(response);
    };
    let cookie = format!(
        "{}={}; HttpOnly; SameSite=Lax; Path=/; Max-Age={MAX_AGE}",
        token.cookie_name(),
        token.cookie()
    );
    let mut response = Redirect::to(here(&form.next)).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
