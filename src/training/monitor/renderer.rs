//! Shows the progress of a run: on burn-train's dashboard, or through the [`Observer`].

use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use super::terminal;
use crate::training::observer::Observer;

/// burn-train's renderer: the dashboard if requested, and the observer.
pub struct Renderer {
    dashboard: Option<TuiMetricsRendererWrapper>,
    observer: Arc<dyn Observer>,
    epoch: usize,
    part: String,
    total: usize,
    ctrl_c_restored: bool,
}

impl Renderer {
    /// The dashboard, whose keys interrupt the run, or plain lines.
    pub fn new(dashboard: bool, observer: Arc<dyn Observer>, interrupter: &Interrupter) -> Self {
        if dashboard {
            Self::dashboard(observer, interrupter.clone())
        } else {
            Self::plain(observer)
        }
    }

    /// A renderer without a dashboard.
    fn plain(observer: Arc<dyn Observer>) -> Self {
        Self {
            dashboard: None,
            observer,
            epoch: 1,
            part: String::new(),
            total: 0,
            ctrl_c_restored: false,
        }
    }

    /// A renderer with Burn's dashboard on standard output, which must be a terminal.
    fn dashboard(observer: Arc<dyn Observer>, interrupter: Interrupter) -> Self {
        terminal::remember();
        Self {
            dashboard: Some(TuiMetricsRendererWrapper::new(interrupter, None)),
            ..Self::plain(observer)
        }
    }

    /// In the dashboard's raw mode Ctrl-C is a key, which it ignores; this makes it a signal again, as soon as the dashboard's
    /// thread has switched modes.
    fn restore_ctrl_c(&mut self) {
        if self.dashboard.is_some() && !self.ctrl_c_restored {
            self.ctrl_c_restored = terminal::ctrl_c_in_raw_mode();
        }
    }
}

impl MetricsRendererTraining for Renderer {
    fn update_train(&mut self, state: MetricState) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_train(state);
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_valid(state);
        }
    }

    fn on_train_end(
        &mut self,
        _summary: Option<burn::train::LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        // Not passed on: the dashboard would reset the interrupter, and it closes when it is dropped.
        Ok(())
    }
}

impl TrainingProgressLogger for Renderer {
    fn start(&mut self, epochs: usize, first: usize, items: Option<usize>, label: Option<&str>) {
        self.epoch = first;
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.start(epochs, first, items, label);
        }
    }

    fn start_split(&mut self, split: &str, total: usize) {
        self.part = split.to_string();
        self.total = total;
        self.restore_ctrl_c();
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.start_split(split, total);
        }
    }

    fn update_split(&mut self, done: usize) {
        self.restore_ctrl_c();
        match &mut self.dashboard {
            Some(dashboard) => dashboard.update_split(done),
            None => self
                .observer
                .progress(self.epoch, &self.part, done, self.total),
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_epoch(epoch);
        }
    }

    fn end_split(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.end_split();
        }
    }

    fn end(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            TrainingProgressLogger::end(dashboard);
        }
    }

    fn log_event_training(&mut self, event: String) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.log_event_training(event);
        }
    }
}

// kiln evaluates without burn-train, which requires these all the same.
impl EvaluationProgressLogger for Renderer {
    fn start_global_progress(&mut self, _tests: usize) {}
    fn start_test(&mut self, _name: &str, _total: usize) {}
    fn update_test_progress(&mut self, _done: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}

impl MetricsRendererEvaluation for Renderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl MetricsRenderer for Renderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.register_metric(definition);
        }
    }
}
