//! Images are classified: those of requests that wait at the same time go through the network together.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use image::RgbImage;
use tokio::sync::{Semaphore, oneshot};

use super::models::{Models, Version};
use super::places::{Place, Places, answer, in_time};
use super::read::require_pixels;
use crate::files::png_of;
use crate::inference::{Classifier, Prediction, Predictor};
use crate::panics::catch_panic;
use crate::photo::{self, Header};
use crate::serve::guard::Content;
use crate::serve::limits::{BATCH, MAX_DECODED};
use crate::serve::problem::Problem;

/// An image to be classified.
pub struct ClassifyRequest {
    /// What it is called.
    pub name: String,
    /// Its file.
    pub content: Content,
    /// The run whose model classifies.
    pub run: Option<PathBuf>,
    /// How many classes are answered.
    pub guesses: usize,
    /// Answer with a picture of where it speaks for a class instead: the class of this name, or its own.
    pub explain: Option<Explain>,
}

/// What to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explain {
    /// The most probable class.
    Best,
    /// The class of this name.
    Class(String),
}

/// An image as the network takes it.
struct Job {
    name: String,
    /// Images of one version of a model go through it together.
    version: Version,
    classifier: Classifier,
    sample: Vec<f32>,
    guesses: usize,
    explain: Option<Explain>,
    reply: oneshot::Sender<Result<Vec<u8>, Problem>>,
    place: Place,
}

/// The queue of the classifier.
pub struct Classify {
    /// Its places.
    pub places: Places,
    models: Arc<Models>,
    decoded: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Classify {
    /// Starts the thread that classifies.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn start(places: usize, models: Arc<Models>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new().name("classify".into());
        thread.spawn(move || run(&receiver))?;
        Ok(Self {
            places: Places::new(places),
            models,
            decoded: Arc::new(Semaphore::new(MAX_DECODED)),
            jobs: sender,
        })
    }

    /// Classifies an image, once it is its turn: JSON, or a picture in PNG.
    ///
    /// # Errors
    /// The image can't be decoded within the limits, there is no such model, or it takes too long.
    pub async fn classify(
        &self,
        place: Place,
        request: ClassifyRequest,
    ) -> Result<Vec<u8>, Problem> {
        in_time(self.wait(place, request)).await
    }

    async fn wait(&self, place: Place, request: ClassifyRequest) -> Result<Vec<u8>, Problem> {
        // Closed only with the server.
        let decoding = self.decoded.clone().acquire_owned().await.ok();
        let models = self.models.clone();
        let (reply, answered) = oneshot::channel();
        // Whoever leaves doesn't free the place of an image that is still being decoded.
        let prepare = move || {
            let _decoding = decoding;
            prepare(&models, request, place, reply)
        };
        let prepared = tokio::task::spawn_blocking(prepare).await;
        let job = prepared.map_err(|_| Problem::failed("the image can't be decoded"))??;
        self.jobs
            .send(job)
            .map_err(|_| Problem::failed("the classifier has ended"))?;
        answer(answered).await
    }
}

/// Decodes an image, and fits it to the model's input.
fn prepare(
    models: &Models,
    request: ClassifyRequest,
    place: Place,
    reply: oneshot::Sender<Result<Vec<u8>, Problem>>,
) -> Result<Job, Problem> {
    let (classifier, version) = models.classifier(request.run.as_deref())?;
    let header = Header::of(&request.content.bytes);
    require_pixels(header.map(|header| header.size))?;
    let image = photo::decode(&request.content.bytes, Path::new(&request.name));
    let sample = classifier.sample(image.map_err(Problem::unusable)?);
    Ok(Job {
        name: request.name,
        version,
        classifier,
        sample,
        guesses: request.guesses,
        explain: request.explain,
        reply,
        place,
    })
}

/// The loop of the thread.
fn run(jobs: &Receiver<Job>) {
    let mut waiting: Vec<Job> = Vec::new();
    loop {
        if waiting.is_empty() {
            match jobs.recv() {
                Ok(job) => waiting.push(job),
                Err(_) => return,
            }
        }
        waiting.extend(jobs.try_iter().take(BATCH));
        let version = waiting[0].version.clone();
        let (mut batch, others): (Vec<Job>, Vec<Job>) =
            waiting.into_iter().partition(|job| job.version == version);
        let later = batch.split_off(batch.len().min(BATCH));
        waiting = others.into_iter().chain(later).collect();
        batch.retain(|job| !job.reply.is_closed());
        classify(batch);
    }
}

/// Answers requests for one model.
fn classify(batch: Vec<Job>) {
    let Some(first) = batch.first() else {
        return;
    };
    let classifier = first.classifier.clone();
    let pixels: Vec<f32> = batch.iter().flat_map(|job| job.sample.clone()).collect();
    let rows = caught(|| {
        let rows = classifier.probabilities(pixels, batch.len());
        rows.map_err(Problem::failed)
    });
    let rows = match rows {
        Ok(rows) => rows.into_iter().map(Ok).collect(),
        Err(problem) => vec![Err(problem); batch.len()],
    };
    for (job, row) in batch.into_iter().zip(rows) {
        let result = row.and_then(|row| caught(|| answer_to(&job, &row)));
        let Job { reply, place, .. } = job;
        drop(place);
        let _ = reply.send(result);
    }
}

/// Does work on a thread that has to go on whatever happens.
fn caught<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    let done = catch_panic(AssertUnwindSafe(work));
    done.unwrap_or_else(|| Err(Problem::failed("classifying this image failed")))
}

/// What a request is answered with, by the probabilities of its image.
fn answer_to(job: &Job, row: &[f32]) -> Result<Vec<u8>, Problem> {
    match &job.explain {
        None => {
            let prediction = Prediction::new(job.name.clone(), row, &job.classifier, job.guesses);
            let json = Prediction::to_json(&[prediction]).map_err(Problem::failed)?;
            Ok(json.into_bytes())
        }
        Some(explain) => explained(&job.classifier, explain, row, &job.sample),
    }
}

/// The picture of where an image speaks for a class.
fn explained(
    classifier: &Classifier,
    explain: &Explain,
    probabilities: &[f32],
    sample: &[f32],
) -> Result<Vec<u8>, Problem> {
    let class = match explain {
        Explain::Best => {
            let classes = probabilities.iter().enumerate();
            let best = classes.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
            best.map_or(0, |(class, _)| class)
        }
        Explain::Class(name) => {
            let mut known = classifier.card().classes.iter();
            let place = known.position(|class| class == name);
            place.ok_or_else(|| Problem::not_found(format!("there is no class {name:?}")))?
        }
    };
    let picture = Predictor::explain(classifier, sample, class).map_err(Problem::failed)?;
    let picture: RgbImage = picture.ok_or_else(|| {
        Problem::unusable("this network has no feature maps that could be shown over the image")
    })?;
    png_of(&picture).map_err(Problem::failed)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_panic_is_answered_as_a_failure_and_the_thread_goes_on() {
        let thread = std::thread::spawn(|| {
            let failed = caught::<()>(|| panic!("of another crate"));
            (
                failed.map_err(|problem| problem.status),
                caught(|| Ok(7)).ok(),
            )
        });
        let expected = (Err(StatusCode::INTERNAL_SERVER_ERROR), Some(7));
        assert_eq!(thread.join().unwrap(), expected);
    }
}
