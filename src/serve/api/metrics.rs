//! What the server counts, as OpenMetrics 1.0 text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::reply::content;
use crate::serve::site::Site;

/// Upper bounds of the histogram's buckets in seconds: a page takes some 0.3 s, an image some milliseconds.
const BOUNDS: [f64; 11] = [
    0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// What is counted.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<(String, String), Route>>);

/// What is counted for the requests of one method on one route.
#[derive(Debug, Default)]
struct Route {
    statuses: BTreeMap<u16, u64>,
    buckets: [u64; BOUNDS.len()],
    seconds: f64,
    count: u64,
}

/// A request that was answered.
#[derive(Debug)]
pub struct Observed {
    /// Its method.
    pub method: String,
    /// The route, with names of parameters.
    pub route: String,
    /// The status of its answer.
    pub status: u16,
    /// From its headers to those of the answer.
    pub time: Duration,
}

impl Counters {
    /// Counts a request.
    pub fn observe(&self, one: Observed) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let route = routes.entry((one.route, one.method)).or_default();
        *route.statuses.entry(one.status).or_default() += 1;
        let seconds = one.time.as_secs_f64();
        for (bucket, bound) in route.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
        route.seconds += seconds;
        route.count += 1;
    }

    fn write(&self, text: &mut String) {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        describe(
            text,
            "kiln_requests",
            "counter",
            "Requests that were answered.",
        );
        for ((route, method), counted) in routes.iter() {
            for (status, count) in &counted.statuses {
                let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
                let _ = writeln!(text, "kiln_requests_total{{{labels}}} {count}");
            }
        }
        describe(
            text,
            "kiln_errors",
            "counter",
            "Requests that were answered with a status of 400 or more.",
        );
        for ((route, method), counted) in routes.iter() {
            let errors: u64 = counted.statuses.range(400..).map(|(_, count)| count).sum();
            let labels = format!("route=\"{route}\",method=\"{method}\"");
            let _ = writeln!(text, "kiln_errors_total{{{labels}}} {errors}");
        }
        let name = "kiln_request_seconds";
        describe(
            text,
            name,
            "histogram",
            "Time from the headers of a request to those of its answer.",
        );
        let _ = writeln!(text, "# UNIT {name} seconds");
        for ((route, method), counted) in routes.iter() {
            let labels = format!("route=\"{route}\",method=\"{method}\"");
            for (bucket, bound) in counted.buckets.iter().zip(BOUNDS) {
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound:?}\"}} {bucket}");
            }
            let count = counted.count;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{name}_count{{{labels}}} {count}");
            let _ = writeln!(text, "{name}_sum{{{labels}}} {}", counted.seconds);
        }
    }
}

fn describe(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// `GET /metrics`
pub async fn metrics(
    State(site): State<Arc<Site>>,
    Extension(counters): Extension<Arc<Counters>>,
) -> Response {
    let mut text = String::new();
    counters.write(&mut text);
    describe(
        &mut text,
        "kiln_queue_requests",
        "gauge",
        "Requests that wait or are worked on.",
    );
    let queues = [
        ("read", &site.read.places),
        ("classify", &site.classify.places),
    ];
    for (name, places) in queues {
        let taken = places.taken();
        let _ = writeln!(text, "kiln_queue_requests{{queue=\"{name}\"}} {taken}");
    }
    describe(
        &mut text,
        "kiln_queue_places",
        "gauge",
        "Requests that a queue has room for.",
    );
    for (name, places) in queues {
        let all = places.all();
        let _ = writeln!(text, "kiln_queue_places{{queue=\"{name}\"}} {all}");
    }
    describe(&mut text, "kiln_connections", "gauge", "Open connections.");
    let _ = writeln!(text, "kiln_connections {}", site.registry.connections());
    text += "# EOF\n";
    content(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        text,
    )
}
