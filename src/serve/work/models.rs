//! The models that were opened, so that each is opened once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use burn::tensor::Device;

use crate::inference::plan::ComputePrecision;
use crate::inference::{Classifier, OpenedModel};
use crate::models::Task;
use crate::ocr::{self, MixedModel};
use crate::serve::error::ServeError;
use crate::serve::problem::Problem;

/// Models that are kept; the one that was not used for the longest is dropped for another.
const KEPT: usize = 4;

/// The models that were opened.
pub struct Models {
    device: Device,
    precision: ComputePrecision,
    shipped: (Classifier, MixedModel),
    chosen: Option<PathBuf>,
    opened: Mutex<Vec<Opened>>,
}

/// A model file as it was when it was opened: its path, and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    path: PathBuf,
    written: Option<SystemTime>,
}

struct Opened {
    version: Version,
    classifier: Classifier,
}

/// What reads a page: a model, and the one for mixed text.
pub type Pair = (Classifier, Option<MixedModel>);

impl Models {
    /// The models that kiln ships, and one that the user chose, all of which answer in this precision.
    ///
    /// # Errors
    /// A model can't be opened, the chosen one is an autoencoder, or the precision would have no effect on it.
    pub fn open(chosen: Option<&Path>, precision: ComputePrecision) -> Result<Self, ServeError> {
        let device = Device::flex();
        let models = Self {
            shipped: (
                ocr::shipped_model(&device)?.with_precision(precision)?,
                ocr::shipped_mixed_model(&device)?.with_precision(precision)?,
            ),
            device,
            precision,
            chosen: chosen.map(Path::to_path_buf),
            opened: Mutex::default(),
        };
        if let Some(path) = chosen {
            let opened = OpenedModel::open(path, &models.device)?;
            if opened.classifier.task() == Task::Reconstruct {
                return Err(ServeError::Usage(format!(
                    "--model {}: this model is an autoencoder, which does not classify; use a classifier run",
                    path.display()
                )));
            }
            opened.classifier.with_precision(precision)?;
        }
        Ok(models)
    }

    /// The model of a run, or the one that the user chose.
    ///
    /// # Errors
    /// There is none, or it can't be opened, or it does not classify.
    pub fn classifier(&self, run: Option<&Path>) -> Result<(Classifier, Version), Problem> {
        let path = run.or(self.chosen.as_deref()).ok_or_else(|| {
            Problem::bad_request(
                "no model: name a run, as in ?run=glyphs_mlp-1, or start `kiln serve` with --model",
            )
        })?;
        let (classifier, version) = self.any(path)?;
        match classifier.task() {
            Task::Classify => Ok((classifier, version)),
            Task::Reconstruct => Err(Problem::unusable(
                "this run is an autoencoder, which does not classify; name a classifier",
            )),
        }
    }

    /// The model of a run, whatever its task.
    ///
    /// # Errors
    /// It can't be opened, or the server's precision would have no effect on it.
    pub fn any(&self, path: &Path) -> Result<(Classifier, Version), Problem> {
        let version = Version {
            path: path.to_path_buf(),
            written: written(path),
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.iter().position(|one| one.version == version);
        let found = match known {
            Some(index) => opened.remove(index),
            None => Opened {
                version: version.clone(),
                classifier: self.read(path)?,
            },
        };
        let classifier = found.classifier.clone();
        opened.retain(|one| one.version.path != path);
        opened.push(found);
        let surplus = opened.len().saturating_sub(KEPT);
        opened.drain(..surplus);
        Ok((classifier, version))
    }

    /// Opens the model of a run.
    fn read(&self, path: &Path) -> Result<Classifier, Problem> {
        let classifier =
            OpenedModel::open(path, &self.device).and_then(OpenedModel::for_image_files);
        let classifier = classifier.map_err(Problem::unusable)?;
        let in_precision = classifier.with_precision(self.precision);
        in_precision
            .map_err(|error| Problem::unusable(format!("`kiln serve` was started with {error}")))
    }

    /// The models that read: those of a run, the chosen one if it can read, or else the shipped ones.
    ///
    /// # Errors
    /// The run's model can't be opened, or can't read.
    pub fn reader(&self, run: Option<&Path>) -> Result<Pair, Problem> {
        let of = |classifier: Classifier| {
            let mixed = MixedModel::of(&classifier);
            (classifier, mixed)
        };
        if let Some(run) = run {
            let (classifier, _) = self.classifier(Some(run))?;
            ocr::check(&classifier).map_err(Problem::unusable)?;
            return Ok(of(classifier));
        }
        if let Some(classifier) = self.chosen_reader()? {
            return Ok(of(classifier));
        }
        let (classifier, mixed) = &self.shipped;
        Ok((classifier.clone(), Some(mixed.clone())))
    }

    /// The model that the user chose, if it can read: it reads where no run is named.
    ///
    /// # Errors
    /// It can't be opened any more.
    pub fn chosen_reader(&self) -> Result<Option<Classifier>, Problem> {
        if self.chosen.is_none() {
            return Ok(None);
        }
        let (classifier, _) = self.classifier(None)?;
        Ok(ocr::check(&classifier).is_ok().then_some(classifier))
    }

    /// Whether there is a model to classify with if no run is named.
    pub fn has_chosen(&self) -> bool {
        self.chosen.is_some()
    }
}

/// When the model's file was written.
fn written(path: &Path) -> Option<SystemTime> {
    let file = if path.is_dir() {
        path.join("model.safetensors")
    } else {
        path.to_path_buf()
    };
    std::fs::metadata(file).ok()?.modified().ok()
}
