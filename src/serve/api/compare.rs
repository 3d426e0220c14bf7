//! Several runs together: compared, and ranked by a sweep.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::query::{InPath, typed};
use super::reply::{blocking, json};
use crate::serve::catalog::Named;
use crate::serve::limits::MAX_COMPARED;
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::sweeps::compare::Comparison;
use crate::sweeps::leaderboard::Leaderboard;
use crate::sweeps::runs::RunRecord;

/// The sweeps.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SweepList {
    /// Their names in addresses.
    sweeps: Vec<String>,
    /// Why the runs of some of them can't be listed, by name.
    problems: BTreeMap<String, String>,
}

/// The runs that are named by `run=` parameters, compared; `None` where there are fewer than two.
///
/// # Errors
/// There is no such run or parameter, or there are too many.
pub fn comparison(
    site: &Site,
    pairs: &[(String, String)],
) -> Result<Option<(Vec<String>, Comparison)>, Problem> {
    if let Some((key, _)) = pairs.iter().find(|(key, _)| key != "run") {
        return Err(Problem::bad_request(format!(
            "parameters: unknown field `{key}`, expected `run`"
        )));
    }
    if pairs.len() > MAX_COMPARED {
        return Err(Problem::bad_request(format!(
            "at most {MAX_COMPARED} runs are compared at a time"
        )));
    }
    let ids: Vec<String> = pairs.iter().map(|(_, id)| id.clone()).collect();
    let paths = ids.iter().map(|id| site.catalog.run(id));
    let paths: Vec<PathBuf> = paths.collect::<Result<_, Problem>>()?;
    if paths.len() < 2 {
        return Ok(None);
    }
    let records = paths.iter().map(|path| RunRecord::read(path)).collect();
    Ok(Some((ids, Comparison::of(records))))
}

/// `GET /api/compare`
pub async fn compare(
    State(site): State<Arc<Site>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let pairs = typed(query)?;
    let compared = blocking(move || comparison(&site, &pairs)).await?;
    let (_, comparison) = compared
        .ok_or_else(|| Problem::bad_request("name two runs or more, as in ?run=a-1&run=a-2"))?;
    json(&comparison.json())
}

/// `GET /api/sweeps`
pub async fn sweeps(State(site): State<Arc<Site>>) -> Result<Response, Problem> {
    let found = blocking(move || Ok(site.catalog.sweeps())).await?;
    let problem = |sweep: &Named| Some((sweep.id.clone(), sweep.problem.clone()?));
    json(&SweepList {
        problems: found.iter().filter_map(problem).collect(),
        sweeps: found.into_iter().map(|sweep| sweep.id).collect(),
    })
}

/// `GET /api/sweeps/{id}`
pub async fn sweep(
    State(site): State<Arc<Site>>,
    InPath(id): InPath<String>,
) -> Result<Response, Problem> {
    let board = blocking(move || {
        let path = site.catalog.sweep(&id)?;
        Leaderboard::read(&path).map_err(Problem::unusable)
    });
    json(&board.await?.json())
}
