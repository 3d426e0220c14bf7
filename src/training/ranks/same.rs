//! Whether all ranks have the same: version, settings, data and weights.

use burn::module::{ModuleVisitor, Param};
use burn::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files;
use crate::models::Network;
use crate::parallel::{Group, Moment};
use crate::training::error::TrainError;
use crate::training::prepare::Prepared;

/// Something that all ranks must have in common.
#[derive(Serialize, Deserialize)]
struct Fact {
    /// What is wrong where it differs.
    what: String,
    value: String,
    /// What to do where it differs.
    advice: String,
}

impl Fact {
    fn new(what: &str, value: String, advice: &str) -> Self {
        Self {
            what: what.into(),
            value,
            advice: advice.into(),
        }
    }
}

/// Refuses to begin unless all ranks have the same version, settings, data and weights, after `epochs` completed epochs. (What the images
/// show is not compared: that would mean reading them all.)
///
/// # Errors
/// What differs, and on which rank.
pub fn same_start(group: &dyn Group, prepared: &Prepared, epochs: usize) -> Result<(), TrainError> {
    if group.is_alone() {
        return Ok(());
    }
    let json = serde_json::to_vec(&prepared.experiment).unwrap_or_default();
    let facts = [
        Fact::new(
            "the version of kiln differs",
            env!("CARGO_PKG_VERSION").into(),
            "install the same on all machines",
        ),
        Fact::new(
            "the settings differ",
            files::hexadecimal(&Sha256::digest(&json)),
            "start all with the same config and flags",
        ),
        Fact::new(
            "classes or labels differ",
            prepared.data_sha256(),
            "all machines must see the same data",
        ),
        Fact::new(
            "the checkpoint differs",
            epochs.to_string(),
            "all machines must see the same run directory",
        ),
        Fact::new(
            "the weights differ",
            weights(&prepared.network),
            "the file of init.weights must be the same on all machines",
        ),
    ];
    require_same(group, Moment::Preparing, &facts)
}

/// Refuses to go on with weights that differ. Equal steps from equal weights give equal weights, unless machines compute differently.
///
/// # Errors
/// The rank whose weights differ from those of rank 0.
pub fn same_weights(group: &dyn Group, epoch: usize, network: &Network) -> Result<(), TrainError> {
    if group.is_alone() {
        return Ok(());
    }
    let advice = format!(
        "after epoch {epoch} their processors do not compute alike; use machines of the same kind"
    );
    let fact = Fact::new("the weights differ", weights(network), &advice);
    require_same(group, Moment::Epoch(epoch), &[fact])
}

fn require_same(group: &dyn Group, moment: Moment, facts: &[Fact]) -> Result<(), TrainError> {
    let mine = serde_json::to_vec(facts).unwrap_or_default();
    let all = group.gather(moment, &mine);
    let all: Vec<Vec<Fact>> = all
        .iter()
        .map(|bytes| serde_json::from_slice(bytes).unwrap_or_default())
        .collect();
    for (rank, of_rank) in all.iter().enumerate() {
        let mut pairs = all[0].iter().zip(of_rank);
        let different = pairs.find(|(first, other)| first.value != other.value);
        if let Some((first, _)) = different {
            return Err(TrainError::Mismatch(format!(
                "parallel.ranks: {} between rank 0 and rank {rank}; {}",
                first.what, first.advice
            )));
        }
    }
    Ok(())
}

/// SHA-256 of all tensors of a network, in their order.
fn weights(network: &Network) -> String {
    let mut sum = Sum(Sha256::new());
    network.visit(&mut sum);
    files::hexadecimal(&sum.0.finalize())
}

struct Sum(Sha256);

impl ModuleVisitor for Sum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Ok(data) = param.val().without_autodiff().try_into_data() {
            self.0.update(data.as_bytes());
        }
    }
}
