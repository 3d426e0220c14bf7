//! A small MLflow server: what its REST API says about runs, and ways to be away.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// As it should.
    Up,
    /// Closes every connection.
    Closed,
    /// Takes requests and says nothing.
    Silent,
    /// Does what it is asked, and every third time closes the connection instead of answering.
    LosesAnswers,
    /// Wants a password.
    Locked,
}

/// A run as the server knows it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub tags: BTreeMap<String, String>,
    pub params: BTreeMap<String, String>,
    /// Name, step, time and value: MLflow keeps equal ones once.
    pub metrics: BTreeSet<(String, u64, u64, String)>,
    pub status: String,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Run {
    /// The metrics by name and step; fails where there are several.
    pub fn numbers(&self) -> BTreeMap<(String, u64), f64> {
        let mut all = BTreeMap::new();
        for (name, step, _, value) in &self.metrics {
            let before = all.insert((name.clone(), *step), value.parse().unwrap());
            assert!(before.is_none(), "{name} is there twice at step {step}");
        }
        all
    }

    /// Those of the epochs.
    pub fn epochs(&self) -> BTreeMap<(String, u64), f64> {
        let all = self.numbers().into_iter();
        let is_of_epoch = |tag: &str| {
            !["time/", "test/", "final/"]
                .iter()
                .any(|p| tag.starts_with(p))
        };
        all.filter(|((tag, _), _)| is_of_epoch(tag)).collect()
    }
}

#[derive(Debug, Default)]
pub struct Store {
    pub experiments: Vec<String>,
    pub runs: Vec<Run>,
    pub requests: usize,
}

pub struct Server {
    pub address: String,
    store: Arc<Mutex<Store>>,
    mode: Arc<Mutex<Mode>>,
}

impl Server {
    pub fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (store, mode) = (Arc::new(Mutex::default()), Arc::new(Mutex::new(mode)));
        let server = Self {
            address,
            store: Arc::clone(&store),
            mode: Arc::clone(&mode),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (store, mode) = (Arc::clone(&store), *mode.lock().unwrap());
                std::thread::spawn(move || serve(stream.unwrap(), &store, mode));
            }
        });
        server
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// The one run that it has.
    pub fn only_run(&self) -> Run {
        let store = self.store();
        assert_eq!(store.runs.len(), 1);
        store.runs[0].clone()
    }
}

fn serve(stream: TcpStream, store: &Mutex<Store>, mode: Mode) {
    if mode == Mode::Closed {
        return;
    }
    let mut reader = BufReader::new(stream);
    let Some((method, path, body, is_authorized)) = request(&mut reader) else {
        return;
    };
    if mode == Mode::Silent {
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let (status, answer, number) = {
        let mut store = store.lock().unwrap();
        store.requests += 1;
        let number = store.requests;
        if mode == Mode::Locked && !is_authorized {
            (
                "401 Unauthorized",
                json!({"message": "no password"}),
                number,
            )
        } else {
            let (status, answer) = store.answer(&method, &path, &body);
            (status, answer, number)
        }
    };
    if mode == Mode::LosesAnswers && number % 3 == 0 {
        return;
    }
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let mut stream = reader.into_inner();
    let _ = stream.write_all(format!("{head}{text}").as_bytes());
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String, Vec<u8>, bool)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_string(), words.next()?.to_string());
    let (mut length, mut is_authorized) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            // "anna:secret"
            "authorization" => is_authorized = value == "Basic YW5uYTpzZWNyZXQ=",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, body, is_authorized))
}

impl Store {
    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (&'static str, Value) {
        const FILES: &str = "/api/2.0/mlflow-artifacts/artifacts/";
        if let Some(place) = path.strip_prefix(FILES).filter(|_| method == "PUT") {
            // `0/RUN/artifacts/NAME`
            let parts: Vec<&str> = place.split('/').collect();
            let run = &mut self.runs[parts[1].parse::<usize>().unwrap()];
            run.files.insert(parts[3].into(), body.to_vec());
            return ("200 OK", json!({}));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_string();
        let run = || body["run_id"].as_str()?.parse::<usize>().ok();
        match path.strip_prefix("/api/2.0/mlflow/").unwrap() {
            "experiments/get-by-name" => {
                let name = query.strip_prefix("experiment_name=").unwrap();
                match self.experiments.iter().position(|known| known == name) {
                    Some(id) => (
                        "200 OK",
                        json!({"experiment": {"experiment_id": id.to_string()}}),
                    ),
                    None => (
                        "404 Not Found",
                        json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}),
                    ),
                }
            }
            "experiments/create" => {
                assert!(!self.experiments.contains(&text("name")));
                self.experiments.push(text("name"));
                let id = self.experiments.len() - 1;
                ("200 OK", json!({"experiment_id": id.to_string()}))
            }
            "runs/search" => {
                let filter = text("filter");
                let key = filter.split('\'').nth(1).unwrap();
                let found = self.runs.iter().position(|run| run.tags["kiln.key"] == key);
                let runs: Vec<Value> = found.into_iter().map(info).collect();
                ("200 OK", json!({ "runs": runs }))
            }
            "runs/create" => {
                let tags = pairs(&body["tags"]).collect();
                self.runs.push(Run {
                    tags,
                    status: "RUNNING".into(),
                    ..Run::default()
                });
                ("200 OK", json!({"run": info(self.runs.len() - 1)}))
            }
            "runs/log-batch" => self.runs[run().unwrap()].take(&body),
            "runs/update" => {
                self.runs[run().unwrap()].status = text("status");
                ("200 OK", json!({}))
            }
            other => panic!("{other}"),
        }
    }
}

fn info(run: usize) -> Value {
    json!({"info": {"run_id": run.to_string(), "artifact_uri": format!("mlflow-artifacts:/0/{run}/artifacts")}})
}

fn pairs(list: &Value) -> impl Iterator<Item = (String, String)> {
    let list = list.as_array().cloned().unwrap_or_default().into_iter();
    list.map(|one| {
        let text = |key: &str| one[key].as_str().unwrap().to_string();
        (text("key"), text("value"))
    })
}

impl Run {
    fn take(&mut self, body: &Value) -> (&'static str, Value) {
        let metrics = body["metrics"].as_array().cloned().unwrap_or_default();
        assert!(metrics.len() <= 1000);
        for one in metrics {
            let number = |key: &str| one[key].as_u64().unwrap();
            let (name, value) = (one["key"].as_str().unwrap(), one["value"].to_string());
            self.metrics
                .insert((name.into(), number("step"), number("timestamp"), value));
        }
        for (key, value) in pairs(&body["params"]) {
            let before = self.params.insert(key.clone(), value.clone());
            assert!(
                before.is_none_or(|before| before == value),
                "{key} was changed"
            );
        }
        self.tags.extend(pairs(&body["tags"]));
        ("200 OK", json!({}))
    }
}
