//! The fingerprint of the data, which tells whether a run is resumed with the data that it was trained on.

use sha2::{Digest, Sha256};

use super::contents::Header;
use crate::data::{DataSource, Split};
use crate::files;
use crate::run_dir::{RunDir, Samples, Summary};
use crate::training::error::TrainError;

/// SHA-256 of the classes and of each split's labels: a run must not be resumed with other data. (What the images show is not
/// in it: that would mean reading them all.)
pub fn sha256(source: &dyn DataSource) -> String {
    let mut sum = Sha256::new();
    for class in source.classes() {
        sum.update(class.as_bytes());
        sum.update([0]);
    }
    for split in [Split::Train, Split::Valid, Split::Test] {
        let count = source.len(split);
        sum.update((count as u64).to_le_bytes());
        for index in 0..count {
            sum.update((source.label(split, index) as u64).to_le_bytes());
        }
    }
    files::hexadecimal(&sum.finalize())
}

/// Number of samples of each split.
pub fn samples(source: &dyn DataSource) -> Samples {
    Samples {
        train: source.len(Split::Train),
        valid: source.len(Split::Valid),
        test: source.len(Split::Test),
    }
}

/// Refuses to resume a run with other data than the header of its checkpoint was written for.
pub fn check(run_dir: &RunDir, header: &Header, source: &dyn DataSource) -> Result<(), TrainError> {
    if header.data_sha256 == sha256(source) {
        return Ok(());
    }
    let run = run_dir.path().display();
    // A run that was killed has no summary, and its checkpoint only the fingerprint.
    let change = match run_dir.summary() {
        Ok(before) => change(&before, source),
        Err(_) => "samples or classes were added, removed or reordered".into(),
    };
    let paths = header.experiment.data.paths();
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let place = match paths.as_slice() {
        [] => String::new(),
        paths => format!(" in {}", paths.join(", ")),
    };
    Err(TrainError::Mismatch(format!(
        "{run}: the data has changed since this run was trained: {change}{place}; put back what was there, or start a new run \
         with `kiln train {}`",
        run_dir.config_file().display()
    )))
}

/// What has changed since a run ended, by numbers if they tell.
fn change(before: &Summary, source: &dyn DataSource) -> String {
    let numbers = |samples: Samples, classes: usize| {
        [
            (classes, "classes"),
            (samples.train, "training samples"),
            (samples.valid, "validation samples"),
            (samples.test, "test samples"),
        ]
    };
    let then = numbers(before.samples, before.classes.len());
    let now = numbers(samples(source), source.classes().len());
    let changed = then.into_iter().zip(now).find(|(then, now)| then != now);
    match changed {
        Some(((then, what), (now, _))) => format!("{then} {what} then, {now} now"),
        None if before.classes == source.classes() => {
            "as many samples as then, but in another order or of other classes".into()
        }
        None => "as many classes as then, but with other names or in another order".into(),
    }
}
