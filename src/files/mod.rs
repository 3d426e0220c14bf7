//! Files and folders: whole or not at all when written, within a limit when read, locked while in use.

mod folders;
mod lock;
mod png;
mod read;
mod together;
mod write;

pub use folders::{
    folder_of, is_temporary, publish_folder, remove_temporaries, sync_folder, sync_tree,
    temporary_folder,
};
pub use lock::{LockFile, require_locks, try_lock};
pub use png::{png, png_of, write_png};
pub use read::{
    EMPTY, hexadecimal, open, read, read_at, read_lines, read_regular_text, read_soon, read_text,
    read_up_to, without_mark,
};
pub use together::write_together;
pub use write::{append_line, write, write_unflushed, write_with};
