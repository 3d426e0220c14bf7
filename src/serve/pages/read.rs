//! Pages that are dropped, pasted or photographed, read, corrected and taken along.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{PageParts, or_problem};
use crate::ocr::formats::FORMATS;
use crate::serve::api::blocking;
use crate::serve::site::Site;

/// `GET /read`
pub async fn read(State(site): State<Arc<Site>>) -> Response {
    let made = blocking(move || {
        // One that can't be opened says so when it reads.
        let is_chosen = !matches!(site.models.chosen_reader(), Ok(None));
        Ok((super::classify::models(&site), is_chosen))
    });
    or_problem(made.await.map(|(models, is_chosen)| PageParts {
        title: "Read a page",
        place: "/read",
        script: Some("read.js"),
        body: html! {
            (super::classify::drop_zone("Drop a photographed page here, paste it, or choose a file. PNG, JPEG, WebP, TIFF and others; it stays on this server.", false))
            (options(&models, is_chosen))
            p id="status" role="status" {}
            div id="result" hidden {
                div.reading {
                    section aria-label="The page" {
                        h2 { "Page" }
                        p.note id="help" {
                            "Boxes: lines, words, letters; the colour of a letter says how sure it is: "
                            span.sure.level4 { "sure" } " " span.sure.level3 { "likely" } " " span.sure.level2 { "doubtful" } " " span.sure.level1 { "a guess" }
                            ". Choose one to correct it; arrow keys go from letter to letter."
                        }
                        figure.page-figure id="page" {}
                    }
                    (text())
                }
            }
        },
    }))
}

/// How the page is read.
fn options(models: &[String], is_chosen: bool) -> Markup {
    html! {
        form.controls id="options" {
            label {
                "Model "
                select name="run" {
                    option value="" { @if is_chosen { "that of --model" } @else { "kiln's own" } }
                    @for id in models { option { (id) } }
                }
            }
            label {
                "Characters "
                select name="alphabet" {
                    option value="" { "all" } option { "letters" } option { "digits" }
                }
            }
            label {
                "Words "
                select name="context" { option value="" { "English" } option value="off" { "none, by shape alone" } }
            }
        }
    }
}

/// What was read, to be taken along and corrected.
fn text() -> Markup {
    html! {
        section aria-label="The text" {
            h2 { "Text" }
            pre id="text" tabindex="0" aria-label="What was read" {}
            p.links {
                button type="button" id="copy" { "Copy" }
                @for format in FORMATS {
                    button type="button" data-format=(format.name) data-extension=(format.extensions[0]) title=(format.description) {
                        (format.name)
                    }
                }
            }
            h2 { "Correct" }
            p.note {
                "Type over what is wrong; empty a box that holds no letter. Corrections stay in this browser; save them to score with "
                code { "kiln ocr --expect review.json" } " or to make training data with " code { "kiln data from-review review.json" } "."
            }
            div id="guesses" role="group" aria-label="Next guesses" {}
            div id="letters" {}
            p.links {
                button type="button" id="save" { "Save corrections" }
                button type="button" id="forget" { "Undo all corrections" }
            }
        }
    }
}
