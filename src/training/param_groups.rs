//! Parameters that are treated apart: frozen ones, those that thaw, and learning rates of their own.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;

use super::error::TrainError;
use super::optimization::schedule::EpochSchedule;
use crate::config::ParameterConfig;
use crate::models::Network;
use crate::models::parameters::{self, Group};

/// Frozen parameters that begin to train with an epoch.
#[derive(Debug, Clone)]
pub struct Thaw {
    /// Counted from 1.
    pub epoch: usize,
    /// What begins.
    pub group: Group,
}

/// A network with its frozen parameters, and what is to happen to the groups.
pub struct Grouped {
    /// The network.
    pub network: Network,
    /// What thaws, and when.
    pub thaws: Vec<Thaw>,
    /// Groups with a learning rate of their own, and its factor.
    pub rates: Vec<(Group, f64)>,
}

/// Freezes what the experiment freezes. A parameter belongs to the first group that fits; a group without any is an error.
pub fn apply(network: Network, configs: &[ParameterConfig]) -> Result<Grouped, TrainError> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, config) in configs.iter().enumerate() {
        let mut group = Group::matching(&network, &config.names);
        for earlier in &groups {
            group.without(earlier);
        }
        if group.is_empty() {
            let names = parameters::list(&network);
            let example = names
                .first()
                .map_or("", |parameter| parameter.name.as_str());
            return Err(TrainError::Mismatch(format!(
                "parameters.{index}.names: found {:?}, which fits no parameter that another group has not; names are such \
                 as {example} (see `kiln model info`)",
                config.names
            )));
        }
        groups.push(group);
    }
    let mut grouped = Grouped {
        network,
        thaws: Vec::new(),
        rates: Vec::new(),
    };
    for (group, config) in groups.into_iter().zip(configs) {
        if config.frozen {
            grouped.network = group.set(grouped.network, false);
        }
        if let (true, Some(epoch)) = (config.frozen, config.unfreeze_at) {
            let group = group.clone();
            grouped.thaws.push(Thaw { epoch, group });
        }
        if config.lr_factor != 1.0 {
            grouped.rates.push((group, config.lr_factor));
        }
    }
    if parameters::trainable(&grouped.network) == 0 {
        return Err(TrainError::Mismatch(
            "parameters: everything is frozen; leave something to train".into(),
        ));
    }
    Ok(grouped)
}

/// The schedule, with that of each group of its own rate.
pub fn schedule(base: EpochSchedule, rates: &[(Group, f64)]) -> ModuleLrScheduler {
    rates.iter().fold(
        ModuleLrScheduler::new(base.clone()),
        |schedule, (group, factor)| {
            let ids = ParamGroup::from_ids(group.ids());
            schedule.with_group(ids, base.scaled(*factor))
        },
    )
}
