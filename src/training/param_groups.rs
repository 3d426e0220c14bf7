//! Groups of parameters with settings of their own: frozen, frozen at first, or with another learning rate.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;

use super::error::TrainError;
use super::optimization::schedule::EpochSchedule;
use crate::config::{Experiment, ParameterConfig};
use crate::models::Network;
use crate::models::parameters::{self, Group};

/// Frozen parameters that are unfrozen at the start of an epoch.
#[derive(Debug, Clone)]
pub struct Unfreeze {
    /// The first epoch in which they train, counted from 1.
    pub epoch: usize,
    /// The parameters.
    pub group: Group,
}

/// A network with its frozen parameters, and the settings of the groups.
pub struct Grouped {
    /// The network.
    pub network: Network,
    /// Groups that are frozen at first.
    pub unfreezes: Vec<Unfreeze>,
    /// Groups with a factor of their own on the learning rate.
    pub rates: Vec<(Group, f64)>,
}

/// Freezes what the experiment freezes. A parameter belongs to the first group whose pattern matches its name.
///
/// # Errors
/// A group without parameters, or a network with nothing left to train.
pub fn apply(network: Network, configs: &[ParameterConfig]) -> Result<Grouped, TrainError> {
    let groups = groups(&network, configs)?;
    let mut grouped = Grouped {
        network,
        unfreezes: Vec::new(),
        rates: Vec::new(),
    };
    for (group, config) in groups.into_iter().zip(configs) {
        if config.frozen {
            grouped.network = group.set(grouped.network, false);
        }
        if let (true, Some(epoch)) = (config.frozen, config.unfreeze_at) {
            let group = group.clone();
            grouped.unfreezes.push(Unfreeze { epoch, group });
        }
        if config.lr_factor != 1.0 {
            grouped.rates.push((group, config.lr_factor));
        }
    }
    if parameters::trainable(&grouped.network) == 0 {
        if configs.iter().all(|config| !config.frozen) {
            return Err(TrainError::Mismatch(
                "model: the network has no parameters to train; add a layer that has some, such as \"linear\"".into(),
            ));
        }
        return Err(TrainError::Mismatch(
            "parameters: everything is frozen; leave something to train".into(),
        ));
    }
    Ok(grouped)
}

fn groups(network: &Network, configs: &[ParameterConfig]) -> Result<Vec<Group>, TrainError> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, config) in configs.iter().enumerate() {
        let mut group = Group::matching(network, &config.names);
        let is_match = !group.is_empty();
        let mut taken_by = None;
        for (at, earlier) in groups.iter().enumerate() {
            group.without(earlier);
            taken_by = taken_by.or(group.is_empty().then_some(at));
        }
        if group.is_empty() {
            let problem = match taken_by.filter(|_| is_match) {
                Some(earlier) => format!(
                    "found {:?}, whose parameters are all in another group already, the last of them in parameters[{earlier}]; a \
                     parameter belongs to the first group that matches it: move this group up, or change the names",
                    config.names
                ),
                None => {
                    let parameters = parameters::list(network);
                    let example = parameters.first().map_or("", |first| first.name.as_str());
                    format!(
                        "found {:?}, which matches no parameter; names look like {example} (see `kiln model info`)",
                        config.names
                    )
                }
            };
            return Err(TrainError::Mismatch(format!(
                "parameters[{index}].names: {problem}"
            )));
        }
        groups.push(group);
    }
    Ok(groups)
}

/// The learning-rate schedule, with one of its own for each group with a factor.
pub fn schedule(base: EpochSchedule, rates: &[(Group, f64)]) -> ModuleLrScheduler {
    rates.iter().fold(
        ModuleLrScheduler::new(base.clone()),
        |schedule, (group, factor)| {
            let ids = ParamGroup::from_ids(group.ids());
            schedule.with_group(ids, base.scaled(*factor))
        },
    )
}

/// A warning for each group that stays frozen, although the experiment unfreezes it, because the run ends before.
pub fn warnings(experiment: &Experiment) -> Vec<String> {
    let last = experiment.training.epochs;
    let groups = experiment.parameters.iter().enumerate();
    let never = groups.filter_map(|(index, config)| {
        let epoch = config.unfreeze_at.filter(|&epoch| epoch > last)?;
        Some(format!(
            "parameters[{index}].unfreeze_at: epoch {epoch} is after the last epoch ({last}), so {:?} stays frozen throughout",
            config.names
        ))
    });
    never.collect()
}
