//! The screen that the dashboard draws on.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use elsewhere::{Screen, restore};
#[cfg(unix)]
pub use unix::{Screen, restore};
