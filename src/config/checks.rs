//! Rules between keys: small named functions that each look at a whole experiment.
//!
//! What one key may hold stands with its type; here is what two keys may not say together.

use super::experiment::{ClassWeights, Experiment, ScheduleConfig};
use crate::error::Problem;
use crate::models::{MAX_MODEL_VALUES, Task};

type Rule = fn(&Experiment) -> Option<Problem>;

const RULES: [Rule; 8] = [
    name_is_that_of_a_folder,
    network_fits_into_memory,
    head_has_as_many_classes_as_the_data,
    warmup_ends_before_the_run,
    exceptions_are_to_weights,
    parameters_are_named,
    parameters_are_unfrozen_within_the_run,
    classes_are_for_classifiers,
];

/// Longest name: file systems take 255 bytes, and numbers come behind it.
const MAX_NAME_CHARS: usize = 200;

/// Everything that the sections of this experiment contradict each other in.
pub fn problems(experiment: &Experiment) -> Vec<Problem> {
    let whole = RULES.iter().filter_map(|rule| rule(experiment));
    let model = model_problems(experiment);
    let data = experiment.data.problems("data");
    whole.chain(model).chain(data).collect()
}

/// What the network itself finds wrong with its section.
fn model_problems(experiment: &Experiment) -> impl Iterator<Item = Problem> {
    let problems = experiment.model.problems(experiment.data.shape());
    problems.into_iter().map(|problem| Problem {
        path: format!("model.{}", problem.path),
        ..problem
    })
}

fn head_has_as_many_classes_as_the_data(experiment: &Experiment) -> Option<Problem> {
    let (head, data) = (experiment.model.classes()?, experiment.data.classes()?);
    (head != data).then(|| {
        Problem::new(
            "model.classes",
            format!(
                "found {head}, but data.kind \"{}\" has {data} classes; set {data} or leave it out",
                experiment.data.kind()
            ),
        )
    })
}

fn warmup_ends_before_the_run(experiment: &Experiment) -> Option<Problem> {
    let ScheduleConfig::Cosine(cosine) = &experiment.schedule else {
        return None;
    };
    let epochs = experiment.training.epochs;
    (cosine.warmup >= epochs as f64).then(|| {
        Problem::new(
            "schedule.warmup",
            format!(
                "found {} epochs, must be less than training.epochs ({epochs}); set schedule.warmup as well",
                cosine.warmup
            ),
        )
    })
}

fn name_is_that_of_a_folder(experiment: &Experiment) -> Option<Problem> {
    let found = experiment.name.len();
    (found > MAX_NAME_CHARS).then(|| {
        Problem::new(
            "name",
            format!("found {found} characters, at most {MAX_NAME_CHARS} make the name of a folder"),
        )
    })
}

fn network_fits_into_memory(experiment: &Experiment) -> Option<Problem> {
    let (model, shape) = (&experiment.model, experiment.data.shape());
    if !model.problems(shape).is_empty() {
        // Another rule says so; such a network can't be built, not even to count it.
        return None;
    }
    // Where only the data knows the number of classes, there is at least one.
    let classes = model.classes().or(experiment.data.classes());
    let found = match model.values(shape, classes.unwrap_or(1)) {
        Some(values) if values <= MAX_MODEL_VALUES => return None,
        Some(values) => format!("{values} values"),
        None => "more values than can be counted".into(),
    };
    Some(Problem::new(
        "model",
        format!(
            "found a network of {found}, allowed are {MAX_MODEL_VALUES}; make its layers narrower"
        ),
    ))
}

fn exceptions_are_to_weights(experiment: &Experiment) -> Option<Problem> {
    let init = &experiment.init;
    (init.weights.is_none() && !init.except.is_empty()).then(|| {
        Problem::new(
            "init.except",
            "found names, but init.weights names no file; set it, or leave this out",
        )
    })
}

fn parameters_are_named(experiment: &Experiment) -> Option<Problem> {
    experiment
        .parameters
        .iter()
        .enumerate()
        .find_map(|(index, group)| {
            let at = |key: &str| format!("parameters.{index}.{key}");
            if group.names.is_empty() {
                return Some(Problem::new(
                    at("names"),
                    "missing; it is a name or a pattern such as \"features.*\"",
                ));
            }
            (group.unfreeze_at.is_some() && !group.frozen).then(|| {
                Problem::new(
                    at("unfreeze_at"),
                    "found an epoch, but these are not frozen; set frozen to true, or leave this out",
                )
            })
        })
}

fn parameters_are_unfrozen_within_the_run(experiment: &Experiment) -> Option<Problem> {
    let epochs = experiment.training.epochs;
    let mut groups = experiment.parameters.iter().enumerate();
    let (index, epoch) = groups.find_map(|(index, group)| {
        let epoch = group.unfreeze_at.filter(|&epoch| epoch > epochs)?;
        Some((index, epoch))
    })?;
    Some(Problem::new(
        format!("parameters.{index}.unfreeze_at"),
        format!(
            "found {epoch}, but training.epochs is {epochs}; set an epoch of the run, or leave it out to keep these frozen"
        ),
    ))
}

fn classes_are_for_classifiers(experiment: &Experiment) -> Option<Problem> {
    let loss = &experiment.loss;
    let (key, found) = if loss.label_smoothing > 0.0 {
        ("loss.label_smoothing", loss.label_smoothing.to_string())
    } else if loss.class_weights == ClassWeights::Balanced {
        ("loss.class_weights", "\"balanced\"".into())
    } else if experiment.training.calibrate {
        ("training.calibrate", "true".into())
    } else {
        return None;
    };
    (experiment.model.task() == Task::Reconstruct).then(|| {
        Problem::new(
            key,
            format!("found {found}, but an autoencoder has no labels; leave it out"),
        )
    })
}
