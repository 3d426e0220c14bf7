//! The description of the API (OpenAPI 3.1), made from the types of parameters and answers.

use axum::response::Response;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::compare::SweepList;
use super::images::{ExplainQuery, OcrQuery, PredictQuery};
use super::mistakes::{Mistakes, MistakesQuery, SampleQuery};
use super::query::RunsQuery;
use super::reply;
use super::runs::{RunDetail, RunList};
use crate::inference::Prediction;
use crate::ocr::formats::Sheet;
use crate::serve::problem::{ErrorBody, Problem};

/// Where the schemas of types are.
const DEFINITIONS: &str = "/components/schemas";

/// `GET /api/openapi.json`
pub async fn openapi() -> Result<Response, Problem> {
    reply::json(&document())
}

/// The description.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = DEFINITIONS.into();
            settings.meta_schema = None;
        });
    let mut made = Made {
        types: SchemaGenerator::new(settings),
        paths: Map::new(),
    };
    made.images();
    made.runs();
    made.several_runs();
    made.service();
    let paths = made.paths;
    let schemas = made.types.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kiln",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Runs, pages and images. Where the server was started with a token, requests need it: `Authorization: Bearer TOKEN`.",
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

struct Made {
    types: SchemaGenerator,
    paths: Map<String, Value>,
}

/// A parameter that is a part of the path.
fn in_path(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
}

impl Made {
    fn images(&mut self) {
        let page = self.of::<Sheet>();
        let page = json!({"oneOf": [page, {"type": "array", "items": page, "description": "The pages of a file with several."}]});
        let other = |kind: &str| (kind.to_string(), json!({"type": "string"}));
        let mut answers = vec![("application/json".to_string(), page)];
        answers.extend(
            [
                "text/plain; charset=utf-8",
                "application/xhtml+xml; charset=utf-8",
                "application/xml",
                "text/tab-separated-values; charset=utf-8",
                "application/pdf",
            ]
            .map(other),
        );
        let parameters = self.query::<OcrQuery>();
        let title = "Read a page: the bytes that `kiln ocr --json` prints";
        self.post("/api/ocr", title, parameters, answers);
        let predictions = self.of::<Vec<Prediction>>();
        let parameters = self.query::<PredictQuery>();
        let title = "Classify an image: the bytes that `kiln predict --json` prints";
        let answers = vec![("application/json".into(), predictions)];
        self.post("/api/predict", title, parameters, answers);
        let parameters = self.query::<ExplainQuery>();
        let title = "Where an image speaks for a class: the picture of `kiln predict --explain`";
        let answers = vec![other("image/png")];
        self.post("/api/explain", title, parameters, answers);
    }

    fn runs(&mut self) {
        let id = || in_path("id", "Name of the run, with %2F for a slash");
        let answer = self.of::<RunList>();
        let parameters = self.query::<RunsQuery>();
        self.get(
            "/api/runs",
            "List runs",
            parameters,
            "application/json",
            answer,
        );
        let answer = self.of::<RunDetail>();
        self.get(
            "/api/runs/{id}",
            "Show a run",
            vec![id()],
            "application/json",
            answer,
        );
        let text = || json!({"type": "string"});
        self.get(
            "/api/runs/{id}/events",
            "Follow a run: `epoch` and `state` events; never ends",
            vec![id()],
            "text/event-stream",
            text(),
        );
        let answer = self.of::<Mistakes>();
        let mut parameters = vec![id()];
        parameters.extend(self.query::<MistakesQuery>());
        self.get(
            "/api/runs/{id}/mistakes",
            "What a run gets wrong; evaluates it first",
            parameters,
            "application/json",
            answer,
        );
        let mut parameters = vec![
            id(),
            json!({"name": "split", "in": "path", "required": true, "schema": {"enum": ["train", "valid", "test"]}}),
            json!({"name": "file", "in": "path", "required": true, "description": "Index of the sample, and `.png`", "schema": {"type": "string", "pattern": r"^[0-9]{1,9}\.png$"}}),
        ];
        parameters.extend(self.query::<SampleQuery>());
        self.get(
            "/api/runs/{id}/samples/{split}/{file}",
            "A sample of a run that was evaluated",
            parameters,
            "image/png",
            text(),
        );
    }

