//! `kiln model import`

use std::path::PathBuf;

use crate::cli::destinations::is_same_file;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::weights_line;
use crate::config::{self, Auto, Experiment, InitConfig, Rename, RenamePattern};
use crate::data::{self, ClassOrder};
use crate::inference::{ClassNames, import};
use crate::weights::{Place, Settings};

/// How many class names a line shows.
const SHOWN_CLASSES: usize = 4;

#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model import squeezenet1_1.pth configs/squeezenet_imagenet.json --to runs/squeezenet --classes names.txt
  kiln model import lenet.pt lenet.json --to runs/lenet --classes 10 --rename auto
  kiln model import lenet.pt lenet.json --to runs/lenet --classes 10 --rename 'conv*.*=convs.*.*' --rename 'fc.*=head.*'
  kiln predict runs/squeezenet photo.jpg --top-k 5

The config defines the network, image size and normalization; no data is needed. Weight names and shapes must match the
network's (PyTorch layout; `kiln model info CONFIG` lists them), except for prefixes such as `module.` and dictionaries
around the weights, which are stripped.")]
pub struct Args {
    /// A .safetensors file, a checkpoint of PyTorch (.pth, .pt, .ckpt, .pkl), or an .onnx model
    weights: PathBuf,
    /// Config file
    config: PathBuf,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Folder to create; must not exist yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Text file with one class name per line, or the number of classes [default: those of the data, or numbers from 0]
    #[arg(long, value_name = "FILE|N")]
    classes: Option<String>,
    /// Leave out the parameters whose names match, as in 'classifier.*'; the network's are initialized at random
    #[arg(long, value_name = "PATTERN")]
    except: Vec<String>,
    /// Rename what matches; `*` is any characters, and in TO what it matched. `auto`: by the order and shapes of the layers
    #[arg(long, value_name = "auto|FROM=TO", value_parser = rename)]
    rename: Vec<Rename>,
}

pub fn run(args: Args) -> VerbResult {
    let (mut experiment, unused) = load(&args)?;
    let init = &mut experiment.init;
    // A flag replaces the config's value. Where there is neither, messages propose the flag.
    let place = |has_flag: bool, has_value: bool| match (has_flag, has_value) {
        (false, true) => Place::Config,
        _ => Place::Flag,
    };
    let settings = Settings {
        except: place(!args.except.is_empty(), !init.except.is_empty()),
        rename: place(!args.rename.is_empty(), !init.rename.is_empty()),
    };
    if !args.except.is_empty() {
        init.except = args.except;
    }
    if !args.rename.is_empty() {
        init.rename = joined(args.rename)?;
    }
    let classes = args.classes.map(|text| match text.parse() {
        Ok(count) => ClassNames::Count(count),
        Err(_) => ClassNames::File(text.into()),
    });
    let imported = import(&args.weights, experiment, settings, &args.to, classes)
        .map_err(|error| error.in_config(&args.config))?;
    if let Some(line) = unused {
        output::note(&line);
    }
    output::note(&weights_line(&args.weights, &imported.taken));
    if let Some(reason) = &imported.numbered {
        output::note(&format!(
            "classes are numbered ({reason}); pass --classes FILE to name them"
        ));
    }
    if let Some(order) = imported.class_order {
        output::note(&order_line(order, &imported.classes));
    }
    let line = format!("run directory  {}\n", args.to.display());
    Ok(output::emit(&line)?)
}

/// The config, whose `init` section is left only if it is about this file; and a line for the user if it is not.
fn load(args: &Args) -> Result<(Experiment, Option<String>), config::ConfigError> {
    let Ok(mut experiment) = config::load(&args.config, &args.overrides) else {
        // Names to change or to leave out need weights, which this file is.
        let file = serde_json::Value::from(args.weights.to_string_lossy());
        let weights = format!("init.weights={file}");
        let overrides = [&args.overrides[..], &[weights]].concat();
        return Ok((config::load(&args.config, &overrides)?, None));
    };
    let init = &experiment.init;
    let is_same = |name: &String| {
        let mut places = [PathBuf::from(name), data::data_root().join(name)].into_iter();
        places.any(|place| place == args.weights || is_same_file(&place, &args.weights))
    };
    let Some(other) = init.weights.clone().filter(|name| !is_same(name)) else {
        return Ok((experiment, None));
    };
    let has_names = !init.except.is_empty() || !init.rename.is_empty();
    let unused = has_names.then(|| {
        let config = args.config.display();
        format!("{config}: init is about {other}; its except and rename are not used here")
    });
    experiment.init = InitConfig::default();
    Ok((experiment, unused))
}

/// Parses `auto`, `FROM=TO`, or the JSON that an error suggests.
fn rename(text: &str) -> Result<Rename, String> {
    if text == "auto" {
        return Ok(Rename::Auto(Auto::Auto));
    }
    let rename = if text.starts_with('[') {
        serde_json::from_str(text)
            .map_err(|_| r#"expected a list such as [{"from": "fc1.*", "to": "0.*"}]"#)?
    } else {
        let (from, to) = text
            .split_once('=')
            .ok_or("expected auto, or FROM=TO such as 'fc1.*=0.*'")?;
        Rename::Patterns(vec![RenamePattern {
            from: from.into(),
            to: to.into(),
        }])
    };
    match rename.problems("").first() {
        // One of a list, or the only one.
        Some(problem) if text.starts_with('[') => {
            Err(format!("{}: {}", problem.path, problem.message))
        }
        Some(problem) => Err(problem.message.clone()),
        None => Ok(rename),
    }
}

/// All patterns in order; `auto` stands alone.
fn joined(renames: Vec<Rename>) -> Result<Rename, UsageError> {
    if let [one] = renames.as_slice() {
        return Ok(one.clone());
    }
    if renames
        .iter()
        .any(|rename| matches!(rename, Rename::Auto(_)))
    {
        let problem = "--rename auto finds all names itself; remove the other --rename";
        return Err(UsageError(problem.into()));
    }
    let patterns = renames.iter().flat_map(|rename| rename.patterns().to_vec());
    Ok(Rename::Patterns(patterns.collect()))
}

/// Which order was assumed for classes that are named by numbers.
fn order_line(order: ClassOrder, classes: &[String]) -> String {
    let shown = |order: ClassOrder| {
        let mut names = classes.to_vec();
        order.sort(&mut names);
        names.truncate(SHOWN_CLASSES);
        names.join(", ")
    };
    let (numeric, text) = (shown(ClassOrder::Numeric), shown(ClassOrder::Text));
    match order {
        ClassOrder::Numeric => format!(
            "classes are assumed to be sorted numerically ({numeric}, ...); torchvision's ImageFolder sorts them as text \
             ({text}, ...): for weights trained with it, add --set data.class_order=text"
        ),
        ClassOrder::Text => format!(
            "classes are assumed to be sorted as text ({text}, ...), as in torchvision's ImageFolder; if they are sorted numerically \
             ({numeric}, ...), add --set data.class_order=numeric"
        ),
    }
}
