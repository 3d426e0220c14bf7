//! The running statistics of batch norms over all ranks.

use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;

use crate::models::{Network, parameters};
use crate::parallel::{Group, Moment};

/// The ends of the names of running statistics, as in files.
const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// The network with the means over all ranks of its running statistics, which each rank has from its own samples.
pub fn average_statistics(group: &dyn Group, epoch: usize, network: Network) -> Network {
    let parameters = parameters::list(&network).into_iter();
    let statistics: HashSet<ParamId> = parameters
        .filter(|parameter| STATISTICS.iter().any(|end| parameter.name.ends_with(end)))
        .map(|parameter| parameter.id)
        .collect();
    if group.is_alone() || statistics.is_empty() {
        return network;
    }
    // Burn takes in what its threads have left when a network is made ready for inference.
    drop(network.valid());
    let mut collect = Collect {
        statistics: &statistics,
        values: Vec::new(),
    };
    network.visit(&mut collect);
    let mine: &[u8] = bytemuck::cast_slice(&collect.values);
    let all = group.gather(Moment::Epoch(epoch), mine);
    let all: Vec<Vec<f32>> = all.iter().map(|bytes| numbers(bytes)).collect();
    let means = means(&all);
    network.map(&mut Replace {
        statistics: &statistics,
        values: means.into_iter(),
    })
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|b| f32::from_ne_bytes(*b)).collect()
}

/// The means of the ranks' values. Where all are equal, as those of frozen layers are, the mean has their bits.
fn means(all: &[Vec<f32>]) -> Vec<f32> {
    let count = all.len() as f64;
    let mean = |at: usize| {
        let value = |of_rank: &Vec<f32>| f64::from(of_rank.get(at).copied().unwrap_or(0.0));
        let first = value(&all[0]);
        let differences = all.iter().map(|of_rank| value(of_rank) - first);
        (first + differences.sum::<f64>() / count) as f32
    };
    (0..all[0].len()).map(mean).collect()
}

struct Collect<'a> {
    statistics: &'a HashSet<ParamId>,
    values: Vec<f32>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.statistics.contains(&param.id)
            && let Ok(data) = param.val().without_autodiff().try_into_data()
        {
            self.values.extend(data.iter::<f32>());
        }
    }
}

struct Replace<'a> {
    statistics: &'a HashSet<ParamId>,
    values: std::vec::IntoIter<f32>,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.statistics.contains(&param.id) {
            return param;
        }
        let values = &mut self.values;
        param.map(|old| {
            let values = values.by_ref().take(old.shape().num_elements());
            let data = TensorData::new(values.collect::<Vec<f32>>(), old.shape());
            Tensor::from_data(data, &old.device())
        })
    }
}
