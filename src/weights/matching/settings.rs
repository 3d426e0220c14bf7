//! The settings that say which tensors of a file are used, and under which names, as messages write them.

use crate::config::{Rename, RenamePattern};
use crate::weights::error::{Place, WeightsError};

/// Maximum length in bytes of a mapping that a message shows.
const MAX_SHOWN_BYTES: usize = 2000;

/// Where the user says what is left out, and what is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `init.except`, or `--except`.
    pub except: Place,
    /// `init.rename`, or `--rename`.
    pub rename: Place,
}

impl Settings {
    /// Both in the `init` section of a config.
    pub const CONFIG: Self = Self {
        except: Place::Config,
        rename: Place::Config,
    };

    /// Both on the command line.
    pub const FLAGS: Self = Self {
        except: Place::Flag,
        rename: Place::Flag,
    };

    /// How patterns of names are left out besides those that are already; `is_all` tells whether there are no more.
    pub fn add_exceptions(self, patterns: &[String], is_all: bool) -> String {
        let more = if is_all {
            ""
        } else {
            " and more such patterns"
        };
        match self.except {
            Place::Config => {
                let shown = patterns.iter().map(|pattern| quoted(pattern));
                let shown = shown.collect::<Vec<_>>().join(", ");
                format!("add {shown}{more} to `init.except`")
            }
            Place::Flag => format!("add {}{more}", except_flags(patterns)),
        }
    }

    /// How the mapping by order and shapes is asked for, without what matches some patterns.
    pub fn set_auto(self, without: &[String]) -> String {
        let add = self.add_exceptions(without, true);
        match (self.rename, self.except) {
            (Place::Config, _) => format!("set `init.rename` to \"auto\" and {add}"),
            (Place::Flag, Place::Flag) => format!("add --rename auto {}", except_flags(without)),
            (Place::Flag, Place::Config) => format!("add --rename auto, and {add}"),
        }
    }

    /// How names are mapped by hand.
    pub fn set_rename(self) -> &'static str {
        match self.rename {
            Place::Config => "map its names with `init.rename`",
            Place::Flag => "map its names with --rename FROM=TO",
        }
    }

    /// What to do about weights whose last layer has another number of outputs.
    pub fn set_classes(self, theirs: usize, ours: usize) -> String {
        let number = match self.except {
            Place::Config => "use data of as many, or leave out the last layer",
            Place::Flag => "pass as many with --classes, as a number or a file",
        };
        format!("if the weights are for {theirs} classes instead of {ours}, {number}")
    }

    /// The error of a pattern of `except`, the `index`-th.
    pub fn wrong_exception(
        self,
        (index, pattern): (usize, &str),
        problem: &str,
        advice: &str,
    ) -> WeightsError {
        let key = format!("init.except[{index}]");
        let flag = flag("--except", pattern);
        wrong_pattern(self.except, (&key, pattern), &flag, problem, advice)
    }

    /// The error of all patterns of `except` together.
    pub fn wrong_exceptions(self, problem: &str, advice: &str) -> WeightsError {
        let path = match self.except {
            Place::Config => "init.except",
            Place::Flag => "--except",
        };
        WeightsError::setting(self.except, path, problem, advice)
    }

    /// The error of a pattern of `rename`, the `index`-th.
    pub fn wrong_rename(
        self,
        (index, pattern): (usize, &RenamePattern),
        problem: &str,
        advice: &str,
    ) -> WeightsError {
        let key = format!("init.rename[{index}]");
        let flag = rename_flag(pattern);
        wrong_pattern(self.rename, (&key, &pattern.from), &flag, problem, advice)
    }

    /// How names are mapped besides those that are already; `None` if the patterns can't be typed.
    pub fn add_rename(self, patterns: &[RenamePattern]) -> Option<String> {
        let can_type = |pattern: &RenamePattern| {
            self.takes(pattern)
                && !pattern
                    .from
                    .contains(|letter: char| letter == '*' || letter.is_control())
        };
        if !patterns.iter().all(can_type) {
            return None;
        }
        Some(match self.rename {
            Place::Config => {
                let json = patterns
                    .iter()
                    .map(|pattern| serde_json::to_string(pattern).unwrap_or_default());
                format!(
                    "add {} to `init.rename`",
                    json.collect::<Vec<_>>().join(", ")
                )
            }
            Place::Flag => format!("add {}", flags(patterns)),
        })
    }

    /// A mapping, ready to be pasted in place of what was `given`.
    pub fn suggestion(self, patterns: &[RenamePattern], given: &Rename) -> String {
        if patterns.is_empty() {
            let rename = match self.rename {
                Place::Config => "`init.rename`",
                Place::Flag => "--rename",
            };
            return format!("the names fit as they are: remove {rename}");
        }
        let (shown, how, auto) = match self.rename {
            Place::Config => (
                format!(
                    "\"rename\": {}",
                    serde_json::to_string(patterns).unwrap_or_default()
                ),
                "in `init`; \"rename\": \"auto\" does the same",
                "\"rename\": \"auto\" in `init`",
            ),
            Place::Flag => (flags(patterns), "or use --rename auto", "--rename auto"),
        };
        let instead = if given.is_empty() { "" } else { " instead" };
        let is_short = shown.len() <= MAX_SHOWN_BYTES && !shown.contains(char::is_control);
        let mut each = patterns.iter();
        if is_short && each.all(|pattern| self.takes(pattern)) {
            format!("by the order and shapes of the layers, this fits{instead}: {shown} ({how})")
        } else {
            format!("by the order and shapes of the layers, {auto} fits{instead}")
        }
    }

    /// Whether a pattern can be typed as it is: none may be empty, a flag's names are parted by its first equals sign, and what starts
    /// with a bracket is a list.
    fn takes(self, RenamePattern { from, to }: &RenamePattern) -> bool {
        let is_clear =
            self.rename == Place::Config || !(from.contains('=') || from.starts_with('['));
        is_clear && !from.is_empty() && !to.is_empty()
    }
}

/// The error of one pattern: a flag shows it, a key of a config has only its number.
fn wrong_pattern(
    place: Place,
    (key, pattern): (&str, &str),
    flag: &str,
    problem: &str,
    advice: &str,
) -> WeightsError {
    match place {
        Place::Config => {
            let problem = format!("{} {problem}", quoted(pattern));
            WeightsError::setting(place, key, &problem, advice)
        }
        Place::Flag => WeightsError::setting(place, flag, problem, advice),
    }
}

/// A pattern as a string of JSON.
fn quoted(pattern: &str) -> String {
    serde_json::Value::from(pattern).to_string()
}

/// A flag with its value, as a shell takes it. A value that begins with a hyphen would be taken for another flag.
fn flag(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { "=" } else { " " };
    format!("{name}{between}{}", shell_words::quote(value))
}

/// Patterns of `--except` as a shell takes them.
fn except_flags(patterns: &[String]) -> String {
    let flags = patterns.iter().map(|pattern| flag("--except", pattern));
    flags.collect::<Vec<_>>().join(" ")
}

fn rename_flag(RenamePattern { from, to }: &RenamePattern) -> String {
    flag("--rename", &format!("{from}={to}"))
}

/// Patterns as a shell takes them.
fn flags(patterns: &[RenamePattern]) -> String {
    let flags = patterns.iter().map(rename_flag);
    flags.collect::<Vec<_>>().join(" ")
}
