//! `kiln eval`

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::choices;
use crate::cli::compute::{ComputeArgs, Precision};
use crate::cli::failure::VerbResult;
use crate::cli::open;
use crate::cli::terminal::{output, stages};
use crate::config;
use crate::data::{DataSource, Split, Subset, passed_over_line};
use crate::error::{counted, printable};
use crate::evaluation::{Evaluation, Rivals, evaluate_watched};
use crate::metrics::Metrics;
use crate::metrics::classification::{ClassReport, ConfusedPair, Confusion};

/// How many of the most confused pairs are printed.
const CONFUSED_PAIRS: usize = 10;

/// How many of the classes without images are named.
const ABSENT_CLASSES: usize = 36;

/// Evaluate a run on a split of its data.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln eval runs/glyphs_mlp-1 --split valid
  kiln eval runs/nist36_cnn-1 --data configs/nist26.json     # other data with the same class names
  kiln eval runs/nist36_cnn-1 --rows strangers.txt           # rows of the split, one number per line, counted from 0")]
pub struct Args {
    /// Run directory, or model.safetensors with --data
    run: PathBuf,
    /// Split to evaluate
    #[arg(long, value_parser = choices::split(), default_value = Split::Test.name())]
    split: Split,
    /// Use the data of this config instead of the run's own
    #[arg(long, value_name = "CONFIG")]
    data: Option<PathBuf>,
    /// Override one key of the config that defines the data
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Evaluate only the rows in this file: one number per line, counted from 0 in the order of the split
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Restrict predictions to the true kind of each sample: letters among letters, digits among digits
    #[arg(long)]
    known_kind: bool,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Precision of products; sums are always made in 32 bits
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    run: String,
    split: Split,
    samples: usize,
    #[serde(flatten)]
    metrics: &'a Metrics,
    per_class: Vec<ClassReport>,
    most_confused: Vec<ConfusedPair>,
}

pub fn run(args: Args) -> VerbResult {
    let mut model = open::model(&args.run, args.compute)?;
    model.classifier = args.precision.of(model.classifier)?;
    let config = match args.data {
        Some(config) => config,
        None => model.config_file()?,
    };
    let experiment = config::load(&config, &args.overrides)?;
    let monitor = stages::listening_monitor()?;
    let source = open::data(&experiment.data, &config, &[args.split], &monitor)?;
    if let Some(line) = passed_over_line(&source.passed_over()) {
        output::note(&line);
    }
    let source: Arc<dyn DataSource> = match &args.rows {
        Some(rows) => Arc::new(Subset::open(source, args.split, rows)?),
        None => source,
    };
    let rivals = if args.known_kind {
        Rivals::SameKind
    } else {
        Rivals::All
    };
    let evaluation = evaluate_watched(&model.classifier, source, args.split, rivals, &monitor)?;
    if !args.json {
        if let Some(line) = absent(&evaluation, &model.classifier.card().classes) {
            output::note(&printable(line));
        }
        return Ok(output::emit(&table(&evaluation, args.split))?);
    }
    let confusion = evaluation.confusion.as_ref();
    Ok(output::json(&Report {
        run: args.run.display().to_string(),
        split: args.split,
        samples: evaluation.samples,
        metrics: &evaluation.metrics,
        per_class: confusion.map_or_else(Vec::new, Confusion::per_class),
        most_confused: confusion.map_or_else(Vec::new, |confusion| {
            confusion.most_confused(CONFUSED_PAIRS)
        }),
    })?)
}

/// A line about the classes of the model that the split has no image of.
fn absent(evaluation: &Evaluation, classes: &[String]) -> Option<String> {
    let reports = evaluation.confusion.as_ref()?.per_class();
    let has_images = |class: &&String| {
        let mut reports = reports.iter();
        reports.any(|report| report.class == **class && report.support > 0)
    };
    let absent: Vec<&str> = classes
        .iter()
        .filter(|class| !has_images(class))
        .map(String::as_str)
        .collect();
    let (count, of) = (absent.len(), classes.len());
    let more = match count.saturating_sub(ABSENT_CLASSES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = absent[..count.min(ABSENT_CLASSES)].join(", ");
    (count > 0).then(|| format!("no images of {count} of {of} classes: {shown}{more}"))
}

fn table(evaluation: &Evaluation, split: Split) -> String {
    let mut lines = vec![format!(
        "{} from the {} split",
        counted(evaluation.samples, "sample", "samples"),
        split.name()
    )];
    for (name, value) in &evaluation.metrics {
        lines.push(format!("{name:<17} {value:.4}"));
    }
    let Some(confusion) = &evaluation.confusion else {
        return lines.join("\n") + "\n";
    };
    lines.push(String::new());
    lines.push(format!(
        "{:<12} {:>9} {:>9} {:>9} {:>9}",
        "class", "precision", "recall", "f1", "support"
    ));
    for class in confusion.per_class() {
        lines.push(format!(
            "{:<12} {:>9.4} {:>9.4} {:>9.4} {:>9}",
            printable(&class.class),
            class.precision,
            class.recall,
            class.f1,
            class.support
        ));
    }
    let pairs = confusion.most_confused(CONFUSED_PAIRS);
    if !pairs.is_empty() {
        lines.push("\nmost confused (true class predicted as)".into());
    }
    for pair in pairs {
        lines.push(format!(
            "{} as {}  {}",
            printable(&pair.truth),
            printable(&pair.predicted),
            counted(pair.count as usize, "time", "times")
        ));
    }
    lines.join("\n") + "\n"
}
