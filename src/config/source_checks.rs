//! Rules of sources for reading letters, and of the classes that a mix adds; [`checks`](super::checks) goes through them.

use super::data::{DataConfig, Fit};
use super::experiment::Experiment;
use crate::error::Problem;

pub(super) fn letters_are_grey_squares(data: &DataConfig, path: &str) -> Option<Problem> {
    let DataConfig::ImageFolder(config) = data else {
        return None;
    };
    let fits = config.channels == 1 && config.height == config.width;
    (config.fit == Fit::Letter && !fits).then(|| {
        Problem::new(
            format!("{path}.fit"),
            format!(
                "found \"letter\" for samples of {}x{}x{} (channels x height x width); letters are drawn as grey squares",
                config.channels, config.height, config.width
            ),
        )
    })
}

pub(super) fn extra_classes_are_named_once(experiment: &Experiment) -> Option<Problem> {
    let DataConfig::Mix(mix) = &experiment.data else {
        return None;
    };
    let names = &mix.extra_classes;
    let (index, name) = names
        .iter()
        .enumerate()
        .find(|(index, name)| name.is_empty() || names[..*index].contains(name))?;
    let problem = match name.is_empty() {
        true => "found an empty name".into(),
        false => format!("found {name:?} for the second time"),
    };
    Some(Problem::new(format!("data.extra_classes.{index}"), problem))
}
