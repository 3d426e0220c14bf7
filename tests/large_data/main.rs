//! What a user may rely on with more images than fit into memory: the cache on the disk, its limits, and what is read again.

mod cache;
#[path = "../common/mod.rs"]
mod common;
mod damage;
mod limits;
mod listings;
mod runs;
mod scaled;
mod support;
