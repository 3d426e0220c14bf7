//! Runs: their list, and one of them.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::query::{InPath, Order, RunsQuery, typed};
use super::reply::{blocking, json};
use crate::metrics::EpochRecord;
use crate::serve::catalog::{Catalog, Progress, progress, state_name};
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::sweeps::defaults;
use crate::sweeps::listing::{RunEntry, sort_by_valid};
use crate::sweeps::runs::RunRecord;

/// A run with its name.
pub struct ListedRun {
    /// Its name in addresses.
    pub id: String,
    /// What is in its folder.
    pub record: RunRecord,
}

/// A run in the list.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Its name in addresses.
    id: String,
    /// Its state: as `status`, or `running`.
    state: String,
    #[serde(flatten)]
    entry: RunEntry,
}

/// One run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDetail {
    /// Its name in addresses.
    id: String,
    #[serde(flatten)]
    entry: RunEntry,
    /// How far it is.
    progress: Progress,
    /// Settings that are not defaults, by their dotted paths.
    settings: Map<String, Value>,
    /// The metrics of its epochs.
    history: Vec<EpochRecord>,
}

/// The list of runs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunList {
    runs: Vec<Entry>,
    /// What is wrong with folders of the server, such as one that can't be read.
    problems: Vec<String>,
}

/// The runs that a query asks for, in its order.
pub fn listed(catalog: &Catalog, query: &RunsQuery) -> Vec<ListedRun> {
    let wanted = query.q.to_lowercase();
    let is_wanted = |run: &ListedRun| {
        let record = &run.record;
        let kinds = ["/model/kind", "/data/kind"].map(|at| record.setting(at).unwrap_or_default());
        let mut texts = [run.id.as_str(), kinds[0], kinds[1]].into_iter();
        (query.state.is_empty() || state_name(record) == query.state)
            && texts.any(|text| text.to_lowercase().contains(&wanted))
    };
    let runs = catalog.runs().into_iter().map(|named| ListedRun {
        id: named.id,
        record: RunRecord::read(&named.path),
    });
    let mut runs: Vec<ListedRun> = runs.filter(is_wanted).collect();
    match query.sort {
        Order::Time => runs.sort_by_key(|run| Reverse(run.record.written)),
        Order::Valid => sort_by_valid(&mut runs, |run| &run.record),
        Order::Name => runs.sort_by(|a, b| a.id.cmp(&b.id)),
    }
    runs
}

/// `GET /api/runs`
pub async fn runs(
    State(site): State<Arc<Site>>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    let list = blocking(move || {
        let runs = listed(&site.catalog, &query).into_iter();
        let entry = |run: ListedRun| Entry {
            state: state_name(&run.record).into(),
            entry: RunEntry::of(&run.record),
            id: run.id,
        };
        Ok(RunList {
            problems: site.catalog.problems(),
            runs: runs.map(entry).collect(),
        })
    });
    json(&list.await?)
}

/// `GET /api/runs/{id}`
pub async fn run(
    State(site): State<Arc<Site>>,
    InPath(id): InPath<String>,
) -> Result<Response, Problem> {
    let detail = blocking(move || {
        let path: PathBuf = site.catalog.run(&id)?;
        let record = RunRecord::read(&path);
        let chosen = defaults::chosen(&record.config).into_iter();
        Ok(RunDetail {
            id,
            entry: RunEntry::of(&record),
            progress: progress(&record),
            settings: chosen.map(|one| (one.path, one.value)).collect(),
            history: record.epochs,
        })
    });
    json(&detail.await?)
}
