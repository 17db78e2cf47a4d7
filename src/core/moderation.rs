//! How long a thread sleeps at least (interrupt moderation): while much comes, each datagram would wake it by itself, and a wake-up costs as much as
//! what is done about the datagram. A little later, what came meanwhile is taken together.

/// Microseconds on the monotonic clock.
pub type Micros = u64;

/// What it costs in time: no more than a hop in a network.
const PAUSE: Micros = 300;
/// Over how long it is seen how busy the thread is.
const WINDOW: Micros = 10_000;
/// A thread that is less busy than this, in per cent, is woken at once.
const IDLE: Micros = 20;
/// And one that is busier than this finds company for whatever comes, without a pause, which would only keep it from its work.
const FULL: Micros = 80;

// | in the last window the thread was | it sleeps                                     |
// |-----------------------------------|-----------------------------------------------|
// | busy for less than IDLE           | until something comes                         |
// | busy for IDLE to FULL             | for PAUSE, and then until something comes     |
// | busier                            | until something comes, which is there already |
/// Told when the thread sleeps and when it wakes.
#[derive(Debug, Default)]
pub struct Moderation {
    began: Micros,
    woke: Micros,
    busy: Micros,
    pauses: bool,
}

impl Moderation {
    /// The thread has nothing more to do. Gives how long it sleeps whatever comes.
    pub fn before_sleep(&mut self, now: Micros) -> Option<Micros> {
        self.busy += now.saturating_sub(self.woke);
        let passed = now.saturating_sub(self.began);
        if passed >= WINDOW {
            let percent = self.busy * 100 / passed;
            self.pauses = (IDLE..FULL).contains(&percent);
            (self.began, self.busy) = (now, 0);
        }
        self.pauses.then_some(PAUSE)
    }

    /// Something came, after the pause if there was one.
    pub fn woke(&mut self, now: Micros) {
        self.woke = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread to which something comes regularly, for a second: how often it sleeps, and how long what comes waits for its turn at most.
    fn works(every: Micros, wake_up: Micros, each: Micros) -> (usize, Micros) {
        let (mut moderation, mut now, mut next) = (Moderation::default(), 0, 0);
        let (mut sleeps, mut waited) = (0, 0);
        while now < 1_000_000 {
            sleeps += 1;
            now += moderation.before_sleep(now).unwrap_or_default();
            now = now.max(next);
            moderation.woke(now);
            now += wake_up;
            while next <= now {
                waited = waited.max(now - next);
                now += each;
                next += every;
            }
        }
        (sleeps, waited)
    }

    #[test]
    fn what_comes_now_and_then_wakes_at_once() {
        assert_eq!(works(1_000, 10, 50), (1_001, 10));
    }

    #[test]
    fn a_busy_thread_takes_together_what_came_in_a_short_while() {
        let (sleeps, waited) = works(100, 10, 50);
        assert!((1_200..2_000).contains(&sleeps), "{sleeps}");
        assert!(waited <= 2 * PAUSE, "{waited}");
    }

    #[test]
    fn a_thread_that_has_hardly_time_for_it_all_does_not_pause() {
        let (_, waited) = works(100, 10, 89);
        assert!(waited < PAUSE, "{waited}");
    }
}
