//! Panics of other libraries become values.

use std::any::Any;
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

/// The text of a panic, as its payload has it.
pub fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied())
}

/// What panics say that come of a thread which can't be started: the standard library's, and the system's error (`EAGAIN`) in those
/// of crates that unwrap it.
const NO_THREAD: [&str; 2] = ["failed to spawn thread", "Resource temporarily unavailable"];

/// Whether another crate panicked because it could not start a thread.
pub fn is_missing_thread(payload: &(dyn Any + Send)) -> bool {
    text(payload).is_some_and(|text| NO_THREAD.iter().any(|sign| text.contains(sign)))
}

/// From now on, nothing is printed about panics for want of a thread: whoever catches them says it in a line.
pub fn silence_missing_threads() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_missing_thread(info.payload()) {
            before(info);
        }
    }));
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
