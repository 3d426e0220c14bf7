//! `kiln serve`

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use crate::cli::compute::Precision;
use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::cli::terminal::signals::Interruption;
use crate::error::FileError;
use crate::serve::{self, MIN_TOKEN, ServeOptions};

/// Searched when no folder is given.
const DEFAULT_FOLDERS: [&str; 2] = ["runs", "sweeps"];
/// The variable that may hold the token, so that lists of processes don't show it.
const TOKEN_VARIABLE: &str = "KILN_TOKEN";

/// Show runs, read pages and classify images in a browser.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln serve
  kiln serve runs sweeps/nist36_mlp-1 --model runs/nist36_cnn-1
  kiln serve --bind 0.0.0.0:7070 --token $(openssl rand -hex 16)
  curl --data-binary @page.png 'http://127.0.0.1:7070/api/ocr?name=page.png'

Nothing is written into the folders; a run that another process trains is shown as it grows. Only this machine can reach the server, unless
--bind says otherwise; then everybody needs the token, and it and all else goes over the network unencrypted: put a proxy with TLS before
it. docs/serving.md describes pages, API and limits.")]
pub struct Args {
    /// Runs, sweeps, or folders of them [default: runs sweeps]
    folders: Vec<PathBuf>,
    /// Address and port to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070", value_parser = address)]
    bind: SocketAddr,
    /// What clients must know [default: the environment variable KILN_TOKEN, if it is set]
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Run or model file that classifies images, and reads pages if its classes are single characters
    #[arg(long, value_name = "RUN")]
    model: Option<PathBuf>,
    /// Precision of products, of all models; sums are always made in 32 bits
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Requests that may wait for the reader, and as many for the classifier; more are answered with 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    queue: u16,
}

/// Parses an address; `localhost` is the IPv4 one, as in the default.
fn address(text: &str) -> Result<SocketAddr, String> {
    let problem = || "must be an address and a port, such as 127.0.0.1:7070".to_string();
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| problem())?;
        return Ok(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port));
    }
    let mut found = text.to_socket_addrs().map_err(|_| problem())?;
    found.next().ok_or_else(problem)
}

pub fn run(args: Args) -> VerbResult {
    let folders = match args.folders.as_slice() {
        [] => DEFAULT_FOLDERS.map(PathBuf::from).to_vec(),
        named => {
            for folder in named {
                std::fs::read_dir(folder).map_err(|error| no_folder(folder, error))?;
            }
            named.to_vec()
        }
    };
    let token = args.token.or_else(|| std::env::var(TOKEN_VARIABLE).ok());
    let options = ServeOptions {
        folders,
        bind: args.bind,
        token,
        model: args.model,
        precision: args.precision.compute(),
        queue: usize::from(args.queue),
    };
    let interruption = Interruption::default();
    // Requests in progress are finished.
    interruption.saves();
    interruption.listen(|| output::note("stopping; press Ctrl-C again to exit at once"))?;
    serve::serve(&options, interruption.cancel(), |address| {
        output::note(&format!("kiln listens at http://{address}/"));
        if !address.ip().is_loopback() {
            output::note(&format!(
                "others can reach it, and need the token of {MIN_TOKEN} characters or more; the connection is not encrypted"
            ));
        }
        args.precision.note_if_slow();
    })?;
    Ok(())
}

/// Why a folder that was named can't be shown.
fn no_folder(path: &Path, error: std::io::Error) -> FileError {
    let problem = match error.kind() {
        ErrorKind::NotADirectory => FileError::new(path, "is not a folder").usage(),
        _ => FileError::named(path, error),
    };
    problem.advise("name runs, sweeps, or folders of them")
}
