//! How much a PyTorch file may describe, besides its weights.

/// Maximum length of a pickle in bytes. SqueezeNet's has 6 kB for 52 tensors.
pub const MAX_BYTES: u64 = 16 << 20;

/// Maximum number of instructions in a file's pickles. Each makes a value of about fifty bytes at most, besides texts; a tensor
/// takes about forty, and a number that was noted in every step of training one.
pub const MAX_INSTRUCTIONS: usize = 2_000_000;

/// Maximum number of tensors, and of everything that is looked at to find them: a pickle can contain one value many times.
pub const MAX_TENSORS: usize = 65_536;
pub const MAX_VISITS: usize = 2_000_000;

/// Maximum length of a tensor's name in bytes, and number of dictionaries around it.
pub const MAX_NAME_BYTES: usize = 1024;
pub const MAX_DEPTH: usize = 64;

/// Maximum length of all names in bytes, and number of dictionaries that are kept apart.
pub const MAX_NAMES_BYTES: usize = 16 << 20;
pub const MAX_DICTIONARIES: usize = 4096;

/// Maximum number of zip entries: one per tensor, and a few more.
pub const MAX_ENTRIES: u64 = 65_536;

/// Maximum length of a zip's directory in bytes.
pub const MAX_DIRECTORY_BYTES: u64 = 32 << 20;

/// Maximum total bytes that compressed entries may unpack to. `torch.save` compresses nothing.
pub const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// What is said about a pickle beyond the limits.
pub fn too_long() -> String {
    format!(
        "its pickle data is longer than {MAX_BYTES} bytes or {MAX_INSTRUCTIONS} instructions; \
         save the state_dict alone"
    )
}

/// What is said about a file of a machine with the other byte order.
pub const BIG_ENDIAN: &str = "it was written on a big-endian machine; re-save it on another";
