//! Command lines that clap refuses, worded in one line.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::failure::UsageError;
use crate::config::schema;
use crate::error::one_line;

/// The error as one line, unless it is a request for help or the version; `typed` is the command line without the program's name.
pub fn refusal(error: &Error, program: Command, typed: &[String]) -> Option<UsageError> {
    let is_request = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if is_request {
        return None;
    }
    let (name, command) = subcommand(program, typed);
    let problem = problem(error, &command, typed);
    Some(UsageError(one_line(format!(
        "{name}: {problem}; see {name} --help"
    ))))
}

/// The subcommand that the command line starts with, and its full name.
fn subcommand(program: Command, typed: &[String]) -> (String, Command) {
    let (mut name, mut command) = (program.get_name().to_string(), program);
    for word in typed {
        let Some(next) = command.find_subcommand(word).cloned() else {
            break;
        };
        name = format!("{name} {}", next.get_name());
        command = next;
    }
    (name, command)
}

fn problem(error: &Error, command: &Command, typed: &[String]) -> String {
    let texts = |kind| error.get(kind).map(texts).unwrap_or_default();
    let text = |kind| texts(kind).join(", ");
    let argument = text(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let hint = key(&argument, command, typed)
                .unwrap_or_else(|| meant(&text(ContextKind::SuggestedArg)));
            format!("unexpected argument {argument}{hint}")
        }
        ErrorKind::InvalidSubcommand => {
            let meant = meant(&text(ContextKind::SuggestedSubcommand));
            let found = text(ContextKind::InvalidSubcommand);
            format!("unknown command {found}{meant}")
        }
        ErrorKind::MissingRequiredArgument => format!("missing argument {argument}"),
        ErrorKind::ArgumentConflict => match text(ContextKind::PriorArg) {
            prior if prior.is_empty() => first_paragraph(error),
            prior if prior == argument => format!("{argument} may be given only once"),
            prior => format!("{argument} can't be used with {prior}; remove one of them"),
        },
        ErrorKind::InvalidValue => {
            let allowed = match text(ContextKind::ValidValue) {
                values if values.is_empty() => values,
                values => format!("; possible values: {values}"),
            };
            match text(ContextKind::InvalidValue) {
                found if found.is_empty() => format!("{argument} needs a value{allowed}"),
                found => {
                    let meant = meant(&text(ContextKind::SuggestedValue));
                    format!("{argument}: found {found:?}{allowed}{meant}")
                }
            }
        }
        ErrorKind::ValueValidation => {
            let found = text(ContextKind::InvalidValue);
            match std::error::Error::source(error) {
                Some(why) => format!("{argument}: found {found:?}: {why}"),
                None => format!("{argument}: found {found:?}"),
            }
        }
        _ => first_paragraph(error),
    }
}

/// What clap itself says, without its hints.
fn first_paragraph(error: &Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    paragraph.trim_start_matches("error: ").to_string()
}

/// The hint at an argument that is a key of the config, for subcommands with `--set`: `--epochs 3` is `--set training.epochs=3`.
fn key(argument: &str, command: &Command, typed: &[String]) -> Option<String> {
    let has_set = |command: &Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == Some("set"))
    };
    let name = argument.strip_prefix("--").filter(|_| has_set(command))?;
    let path = schema::key_named(&name.replace('-', "_"))?;
    let at = typed.iter().position(|word| {
        let word = word.split('=').next().unwrap_or_default();
        word == argument
    })?;
    let attached = typed[at].split_once('=').map(|(_, value)| value);
    let next = typed.get(at + 1).map(String::as_str);
    let value = attached.or(next.filter(|next| !next.starts_with("--")));
    let assignment = format!("{path}={}", value.unwrap_or("VALUE"));
    // A shell takes the equals sign as it is.
    let quoted = match assignment.split_once('=') {
        Some((path, value)) => format!("{path}={}", shell_words::quote(value)),
        None => assignment,
    };
    Some(format!("; use --set {quoted}"))
}

fn meant(suggestion: &str) -> String {
    match suggestion {
        "" => String::new(),
        suggestion => format!(" (did you mean {suggestion}?)"),
    }
}

/// The words of a part of the error.
fn texts(value: &ContextValue) -> Vec<String> {
    match value {
        ContextValue::String(text) => vec![text.clone()],
        ContextValue::Strings(texts) => texts.clone(),
        _ => Vec::new(),
    }
}
