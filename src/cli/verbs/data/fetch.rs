//! `kiln data fetch`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValuesParser;

use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal::bars::DownloadBar;
use crate::cli::terminal::{output, stages};
use crate::data::data_root;
use crate::fetch::{
    self, Check, DataSet, Event, FetchError, Outcome as Fetched, Patience, Sum, Verdict,
};
use crate::report::format::size;

/// Download a data set into the data folder
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data fetch cifar10
  kiln data fetch nist36 --from http://mirror.example/sets/
  kiln data fetch flowers17 --from Downloads/17flowers
  kiln data fetch --list

Files go to KILN_DATA (default: current folder), where configs look for them.
An interrupted download is resumed. Offline, name the folder that has the file with --from.")]
pub struct Args {
    /// Data set to fetch
    #[arg(value_name = "NAME", required_unless_present = "list", value_parser = names())]
    name: Option<String>,
    /// Data folder, overriding KILN_DATA and the current folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Mirror: URL of the file, or of a folder (ending in /) that contains it under its own name; or a folder on this machine that
    /// has the files already
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,
    /// Expected SHA-256, overriding the built-in one
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    sha256: Option<String>,
    /// List the available data sets, their URLs, and which are downloaded
    #[arg(long, conflicts_with_all = ["name", "from", "sha256"])]
    list: bool,
}

/// Environment variable that overrides the timeouts of [`Patience`], in seconds (pauses are a twentieth of it); for tests.
const TIMEOUT_VARIABLE: &str = "KILN_FETCH_TIMEOUT";

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(DataSet::all().into_iter().map(|set| set.name))
}

fn sha256(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.chars().all(|digit| digit.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("must be 64 hexadecimal digits".into())
    }
}

pub fn run(args: Args) -> VerbResult {
    let root = args.to.clone().unwrap_or_else(data_root);
    let chosen = DataSet::all()
        .into_iter()
        .find(|set| Some(set.name) == args.name.as_deref());
    let Some(set) = chosen.filter(|_| !args.list) else {
        return Ok(output::emit(&list(&root))?);
    };
    let set = adapt(set, &args)?;
    let name = set.name;
    let mut bar = DownloadBar::new();
    let monitor = stages::listening_monitor()?;
    let fetched = fetch::fetch(&set, &root, &patience(), monitor.cancel(), &mut |event| {
        show(&mut bar, event);
    });
    bar.clear();
    if let Err(FetchError::Cancelled(_)) = fetched {
        output::note("the same command resumes the download");
    }
    let folder = match fetched? {
        Fetched::Present(folder) => {
            output::note(&format!("{name} already exists; nothing downloaded"));
            folder
        }
        Fetched::Fetched(folder) => folder,
    };
    Ok(output::emit(&format!("{}\n", folder.display()))?)
}

/// The set with the URL and checksum given on the command line.
fn adapt(set: DataSet, args: &Args) -> Result<DataSet, UsageError> {
    let mut set = match &args.from {
        Some(folder) if Path::new(folder).is_dir() => set.from_folder(Path::new(folder)),
        Some(from) => set
            .from_mirror(from)
            .map_err(|error| UsageError(format!("--from: {error}")))?,
        None => set,
    };
    if let Some(sum) = &args.sha256 {
        match set.files.as_mut_slice() {
            [file] => file.sum = Some(Sum::Sha256(sum.clone())),
            files => {
                return Err(UsageError(format!(
                    "--sha256 works only for single-file data sets; {} has {} files",
                    set.name,
                    files.len()
                )));
            }
        }
    }
    Ok(set)
}

fn patience() -> Patience {
    let patience = Patience::default();
    let asked = std::env::var(TIMEOUT_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| !time.is_zero());
    match asked {
        Some(time) => Patience {
            connect: time,
            stall: time,
            pause: (time / 20).min(patience.pause),
            ..patience
        },
        None => patience,
    }
}

/// The sets, their descriptions, URLs and checksums, and whether they are downloaded.
fn list(root: &Path) -> String {
    let mut text = String::new();
    for set in DataSet::all() {
        let folder = root.join(set.name);
        let state = match fetch::is_complete(&set, &folder) {
            Ok(true) => format!("in {}", folder.display()),
            Ok(false) => "not downloaded".into(),
            Err(FetchError::Occupied { missing, .. }) => {
                format!("{} is missing {}", folder.display(), missing.display())
            }
            Err(error) => error.to_string(),
        };
        text.push_str(&format!("{:<18} {}; {state}\n", set.name, set.about));
        for file in &set.files {
            let sum = match &file.sum {
                Some(Sum::Sha256(sum)) => format!("sha256 {sum}"),
                Some(Sum::Sha256Start(digits)) => format!("sha256 {digits}..."),
                Some(Sum::Md5(sum)) => format!("md5 {sum}"),
                None => "no known checksum".into(),
            };
            text.push_str(&format!("{:<18} {}  {sum}\n", "", file.url));
            for mirror in &file.mirrors {
                text.push_str(&format!("{:<18} {mirror}  (mirror)\n", ""));
            }
        }
    }
    text
}

/// Shows progress on standard error.
fn show(bar: &mut DownloadBar, event: Event) {
    match event {
        Event::Bytes { done, .. } => bar.advance(done),
        Event::Begins { url, done, total } => {
            let size_note = total.map_or(String::new(), |total| format!(" ({})", size(total)));
            let from = match done {
                0 => String::new(),
                done => format!(", resumed at {}", size(done)),
            };
            bar.note(&format!("downloading {url}{size_note}{from}"));
            bar.start(done, total);
        }
        Event::Found(path) => bar.note(&format!("using {}", path.display())),
        Event::Elsewhere(problem) => bar.note(&format!("{problem}; trying a mirror")),
        Event::StartsOver(reason) => bar.note(&format!("{reason}; starting over")),
        Event::Waits { problem, pause } => bar.note(&format!(
            "{problem}; trying again in {:.1} s",
            pause.as_secs_f64()
        )),
        Event::Checked { name, check } => bar.note(&checked(name, check)),
        Event::Unpacks => bar.note("unpacking"),
    }
}

fn checked(name: &str, check: &Check) -> String {
    let sha256 = &check.sha256;
    match check.verdict {
        Verdict::Right("sha256") => format!("{name}: sha256 as expected"),
        Verdict::Right(kind) => format!("{name}: {kind} as expected; sha256 {sha256}"),
        _ => format!("{name}: no known checksum to verify against; sha256 {sha256}"),
    }
}
