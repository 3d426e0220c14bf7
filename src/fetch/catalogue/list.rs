//! The list of all sets.

use super::set::DataSet;
use super::{images, mnist, weights};

impl DataSet {
    /// All available sets: images first, then weights.
    pub fn all() -> Vec<DataSet> {
        let mut sets = vec![images::nist36()];
        sets.extend(mnist::sets());
        sets.extend([
            images::cifar10(),
            images::cifar100(),
            images::svhn(),
            images::flowers17(),
            weights::squeezenet1_1(),
        ]);
        sets.extend(weights::torchvision());
        sets.push(weights::efficientnet_lite0());
        sets
    }
}
