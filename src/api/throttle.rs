//! How often something may be tried: a budget for each key that refills with time (A6).

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Beyond this many keys, those whose budget is full again are forgotten.
const MANY: usize = 10_000;

pub struct Throttle<K> {
    quota: Quota,
    budgets: Mutex<HashMap<K, Budget>>,
    clock: DefaultClock,
}

struct Budget {
    limiter: DefaultDirectRateLimiter,
    last_used: Instant,
}

impl<K: Eq + Hash> Throttle<K> {
    /// `burst` tries at once; one more after each `refill`.
    pub fn new(burst: NonZeroU32, refill: Duration) -> Self {
        let quota = Quota::with_period(refill).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self { quota, budgets: Mutex::new(HashMap::new()), clock: DefaultClock::default() }
    }

    /// Takes one try of the key's budget, or says how long to wait for the next.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        let mut budgets = self.budgets.lock();
        let now = Instant::now();
        if budgets.len() >= MANY {
            let full_again = self.quota.burst_size_replenished_in();
            budgets.retain(|_, budget| now.duration_since(budget.last_used) < full_again);
        }
        let budget = budgets.entry(key).or_insert_with(|| Budget { limiter: RateLimiter::direct(self.quota), last_used: now });
        budget.last_used = now;
        budget.limiter.check().map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// The key has its whole budget back.
    pub fn forgive(&self, key: &K) {
        self.budgets.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Throttle<&'static str> {
        Throttle::new(NonZeroU32::new(3).unwrap(), Duration::from_secs(3_600))
    }

    #[test]
    fn a_key_has_its_own_budget() {
        let throttle = three();
        assert!((0..3).all(|_| throttle.take("mei").is_ok()));
        assert!(throttle.take("mei").unwrap_err() > Duration::from_secs(3_500));
        assert!(throttle.take("tom").is_ok());
    }

    #[test]
    fn a_key_that_is_forgiven_starts_afresh() {
        let throttle = three();
        assert!((0..3).all(|_| throttle.take("mei").is_ok()));
        throttle.forgive(&"mei");
        assert!(throttle.take("mei").is_ok());
    }
}
