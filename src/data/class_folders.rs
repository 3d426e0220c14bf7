//! Class names as names of folders that every system takes, different for different classes, and back.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest name of a folder in bytes, on most file systems.
const MAX_BYTES: usize = 255;

/// What can't be in the name of a file on some system, besides control characters.
const FORBIDDEN: &str = "/\\:*?\"<>|%";

/// Names of devices on Windows, in any case and with any extension: `aux`, `Con.txt`.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Those that are followed by a digit, possibly superscript.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];
const NUMBERS: &str = "0123456789\u{b9}\u{b2}\u{b3}";

/// Whether Windows takes a name for that of a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_lowercase();
    let is_numbered = |name: &&str| {
        let number = stem.strip_prefix(*name).unwrap_or_default();
        number.chars().count() == 1 && NUMBERS.contains(number)
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(is_numbered)
}

/// The name of a class's folder: its own, with what no file name may have as `%2F` and the like, `%2E` for a dot that would hide it, and the
/// first letter of a name of Windows's own such as `aux` as `%61`.
///
/// # Errors
/// The name is too long, or empty.
pub fn folder(class: &str) -> Result<String, String> {
    let mut name = String::new();
    let last = class.chars().count().saturating_sub(1);
    let is_device = is_device(class);
    for (place, letter) in class.chars().enumerate() {
        // Windows drops dots and spaces at the end.
        let is_at_an_end = (place == 0 && (letter == '.' || is_device))
            || (place == last && ". ".contains(letter));
        if letter.is_control() || FORBIDDEN.contains(letter) || is_at_an_end {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                // Writing to a string can't fail.
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(letter);
        }
    }
    match name.len() {
        0 => Err("a class without a name has no folder; name it in data.classes".into()),
        1..=MAX_BYTES => Ok(name),
        length => Err(format!(
            "the folder of the class {class:?} would have a name of {length} bytes; at most {MAX_BYTES} are possible"
        )),
    }
}

/// The class of a folder of this name: what [`folder`] has escaped is undone. A name that it would not write is the class's own, such as
/// `a%20b`, `100%` and `a%2fb`.
pub fn class(name: &str) -> Cow<'_, str> {
    let escaped = unescaped(name).filter(|class| folder(class).as_deref() == Ok(name));
    escaped.map_or(Cow::Borrowed(name), Cow::Owned)
}

/// A name with `%2F` and the like replaced by what they stand for; `None` if it has none, or one that is none.
fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    let mut has_escapes = false;
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
        has_escapes = true;
    }
    String::from_utf8(bytes).ok().filter(|_| has_escapes)
}

#[cfg(test)]
mod tests {
    use super::{class, folder};

    #[test]
    fn a_class_has_a_folder_of_its_name_without_what_file_names_cant_have() {
        for (class, expected) in [
            ("A", "A"),
            ("sweet pepper", "sweet pepper"),
            ("Ω", "Ω"),
            ("a/b", "a%2Fb"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            (".hidden", "%2Ehidden"),
            ("1.", "1%2E"),
            ("50%", "50%25"),
            ("?", "%3F"),
            ("CON", "%43ON"),
            ("aux", "%61ux"),
            ("Nul.1", "%4Eul.1"),
            ("prn ", "%70rn%20"),
            ("com1", "%63om1"),
            ("LPT\u{b2}", "%4CPT\u{b2}"),
            ("com", "com"),
            ("COM10", "COM10"),
            ("console", "console"),
            ("nullo.aux", "nullo.aux"),
        ] {
            assert_eq!(folder(class).as_deref(), Ok(expected));
            assert_eq!(super::class(expected), class);
        }
        assert_eq!(folder("\u{85}").as_deref(), Ok("%C2%85"));
        assert_eq!(class("%C2%85"), "\u{85}");
        assert!(folder("").is_err());
        assert!(folder(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_name_that_was_not_escaped_here_is_left_as_it_is() {
        for name in [
            "a%20b", "100%", "a%2fb", "%", "%+1", "50%25%", "%FF", "x%41", "CON", "aux", "%61bc",
        ] {
            assert_eq!(class(name), name);
        }
    }
}
