//! Images are classified: those of requests that wait at the same time go through the network together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use tokio::sync::{Semaphore, oneshot};

use super::models::Models;
use super::places::{Place, Places, answer};
use super::read::require_pixels;
use crate::files::png_of;
use crate::inference::{Classifier, Prediction, Predictor};
use crate::photo;
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
    run: Option<PathBuf>,
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
    jobs: Mutex<Sender<Job>>,
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
            jobs: Mutex::new(sender),
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
        let jobs = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        jobs.send(job)
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
    let classifier = models.classifier(request.run.as_deref())?;
    require_pixels(&request.content.bytes)?;
    let image = photo::decode(&request.content.bytes, Path::new(&request.name));
    let sample = classifier.sample(image.map_err(Problem::unusable)?);
    Ok(Job {
        name: request.name,
        run: request.run,
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
        let run = waiting[0].run.clone();
        let (mut batch, others): (Vec<Job>, Vec<Job>) =
            waiting.into_iter().partition(|job| job.run == run);
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
    let compute = || classifier.probabilities(pixels, batch.len());
    let rows = catch_unwind(AssertUnwindSafe(compute));
    let rows = match rows {
        Ok(Ok(rows)) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
        Ok(Err(error)) => vec![Err(Problem::failed(error)); batch.len()],
        Err(_) => vec![Err(Problem::failed("classifying this image failed")); batch.len()],
    };
    for (job, row) in batch.into_iter().zip(rows) {
        let result = row.and_then(|row| match &job.explain {
            None => {
                let (name, guesses) = (job.name.clone(), job.guesses);
                let prediction = Prediction::new(name, &row, &classifier, guesses);
                let json = Prediction::to_json(&[prediction]).map_err(Problem::failed)?;
                Ok(json.into_bytes())
            }
            Some(explain) => explained(&classifier, explain, &row, &job.sample),
        });
        let Job { reply, place, .. } = job;
        drop(place);
        let _ = reply.send(result);
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
