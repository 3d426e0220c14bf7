//! The data of a run, opened where the run had it.

use std::path::Path;
use std::sync::Arc;

use super::origin::Origin;
use crate::data::{self, DataConfig, DataError, DataSource, Split};
use crate::progress::Monitor;

/// Opens the data that a config file describes, to read some of its splits; a line says where it was found, if that is not the usual place.
///
/// # Errors
/// [`DataError`]: it is not there, or not what the config says.
pub fn open_data(
    config: &DataConfig,
    file: &Path,
    splits: &[Split],
    monitor: &Monitor,
) -> Result<(Arc<dyn DataSource>, Option<String>), DataError> {
    let origin = Origin::beside(file);
    let root = data::root_for(config, origin.as_ref().map(|o| o.data.as_path()))?;
    let note = data::found_at(&root);
    let mut source = data::open_in(config, &root, monitor)?;
    source.skip_bad_images(splits, monitor)?;
    Ok((Arc::from(source), note))
}
