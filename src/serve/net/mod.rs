//! Connections: accepted, limited, and closed when the server stops.

mod connection;
mod listen;
mod registry;

pub use listen::serve;
pub use registry::{Activity, Answering, Registry, Working};
