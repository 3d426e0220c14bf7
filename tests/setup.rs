//! What surrounds the work: completions, manual pages, and folders for new projects.

mod common;

use common::Bench;

/// Every command, with the subcommands of commands: `data page`.
fn commands(bench: &Bench) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let help = bench.output(&format!("{command} --help"));
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in lines.take_while(|line| !line.is_empty()) {
            let name = line.split_whitespace().next().unwrap();
            if name != "help" {
                open.push(format!("{command} {name}").trim().to_string());
            }
        }
        found.push(command);
    }
    found
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let bench = Bench::new();
    bench.output("man pages/man1");
    let commands = commands(&bench);
    for command in &commands {
        let name = format!("kiln {command}").trim().replace(' ', "-");
        let page = String::from_utf8(bench.read(&format!("pages/man1/{name}.1"))).unwrap();
        assert!(page.contains(".TH ") && page.contains(".SH NAME"), "{name}");
        let plain = page.replace('\\', "");
        assert!(plain.contains(&name), "{name}");
    }
    let pages = std::fs::read_dir(bench.path("pages/man1")).unwrap().count();
    assert_eq!(pages, commands.len());
    assert_eq!(
        bench.output("man").as_bytes(),
        bench.read("pages/man1/kiln.1")
    );
}

#[test]
fn completions_name_every_command_in_every_shell() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.output(&format!("completions {shell}"));
        for command in commands(&bench) {
            let name = command.split(' ').next_back().unwrap();
            assert!(script.contains(name), "{shell}: {command}");
        }
        assert!(
            script.contains("--resume") || script.contains("-l resume"),
            "{shell}"
        );
    }
}

#[test]
fn a_new_project_has_a_config_that_is_valid_and_trains() {
    let bench = Bench::new();
    bench.output("new letters");
    let config: serde_json::Value =
        serde_json::from_slice(&bench.read("letters/letters.json")).unwrap();
    assert_eq!(config["$schema"], "./schema.json");
    let schema = bench.output("config schema");
    assert_eq!(schema.as_bytes(), bench.read("letters/schema.json"));
    let settings: serde_json::Value =
        serde_json::from_slice(&bench.read("letters/.vscode/settings.json")).unwrap();
    assert_eq!(settings["json.schemas"][0]["url"], "./schema.json");
    // What its README says to do.
    let readme = String::from_utf8(bench.read("letters/README.md")).unwrap();
    let commands = readme
        .lines()
        .filter_map(|line| line.strip_prefix("   kiln "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 3, "{readme}");
    for command in commands {
        let small = if command.contains("--dry-run") {
            ""
        } else {
            " --set training.epochs=1 --set data.train=720"
        };
        let arguments = format!("{command}{small}");
        let mut kiln = bench.kiln(&arguments);
        kiln.current_dir(bench.path("letters")).assert().success();
    }
    let ignored = String::from_utf8(bench.read("letters/.gitignore")).unwrap();
    assert!(ignored.contains("/runs/") && ignored.contains("/sweeps/"));
}

#[test]
fn every_kind_of_data_makes_a_project_and_none_replaces_a_folder() {
    let bench = Bench::new();
    bench.output("new flowers --data image_folder --model cnn");
    bench.output("config check flowers/flowers.json");
    // A name that runs can't have.
    bench
        .kiln("")
        .args(["new", "my letters"])
        .assert()
        .success();
    bench
        .kiln("")
        .args(["config", "check", "my letters/experiment.json"])
        .assert()
        .success();
    let before = bench.listing();
    for (arguments, expected) in [
        ("new flowers", "already exists"),
        ("new no/such/place", "no folder no/such"),
        ("new other --data nonsense", "nonsense"),
    ] {
        let refused = bench.kiln(arguments).assert().code(2);
        let err = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
        assert!(err.contains(expected) && err.lines().count() == 1, "{err}");
    }
    assert_eq!(bench.listing(), before);
}
