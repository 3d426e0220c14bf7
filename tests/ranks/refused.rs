//! A build without the cargo feature `mpi`.

use crate::common::{Bench, SMALL};

#[test]
fn several_processes_are_refused_in_one_line_that_says_how_to_have_them() {
    let bench = Bench::new();
    bench.write("config.json", SMALL);
    let before = bench.listing();
    let refused = |arguments: &str, variable: Option<&str>, start: &str| {
        let mut command = bench.kiln(arguments);
        if let Some(variable) = variable {
            command.env(variable, "2");
        }
        let output = command.assert().code(2).get_output().clone();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with(start), "{err}");
        assert!(err.contains("build kiln with --features mpi"), "{err}");
        assert_eq!(bench.listing(), before);
    };
    let train = "train config.json";
    refused(&format!("{train} --ranks 2"), None, "error: --ranks 2: ");
    refused(
        &format!("{train} --set parallel.ranks=2"),
        None,
        "error: parallel.ranks 2: ",
    );
    refused(
        train,
        Some("PMI_SIZE"),
        "error: mpiexec has started 2 processes",
    );
    refused(
        train,
        Some("SLURM_STEP_NUM_TASKS"),
        "error: srun has started 2 processes",
    );
}
