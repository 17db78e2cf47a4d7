//! New calls have their turn when the calls in progress need nothing (G2). Else a busy switch would begin more and more calls and finish none: who waits
//! hears music, and is a load by that.
//!
//! | others always waited         | a new call waits for | and is then |
//! |------------------------------|----------------------|-------------|
//! | for less than [`TOO_LONG`]   | [`LONG_PATIENCE`]    | turned away |
//! | longer: there are too many   | [`PATIENCE`]         | turned away |

use crate::cx::Millis;
use std::collections::VecDeque;

/// For a moment there may be no time at all: a burst, or a machine that is busy with something else.
const LONG_PATIENCE: Millis = 250;
const TOO_LONG: Millis = 50;
/// Whoever is turned away hears of it soon, and may find time elsewhere.
const PATIENCE: Millis = 15;

/// Those who wait, the first one first.
#[derive(Debug)]
pub struct Turns<T> {
    waiting: VecDeque<(T, Millis)>,
    /// Since when some wait.
    since: Millis,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), since: 0 }
    }
}

impl<T> Turns<T> {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn wait(&mut self, new: T, now: Millis) {
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push_back((new, now));
    }

    /// There is time for one.
    pub fn take(&mut self) -> Option<T> {
        self.waiting.pop_front().map(|(taken, _)| taken)
    }

    /// The next one for whom there was no time; to be asked until there is none.
    pub fn late(&mut self, now: Millis) -> Option<T> {
        let too_many = now.saturating_sub(self.since) >= TOO_LONG;
        let patience = if too_many { PATIENCE } else { LONG_PATIENCE };
        self.waiting.pop_front_if(|(_, came)| now.saturating_sub(*came) > patience).map(|(late, _)| late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_has_the_first_turn() {
        let mut turns = Turns::default();
        turns.wait('a', 0);
        turns.wait('b', 1);
        assert_eq!([turns.take(), turns.take(), turns.take()], [Some('a'), Some('b'), None]);
        assert!(turns.is_empty());
    }

    #[test]
    fn a_burst_is_waited_for_and_where_some_always_wait_nobody_waits_for_long() {
        let mut turns = Turns::default();
        for n in 0..=20 {
            turns.wait(n, 10 * n);
            if n < 5 {
                assert_eq!(turns.late(10 * n), None);
            }
        }
        let late: Vec<_> = std::iter::from_fn(|| turns.late(200)).collect();
        assert_eq!(late, (0..=18).collect::<Vec<_>>());
        while turns.take().is_some() {}
        turns.wait(99, 300);
        assert_eq!((turns.late(349), turns.late(350)), (None, Some(99)), "nobody waited before it");
    }

    /// Work in tenths of a millisecond: each call has ten pieces of it, one after another, and to turn one away is one.
    #[test]
    fn with_twice_the_calls_that_there_is_time_for_nearly_all_the_time_goes_into_calls_that_are_finished() {
        let (mut turns, mut pieces, mut finished, mut away, mut worst) = (Turns::default(), VecDeque::new(), 0, 0, 0);
        for tenth in 0..100_000u64 {
            let now = tenth / 10;
            if tenth % 5 == 0 {
                turns.wait(now, now);
            }
            if let Some(came) = turns.late(now) {
                (away, worst) = (away + 1, worst.max(now - came));
            } else if let Some(left) = pieces.pop_front() {
                if left == 0 { finished += 1 } else { pieces.push_back(left - 1) }
            } else if turns.take().is_some() {
                pieces.push_back(8);
            }
            assert!(pieces.len() <= 1, "a call began while another had work");
        }
        assert!(finished >= 8_500, "{finished} finished, {away} turned away");
        assert!(worst <= TOO_LONG, "{worst} ms");
    }
}
