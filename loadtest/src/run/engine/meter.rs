//! What the switch and this program take of the machine.

use crate::run::process::{Process, own_cpu};
use crate::run::results::Second;
use std::time::{Duration, Instant};

/// Reads CPU and memory once a second.
pub struct Meter<'a> {
    switch: Option<&'a Process>,
    at: Instant,
    switch_cpu: Option<Duration>,
    own_cpu: Duration,
}

impl<'a> Meter<'a> {
    pub fn new(switch: Option<&'a Process>) -> Self {
        Self { switch, at: Instant::now(), switch_cpu: switch.and_then(Process::cpu), own_cpu: own_cpu() }
    }

    pub fn read(&mut self, second: &mut Second) {
        let wall = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        let (own, switch) = (own_cpu(), self.switch.and_then(Process::cpu));
        second.own_cpu = own.saturating_sub(self.own_cpu).as_secs_f64() / wall;
        second.switch_cpu = switch.zip(self.switch_cpu).map(|(now, before)| now.saturating_sub(before).as_secs_f64() / wall);
        second.switch_memory_mib = self.switch.and_then(Process::memory_mib);
        second.switch_descriptors = self.switch.and_then(Process::descriptors);
        (self.own_cpu, self.switch_cpu) = (own, switch);
    }
}
