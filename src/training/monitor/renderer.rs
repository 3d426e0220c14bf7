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

use super::screen::Screen;
use crate::training::observer::Observer;

/// burn-train's renderer: the dashboard if requested, and the observer.
pub struct Renderer {
    dashboard: Option<Dashboard>,
    observer: Arc<dyn Observer>,
    epoch: usize,
    part: String,
    total: usize,
}

/// Burn's dashboard and its screen, which must outlive it.
struct Dashboard {
    shown: TuiMetricsRendererWrapper,
    screen: Arc<Screen>,
}

impl Renderer {
    /// Burn's dashboard on a screen, whose keys interrupt the run; or plain lines.
    pub fn new(
        screen: Option<&Arc<Screen>>,
        observer: Arc<dyn Observer>,
        interrupter: &Interrupter,
    ) -> Self {
        observer.dashboard(screen.is_some());
        let dashboard = screen.map(|screen| Dashboard {
            shown: TuiMetricsRendererWrapper::new(interrupter.clone(), None),
            screen: screen.clone(),
        });
        Self {
            dashboard,
            observer,
            epoch: 1,
            part: String::new(),
            total: 0,
        }
    }

    /// The dashboard, unless there is none or its screen is lost; then the observer takes over.
    fn shown(&mut self) -> Option<&mut TuiMetricsRendererWrapper> {
        if self.dashboard.as_ref()?.screen.is_lost()
            && let Some(Dashboard { shown, screen }) = self.dashboard.take()
        {
            drop(shown);
            screen.close();
            self.observer.dashboard(false);
        }
        Some(&mut self.dashboard.as_mut()?.shown)
    }
}

impl MetricsRendererTraining for Renderer {
    fn update_train(&mut self, state: MetricState) {
        if let Some(dashboard) = self.shown() {
            dashboard.update_train(state);
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        if let Some(dashboard) = self.shown() {
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
        if let Some(dashboard) = self.shown() {
            dashboard.start(epochs, first, items, label);
        }
    }

    fn start_split(&mut self, split: &str, total: usize) {
        self.part = split.to_string();
        self.total = total;
        if let Some(dashboard) = self.shown() {
            dashboard.start_split(split, total);
        }
    }

    fn update_split(&mut self, done: usize) {
        if let Some(dashboard) = self.shown() {
            dashboard.update_split(done);
        } else {
            let (epoch, total) = (self.epoch, self.total);
            self.observer.progress(epoch, &self.part, done, total);
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
        if let Some(dashboard) = self.shown() {
            dashboard.update_epoch(epoch);
        }
    }

    fn end_split(&mut self) {
        if let Some(dashboard) = self.shown() {
            dashboard.end_split();
        }
    }

    fn end(&mut self) {
        if let Some(dashboard) = self.shown() {
            TrainingProgressLogger::end(dashboard);
        }
    }

    fn log_event_training(&mut self, event: String) {
        if let Some(dashboard) = self.shown() {
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
        if let Some(dashboard) = self.shown() {
            dashboard.register_metric(definition);
        }
    }
}
