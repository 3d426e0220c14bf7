//! What surrounds the work: `kiln completions`, `kiln man`, `kiln new` and `kiln track`, one file each.

pub mod completions;
pub mod man;
pub mod new;
pub mod track;
