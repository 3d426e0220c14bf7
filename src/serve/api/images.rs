//! Images that are sent: read, classified, explained.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use super::query::typed;
use super::reply::{blocking, content};
use crate::ocr::formats::{FORMATS, Format, JSON};
use crate::ocr::{Alphabet, Case, Context, ReadOptions};
use crate::serve::guard::{Content, read_body};
use crate::serve::net::Activity;
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::serve::work::{ClassifyRequest, Explain, Places, ReadRequest};

/// What an image is called without a name, as on the command line for standard input.
const UNNAMED: &str = "-";
/// Most classes of an answer: a network has no more.
const MAX_GUESSES: u32 = 65_536;
/// Longest name of an image in characters, as in the schema of its parameter.
const MAX_NAME: usize = 256;

/// How a page is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OcrQuery {
    /// What the answer calls the image; `-` without it.
    #[schemars(length(max = 256))]
    name: Option<String>,
    /// The run whose model reads.
    run: Option<String>,
    /// The format of the answer: `json` (default), `text`, `hocr`, `alto`, `tsv` or `pdf`.
    #[schemars(extend("enum" = ["json", "text", "hocr", "alto", "tsv", "pdf"]))]
    format: Option<String>,
    /// What decides between characters that look alike: `english` (default) or `off`.
    #[schemars(extend("enum" = ["english", "off"]))]
    context: Option<String>,
    /// Which characters may be read: `letters`, `digits`, `all` (default), or the characters themselves.
    #[schemars(length(min = 1))]
    alphabet: Option<String>,
    /// `keep` (default) or `upper`.
    #[schemars(extend("enum" = ["keep", "upper"]))]
    case: Option<String>,
}

/// How an image is classified.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictQuery {
    /// What the answer calls the image; `-` without it.
    #[schemars(length(max = 256))]
    name: Option<String>,
    /// The run whose model classifies; the server's `--model` without it.
    run: Option<String>,
    /// How many classes are answered; 1 without it.
    #[schemars(range(min = 1, max = 65536))]
    top_k: Option<u32>,
}

/// What is explained.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// The run whose model classifies; the server's `--model` without it.
    run: Option<String>,
    /// The class; the most probable one without it.
    class: Option<String>,
}

/// `POST /api/ocr`: the bytes that `kiln ocr` prints for the same image.
pub async fn ocr(
    State(site): State<Arc<Site>>,
    Extension(activity): Extension<Activity>,
    query: Result<Query<OcrQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    let options = options(&query)?;
    let format = match &query.format {
        None => &JSON,
        Some(name) => named(name, "format", FORMATS, |format| format.name)?,
    };
    let run = run_of(&site, query.run).await?;
    let name = name_of(query.name)?;
    let content_sent = image(&site, &site.read.places, &activity, &headers, body).await?;
    let place = site.read.places.enter()?;
    let request = ReadRequest {
        name,
        content: content_sent,
        run,
        options,
        format,
    };
    let bytes = site.read.read(place, request).await?;
    Ok(content(media_type(format), bytes))
}

/// `POST /api/predict`: the bytes that `kiln predict --json` prints for the same image.
pub async fn predict(
    State(site): State<Arc<Site>>,
    Extension(activity): Extension<Activity>,
    query: Result<Query<PredictQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    if query
        .top_k
        .is_some_and(|count| !(1..=MAX_GUESSES).contains(&count))
    {
        let problem = format!("top_k: must be from 1 to {MAX_GUESSES}");
        return Err(Problem::bad_request(problem));
    }
    let run = model_of(&site, query.run).await?;
    let name = name_of(query.name)?;
    let content_sent = image(&site, &site.classify.places, &activity, &headers, body).await?;
    let place = site.classify.places.enter()?;
    let request = ClassifyRequest {
        name,
        content: content_sent,
        run,
        guesses: query.top_k.unwrap_or(1) as usize,
        explain: None,
    };
    let bytes = site.classify.classify(place, request).await?;
    Ok(content("application/json", bytes))
}

