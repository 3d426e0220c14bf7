//! Rules between the sections of an experiment, one function each.
//!
//! The range of a single key is declared with its type, and rules within `data` and `model` belong to the sources and networks.

use super::experiment::{Backend, Experiment};
use super::sections::{BatchNormScope, ClassWeights, LogTarget, Precision, ScheduleConfig};
use crate::error::{Problem, counted};
use crate::models::Task;

/// Finds the first violation of a rule.
type Rule = fn(&Experiment) -> Option<Problem>;

const RULES: [Rule; 10] = [
    name_can_name_a_folder,
    network_fits_into_memory,
    head_matches_the_classes_of_the_data,
    warmup_ends_before_the_run,
    names_of_weights_need_init_weights,
    parameter_groups_are_valid,
    label_settings_are_for_classifiers,
    every_part_of_a_batch_has_samples,
    batch_norms_can_be_synchronised,
    precision_is_known_to_the_backend,
];

/// Most classes that a config may ask for (see the schema).
const MAX_CLASSES: usize = 65536;

/// Maximum length of a run's name: file systems allow 255 bytes, and a number is appended.
const MAX_NAME_CHARS: usize = 200;

/// All contradictions between the settings of an experiment.
pub fn problems(experiment: &Experiment) -> Vec<Problem> {
    let whole = RULES.iter().filter_map(|rule| rule(experiment));
    let model = model_problems(experiment);
    let data = experiment.data.problems("data");
    let rename = experiment.init.rename.problems("init.rename");
    let log = LogTarget::problems(&experiment.training.log, "training.log");
    whole
        .chain(model)
        .chain(data)
        .chain(rename)
        .chain(log)
        .collect()
}

/// What the network finds wrong with its settings, with full paths.
fn model_problems(experiment: &Experiment) -> impl Iterator<Item = Problem> {
    let problems = experiment.model.problems(experiment.data.shape());
    problems.into_iter().map(in_model)
}

/// The problem of a key of the `model` section, with its full path.
fn in_model(problem: Problem) -> Problem {
    let path = match problem.path.as_str() {
        "" => "model".into(),
        key => format!("model.{key}"),
    };
    Problem { path, ..problem }
}

fn head_matches_the_classes_of_the_data(experiment: &Experiment) -> Option<Problem> {
    let data = format!("data.kind \"{}\"", experiment.data.kind());
    head_problem(experiment, &data, experiment.data.classes()?)
}

/// What is wrong with a network for another number of classes than `data` has.
fn head_problem(experiment: &Experiment, data: &str, classes: usize) -> Option<Problem> {
    let (head, key) = (experiment.model.classes()?, experiment.model.classes_key());
    // The number itself, or a list of layers that ends with it.
    let remedy = match key {
        "layers" => format!("let its last layer give {classes}, or leave out the size"),
        _ => format!("set {classes}, or leave it out"),
    };
    (head != classes).then(|| {
        Problem::new(
            format!("model.{key}"),
            format!(
                "found {}, but {data} has {classes}; {remedy}",
                counted(head, "class", "classes")
            ),
        )
    })
}

/// What is wrong with an experiment whose data turns out to have this many classes, with the full path of the key: the network is for
/// another number, or too large for this one.
pub fn class_problem(experiment: &Experiment, classes: usize) -> Option<Problem> {
    head_problem(experiment, "the data", classes).or_else(|| {
        let shape = experiment.data.shape();
        let problem = in_model(experiment.model.size_problem(shape, classes)?);
        let counted = counted(classes, "class", "classes");
        let message = format!("{} (the data has {counted})", problem.message);
        Some(Problem { message, ..problem })
    })
}

/// The largest number of classes for which the network is not too large, where neither the config nor the kind of its data tells
/// their number; `None` if it is not too large for any.
pub fn class_limit(experiment: &Experiment) -> Option<usize> {
    let model = &experiment.model;
    let known = model.classes().or(experiment.data.classes());
    let is_small = |classes: usize| {
        let problem = model.size_problem(experiment.data.shape(), classes);
        problem.is_none()
    };
    if known.is_some() || model.task() == Task::Reconstruct || is_small(MAX_CLASSES) {
        return None;
    }
    let (mut small, mut large) = (1, MAX_CLASSES);
    while large - small > 1 {
        let middle = usize::midpoint(small, large);
        if is_small(middle) {
            small = middle;
        } else {
            large = middle;
        }
    }
    Some(small)
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
                "found {}, must be less than training.epochs ({epochs}); with fewer epochs, set schedule.warmup as well",
                cosine.warmup
            ),
        )
    })
}

