//! Rules between keys: small named functions that each look at a whole experiment, or at one source of its data.
//!
//! What one key may hold stands with its type; here is what two keys may not say together.

use super::data::{AugmentConfig, DataConfig, Fit, MixConfig, NumberConfig, SplitRule};
use super::experiment::{ClassWeights, Experiment, ModelConfig, ScheduleConfig, Task};
use super::source_checks::{extra_classes_are_named_once, letters_are_grey_squares};
use crate::error::Problem;

type Rule = fn(&Experiment) -> Option<Problem>;

/// A rule of one source, with the dotted path of its section: `data`, or `data.sources.1` in a mix.
type SourceRule = fn(&DataConfig, &str) -> Option<Problem>;

/// A rule of one source of a mix, with the first source and the path of its section.
type MixedRule = fn(&DataConfig, &DataConfig, &str) -> Option<Problem>;

/// Largest network: 1 GiB of weights, four times that in training with Adam.
pub const MAX_MODEL_VALUES: usize = 1 << 28;

const RULES: [Rule; 15] = [
    name_is_that_of_a_folder,
    network_fits_into_memory,
    normalization_fits_the_channels,
    head_has_as_many_classes_as_the_data,
    image_survives_every_pooling,
    warmup_ends_before_the_run,
    erasing_has_a_size,
    exceptions_are_to_weights,
    parameters_are_named,
    parameters_are_unfrozen_within_the_run,
    classes_are_for_classifiers,
    more_belongs_to_blocks,
    colours_are_varied_where_there_are_colours,
    repeats_belong_to_sources,
    extra_classes_are_named_once,
];

const SOURCE_RULES: [SourceRule; 7] = [
    image_folder_is_named,
    split_rule_is_consistent,
    pen_range_is_a_range,
    only_cropping_has_a_middle,
    only_cropping_takes_random_parts,
    random_crop_ranges_are_ranges,
    letters_are_grey_squares,
];

/// What a source of a mix must keep to besides.
const MIXED_RULES: [MixedRule; 3] = [
    no_mix_within_a_mix,
    mixed_samples_have_one_shape,
    the_mix_varies_and_normalizes,
];

/// Longest name: file systems take 255 bytes, and numbers come behind it.
const MAX_NAME_CHARS: usize = 200;

/// Everything that the sections of this experiment contradict each other in.
pub fn problems(experiment: &Experiment) -> Vec<Problem> {
    let whole = RULES.iter().filter_map(|rule| rule(experiment));
    let sources = match &experiment.data {
        DataConfig::Mix(mix) => mixed_problems(mix),
        data => source_problems(data, "data"),
    };
    whole.chain(sources).collect()
}

fn source_problems(data: &DataConfig, path: &str) -> Vec<Problem> {
    let rules = SOURCE_RULES.iter();
    rules.filter_map(|rule| rule(data, path)).collect()
}

fn mixed_problems(mix: &MixConfig) -> Vec<Problem> {
    // The schema refuses an empty list.
    let Some(first) = mix.sources.first() else {
        return Vec::new();
    };
    let sources = mix.sources.iter().enumerate();
    sources
        .flat_map(|(index, source)| {
            let path = format!("data.sources.{index}");
            let mut problems = source_problems(source, &path);
            let mixed = MIXED_RULES.iter();
            problems.extend(mixed.filter_map(|rule| rule(source, first, &path)));
            problems
        })
        .collect()
}

fn no_mix_within_a_mix(source: &DataConfig, _: &DataConfig, path: &str) -> Option<Problem> {
    matches!(source, DataConfig::Mix(_)).then(|| {
        Problem::new(
            format!("{path}.kind"),
            "found a mix within a mix; list its sources here",
        )
    })
}

fn mixed_samples_have_one_shape(
    source: &DataConfig,
    first: &DataConfig,
    path: &str,
) -> Option<Problem> {
    let (own, expected) = (source.shape(), first.shape());
    (own != expected).then(|| {
        Problem::new(
            path,
            format!(
                "has samples of {own} (channels x height x width), but those of data.sources.0 (\"{}\") are {expected}",
                first.kind()
            ),
        )
    })
}

fn the_mix_varies_and_normalizes(
    source: &DataConfig,
    _: &DataConfig,
    path: &str,
) -> Option<Problem> {
    let name = match source.normalize() {
        Some(_) => "normalize",
        None if *source.augment() != AugmentConfig::default() => "augment",
        None => return None,
    };
    Some(Problem::new(
        format!("{path}.{name}"),
        format!("does nothing in a mix; leave it out, and set data.{name} for all sources"),
    ))
}

