//! The key `training.log`: where the numbers of a run go besides its own files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Something that is told the numbers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum LogTarget {
    /// Event files in the run directory.
    Events(EventFiles),
    /// A server.
    Server(LogServer),
}

/// Event files in the run directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum EventFiles {
    /// Event files for TensorBoard, in `tensorboard/`.
    TensorBoard,
}

/// A server that keeps the numbers of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct LogServer {
    /// Address of an MLflow server, such as `http://localhost:5000`. What it misses is kept in the run directory and sent later.
    pub mlflow: String,
}

impl LogTarget {
    /// A target as the command line names it: `tensorboard`, or `mlflow=http://localhost:5000`.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let target = match text.split_once('=') {
            Some(("mlflow", address)) => Self::mlflow(address),
            None if text == "tensorboard" => Self::Events(EventFiles::TensorBoard),
            _ => return Err("use tensorboard or mlflow=http://HOST:PORT".into()),
        };
        match target.problem() {
            None => Ok(target),
            Some(problem) => Err(problem),
        }
    }

    fn mlflow(address: &str) -> Self {
        Self::Server(LogServer {
            mlflow: address.to_string(),
        })
    }

    /// What is wrong with it.
    fn problem(&self) -> Option<String> {
        match self {
            Self::Events(EventFiles::TensorBoard) => None,
            Self::Server(LogServer { mlflow }) => address_problem(mlflow),
        }
    }

    /// What is wrong with a list of targets; `path` is that of its key.
    pub fn problems(targets: &[Self], path: &str) -> Vec<Problem> {
        let problem = |(index, target): (usize, &Self)| {
            let (path, problem) = match target {
                Self::Events(_) => (format!("{path}[{index}]"), target.problem()),
                Self::Server(_) => (format!("{path}[{index}].mlflow"), target.problem()),
            };
            let is_again = targets[..index].contains(target);
            let again = is_again.then(|| "is in the list twice; remove one of them".to_string());
            Some(Problem::new(path, problem.or(again)?))
        };
        targets.iter().enumerate().filter_map(problem).collect()
    }
}

/// What is wrong with the address of a server.
fn address_problem(address: &str) -> Option<String> {
    let scheme = ["http://", "https://"].into_iter();
    let rest = scheme
        .filter_map(|scheme| address.strip_prefix(scheme))
        .next();
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_plain = address.chars().all(|c| c.is_ascii_graphic());
    match host {
        // The config goes into the run directory, which people pass on.
        Some(host) if host.contains('@') => Some(
            "has a name or a password in it, which would be written into the run directory; remove them and set \
             MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
                .into(),
        ),
        Some(host) if !host.is_empty() && !host.starts_with(':') && is_plain => None,
        _ => Some(format!(
            "found {address:?}, which is no address of a server; use one such as http://localhost:5000"
        )),
    }
}