fn every_part_of_a_batch_has_samples(experiment: &Experiment) -> Option<Problem> {
    let (parallel, batch) = (&experiment.parallel, experiment.training.batch_size);
    let (ranks, accumulate) = (parallel.ranks, parallel.accumulate);
    if ranks > batch {
        return Some(Problem::new(
            "parallel.ranks",
            format!(
                "found {ranks}, must be at most training.batch_size ({batch}), which is divided among the ranks"
            ),
        ));
    }
    (parallel.parts() > batch).then(|| {
        Problem::new(
            "parallel.accumulate",
            format!(
                "found {accumulate}, must be at most {}: training.batch_size ({batch}) is divided among {}, and each share into so many parts",
                batch / ranks,
                counted(ranks, "rank", "ranks")
            ),
        )
    })
}

fn batch_norms_can_be_synchronised(experiment: &Experiment) -> Option<Problem> {
    let is_sync = experiment.parallel.batch_norm == BatchNormScope::Sync;
    is_sync
        .then(|| only_on_flex(experiment, "parallel.batch_norm", "sync", "local"))
        .flatten()
}

fn precision_is_known_to_the_backend(experiment: &Experiment) -> Option<Problem> {
    let is_bf16 = experiment.training.precision == Precision::Bf16;
    is_bf16
        .then(|| only_on_flex(experiment, "training.precision", "bf16", "f32"))
        .flatten()
}

/// What is wrong with a value of `key` that the backend flex alone has, where the experiment names another one; all have `other`.
fn only_on_flex(experiment: &Experiment, key: &str, value: &str, other: &str) -> Option<Problem> {
    let backend = experiment.backend.name();
    (experiment.backend != Backend::Flex).then(|| {
        Problem::new(
            key,
            format!("found \"{value}\", which the backend {backend} does not have; use \"{other}\", or the backend flex"),
        )
    })
}

fn name_can_name_a_folder(experiment: &Experiment) -> Option<Problem> {
    let (name, found) = (&experiment.name, experiment.name.len());
    let problem = if found > MAX_NAME_CHARS {
        format!("found {found} characters, must be at most {MAX_NAME_CHARS}")
    } else if !name.is_empty() && names_no_run(name) {
        format!("found {name:?}, which is not a valid run name; use at least one letter or digit")
    } else {
        return None;
    };
    Some(Problem::new("name", problem))
}

/// Whether a name has only dots: on every system, they stand for a folder and the one around it.
pub fn names_no_run(name: &str) -> bool {
    name.chars().all(|letter| letter == '.')
}

fn network_fits_into_memory(experiment: &Experiment) -> Option<Problem> {
    let (model, shape) = (&experiment.model, experiment.data.shape());
    if !model.problems(shape).is_empty() {
        // Reported by `model_problems`; such a network can't be built, not even to count it.
        return None;
    }
    // If only the data files tell the number of classes, it is at least one.
    let classes = model.classes().or(experiment.data.classes());
    Some(in_model(model.size_problem(shape, classes.unwrap_or(1))?))
}

fn names_of_weights_need_init_weights(experiment: &Experiment) -> Option<Problem> {
    let init = &experiment.init;
    let key = if !init.except.is_empty() {
        "init.except"
    } else if !init.rename.is_empty() {
        "init.rename"
    } else {
        return None;
    };
    init.weights.is_none().then(|| {
        Problem::new(
            key,
            "has no effect without init.weights; set init.weights or remove this key",
        )
    })
}

fn parameter_groups_are_valid(experiment: &Experiment) -> Option<Problem> {
    experiment
        .parameters
        .iter()
        .enumerate()
        .find_map(|(index, group)| {
            let at = |key: &str| format!("parameters[{index}].{key}");
            if group.names.is_empty() {
                return Some(Problem::new(
                    at("names"),
                    "missing; set a name or a pattern such as \"features.*\"",
                ));
            }
            (group.unfreeze_at.is_some() && !group.frozen).then(|| {
                Problem::new(
                    at("unfreeze_at"),
                    "has no effect unless frozen is true; set frozen or remove this key",
                )
            })
        })
}

fn label_settings_are_for_classifiers(experiment: &Experiment) -> Option<Problem> {
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
            format!("found {found}, but autoencoders are trained without labels; remove this key"),
        )
    })
}
