//! What a GPU computes, and how often training waits for it. On Mesa's software Vulkan where there is nothing else
//! (Debian: `mesa-vulkan-drivers`), with the features `vulkan` or `wgpu`.

#[path = "../common/mod.rs"]
mod common;

mod compare;
mod devices;
mod networks;
mod waiting;

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::prelude::*;
use kiln::config::Backend;

/// The backend under test.
const BACKEND: Backend = if cfg!(feature = "vulkan") {
    Backend::Vulkan
} else {
    Backend::Wgpu
};

/// One test at a time: readings are counted for the whole process, and two tests on a GPU in software take longer together.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gpu() -> Device {
    kiln::device::open(BACKEND).unwrap_or_else(|error| panic!("{error}"))
}
