//! How the code is laid out: no two files import each other, modules stay small, files and functions stay short.
//!
//! The imports are read from the source with `syn`: `use` lines, paths in the code, and paths inside macros. A re-export in a
//! `mod.rs` stands for the file that it names, so that `mod.rs` files which only declare and re-export tie nothing together.

mod imports;
mod sizes;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use imports::Graph;
use source::Source;

/// The library and the binary.
fn program() -> Vec<Source> {
    source::read_all(&["src"])
}

#[test]
fn no_two_files_import_each_other_directly_or_in_a_ring() {
    let rings = Graph::of_files(&program()).rings();
    assert!(
        rings.is_empty(),
        "files that import each other:\n{}",
        rings.join("\n")
    );
}

#[test]
fn no_two_modules_import_each_other_directly_or_in_a_cycle() {
    let rings = Graph::of_files(&program()).by_room().rings();
    assert!(
        rings.is_empty(),
        "modules that import each other:\n{}",
        rings.join("\n")
    );
}

#[test]
fn the_map_in_lib_rs_lists_every_module_after_those_that_it_imports() {
    let library = std::fs::read_to_string("src/lib.rs").unwrap();
    let quoted = |line: &str| line.split('`').nth(1).map(String::from);
    let map: Vec<String> = library
        .lines()
        .filter(|line| line.starts_with("//! - [`"))
        .filter_map(quoted)
        .collect();
    let graph = Graph::of_files(&program()).by_room();
    let position = |room: &str| map.iter().position(|listed| listed == room);
    let mut wrong = Vec::new();
    for (from, to) in graph.arrows() {
        // `memory` is a module of the binary.
        if ["lib", "main", "memory", "build"].contains(&from) {
            continue;
        }
        match (position(from), position(to)) {
            (Some(later), Some(earlier)) if earlier < later => {}
            _ => wrong.push(format!("{from} imports {to}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "not in the order of the map:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn modules_use_only_what_they_may() {
    // (module, or every module but it; the crate or path; whether only this module may use it)
    let banned: [(&str, &str, bool); 4] = [
        ("segmentation", "burn", false),
        ("models", "std::fs", false),
        ("kernels", "std::fs", false),
        ("cli", "clap", true),
    ];
    let mut found = Vec::new();
    for source in program() {
        for (room, path, only_here) in banned {
            let is_here = source.room() == room;
            if is_here != only_here && imports::mentions(&source, path) {
                found.push(format!("{} uses {path}", source.name));
            }
        }
        if source.room() != "cli" && source.name != "src/build.rs" && imports::prints(&source) {
            found.push(format!("{} prints", source.name));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Files of training and metrics that read tensors without `read_back`, which counts it, and why.
const READERS: [(&str, &str); 5] = [
    (
        "src/training/optimization/optimizer.rs",
        "the state in a checkpoint, once an epoch",
    ),
    (
        "src/training/finish/report.rs",
        "the first layer of a finished run",
    ),
    ("src/training/ranks/same.rs", "weights, once an epoch"),
    (
        "src/training/ranks/gradients.rs",
        "what other processes need, at every step",
    ),
    (
        "src/training/ranks/statistics.rs",
        "statistics, once an epoch",
    ),
];

#[test]
fn training_and_metrics_read_tensors_in_read_back_and_where_it_is_said_why_not() {
    let reads = [
        "into_data(",
        "to_data(",
        "into_scalar(",
        "into_scalar::",
        "into_data_async(",
    ];
    let sources = source::read_all(&["src/training", "src/metrics"]);
    let found = sources.iter().filter(|source| {
        let program = source.text.split("#[cfg(test)]").next().unwrap_or("");
        reads.iter().any(|read| program.contains(read))
    });
    let found: BTreeSet<&str> = found.map(|source| source.name.as_str()).collect();
    let known = BTreeSet::from(READERS.map(|(file, _)| file));
    assert_eq!(found, known);
}

#[test]
fn no_file_has_more_than_450_lines() {
    let long = sizes::long_files(&source::read_all(&["src", "tests", "benches"]), 450);
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

/// Functions that may have more than 60 lines, and why.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];

#[test]
fn no_function_has_more_than_60_lines_but_those_that_are_named_here_with_a_reason() {
    let allowed: BTreeSet<(&str, &str)> = LONG_FUNCTIONS
        .iter()
        .map(|&(file, name, _)| (file, name))
        .collect();
    let sources = source::read_all(&["src", "tests", "benches"]);
    let long = sizes::long_functions(&sources, 60);
    let (known, new): (Vec<_>, Vec<_>) = long
        .iter()
        .partition(|found| allowed.contains(&(found.file.as_str(), found.name.as_str())));
    assert!(
        new.is_empty(),
        "too long:\n{}",
        new.iter()
            .map(|f| f.to_string())
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert_eq!(
        known.len(),
        allowed.len(),
        "an exception is no longer needed"
    );
}

#[test]
fn no_folder_of_the_program_has_more_than_14_files_beside_each_other() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for source in program() {
        let folder = source
            .name
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        *folders.entry(folder.to_string()).or_default() += 1;
    }
    folders.retain(|_, count| *count > 14);
    assert!(folders.is_empty(), "too many files: {folders:?}");
}
