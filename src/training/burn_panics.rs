//! Turns a panic of burn-train into an error: the user killed the run from the dashboard, or a worker thread has died.

use std::any::Any;

use super::error::TrainError;
use crate::panics;

/// The start of the panic by which Burn's dashboard ends a run that the user kills (burn-train 0.22, `renderer/tui/renderer.rs`);
/// there is no other way to tell. `tests/run/dashboard.rs` kills a run from the dashboard.
const KILLED: &str = "Killing training";

/// The error behind a panic that came out of burn-train.
pub fn error_of(panic: &(dyn Any + Send)) -> TrainError {
    let text = panics::text(panic).unwrap_or("for an unknown reason");
    if text.contains(KILLED) {
        return TrainError::Killed;
    }
    if panics::is_missing_thread(panic) {
        return TrainError::Stopped(
            "a thread can't be started; raise ulimit -u or ulimit -v".into(),
        );
    }
    match TrainError::stopped(text) {
        TrainError::Stopped(_) => {
            TrainError::Stopped(text.lines().next().unwrap_or(text).to_string())
        }
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    fn error_from(panic: impl FnOnce() + std::panic::UnwindSafe) -> TrainError {
        let panic = std::panic::catch_unwind(panic).expect_err("a panic");
        error_of(panic.as_ref())
    }

    #[test]
    fn a_kill_from_the_dashboard_is_told_from_other_panics() {
        let killed = error_from(|| panic_any("Killing training from user input."));
        assert!(matches!(killed, TrainError::Killed));
        let other = error_from(|| panic_any("a worker died\nbacktrace".to_string()));
        assert_eq!(other.to_string(), "training stopped: a worker died");
        assert!(matches!(
            error_from(|| panic_any(7)),
            TrainError::Stopped(_)
        ));
    }
}