/// `POST /api/explain`: the picture that `kiln predict --explain` draws of the same image.
pub async fn explain(
    State(site): State<Arc<Site>>,
    Extension(activity): Extension<Activity>,
    query: Result<Query<ExplainQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    let run = model_of(&site, query.run).await?;
    let content_sent = image(&site, &site.classify.places, &activity, &headers, body).await?;
    let place = site.classify.places.enter()?;
    let request = ClassifyRequest {
        name: UNNAMED.into(),
        content: content_sent,
        run,
        guesses: 1,
        explain: Some(query.class.map_or(Explain::Best, Explain::Class)),
    };
    let bytes = site.classify.classify(place, request).await?;
    Ok(content("image/png", bytes))
}

/// The image in a body; refused at once if the queue is full.
async fn image(
    site: &Site,
    places: &Places,
    activity: &Activity,
    headers: &HeaderMap,
    body: Body,
) -> Result<Content, Problem> {
    places.require()?;
    let receiving = activity.receiving();
    let content = read_body(headers, body, &site.bodies).await?;
    drop(receiving);
    if content.bytes.is_empty() {
        return Err(Problem::bad_request(
            "the body is empty; send the bytes of an image file",
        ));
    }
    Ok(content)
}

/// The folder of the run that a parameter names.
async fn run_of(site: &Arc<Site>, run: Option<String>) -> Result<Option<PathBuf>, Problem> {
    let Some(id) = run else {
        return Ok(None);
    };
    let site = site.clone();
    blocking(move || site.catalog.run(&id).map(Some)).await
}

/// The same, where a model is needed.
async fn model_of(site: &Arc<Site>, run: Option<String>) -> Result<Option<PathBuf>, Problem> {
    let run = run_of(site, run).await?;
    if run.is_none() && !site.models.has_chosen() {
        return Err(Problem::bad_request(
            "no model: name a run, as in ?run=glyphs_mlp-1, or start `kiln serve` with --model",
        ));
    }
    Ok(run)
}

fn name_of(name: Option<String>) -> Result<String, Problem> {
    match name {
        None => Ok(UNNAMED.into()),
        Some(name) if name.chars().count() > MAX_NAME => Err(Problem::bad_request(format!(
            "name: longer than {MAX_NAME} characters"
        ))),
        Some(name) => Ok(name),
    }
}

fn options(query: &OcrQuery) -> Result<ReadOptions, Problem> {
    let alphabet = match &query.alphabet {
        None => Alphabet::default(),
        Some(text) => text
            .parse()
            .map_err(|problem| Problem::bad_request(format!("alphabet: {problem}")))?,
    };
    let contexts = [("english", Context::English), ("off", Context::Off)];
    let context = match &query.context {
        None => Context::English,
        Some(name) => named(name, "context", contexts, |context| context.0)?.1,
    };
    let case = match &query.case {
        None => Case::default(),
        Some(name) => named(name, "case", Case::ALL, |case| case.name())?,
    };
    Ok(ReadOptions {
        context,
        alphabet,
        case,
        ..ReadOptions::default()
    })
}

/// The one of these that has this name.
fn named<T, const N: usize>(
    name: &str,
    key: &str,
    all: [T; N],
    of: impl Fn(&T) -> &'static str,
) -> Result<T, Problem> {
    let names: Vec<&str> = all.iter().map(&of).collect();
    let names = names.join(", ");
    let mut all = all.into_iter();
    all.find(|one| of(one) == name).ok_or_else(|| {
        Problem::bad_request(format!("{key}: unknown value {name:?}; use one of {names}"))
    })
}

/// What kind of content a format is.
fn media_type(format: &Format) -> &'static str {
    match format.name {
        "json" => "application/json",
        "hocr" => "application/xhtml+xml; charset=utf-8",
        "alto" => "application/xml",
        "tsv" => "text/tab-separated-values; charset=utf-8",
        "pdf" => "application/pdf",
        _ => "text/plain; charset=utf-8",
    }
}
