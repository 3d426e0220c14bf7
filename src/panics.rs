//! Panics of other libraries become values.

use std::panic::{PanicHookInfo, UnwindSafe};
use std::sync::{Mutex, PoisonError};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// How many probes are running, and the panic hook to put back after the last of them. The hook belongs to the whole process:
/// two threads that swapped it on their own could each put back the other's silent one, for good.
struct Silence {
    probes: usize,
    hook: Option<Hook>,
}

static SILENCE: Mutex<Silence> = Mutex::new(Silence {
    probes: 0,
    hook: None,
});

/// Runs `probe` and returns its value, or `None` if it panics. Nothing is printed meanwhile, not even by the threads that the
/// probe starts; other threads' panics are not printed either while it runs.
pub fn catch_panic<T>(probe: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    silence();
    let result = std::panic::catch_unwind(probe);
    restore();
    result.ok()
}

fn silence() {
    let mut silence = SILENCE.lock().unwrap_or_else(PoisonError::into_inner);
    if silence.probes == 0 {
        silence.hook = Some(std::panic::take_hook());
        std::panic::set_hook(Box::new(|_| {}));
    }
    silence.probes += 1;
}

fn restore() {
    let mut silence = SILENCE.lock().unwrap_or_else(PoisonError::into_inner);
    silence.probes -= 1;
    if silence.probes == 0
        && let Some(hook) = silence.hook.take()
    {
        std::panic::set_hook(hook);
    }
}
