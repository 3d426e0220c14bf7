//! What a run gets wrong, and the images of it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::query::{InPath, split_of, typed};
use super::reply::{blocking, content, json};
use crate::data::Split;
use crate::evaluation::Listed;
use crate::files::png_of;
use crate::inference::Predictor;
use crate::metrics::classification::ClassReport;
use crate::models::Task;
use crate::report::mistakes::png;
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::serve::work::{Evaluated, Progressing};

/// Samples of an answer.
const MAX_LISTED: usize = 200;
/// The ending of the address of a picture.
const PICTURE: &str = ".png";

/// Which mistakes are listed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MistakesQuery {
    /// `test` (default), `valid` or `train`.
    #[schemars(extend("enum" = ["train", "valid", "test"]))]
    split: Option<String>,
    /// Only samples of this class; with `predicted`, right ones as well.
    truth: Option<String>,
    /// Only samples that were predicted as this class; with `truth`, right ones as well.
    predicted: Option<String>,
    /// Leave out so many of them.
    #[serde(default)]
    #[schemars(range(max = 4294967295_u32))]
    skip: u32,
}

/// How far the evaluation of a run is, and what it found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mistakes {
    /// `running` or `done`.
    state: &'static str,
    /// Samples that were evaluated.
    done: usize,
    /// Samples of the split; 0 while its data is opened.
    total: usize,
    /// What was found, once it is done.
    found: Option<Found>,
}

/// What an evaluation found.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    /// `classes` or `images`: what the network's outputs are.
    outputs: &'static str,
    /// Names of the classes.
    classes: Vec<String>,
    /// Counts `[truth][predicted]`; empty for autoencoders.
    confusion: Vec<Vec<u64>>,
    /// Rates of each class; empty for autoencoders.
    per_class: Vec<ClassReport>,
    /// Whether maps can be shown of where the images speak for a class.
    explains: bool,
    /// How many samples there are of the requested kind.
    count: usize,
    /// Some of them: the most certain mistakes, or the worst reconstructions first.
    samples: Vec<Sample>,
}

/// A sample.
#[derive(Debug, Serialize, JsonSchema)]
struct Sample {
    /// Its index in the split.
    index: usize,
    /// Its file, or its place in the data.
    name: String,
    /// Its class.
    truth: String,
    /// The class that was predicted.
    predicted: String,
    /// The probability of that class, in [0, 1]; of a reconstruction, the peak signal-to-noise ratio in dB.
    value: f32,
}

/// What a picture of a sample shows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleQuery {
    /// `image` (default), `reconstruction`, or `map`: where it speaks for a class.
    #[schemars(extend("enum" = ["image", "reconstruction", "map"]))]
    show: Option<String>,
    /// The class of a map.
    class: Option<String>,
}

/// The evaluation of a run, begun if need be. For a thread that may wait: an evaluation that is dropped gives back its data.
fn evaluation(site: &Site, id: &str, split: Split) -> Result<Progressing, Problem> {
    let path = site.catalog.run(id)?;
    site.evaluations.of(&path, split)
}

