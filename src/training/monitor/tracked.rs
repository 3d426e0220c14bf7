//! An observer that also hands each epoch to the trackers of the run.

use std::sync::Arc;

use crate::config::LogTarget;
use crate::run_dir::RunDir;
use crate::tracking::{RunFacts, Sending, Timing, Tracking};
use crate::training::observer::{EpochReport, Observer, Plan};
use crate::training::prepare::Prepared;

/// An observer, and the trackers beside it.
pub struct Tracked {
    observer: Arc<dyn Observer>,
    tracking: Arc<Tracking>,
}

impl Tracked {
    /// Adds trackers to an observer; without any, it stays as it is.
    pub fn observer(observer: Arc<dyn Observer>, tracking: &Arc<Tracking>) -> Arc<dyn Observer> {
        if tracking.is_empty() {
            return observer;
        }
        Arc::new(Self {
            observer,
            tracking: tracking.clone(),
        })
    }
}

/// Starts trackers of a run; their problems become warnings.
pub fn start(
    targets: &[LogTarget],
    prepared: &Prepared,
    run_dir: &RunDir,
    observer: &Arc<dyn Observer>,
) -> Arc<Tracking> {
    let facts = RunFacts {
        run_dir,
        experiment: &prepared.experiment,
        parameters: Some(prepared.parameters),
    };
    let observer = observer.clone();
    let tell = Arc::new(move |problem: &str| observer.warning(problem));
    Arc::new(Tracking::start(targets, &facts, Sending::Now, tell))
}

impl Observer for Tracked {
    fn started(&self, plan: &Plan) {
        self.observer.started(plan);
    }

    fn dashboard(&self, is_shown: bool) {
        self.observer.dashboard(is_shown);
    }

    fn progress(&self, epoch: usize, part: &str, done: usize, total: usize) {
        self.observer.progress(epoch, part, done, total);
    }

    fn epoch(&self, report: &EpochReport) {
        self.observer.epoch(report);
        let timing = Timing {
            seconds: report.duration.as_secs_f64(),
            samples_per_second: report.samples_per_second,
        };
        self.tracking.epoch(&report.record, timing);
    }

    fn finishing(&self) {
        self.observer.finishing();
    }

    fn warning(&self, warning: &str) {
        self.observer.warning(warning);
    }
}
