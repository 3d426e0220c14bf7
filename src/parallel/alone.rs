//! The group of one process.

use super::group::{Group, Incoming, Moment, Outgoing};

/// A process that trains a run by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, _moment: Moment, _outgoing: &[Outgoing], _incoming: &mut [Incoming]) {}
}