/// `GET /api/runs/{id}/mistakes`: 202 while the run is evaluated.
pub async fn mistakes(
    State(site): State<Arc<Site>>,
    InPath(id): InPath<String>,
    query: Result<Query<MistakesQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    let split = split_of(query.split.as_deref().unwrap_or(Split::Test.name()))?;
    let answer = move || match evaluation(&site, &id, split)? {
        Progressing::Failed(problem) => Err(problem),
        Progressing::Running(done, total) => {
            let mut response = json(&Mistakes {
                state: "running",
                done,
                total,
                found: None,
            })?;
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
        Progressing::Done(evaluated) => {
            let found = found(&evaluated, &query)?;
            let total = evaluated.listing.samples.len();
            json(&Mistakes {
                state: "done",
                done: total,
                total,
                found: Some(found),
            })
        }
    };
    blocking(answer).await
}

fn found(evaluated: &Evaluated, query: &MistakesQuery) -> Result<Found, Problem> {
    let classes = evaluated.source.classes();
    let class = |name: &str| {
        let place = classes.iter().position(|class| class == name);
        place.ok_or_else(|| Problem::not_found(format!("there is no class {name:?}")))
    };
    let truth = query.truth.as_deref().map(class).transpose()?;
    let predicted = query.predicted.as_deref().map(class).transpose()?;
    let listed: Vec<Listed> = match (truth, predicted) {
        (Some(truth), Some(predicted)) => evaluated.listing.cell(truth, predicted),
        _ => {
            let is_wanted = |one: &Listed| {
                truth.is_none_or(|truth| truth == one.label)
                    && predicted.is_none_or(|predicted| predicted == one.predicted)
            };
            let worst = evaluated.listing.worst().into_iter();
            worst.filter(is_wanted).collect()
        }
    };
    let name = |index: usize| match evaluated.source.file(evaluated.split, index) {
        Some(file) => file.display().to_string(),
        None => evaluated.source.name(evaluated.split, index).into_owned(),
    };
    let sample = |one: &Listed| Sample {
        index: one.index,
        name: name(one.index),
        truth: classes[one.label].clone(),
        predicted: classes[one.predicted].clone(),
        value: one.value,
    };
    let confusion = evaluated.listing.confusion.as_ref();
    let network = evaluated.classifier.network();
    Ok(Found {
        outputs: match evaluated.classifier.task() {
            Task::Classify => "classes",
            Task::Reconstruct => "images",
        },
        classes: classes.to_vec(),
        confusion: confusion.map_or_else(Vec::new, |confusion| confusion.counts().to_vec()),
        per_class: confusion.map_or_else(Vec::new, |confusion| confusion.per_class()),
        explains: confusion.is_some() && network.backbone().is_some(),
        count: listed.len(),
        samples: listed
            .iter()
            .skip(query.skip as usize)
            .take(MAX_LISTED)
            .map(sample)
            .collect(),
    })
}

/// `GET /api/runs/{id}/samples/{split}/{index}.png`: a sample of a run that was evaluated.
pub async fn sample(
    State(site): State<Arc<Site>>,
    InPath((id, split, file)): InPath<(String, String, String)>,
    query: Result<Query<SampleQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = typed(query)?;
    let split = split_of(&split)?;
    let index = file
        .strip_suffix(PICTURE)
        .and_then(|index| index.parse().ok());
    let index: usize = index.ok_or_else(|| Problem::not_found("there is no such picture"))?;
    // A page has sixty of them: they must not take all threads. Closed only with the server.
    let turn = site.pictures.clone().acquire_owned().await.ok();
    let answer = move || {
        let _turn = turn;
        match evaluation(&site, &id, split)? {
            Progressing::Done(evaluated) => picture(&evaluated, index, &query),
            Progressing::Failed(problem) => Err(problem),
            Progressing::Running(..) => Err(Problem::new(
                StatusCode::CONFLICT,
                "the run is being evaluated; try again in a moment",
            )),
        }
    };
    Ok(content("image/png", blocking(answer).await?))
}

fn picture(evaluated: &Evaluated, index: usize, query: &SampleQuery) -> Result<Vec<u8>, Problem> {
    let (source, split) = (&evaluated.source, evaluated.split);
    if index >= source.len(split) {
        return Err(Problem::not_found(format!("there is no sample {index}")));
    }
    let mut pixels = vec![0.0; source.shape().values()];
    let read = source.read(split, index, 0, &mut pixels);
    read.map_err(Problem::unusable)?;
    let classifier = &evaluated.classifier;
    let no_picture = || Problem::not_found("there is no such picture of this run");
    match query.show.as_deref().unwrap_or("image") {
        "image" => png(source.shape(), &pixels).ok_or_else(no_picture),
        "reconstruction" if classifier.task() == Task::Reconstruct => {
            let rows = classifier.outputs(pixels, 1).map_err(Problem::failed)?;
            let row = rows.first().ok_or_else(no_picture)?;
            png(source.shape(), row).ok_or_else(no_picture)
        }
        "map" => {
            let name = query.class.as_deref().unwrap_or_default();
            let mut known = classifier.card().classes.iter();
            let class = known
                .position(|class| class == name)
                .ok_or_else(|| Problem::not_found(format!("there is no class {name:?}")))?;
            let picture = Predictor::explain(classifier, &pixels, class);
            let picture = picture.map_err(Problem::failed)?.ok_or_else(no_picture)?;
            png_of(&picture).map_err(Problem::failed)
        }
        "reconstruction" => Err(no_picture()),
        _ => Err(Problem::bad_request(
            "show: use image, reconstruction (of autoencoders) or map (of classifiers)",
        )),
    }
}
