//! The learning rate as a function of the step.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use crate::config::ScheduleConfig;

/// The learning rate of a step.
///
/// `step` counts optimizer steps from 0; the run has `epochs` times `steps_per_epoch` of them. Step: `base *
/// gamma^floor(epoch / every)`, as PyTorch's `StepLR`. Cosine: `base * (f + (1 - f) (1 + cos(pi t)) / 2)` with `t` from
/// 0 after the warm-up to 1 at the end of the run (Loshchilov and Hutter 2017, equation 5); during the warm-up the
/// rate rises linearly and reaches `base` with its last step.
pub fn learning_rate(
    schedule: &ScheduleConfig,
    base: f64,
    epochs: usize,
    steps_per_epoch: usize,
    step: usize,
) -> f64 {
    let per_epoch = steps_per_epoch.max(1);
    match schedule {
        ScheduleConfig::Constant(_) => base,
        ScheduleConfig::Step(config) => {
            let reductions = (step / per_epoch) / config.every;
            base * config
                .gamma
                .powi(i32::try_from(reductions).unwrap_or(i32::MAX))
        }
        ScheduleConfig::Cosine(config) => {
            let warmup = config.warmup * per_epoch as f64;
            let total = (epochs * per_epoch) as f64;
            let position = step as f64;
            if position < warmup {
                return base * ((position + 1.0) / warmup).min(1.0);
            }
            let progress = ((position - warmup) / (total - warmup)).clamp(0.0, 1.0);
            let cosine = (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0;
            base * (config.final_factor + (1.0 - config.final_factor) * cosine)
        }
    }
}

/// [`learning_rate`] as a Burn scheduler.
#[derive(Debug, Clone)]
pub struct EpochSchedule {
    schedule: ScheduleConfig,
    base: f64,
    epochs: usize,
    steps_per_epoch: usize,
    step: usize,
}

impl EpochSchedule {
    /// A schedule at its first step.
    pub fn new(
        schedule: &ScheduleConfig,
        base: f64,
        epochs: usize,
        steps_per_epoch: usize,
    ) -> Self {
        Self {
            schedule: schedule.clone(),
            base,
            epochs,
            steps_per_epoch,
            step: 0,
        }
    }

    /// The same with every rate times `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            base: self.base * factor,
            ..self.clone()
        }
    }
}

impl LrScheduler for EpochSchedule {
    fn step(&mut self) -> f64 {
        let rate = learning_rate(
            &self.schedule,
            self.base,
            self.epochs,
            self.steps_per_epoch,
            self.step,
        );
        self.step += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.step as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.step = record.scalar::<u64>("step").unwrap_or(0) as usize;
    }
}
