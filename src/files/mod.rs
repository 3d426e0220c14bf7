//! Files and folders: whole or not at all when written, within a limit when read, locked while in use.

#[cfg(feature = "app")]
mod folders;
#[cfg(feature = "app")]
mod lock;
mod png;
#[cfg(feature = "app")]
mod png_file;
mod read;
#[cfg(feature = "app")]
mod together;
#[cfg(feature = "app")]
mod write;

#[cfg(feature = "app")]
pub use folders::{
    folder_of, is_temporary, publish_folder, remove_temporaries, sync_folder, sync_tree,
    temporary_folder,
};
#[cfg(feature = "app")]
pub use lock::{LockFile, require_locks, try_lock};
pub use png::{png, png_of};
#[cfg(feature = "app")]
pub use png_file::write_png;
pub use read::{
    EMPTY, hexadecimal, open, read, read_at, read_lines, read_regular_text, read_soon, read_text,
    read_up_to, without_mark,
};
#[cfg(feature = "app")]
pub use together::write_together;
#[cfg(feature = "app")]
pub use write::{append_line, write, write_unflushed, write_with};
