//! A run: how far it is, its curves and its settings.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{PageParts, encoded, fragment, or_problem};
use crate::config::difference::shown;
use crate::metrics::Metrics;
use crate::report::{curves, date, duration, metric_name, metric_value};
use crate::serve::api::{InPath, blocking};
use crate::serve::catalog::progress;
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::sweeps::defaults;
use crate::sweeps::runs::{RunRecord, State as RunState};

/// `GET /runs/{id}`
pub async fn run(State(site): State<Arc<Site>>, InPath(id): InPath<String>) -> Response {
    let made = blocking(move || {
        let record = RunRecord::read(&site.catalog.run(&id)?);
        Ok((body(&id, &record), id))
    });
    or_problem(
        made.await
            .as_ref()
            .map_err(Problem::clone)
            .map(|(body, id)| PageParts {
                title: id,
                place: "/",
                script: Some("live.js"),
                body: body.clone(),
            }),
    )
}

/// `GET /runs/{id}/live`: what changes while a run is trained, for the script of the page.
pub async fn run_live(State(site): State<Arc<Site>>, InPath(id): InPath<String>) -> Response {
    let made = blocking(move || Ok(live(&id, &RunRecord::read(&site.catalog.run(&id)?))));
    match made.await {
        Ok(markup) => fragment(markup),
        Err(problem) => problem.into_response(),
    }
}

fn body(id: &str, record: &RunRecord) -> Markup {
    let part = encoded(id);
    html! {
        div id="live" data-live=(format!("/runs/{part}/live")) data-events=(format!("/api/runs/{part}/events")) { (live(id, record)) }
        (settings(record))
    }
}

/// What changes: where to go, the numbers and curves.
fn live(id: &str, record: &RunRecord) -> Markup {
    let part = encoded(id);
    let has_model = record.path.join("model.safetensors").is_file();
    let progress = progress(record);
    let left = progress
        .seconds_left
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(duration);
    let took = record
        .seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(duration);
    let of = progress
        .of
        .map_or_else(String::new, |of| format!(" of {of}"));
    html! {
        @if has_model {
            p.links {
                a href=(format!("/runs/{part}/mistakes")) { "Mistakes" }
                a href=(format!("/classify?run={part}")) { "Classify images" }
                a href=(format!("/read?run={part}")) { "Read pages" }
            }
        }
        dl.cards {
            (card("State", &progress.state))
            (card("Epochs", &format!("{}{of}", progress.epochs)))
            @if let Some(left) = left { (card("Time left", &left)) }
            @if let Some(took) = took { (card("Training time", &took)) }
            (metrics("validation", record.valid()))
            (metrics("test", record.test()))
        }
        @if let RunState::Damaged(problem) = &record.state { p.error role="alert" { (problem) } }
        p.hidden role="status" { (progress.state) ", epoch " (progress.epochs) (of) }
        (curves(&record.epochs, record.best_epoch().unwrap_or(0)))
        @if record.epochs.is_empty() { p.note { "No epoch is complete yet." } }
    }
}

fn card(name: &str, value: &str) -> Markup {
    html! { div.card { dt { (name) } dd { (value) } } }
}

fn metrics(part: &str, metrics: Option<&Metrics>) -> Markup {
    html! {
        @for (metric, value) in metrics.into_iter().flatten() {
            (card(&format!("{part} {}", metric_name(metric)), &metric_value(metric, *value)))
        }
    }
}

fn settings(record: &RunRecord) -> Markup {
    let chosen = defaults::chosen(&record.config);
    html! {
        section {
            h2 { "Settings other than defaults" }
            @if chosen.is_empty() {
                p.note { "None." }
            } @else {
                figure {
                    dl.pairs { @for one in &chosen { dt { (one.path) } dd { (shown(&one.value)) } } }
                }
            }
            p.note {
                (record.path.display())
                @if let Some(written) = record.written { ", written " (date(written)) " UTC" }
            }
        }
    }
}
