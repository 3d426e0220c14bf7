//! Styles, scripts and the icon: parts of the binary.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::ocr::review::CORRECTED;
use crate::report::SHEET;
use crate::serve::api::InPath;
use crate::serve::problem::Problem;

/// How the functions of `review.js` are taken.
const EXPORT: &str = "\nexport { corrected };\n";

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// `GET /assets/{name}`
pub async fn asset(InPath(name): InPath<String>) -> Response {
    let (kind, text): (&'static str, String) = match name.as_str() {
        "report.css" => (CSS, SHEET.into()),
        "serve.css" => (CSS, include_str!("../assets/serve.css").into()),
        "icon.svg" => (SVG, include_str!("../assets/icon.svg").into()),
        "review.js" => (JAVASCRIPT, format!("{CORRECTED}{EXPORT}")),
        "live.js" => (JAVASCRIPT, include_str!("../assets/live.js").into()),
        "images.js" => (JAVASCRIPT, include_str!("../assets/images.js").into()),
        "read.js" => (JAVASCRIPT, include_str!("../assets/read.js").into()),
        "page.js" => (JAVASCRIPT, include_str!("../assets/page.js").into()),
        "classify.js" => (JAVASCRIPT, include_str!("../assets/classify.js").into()),
        _ => return Problem::not_found(format!("there is no {name:?}")).into_response(),
    };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