fn repeats_belong_to_sources(experiment: &Experiment) -> Option<Problem> {
    let DataConfig::Mix(mix) = &experiment.data else {
        return None;
    };
    let (repeats, sources) = (mix.repeat.len(), mix.sources.len());
    let problem = if repeats > sources {
        format!("found {repeats} values, but data.sources has {sources}")
    } else if (0..sources).all(|source| mix.repeat(source) == 0) {
        "found only 0, which leaves nothing to train on; set 1 for one source at least".into()
    } else {
        return None;
    };
    Some(Problem::new("data.repeat", problem))
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

fn image_survives_every_pooling(experiment: &Experiment) -> Option<Problem> {
    let shape = experiment.data.shape();
    let problem = experiment.model.misfit(shape.height, shape.width)?;
    let key = match experiment.model {
        ModelConfig::Cnn(_) | ModelConfig::ConvAutoencoder(_) => "model.channels",
        _ => "model.kind",
    };
    Some(Problem::new(key, problem))
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

fn split_rule_is_consistent(data: &DataConfig, path: &str) -> Option<Problem> {
    let rule = match data {
        DataConfig::Nist26(config) => &config.split,
        DataConfig::Unipen(config) => &config.split,
        DataConfig::ImageFolder(config) => &config.split,
        DataConfig::Glyphs(_)
        | DataConfig::Nist36(_)
        | DataConfig::Cifar10(_)
        | DataConfig::Junk(_)
        | DataConfig::Mix(_) => return None,
    };
    match rule {
        SplitRule::Share(share) if share.valid + share.test > 1.0 => Some(Problem::new(
            format!("{path}.split"),
            format!(
                "valid {} and test {} are more than 1 together",
                share.valid, share.test
            ),
        )),
        SplitRule::Number(number) => numbers_are_consistent(number, path),
        _ => None,
    }
}

fn numbers_are_consistent(number: &NumberConfig, path: &str) -> Option<Problem> {
    let divisor = number.divisor;
    let remainders = [("valid", number.valid), ("test", Some(number.test))];
    let beyond = remainders
        .into_iter()
        .find_map(|(name, remainder)| Some((name, remainder.filter(|&found| found >= divisor)?)));
    let (name, problem) = match beyond {
        Some((name, found)) => (
            name,
            format!("found {found}, must be less than divisor ({divisor})"),
        ),
        None if number.valid == Some(number.test) => (
            "valid",
            format!("found {}, the same as {path}.split.test", number.test),
        ),
        None => return None,
    };
    Some(Problem::new(format!("{path}.split.{name}"), problem))
}

fn pen_range_is_a_range(data: &DataConfig, path: &str) -> Option<Problem> {
    let (thinnest, thickest) = match data {
        DataConfig::Unipen(config) => (config.pen_min, config.pen_max),
        DataConfig::Junk(config) => (config.pen_min, config.pen_max),
        _ => return None,
    };
    (thinnest > thickest).then(|| {
        Problem::new(
            format!("{path}.pen_min"),
            format!("found {thinnest}, must not be more than {path}.pen_max ({thickest})"),
        )
    })
}

fn erasing_has_a_size(experiment: &Experiment) -> Option<Problem> {
    let augment = experiment.data.augment();
    (augment.erase > 0.0 && augment.erase_size == 0.0).then(|| {
        Problem::new(
            "data.augment.erase_size",
            "found 0, but data.augment.erase is on; set a share of the image such as 0.3",
        )
    })
}

fn normalization_fits_the_channels(experiment: &Experiment) -> Option<Problem> {
    let normalize = experiment.data.normalize()?;
    let channels = experiment.data.shape().channels;
    let (name, count) = normalize.misfit(channels)?;
    Some(Problem::new(
        format!("data.normalize.{name}"),
        format!("found {count} values, expected 1 or one per channel ({channels})"),
    ))
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
    // Where only the data knows the number of classes, one is the least.
    let classes = experiment.model.classes().or(experiment.data.classes());
    let values = experiment
        .model
        .values(experiment.data.shape(), classes.unwrap_or(1));
    let found = match values {
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

fn image_folder_is_named(data: &DataConfig, path: &str) -> Option<Problem> {
    let DataConfig::ImageFolder(config) = data else {
        return None;
    };
    config.folder.is_empty().then(|| {
        Problem::new(
            format!("{path}.folder"),
            "missing; name the folder that holds train/ and valid/, or a folder for each class",
        )
    })
}

fn colours_are_varied_where_there_are_colours(experiment: &Experiment) -> Option<Problem> {
    if experiment.data.shape().channels == 3 {
        return None;
    }
    let augment = experiment.data.augment();
    let (name, found) = [("hue", augment.hue), ("saturation", augment.saturation)]
        .into_iter()
        .find(|&(_, strength)| strength > 0.0)?;
    Some(Problem::new(
        format!("data.augment.{name}"),
        format!("found {found}, but the samples are grey; set 0 or use data of 3 channels"),
    ))
}

fn only_cropping_has_a_middle(data: &DataConfig, path: &str) -> Option<Problem> {
    let DataConfig::ImageFolder(config) = data else {
        return None;
    };
    (config.fit != Fit::Crop && config.centre < 1.0).then(|| {
        Problem::new(
            format!("{path}.centre"),
            format!(
                "found {}, but only {path}.fit \"crop\" cuts anything off; set that or leave it out",
                config.centre
            ),
        )
    })
}

fn only_cropping_takes_random_parts(data: &DataConfig, path: &str) -> Option<Problem> {
    let DataConfig::ImageFolder(config) = data else {
        return None;
    };
    (config.fit != Fit::Crop && config.random_crop.is_some()).then(|| {
        Problem::new(
            format!("{path}.random_crop"),
            format!(
                "is on, but {path}.fit is not \"crop\"; set that, so that validation keeps the proportions as well"
            ),
        )
    })
}

fn random_crop_ranges_are_ranges(data: &DataConfig, path: &str) -> Option<Problem> {
    let DataConfig::ImageFolder(config) = data else {
        return None;
    };
    let crop = config.random_crop.as_ref()?;
    let (name, [least, most]) = [("scale", crop.scale), ("ratio", crop.ratio)]
        .into_iter()
        .find(|(_, [least, most])| least > most)?;
    Some(Problem::new(
        format!("{path}.random_crop.{name}"),
        format!("found {least} to {most}; the first must not be more than the second"),
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

fn more_belongs_to_blocks(experiment: &Experiment) -> Option<Problem> {
    let ModelConfig::Cnn(cnn) = &experiment.model else {
        return None;
    };
    let (more, blocks) = (cnn.more.len(), cnn.channels.len());
    (more > blocks).then(|| {
        Problem::new(
            "model.more",
            format!("found {more} values, but model.channels has {blocks} blocks"),
        )
    })
}
