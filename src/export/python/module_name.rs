//! Whether Python can import a file by its name.

use std::path::Path;

/// Words that no name of Python may be (`keyword.kwlist` of Python 3.13).
const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except finally for from \
     global if import in is lambda nonlocal not or pass raise return try while with yield";

/// Packages that the code imports, and those that these import in turn.
const PACKAGES: &str = "PIL numpy safetensors sympy torch torchvision typing_extensions";

/// Modules of Python's own library: `sys.stdlib_module_names` of Python 3.11, without the two jokes and those that begin with `_`.
const LIBRARY: &str = "abc aifc argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins \
     bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser \
     contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest \
     email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath \
     getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io \
     ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap \
     modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os \
     ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty \
     pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched \
     secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile \
     sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny \
     tarfile telnetlib tempfile termios textwrap threading time timeit tkinter token tokenize tomllib trace traceback \
     tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser \
     winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";

/// The ending of a module's file; Python knows no other spelling.
const EXTENSION: &str = "py";

/// Why Python could not import a file of this name, or would no longer find another module; and a name that is none of these.
pub fn problem(file: &Path) -> Option<(String, String)> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().unwrap_or_default();
    let is_in = |list: &str| list.split(' ').any(|word| word == stem);
    let problem = if !is_identifier(&stem) {
        format!(
            "{stem} can't be the name of a Python module: letters, digits and _ can, not beginning with a digit"
        )
    } else if is_in(KEYWORDS) {
        format!("{stem} is a keyword of Python, so that no module can be imported by this name")
    } else if is_in(PACKAGES) || is_in(LIBRARY) {
        format!(
            "{stem} is a module that the code needs, and Python would find this file in its place"
        )
    } else if extension != EXTENSION {
        let extension = extension.to_string_lossy();
        format!("Python imports no files that end in .{extension}")
    } else {
        return None;
    };
    Some((problem, format!("{}.{EXTENSION}", usable(&stem))))
}

fn is_identifier(name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    name.chars().all(is_part) && !name.is_empty() && !name.starts_with(char::is_numeric)
}

/// A module's name that is like another one.
fn usable(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        letter if letter.is_alphanumeric() => letter,
        _ => '_',
    });
    let name: String = letters.collect();
    let is_taken = [KEYWORDS, PACKAGES, LIBRARY]
        .iter()
        .any(|list| list.split(' ').any(|word| word == name));
    match name {
        name if name.starts_with(char::is_numeric) => format!("net_{name}"),
        name if is_taken => format!("{name}_net"),
        name => name,
    }
}