    fn several_runs(&mut self) {
        let run = json!({
            "name": "run", "in": "query", "required": true, "description": "Names of two runs or more",
            "schema": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": crate::serve::limits::MAX_COMPARED},
        });
        let any = || json!({"type": "object"});
        self.get(
            "/api/compare",
            "Compare runs",
            vec![run],
            "application/json",
            any(),
        );
        let answer = self.of::<SweepList>();
        self.get(
            "/api/sweeps",
            "List sweeps",
            Vec::new(),
            "application/json",
            answer,
        );
        let sweep = in_path("id", "Name of the sweep, with %2F for a slash");
        self.get(
            "/api/sweeps/{id}",
            "The leaderboard of a sweep",
            vec![sweep],
            "application/json",
            any(),
        );
    }

    fn service(&mut self) {
        let text = || json!({"type": "string"});
        self.get(
            "/healthz",
            "Whether the server answers",
            Vec::new(),
            "text/plain; charset=utf-8",
            text(),
        );
        self.get(
            "/metrics",
            "Counters in OpenMetrics",
            Vec::new(),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            text(),
        );
        let description = json!({"type": "object"});
        self.get(
            "/api/openapi.json",
            "This description",
            Vec::new(),
            "application/json",
            description,
        );
    }

    fn of<T: JsonSchema>(&mut self) -> Value {
        self.types.subschema_for::<T>().to_value()
    }

    /// The fields of a type as parameters.
    fn query<T: JsonSchema>(&mut self) -> Vec<Value> {
        let schema = T::json_schema(&mut self.types).to_value();
        let properties = schema.get("properties").and_then(Value::as_object).cloned();
        let one = |(name, mut schema): (String, Value)| {
            let description = schema.get("description").cloned().unwrap_or_default();
            if let Some(schema) = schema.as_object_mut() {
                // A parameter is left out, never null.
                if let Some(Value::Array(types)) = schema.get("type").cloned() {
                    schema.insert("type".into(), types.first().cloned().unwrap_or_default());
                }
                schema.remove("default");
            }
            json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema})
        };
        properties
            .unwrap_or_default()
            .into_iter()
            .map(one)
            .collect()
    }

    fn get(&mut self, path: &str, title: &str, parameters: Vec<Value>, kind: &str, answer: Value) {
        let mut responses = self.errors();
        responses.insert(
            "200".into(),
            json!({"description": "Done", "content": {kind: {"schema": answer}}}),
        );
        if path.ends_with("/mistakes") {
            responses.insert(
                "202".into(),
                json!({"description": "The run is being evaluated", "content": {kind: {"schema": answer}}}),
            );
        }
        let operation = json!({"summary": title, "parameters": parameters, "responses": responses});
        self.paths.insert(path.into(), json!({"get": operation}));
    }

    fn post(
        &mut self,
        path: &str,
        title: &str,
        parameters: Vec<Value>,
        answers: Vec<(String, Value)>,
    ) {
        let content: Map<String, Value> = answers
            .into_iter()
            .map(|(kind, schema)| (kind, json!({"schema": schema})))
            .collect();
        let mut responses = self.errors();
        responses.insert(
            "200".into(),
            json!({"description": "Done", "content": content}),
        );
        let operation = json!({
            "summary": title,
            "parameters": parameters,
            "requestBody": {
                "required": true,
                "description": "The bytes of an image file",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
            },
            "responses": responses,
        });
        self.paths.insert(path.into(), json!({"post": operation}));
    }

    /// What any request may be answered with.
    fn errors(&mut self) -> Map<String, Value> {
        let schema = self.of::<ErrorBody>();
        let all = [
            ("400", "A parameter or the request is wrong"),
            ("401", "The token is missing or wrong"),
            ("403", "The request comes from a page of another site"),
            ("404", "There is no such thing"),
            ("405", "The method is not for this address"),
            ("408", "The body arrives too slowly"),
            ("409", "The run is being evaluated"),
            ("413", "The body is too large"),
            ("421", "The host is not served here"),
            ("422", "The image, run or data can't be used"),
            ("429", "Too many requests are waiting"),
            ("500", "The work failed"),
            ("503", "No answer in time"),
        ];
        let one = |(status, description): (&str, &str)| {
            let content = json!({"application/json": {"schema": schema}});
            (
                status.to_string(),
                json!({"description": description, "content": content}),
            )
        };
        all.map(one).into_iter().collect()
    }
}
