//! The list of runs.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{PageParts, encoded, problem};
use crate::report::table::ABSENT;
use crate::report::{date, metric_value};
use crate::serve::api::{ListedRun, Order, RunsQuery, blocking, listed, typed};
use crate::serve::catalog::{Named, progress};
use crate::serve::site::Site;
use crate::sweeps::listing::{named_value, ranking_value};

/// The states that runs can be in, as the filter names them.
const STATES: [&str; 8] = [
    "running",
    "finished",
    "stopped early",
    "interrupted",
    "failed",
    "unfinished",
    "imported",
    "damaged",
];

/// The orders, with their names in addresses.
const ORDERS: [(Order, &str, &str); 3] = [
    (Order::Time, "time", "Newest first"),
    (Order::Valid, "valid", "Best first"),
    (Order::Name, "name", "By name"),
];

/// `GET /`
pub async fn runs(
    State(site): State<Arc<Site>>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Response {
    let query = match typed(query) {
        Ok(query) => query,
        Err(wrong) => return problem(wrong),
    };
    let list = blocking(move || {
        let runs = listed(&site.catalog, &query);
        let folders: Vec<String> = site
            .folders
            .iter()
            .map(|one| one.display().to_string())
            .collect();
        let sweeps = site.catalog.sweeps();
        Ok(html! {
            @for problem in site.catalog.problems() { p.error { (problem) } }
            (body(&query, &runs, &sweeps, &folders))
        })
    });
    match list.await {
        Ok(body) => PageParts {
            title: "Runs",
            place: "/",
            script: Some("live.js"),
            body,
        }
        .answer(),
        Err(wrong) => problem(wrong),
    }
}

fn body(query: &RunsQuery, runs: &[ListedRun], sweeps: &[Named], folders: &[String]) -> Markup {
    html! {
        (filter(query))
        div id="live" data-every="2" {
            @if runs.is_empty() {
                p { "No runs here. `kiln train` creates them; this page looks in " (folders.join(", ")) "." }
            } @else {
                form action="/compare" {
                    div.wide.card {
                        table {
                            thead { tr {
                                th { span.hidden { "Compare" } }
                                th.words { "Run" } th.words.rare { "Model" } th.words.rare { "Data" } th.words { "State" } th.rare { "Epochs" }
                                th { "Validation" } th.rare { "Test" } th.rare { "Written (UTC)" }
                            } }
                            tbody { @for run in runs { (row(run)) } }
                        }
                    }
                    p { button { "Compare the chosen runs" } }
                }
            }
            @if !sweeps.is_empty() {
                h2 { "Sweeps" }
                ul { @for sweep in sweeps { li {
                    a href=(format!("/sweeps/{}", encoded(&sweep.id))) { (sweep.id) }
                    @if let Some(problem) = &sweep.problem { " " span.error { (problem) } }
                } } }
            }
        }
    }
}

fn filter(query: &RunsQuery) -> Markup {
    html! {
        form.controls role="search" {
            label { "Find " input type="search" name="q" value=(query.q); }
            label {
                "State "
                select name="state" {
                    option value="" { "any" }
                    @for state in STATES { option selected[query.state == state] { (state) } }
                }
            }
            label {
                "Order "
                select name="sort" {
                    @for (order, value, name) in ORDERS {
                        option value=(value) selected[query.sort == order] { (name) }
                    }
                }
            }
            button { "Show" }
        }
    }
}

fn row(run: &ListedRun) -> Markup {
    let record = &run.record;
    let valid = ranking_value(record);
    let test = valid.as_ref().and_then(|(ranking, _)| {
        let value = ranking.value(record.test()?)?;
        Some(metric_value(ranking.key(), value))
    });
    let valid = valid.map(|(ranking, value)| named_value(&ranking, value));
    let progress = progress(record);
    let state = progress.state.as_str();
    let of = progress
        .of
        .map_or_else(String::new, |of| format!(" of {of}"));
    let setting = |pointer: &str| record.setting(pointer).unwrap_or(ABSENT).to_string();
    html! {
        tr {
            td { input type="checkbox" name="run" value=(run.id) aria-label=(format!("compare {}", run.id)); }
            th.words scope="row" { a href=(format!("/runs/{}", encoded(&run.id))) { (run.id) } }
            td.words.rare { (setting("/model/kind")) }
            td.words.rare { (setting("/data/kind")) }
            td.words { span class=(format!("state {}", state.replace(' ', "-"))) { (state) } }
            td.rare { (progress.epochs) (of) }
            td { (valid.unwrap_or_else(|| ABSENT.into())) }
            td.rare { (test.unwrap_or_else(|| ABSENT.into())) }
            td.rare { (record.written.map_or_else(|| ABSENT.into(), date)) }
        }
    }
}
