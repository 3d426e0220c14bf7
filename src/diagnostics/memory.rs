//! The memory of this process.

/// Largest resident memory of this process so far in MB of 2^20 bytes, from Linux's `/proc`; 0 on other systems.
pub fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        let rest = line.strip_prefix("VmHWM:")?;
        rest.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    kilobytes.unwrap_or(0) / 1024
}
