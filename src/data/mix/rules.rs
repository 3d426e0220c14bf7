//! What a mix reads, and the rules of its settings.

use std::path::Path;

use super::config::MixConfig;
use super::source::Mix;
use crate::data::augment::AugmentConfig;
use crate::data::source::{
    CommonConfig, DataError, DataSource, ListedSource, SourceConfig, Split, source_problems,
};
use crate::error::Problem;
use crate::fitting::View;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// The value of `kind` for a mix.
const KIND: &str = "mix";

impl<S: ListedSource + std::fmt::Debug + Send + Sync> SourceConfig for MixConfig<S> {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn key(&self) -> &'static str {
        "sources"
    }

    fn folders(&self) -> Vec<&str> {
        let folders = self.sources.iter().map(|source| source.config().folders());
        folders.flatten().collect()
    }

    fn files(&self) -> Vec<&str> {
        let sources = self.sources.iter();
        sources.flat_map(|source| source.config().files()).collect()
    }

    fn shape(&self) -> ImageShape {
        // The schema requires at least one source; without it there are no samples.
        let first = self.sources.first();
        first.map_or(ImageShape::new(0, 0, 0), |first| first.config().shape())
    }

    fn classes(&self) -> Option<usize> {
        let first = self.sources.first()?.config().classes()?;
        Some(first + self.extra_classes.len())
    }

    /// That of the first source that has this split in the mix.
    fn split_key(&self, split: Split) -> Option<String> {
        let place = match split {
            Split::Train => (0..self.sources.len()).find(|&place| self.repeat(place) > 0)?,
            Split::Valid | Split::Test => self.evaluate.first().copied().unwrap_or(0),
        };
        let key = self.sources.get(place)?.config().split_key(split)?;
        Some(format!("sources[{place}].{key}"))
    }

    fn view(&self) -> View {
        let first = self.sources.first();
        first.map_or(View::PAD, |first| first.config().view())
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let own = [
            self.repeat_problem(path),
            self.evaluate_problem(path),
            self.classes_problem(path),
        ];
        let sources = self.sources.iter().enumerate();
        let sources = sources.flat_map(|(index, source)| {
            let path = format!("{path}.sources[{index}]");
            mixed_problems(source, self.shape(), self.sources[0].kind(), &path)
        });
        own.into_iter().flatten().chain(sources).collect()
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(Mix::open_watched(self, root, monitor)?))
    }
}

/// Problems of one source of a mix whose first source has samples of shape `expected`.
fn mixed_problems(
    source: &impl ListedSource,
    expected: ImageShape,
    first_kind: &str,
    path: &str,
) -> Vec<Problem> {
    if source.kind() == KIND {
        let problem = "mixes cannot be nested; list its sources in the outer mix";
        return vec![Problem::new(format!("{path}.kind"), problem)];
    }
    let config = source.config();
    let mut problems = source_problems(config, path);
    let found = config.shape();
    if found != expected {
        problems.push(Problem::new(
            path,
            format!(
                "has samples of {found} (channels x height x width), but those of data.sources[0] (\"{first_kind}\") are {expected}"
            ),
        ));
    }
    let common = config.common();
    let ignored = if common.normalize.is_some() {
        Some("normalize")
    } else {
        (common.augment != AugmentConfig::default()).then_some("augment")
    };
    problems.extend(ignored.map(|name| {
        Problem::new(
            format!("{path}.{name}"),
            format!("is not allowed inside a mix; remove it and set data.{name} instead"),
        )
    }));
    problems
}
