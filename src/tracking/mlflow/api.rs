//! The REST API of an MLflow server (<https://mlflow.org/docs/latest/rest-api.html>), as far as a run needs it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::http::{Response, header};
use ureq::{Agent, Body, SendBody};

use crate::error::{io_problem, one_line};

/// How long a connection may take. A server that is away must not keep anybody.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(20);
/// Most bytes of an answer.
const MAX_ANSWER: u64 = 1 << 20;
/// Most letters of a server's own words in a message.
const MAX_WORDS: usize = 200;

/// Why a request was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server is away, or not able, or wants another name or password: later it may work.
    Later(String),
    /// The server does not want this, and never will.
    Never(String),
}

/// A metric at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: f64,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The epoch.
    pub step: usize,
}

/// What is asked for to make a run.
pub struct NewRun<'a> {
    /// The experiment's name.
    pub experiment: &'a str,
    /// The run's name.
    pub name: &'a str,
    /// The tag `kiln.key`.
    pub key: &'a str,
    /// Milliseconds since 1970.
    pub time: u64,
}

/// A run on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRun {
    /// Its id.
    pub id: String,
    /// Where its files are.
    pub artifacts: String,
}

/// A server.
pub struct Api {
    agent: Agent,
    address: String,
    authorization: Option<String>,
}

impl Api {
    /// The server at an address. Name and password, or a token, come from the environment, as MLflow's own programs take them.
    pub fn new(address: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .build();
        Self {
            agent: agent.into(),
            address: address.trim_end_matches('/').to_string(),
            authorization: authorization(),
        }
    }

    /// The run with this key: the one that is there, or a new one.
    pub fn run(&self, wanted: &NewRun) -> Result<RemoteRun, Failure> {
        let experiment = self.experiment(wanted.experiment)?;
        let filter = format!("tags.`kiln.key` = '{}'", wanted.key);
        let search = json!({"experiment_ids": [experiment], "filter": filter, "max_results": 1});
        let found = self.post("runs/search", &search)?;
        if let Some(run) = found.pointer("/runs/0") {
            return remote_run(run);
        }
        let tags = [
            ("kiln.key", wanted.key),
            ("mlflow.source.name", "kiln"),
            ("mlflow.source.type", "LOCAL"),
            ("kiln.version", env!("CARGO_PKG_VERSION")),
        ];
        let tags = tags.map(|(key, value)| json!({"key": key, "value": value}));
        let made = self.post(
            "runs/create",
            &json!({"experiment_id": experiment, "run_name": wanted.name, "start_time": wanted.time, "tags": tags}),
        )?;
        remote_run(made.get("run").unwrap_or(&Value::Null))
    }

    /// The id of an experiment, which is made if it is missing.
    fn experiment(&self, name: &str) -> Result<String, Failure> {
        let by_name = || -> Result<Option<String>, Failure> {
            let url = self.url("experiments/get-by-name");
            let request = self.agent.get(url).query("experiment_name", name);
            let response = self.authorized(request).call().map_err(away)?;
            if response.status().as_u16() == 404 {
                return Ok(None);
            }
            text_at(&answer(response)?, "/experiment/experiment_id").map(Some)
        };
        if let Some(id) = by_name()? {
            return Ok(id);
        }
        match self.post("experiments/create", &json!({"name": name})) {
            Ok(made) => text_at(&made, "/experiment_id"),
            // Another run made it in this moment.
            Err(refused) => by_name()?.ok_or(refused),
        }
    }

    /// Adds metrics to a run; at most 1000.
    pub fn numbers(&self, run: &RemoteRun, numbers: &[Number]) -> Result<(), Failure> {
        let metric = |number: &Number| json!({"key": number.key, "value": number.value, "timestamp": number.time, "step": number.step});
        let metrics: Vec<Value> = numbers.iter().map(metric).collect();
        self.batch(json!({"run_id": run.id, "metrics": metrics}))
    }

    /// Adds settings or tags to a run; at most 100. `kind` is `params` or `tags`.
    pub fn texts(
        &self,
        run: &RemoteRun,
        kind: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let value = |(key, value): (&String, &String)| json!({"key": key, "value": value});
        let values: Vec<Value> = values.iter().map(value).collect();
        self.batch(json!({"run_id": run.id, kind: values}))
    }

    fn batch(&self, body: Value) -> Result<(), Failure> {
        self.post("runs/log-batch", &body).map(drop)
    }

