//! What messages call the settings that say which tensors of a file are used, and under which names.

use crate::config::RenamePattern;

/// Maximum length of a mapping that a message shows.
const MAX_SHOWN_BYTES: usize = 2000;

/// Where the user sets what is left out and renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// In the `init` section of a config: `except` and `rename`.
    Config,
    /// On the command line: `--except` and `--rename`.
    Flags,
}

impl Settings {
    /// The setting of what is left out.
    pub fn except(self) -> &'static str {
        match self {
            Settings::Config => "`init.except`",
            Settings::Flags => "--except",
        }
    }

    /// The setting of names.
    pub fn rename(self) -> &'static str {
        match self {
            Settings::Config => "`init.rename`",
            Settings::Flags => "--rename",
        }
    }

    /// How a pattern is left out.
    pub fn excepting(self, pattern: &str) -> String {
        match self {
            Settings::Config => format!("`init.except`, as in [{pattern:?}]"),
            Settings::Flags => format!("--except {}", shell_words::quote(pattern)),
        }
    }

    /// What to do about parameters that the file has not.
    pub fn advice(self) -> String {
        match self {
            Settings::Config => "to train anyway, list the parameters to initialize randomly in `init.except`, such as \"classifier.*\"".into(),
            Settings::Flags => "to import the rest, leave these parameters out, as in --except 'classifier.*'; they are initialized at random".into(),
        }
    }

    /// A mapping, ready to be pasted.
    pub fn suggestion(self, patterns: &[RenamePattern]) -> String {
        let (shown, how) = match self {
            Settings::Config => (
                format!(
                    "\"rename\": {}",
                    serde_json::to_string(patterns).unwrap_or_default()
                ),
                "(in `init`; \"rename\": \"auto\" does the same)",
            ),
            Settings::Flags => (flags(patterns), "(or use --rename auto)"),
        };
        let is_short = shown.len() <= MAX_SHOWN_BYTES && !shown.contains(char::is_control);
        // A flag's names are parted by its first equals sign.
        let is_clear = !patterns.iter().any(|pattern| pattern.from.contains('='));
        let shown = match (self, is_short && (is_clear || self == Settings::Config)) {
            (_, true) => shown,
            (Settings::Config, false) => format!("{} patterns", patterns.len()),
            (Settings::Flags, false) => {
                return "by the order and shapes of the layers, --rename auto fits".into();
            }
        };
        format!("by the order and shapes of the layers, this fits: {shown} {how}")
    }
}

/// Patterns as a shell takes them.
fn flags(patterns: &[RenamePattern]) -> String {
    let flag = |RenamePattern { from, to }: &RenamePattern| {
        let value = format!("{from}={to}");
        format!("--rename {}", shell_words::quote(&value))
    };
    patterns.iter().map(flag).collect::<Vec<_>>().join(" ")
}
