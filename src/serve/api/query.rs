//! The parameters in a path and after `?`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::data::Split;
use crate::serve::problem::Problem;

/// The parameters, or what is wrong with them.
///
/// # Errors
/// One is not known, or has a wrong value.
pub fn typed<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(value)) => Ok(value),
        Err(rejection) => {
            let text = rejection.body_text();
            let problem = text
                .rsplit_once("query string: ")
                .map_or(text.as_str(), |found| found.1);
            Err(Problem::bad_request(format!("parameters: {problem}")))
        }
    }
}

/// Parameters that are parts of the path, decoded.
pub struct InPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

/// Which runs are listed, and in which order.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunsQuery {
    /// Sort order.
    pub sort: Order,
    /// Only runs in this state.
    pub state: String,
    /// Only runs with this text in their names, models or data.
    pub q: String,
}

/// Sort order of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Newest first.
    #[default]
    Time,
    /// Best on the validation split first.
    Valid,
    /// By name.
    Name,
}

/// A split by its name.
///
/// # Errors
/// There is no such split.
pub fn split_of(name: &str) -> Result<Split, Problem> {
    let mut all = Split::ALL.into_iter();
    all.find(|split| split.name() == name).ok_or_else(|| {
        let names = Split::ALL.map(Split::name).join(", ");
        Problem::bad_request(format!("split: unknown value {name:?}; use one of {names}"))
    })
}
