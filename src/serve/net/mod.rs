//! Connections: accepted, limited, and closed when the server stops.

mod activity;
mod answer;
mod connection;
mod listen;
mod registry;
mod stream;

pub use activity::Activity;
pub use answer::{Answer, Answers};
pub use listen::serve;
pub use registry::Registry;
