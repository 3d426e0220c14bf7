//! `--json` prints JSON, whatever the command and its other options.

use serde_json::Value;

use crate::common::{Bench, SMALL};

/// Commands with `--json`, and whether they print a line of JSON for each result instead of one value.
const COMMANDS: [(&str, bool); 21] = [
    ("bench small.json --mode infer --json", true),
    ("data info small.json --json", false),
    ("data info small.json --grid grid.png --json", false),
    ("devices --json", false),
    ("doctor --json", false),
    ("eval run --json", false),
    ("eval run --known-kind --json", false),
    ("gradcheck small.json --samples 1 --json", true),
    ("model info run --json", false),
    ("model info small.json --json", false),
    ("ocr page.png --json", false),
    ("ocr page.png --expect page.json --json", false),
    ("data check small.json --json", false),
    ("predict run letter.png --json", false),
    ("predict run letter.png page.png --top-k 2 --json", false),
    ("runs list --json", false),
    ("runs show run --json", false),
    ("runs compare run run --json", false),
    ("segment page.png --json", false),
    (
        "sweep small.json --grid optimizer.lr=1e-3,1e-4 --dry-run --json",
        false,
    ),
    (
        "sweep small.json --grid optimizer.lr=1e-3,1e-4 --set training.epochs=1 --json",
        false,
    ),
];

#[test]
fn every_command_with_json_prints_nothing_else_to_standard_output() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run");
    bench.output("data page --text HELLO page.png");
    image::GrayImage::from_pixel(32, 32, image::Luma([255]))
        .save(bench.path("letter.png"))
        .unwrap();
    for (arguments, in_lines) in COMMANDS {
        let output = bench.kiln(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let values: Vec<&str> = if in_lines {
            text.lines().collect()
        } else {
            vec![&text]
        };
        assert!(!values.is_empty(), "{arguments}: {errors}");
        for value in values {
            let parsed: Result<Value, _> = serde_json::from_str(value);
            assert!(parsed.is_ok(), "{arguments}: {value}: {errors}");
        }
    }
}

#[test]
fn the_table_above_has_every_command_that_takes_json() {
    let bench = Bench::new();
    let mut found = Vec::new();
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let help = bench.output(&format!("{command} --help"));
        if help.contains("--json") {
            found.push(command.trim().to_string());
        }
        commands.extend(subcommands(&help).map(|name| format!("{command} {name}")));
    }
    found.sort();
    found.retain(|command| {
        let mut known = COMMANDS.iter();
        !known.any(|(arguments, _)| arguments.starts_with(&format!("{command} ")))
    });
    assert!(found.is_empty(), "missing: {found:?}");
}

/// The names below `Commands:` in a help text.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help")
}
