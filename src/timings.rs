//! Times the stages of a job.

use std::time::Duration;
#[cfg(not(target_arch = "wasm32"))]
use std::time::Instant;

#[cfg(target_arch = "wasm32")]
use web_time::Instant;

/// The time that a stage took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lap {
    /// Its name.
    pub stage: &'static str,
    /// Its time.
    pub time: Duration,
}

/// Measures one stage after the other.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    last: Instant,
    laps: Vec<Lap>,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self {
            last: Instant::now(),
            laps: Vec::new(),
        }
    }

    /// Ends a stage and starts the next. The time of a stage that ended before is added to it.
    pub fn lap(&mut self, stage: &'static str) {
        let now = Instant::now();
        let time = now - self.last;
        self.last = now;
        self.add(Lap { stage, time });
    }

    /// Adds stages that were measured elsewhere since the last one ended here.
    pub fn insert(&mut self, laps: &[Lap]) {
        laps.iter().for_each(|&lap| self.add(lap));
        self.last = Instant::now();
    }

    fn add(&mut self, lap: Lap) {
        match self.laps.iter_mut().find(|known| known.stage == lap.stage) {
            Some(known) => known.time += lap.time,
            None => self.laps.push(lap),
        }
    }

    /// The stages, in the order in which they first ended.
    pub fn laps(&self) -> &[Lap] {
        &self.laps
    }
}
