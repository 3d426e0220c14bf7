//! The job of a sweep for Slurm: an array with a task for each run that is left.

use std::path::Path;

use crate::sweeps::record::SweepRecord;

/// A job script that trains the sweep in `dir` with this `kiln`; both are absolute paths that all nodes see. Slurm's own options, such as
/// `--time` or `--partition`, may be given to `sbatch`.
///
/// Options of `#SBATCH` as `man sbatch` describes them.
pub fn job(record: &SweepRecord, dir: &Path, kiln: &Path) -> String {
    let left = record.trials.iter();
    let left = left.filter(|trial| !trial.status.is_done()).count();
    let word = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
    let name: String = record.name.chars().filter(|c| !c.is_whitespace()).collect();
    // Slurm reads its lines without a shell: no quotes.
    let log = dir.join("slurm-%A_%a.log");
    format!(
        "#!/bin/bash\n\
         #SBATCH --job-name={name}\n\
         #SBATCH --array=1-{left}\n\
         #SBATCH --cpus-per-task=2\n\
         #SBATCH --signal=TERM@60\n\
         #SBATCH --output={log}\n\
         # Each task trains one run that is free; a run that a task did not finish goes on from its last checkpoint when this\n\
         # script is submitted again.\n\
         exec srun {kiln} sweep --resume {dir} --worker --max-runs 1\n",
        left = left.max(1),
        log = log.display(),
        kiln = word(kiln),
        dir = word(dir),
    )
}
