//! A runtime whose one thread moderates its wake-ups.

use cordboard_core::moderation::{Micros, Moderation};
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// A runtime of one thread, which does `before_sleep` each time it has nothing more to do, and sleeps as [`Moderation`] has it unless that gave it
/// something to do.
pub fn moderated(before_sleep: impl Fn() -> bool + Send + Sync + 'static) -> Builder {
    let (moderation, began) = (Arc::new(Mutex::new(Moderation::default())), Instant::now());
    let now = move || Micros::try_from(began.elapsed().as_micros()).unwrap_or(Micros::MAX);
    let mut builder = Builder::new_current_thread();
    let sleeps = Arc::clone(&moderation);
    builder.enable_all().on_thread_park(move || {
        let more = before_sleep();
        let pause = sleeps.lock().before_sleep(now());
        if let Some(pause) = pause.filter(|_| !more) {
            thread::sleep(Duration::from_micros(pause));
        }
    });
    builder.on_thread_unpark(move || moderation.lock().woke(now()));
    builder
}
