//! Gauges that move several times in each call: found by name once.

use metrics::{Gauge, gauge};
use std::sync::LazyLock;

pub static CALLS: LazyLock<Gauge> = LazyLock::new(|| gauge!("cordboard_calls"));
pub static LEGS: LazyLock<Gauge> = LazyLock::new(|| gauge!("cordboard_legs"));
pub static TIMERS: LazyLock<Gauge> = LazyLock::new(|| gauge!("cordboard_timers"));
