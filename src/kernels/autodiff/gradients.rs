//! How gradients reach the nodes of the graph.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::flex::FlexTensor;

/// Passes a gradient to the node that needs it, if there is one.
pub(super) fn register(grads: &mut Gradients, node: Option<NodeId>, gradient: Option<FlexTensor>) {
    if let (Some(node), Some(gradient)) = (node, gradient) {
        grads.register::<Flex>(node, gradient);
    }
}
