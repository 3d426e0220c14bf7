//! Runs over each other, and the leaderboard of a sweep.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;

use super::layout::{PageParts, encoded, or_problem};
use crate::serve::api::{InPath, blocking, comparison, typed};
use crate::serve::catalog::state_name;
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::sweeps::leaderboard::Leaderboard;
use crate::sweeps::record::TrialStatus;

/// Seconds between two looks at runs that are trained.
const EVERY: Option<u32> = Some(2);

/// `GET /compare`
pub async fn compare(
    State(site): State<Arc<Site>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    or_problem(compared(site, query).await)
}

async fn compared(
    site: Arc<Site>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<PageParts<'static>, Problem> {
    let pairs = typed(query)?;
    let body = blocking(move || {
        Ok(match comparison(&site, &pairs)? {
            None => {
                html! { p { "Choose two runs or more in the " a href="/" { "list of runs" } "." } }
            }
            Some((ids, compared)) => {
                let runs = &compared.runs;
                let is_trained = runs.iter().any(|run| state_name(run) == "running");
                html! {
                    p.links { @for id in &ids { a href=(format!("/runs/{}", encoded(id))) { (id) } } }
                    div id="live" data-every=[EVERY.filter(|_| is_trained)] { (compared.body()) }
                }
            }
        })
    });
    Ok(PageParts {
        title: "Runs compared",
        place: "/",
        script: Some("live.js"),
        body: body.await?,
    })
}

/// `GET /sweeps/{id}`
pub async fn sweep(State(site): State<Arc<Site>>, InPath(id): InPath<String>) -> Response {
    let made = blocking(move || {
        let path = site.catalog.sweep(&id)?;
        let board = Leaderboard::read(&path).map_err(Problem::unusable)?;
        let of_sweep: Vec<_> = site
            .catalog
            .runs()
            .into_iter()
            .filter(|run| run.path.parent() == Some(path.as_path()))
            .collect();
        let mut rows = board.rows.iter();
        let is_over = rows.all(|row| row.status.is_done() || row.status == TrialStatus::Failed);
        let body = html! {
            div id="live" data-every=[EVERY.filter(|_| !is_over)] { (board.body()) }
            h2 { "Runs" }
            p.links { @for run in &of_sweep { a href=(format!("/runs/{}", encoded(&run.id))) { (run.id) } } }
        };
        Ok((id, body))
    });
    or_problem(
        made.await
            .as_ref()
            .map_err(Problem::clone)
            .map(|(id, body)| PageParts {
                title: id,
                place: "/",
                script: Some("live.js"),
                body: body.clone(),
            }),
    )
}