    /// Says how a run stands.
    pub fn status(&self, run: &RemoteRun, status: &str, time: u64) -> Result<(), Failure> {
        let mut body = json!({"run_id": run.id, "status": status});
        if status != "RUNNING" {
            body["end_time"] = time.into();
        }
        self.post("runs/update", &body).map(drop)
    }

    /// Sends a file, if the server takes files for where the run keeps them; `read` wraps the file, to see it being read.
    pub fn artifact<R: Read + Send + Sync + 'static>(
        &self,
        run: &RemoteRun,
        path: &Path,
        read: impl FnOnce(File) -> R,
    ) -> Result<(), Failure> {
        let Some(place) = run.artifacts.strip_prefix("mlflow-artifacts:") else {
            return Err(Failure::Never(format!(
                "keeps files in {}, where only its own programs write; they stay in the run directory (`mlflow server --serve-artifacts` \
                 takes them)",
                run.artifacts
            )));
        };
        // `mlflow-artifacts://host:port/path` or `mlflow-artifacts:/path`
        let place = match place.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => place,
        };
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        let (place, root) = (
            place.trim_matches('/'),
            "api/2.0/mlflow-artifacts/artifacts",
        );
        let url = format!("{}/{root}/{place}/{name}", self.address);
        let unread = |error: std::io::Error| {
            Failure::Never(format!("{}: {}", path.display(), io_problem(&error)))
        };
        let file = File::open(path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        let request = self.agent.put(url);
        let request = request.header(header::CONTENT_LENGTH, length);
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
        let body = SendBody::from_owned_reader(read(file));
        answer(self.authorized(request).send(body).map_err(away)?).map(drop)
    }

    fn post(&self, method: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.agent.post(self.url(method));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.to_string();
        answer(self.authorized(request).send(body.as_str()).map_err(away)?)
    }

    fn url(&self, method: &str) -> String {
        format!("{}/api/2.0/mlflow/{method}", self.address)
    }

    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        }
    }
}

/// The header with MLflow's token, or with its user's name and password.
fn authorization() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = set("MLFLOW_TRACKING_TOKEN") {
        return Some(format!("Bearer {token}"));
    }
    let name = set("MLFLOW_TRACKING_USERNAME")?;
    let password = set("MLFLOW_TRACKING_PASSWORD").unwrap_or_default();
    Some(format!(
        "Basic {}",
        STANDARD.encode(format!("{name}:{password}"))
    ))
}

fn remote_run(run: &Value) -> Result<RemoteRun, Failure> {
    Ok(RemoteRun {
        id: text_at(run, "/info/run_id")?,
        artifacts: text_at(run, "/info/artifact_uri")?,
    })
}

fn text_at(value: &Value, pointer: &str) -> Result<String, Failure> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    let missing = || Failure::Later("its answer is not that of an MLflow server".into());
    text.map(String::from).ok_or_else(missing)
}

/// The JSON of an answer.
fn answer(mut response: Response<Body>) -> Result<Value, Failure> {
    let status = response.status();
    let body = response.body_mut().with_config().limit(MAX_ANSWER);
    let text = body.read_to_string().map_err(away)?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success() {
        return Ok(value.unwrap_or_default());
    }
    let words = value
        .as_ref()
        .and_then(|value| value.get("message")?.as_str());
    let words: String = one_line(words.unwrap_or_default())
        .chars()
        .take(MAX_WORDS)
        .collect();
    let words = if words.is_empty() {
        words
    } else {
        format!(": {words}")
    };
    let problem = format!("answers {status}{words}");
    // Too large, or not valid. Everything else may be another's fault: a proxy's, a password's.
    Err(match status.as_u16() {
        400 | 413 | 422 => Failure::Never(problem),
        _ => Failure::Later(problem),
    })
}

/// A server that gave no answer.
fn away(error: ureq::Error) -> Failure {
    use ureq::{Error, Timeout};
    let problem = match error {
        Error::HostNotFound => "can't be reached: host not found".into(),
        Error::ConnectionFailed => "can't be reached: connection failed".into(),
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => "can't be reached in time".into(),
        Error::Timeout(_) => "does not answer".into(),
        Error::Io(error) => format!("can't be reached: {}", io_problem(&error)),
        error => format!("can't be used: {}", one_line(error)),
    };
    Failure::Later(problem)
}
