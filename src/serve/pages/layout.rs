//! What all pages have: head, navigation, and how a problem is shown.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};

use crate::serve::problem::Problem;

/// What is navigated to: address and name.
const PLACES: [(&str, &str); 3] = [("/", "Runs"), ("/read", "Read"), ("/classify", "Classify")];

/// A page.
pub struct PageParts<'a> {
    /// What it is called.
    pub title: &'a str,
    /// The address of the place of the navigation that it belongs to; may be empty.
    pub place: &'a str,
    /// The script that it runs, if any.
    pub script: Option<&'a str>,
    /// What is below its heading.
    pub body: Markup,
}

impl PageParts<'_> {
    /// The page as an answer.
    pub fn answer(self) -> Response {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · kiln" }
                    link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/assets/report.css";
                    link rel="stylesheet" href="/assets/serve.css";
                    @if let Some(script) = self.script {
                        script type="module" src=(format!("/assets/{script}")) {}
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.bar {
                        a.brand href="/" { "kiln" }
                        nav aria-label="Main" {
                            @for (address, name) in PLACES {
                                a href=(address) aria-current=[(address == self.place).then_some("page")] { (name) }
                            }
                        }
                    }
                    main id="main" tabindex="-1" {
                        h1 { (self.title) }
                        (self.body)
                    }
                }
            }
        };
        fragment(page)
    }
}

/// A part of a page as an answer.
pub fn fragment(markup: Markup) -> Response {
    let mut response = Response::new(Body::from(markup.into_string()));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A page that says what is wrong.
pub fn problem(problem: Problem) -> Response {
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let mut response = PageParts {
        title,
        place: "",
        script: None,
        body: html! {
            p { (problem.message) }
            p { a href="/" { "All runs" } }
        },
    }
    .answer();
    *response.status_mut() = problem.status;
    response
}

/// A page, or one that says what is wrong.
pub fn or_problem(page: Result<PageParts, Problem>) -> Response {
    page.map_or_else(problem, PageParts::answer)
}

/// A name as a part of an address: everything but letters, digits and a few marks is percent-encoded (RFC 3986, section 2.1).
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
