//! Which processes a launcher has started together with this one, as far as the environment tells.

/// The launcher that kiln calls, and that most clusters have.
pub const LAUNCHER: &str = "mpiexec";

/// Processes that were started together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// How many they are.
    pub size: usize,
    /// What has started them.
    pub by: &'static str,
}

/// Variables with the number of processes, and the launchers that set them: MPICH, Intel MPI and Slurm with `--mpi=pmi2`; Open MPI; Slurm
/// (in the steps of `srun` alone, not in a batch script).
const SIZES: [(&str, &str); 3] = [
    ("PMI_SIZE", LAUNCHER),
    ("OMPI_COMM_WORLD_SIZE", LAUNCHER),
    ("SLURM_STEP_NUM_TASKS", "srun"),
];

/// The processes that were started with this one; `None` if it is the only one.
pub fn started() -> Option<Started> {
    started_as(|name| std::env::var(name).ok())
}

/// [`started`], with the environment as a function.
fn started_as(variable: impl Fn(&str) -> Option<String>) -> Option<Started> {
    let sizes = SIZES.iter().filter_map(|&(name, by)| {
        let size = variable(name)?.trim().parse().ok()?;
        Some(Started { size, by })
    });
    // Within a job of Slurm, mpiexec may start fewer.
    let mut sizes = sizes;
    sizes.next().filter(|started| started.size > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_launchers_own_number_counts_and_one_process_is_none() {
        let of = |set: &[(&str, &str)]| {
            let set = set.to_vec();
            started_as(move |name| {
                let found = set.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| value.to_string())
            })
        };
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[("PMI_SIZE", "1"), ("SLURM_STEP_NUM_TASKS", "4")]),
            None
        );
        let size = |started: Option<Started>| started.map(|s| (s.size, s.by));
        assert_eq!(size(of(&[("PMI_SIZE", "3")])), Some((3, "mpiexec")));
        assert_eq!(
            size(of(&[("OMPI_COMM_WORLD_SIZE", "2")])),
            Some((2, "mpiexec"))
        );
        assert_eq!(
            size(of(&[("SLURM_STEP_NUM_TASKS", "8")])),
            Some((8, "srun"))
        );
        // A batch script of Slurm is one process, whatever the number of its job's tasks.
        assert_eq!(of(&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")]), None);
    }
}
