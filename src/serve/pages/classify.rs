//! Images that are dropped, and their classes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{PageParts, or_problem};
use crate::models::Task;
use crate::run_dir::RunDir;
use crate::serve::api::blocking;
use crate::serve::site::Site;

/// The names of the runs whose model classifies.
pub fn models(site: &Site) -> Vec<String> {
    let runs = site.catalog.runs().into_iter();
    let classifies = runs.filter(|run| {
        let opened = RunDir::open(&run.path).ok();
        let experiment = opened
            .filter(|run| run.model_file().is_file())
            .and_then(|run| run.experiment().ok());
        experiment.is_some_and(|experiment| experiment.model.task() == Task::Classify)
    });
    classifies.map(|run| run.id).collect()
}

/// Where images are dropped, chosen, pasted or photographed.
pub fn drop_zone(text: &str, several: bool) -> Markup {
    html! {
        div.drop id="drop" {
            p { (text) }
            p.links {
                label.button { "Choose a file" input.hidden type="file" id="file" accept="image/*,.tif,.tiff,.pdf" multiple[several]; }
                label.button { "Take a photograph" input.hidden type="file" id="camera" accept="image/*" capture="environment"; }
            }
        }
    }
}

/// `GET /classify`
pub async fn classify(State(site): State<Arc<Site>>) -> Response {
    let made = blocking(move || Ok((models(&site), site.models.has_chosen())));
    or_problem(made.await.map(|(models, has_chosen)| PageParts {
        title: "Classify images",
        place: "/classify",
        script: Some("classify.js"),
        body: html! {
            @if models.is_empty() && !has_chosen {
                p { "There is no model yet: `kiln train` makes one, or start `kiln serve` with --model." }
            } @else {
                form.controls id="options" {
                    label {
                        "Model "
                        select name="run" {
                            @if has_chosen { option value="" { "that of --model" } }
                            @for id in &models { option { (id) } }
                        }
                    }
                }
                (drop_zone("Drop images here, paste one, or choose files.", true))
                p id="status" role="status" {}
                ul.answers id="answers" {}
            }
        },
    }))
}
