//! Means and factors of channels under Burn's autodiff over flex, and their gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::gradients::register;
use crate::kernels::channels::{means_backward, scale_backward};
use crate::kernels::flex::{
    ChannelBackend, by_dtype, contiguous, new_tensor, sizes_of_maps, values,
};

impl<C: CheckpointStrategy> ChannelBackend for Autodiff<Flex, C> {
    fn fast_scale_channels(
        maps: FloatTensor<Self>,
        factors: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let prepared = ScaleBackward
            .prepare::<C>([maps.node(), factors.node()])
            .compute_bound()
            .stateful();
        let maps = contiguous(maps.into_primitive());
        let factors = contiguous(factors.into_primitive());
        let output = Flex::fast_scale_channels(maps.clone(), factors.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((maps, factors), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_channel_means(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = MeansBackward
            .prepare::<C>([maps.node()])
            .compute_bound()
            .stateful();
        let maps = contiguous(maps.into_primitive());
        let output = Flex::fast_channel_means(maps.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(maps, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

/// The backward pass of `fast_scale_channels`.
#[derive(Debug)]
struct ScaleBackward;

impl Backward<Flex, 2> for ScaleBackward {
    type State = (FlexTensor, FlexTensor);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [maps_node, factors_node] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let (maps, factors) = ops.state;
        by_dtype!(maps, T => {
            let (image, factor) = (values::<T>(&maps), values(&factors));
            let sizes = sizes_of_maps(&maps);
            let (found, sums) = scale_backward(sizes, image, factor, values(&gradient));
            let found = new_tensor(found, &maps.layout().shape()[..]);
            let sums = new_tensor(sums, &factors.layout().shape()[..]);
            register(grads, maps_node.map(|node| node.id), Some(found));
            register(grads, factors_node.map(|node| node.id), Some(sums));
        });
    }
}

/// The backward pass of `fast_channel_means`; of the maps, only the sizes matter.
#[derive(Debug)]
struct MeansBackward;

impl Backward<Flex, 1> for MeansBackward {
    type State = FlexTensor;

    fn backward(
        self,
        ops: Ops<FlexTensor, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let maps = ops.state;
        let found = by_dtype!(maps, T => {
            let found = means_backward::<T>(sizes_of_maps(&maps), values(&gradient));
            new_tensor(found, &maps.layout().shape()[..])
        });
        register(grads, node.map(|node| node.id), Some(found));
    }
}
