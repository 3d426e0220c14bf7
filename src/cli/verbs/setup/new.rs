//! `kiln new`

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::choices;
use crate::cli::destinations;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal::output;
use crate::config::{self, schema};
use crate::error::FileError;
use crate::files;

/// The JSON Schema of this version, beside the config.
const SCHEMA_FILE: &str = "schema.json";

/// What git leaves alone: what kiln writes.
const GIT_IGNORE: &str = "# written by kiln\n/runs/\n/sweeps/\n";

/// Make a folder for a project: a config, its schema, settings for editors, and a README with the next commands.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln new letters
  kiln new flowers --data image_folder --model cnn")]
pub struct Args {
    /// Folder to make; must not exist yet. Its name becomes that of the config and of the runs
    dir: PathBuf,
    /// Kind of data
    #[arg(long, value_name = "KIND", default_value = "glyphs", value_parser = choices::variants(config::data_kinds()))]
    data: String,
    /// Kind of model
    #[arg(long, value_name = "KIND", default_value = "mlp", value_parser = choices::variants(config::model_kinds()))]
    model: String,
}

pub fn run(args: Args) -> VerbResult {
    let dir = &args.dir;
    destinations::require_new([dir.as_path()])?;
    FileError::require_parent(dir)?;
    let name = name_of(dir);
    let config = config::starter(&args.data, &args.model).map_err(|problems| {
        let texts = problems.into_iter().map(|problem| problem.message);
        UsageError(texts.collect::<Vec<_>>().join("; "))
    })?;
    let files = [
        (format!("{name}.json"), with_schema(&config)),
        (SCHEMA_FILE.into(), pretty(&schema::experiment())?),
        (".vscode/settings.json".into(), pretty(&editor_settings())?),
        (".gitignore".into(), GIT_IGNORE.into()),
        ("README.md".into(), readme(&name, &args.data)),
    ];
    let make = || -> Result<(), FileError> {
        let failed = |source| FileError::create(dir, source);
        let made = files::temporary_folder(files::folder_of(dir)).map_err(failed)?;
        for (name, text) in &files {
            let path = made.path().join(name);
            std::fs::create_dir_all(files::folder_of(&path)).map_err(failed)?;
            files::write(&path, text.as_bytes()).map_err(|error| error.rename(dir.join(name)))?;
        }
        files::publish_folder(made, dir).map_err(failed)
    };
    make()?;
    let folder = dir.to_string_lossy();
    output::emit(&format!("{folder}\n"))?;
    let config = format!("{name}.json");
    output::note(&format!(
        "next:\n  cd {}\n  {}",
        shell_words::quote(&output::argument(&folder)),
        output::command(&["train", &config])
    ));
    Ok(())
}

/// What the config and its runs are called: the folder's name, if a run can have it.
fn name_of(dir: &Path) -> String {
    let name = dir
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_free = !name.starts_with('-') && !["schema", "README"].contains(&name);
    if !name.is_empty() && is_free && name.chars().all(is_plain) {
        name.to_string()
    } else {
        "experiment".to_string()
    }
}

/// The config with a first line that leads editors to the schema.
fn with_schema(config: &str) -> String {
    config.replacen('{', &format!("{{\n  \"$schema\": \"./{SCHEMA_FILE}\","), 1)
}

/// For editors that look for schemas in a project's settings rather than in the file.
fn editor_settings() -> serde_json::Value {
    json!({
        "json.schemas": [{
            "fileMatch": ["/*.json", format!("!/{SCHEMA_FILE}")],
            "url": format!("./{SCHEMA_FILE}"),
        }],
        "files.exclude": {"**/.kiln-*.tmp": true},
    })
}

fn pretty(value: &serde_json::Value) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn readme(name: &str, data: &str) -> String {
    let images = match data {
        "image_folder" => {
            "\nFirst put the images into a folder per class: `my_images/daisy/001.jpg`, `my_images/tulip/001.jpg` and so on.\n"
        }
        "glyphs" => "\nkiln draws the data of this config itself.\n",
        _ => "\n`kiln data info CONFIG` tells which files the data needs, and `kiln data fetch --help` which it can download.\n",
    }
    .replace("CONFIG", &format!("{name}.json"));
    format!(
        "# {name}

`{name}.json` describes how a model is trained; [kiln](https://github.com/kiln-ml/kiln) does it. An editor that knows JSON Schema
completes and explains its keys from `{SCHEMA_FILE}`. `kiln config schema > {SCHEMA_FILE}` renews that after an update.
{images}
1. Check the config, the data and the memory, without training:

   ```sh
   kiln train {name}.json --dry-run
   ```

2. Train. Ctrl-C stops and saves; `kiln train --resume runs/{name}-1` goes on. `runs/{name}-1/report.html` shows curves and mistakes.

   ```sh
   kiln train {name}.json
   ```

3. Try other settings, and rank the runs:

   ```sh
   kiln sweep {name}.json --grid optimizer.lr=1e-2,1e-3,1e-4
   ```
"
    )
}
