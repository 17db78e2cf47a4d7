//! New calls have their turn when nothing that came of the calls in progress is left to do (G2). Else a busy switch would begin more and more calls and
//! finish none: who waits hears music, and is a load by that.
//!
//! | state      | what                                                                  | →          |
//! |------------|-----------------------------------------------------------------------|------------|
//! | taking all | over [`TOO_LONG`] whoever was the first waited for more than [`LONG`] | shedding   |
//! | shedding   | one has waited for more than [`PATIENCE`]                             | it is late |
//! | shedding   | for [`CALM`] none was late                                            | taking all |

use crate::cx::Millis;
use std::collections::VecDeque;

/// A wait that is felt. Shorter ones come and go where there is time for nearly as many calls as come.
const LONG: Millis = 50;
/// A burst, or what came while the machine was busy with something else, is served in less.
const TOO_LONG: Millis = 250;
/// Whoever is turned away hears of it soon, and may find time elsewhere.
const PATIENCE: Millis = 15;
const CALM: Millis = 500;

/// Those who wait, the first one first.
#[derive(Debug)]
pub struct Turns<T> {
    waiting: VecDeque<(T, Millis)>,
    /// Since when whoever was the first has waited for more than [`LONG`].
    long_since: Option<Millis>,
    /// It is shedding until then.
    sheds_until: Millis,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), long_since: None, sheds_until: 0 }
    }
}

impl<T> Turns<T> {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// `came`: not before the one that came last.
    pub fn wait(&mut self, new: T, came: Millis) {
        self.waiting.push_back((new, came));
    }

    /// There is time for one.
    pub fn take(&mut self) -> Option<T> {
        self.waiting.pop_front().map(|(taken, _)| taken)
    }

    /// The next one for whom there is no time; to be asked until there is none.
    pub fn late(&mut self, now: Millis) -> Option<T> {
        let long = self.waiting.front().map(|(_, came)| came + LONG).filter(|long| *long < now);
        self.long_since = long.map(|long| self.long_since.unwrap_or(long));
        if self.long_since.is_some_and(|since| now - since >= TOO_LONG) {
            self.sheds_until = now + CALM;
        }
        if now >= self.sheds_until {
            return None;
        }
        let (late, _) = self.waiting.pop_front_if(|(_, came)| now.saturating_sub(*came) > PATIENCE)?;
        self.sheds_until = now + CALM;
        Some(late)
    }

    /// Those who are gone have no turn.
    pub fn forget(&mut self, gone: impl Fn(&T) -> bool) {
        self.waiting.retain(|(waits, _)| !gone(waits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_has_the_first_turn_and_who_is_gone_has_none() {
        let mut turns = Turns::default();
        for (name, came) in [('a', 0), ('b', 1), ('c', 1)] {
            turns.wait(name, came);
        }
        turns.forget(|name| *name == 'b');
        assert_eq!([turns.take(), turns.take(), turns.take()], [Some('a'), Some('c'), None]);
        assert!(turns.is_empty());
    }

    #[test]
    fn a_burst_is_served() {
        let mut turns = Turns::default();
        for n in 0..30 {
            turns.wait(n, 0);
        }
        for turn in 1..30 {
            assert_eq!((turns.late(8 * turn), turns.take().is_some()), (None, true));
        }
    }

    #[test]
    fn where_some_always_wait_nobody_waits_for_long_until_there_is_time_again() {
        let mut turns = Turns::default();
        for n in 0..30 {
            assert_eq!(turns.late(10 * n), None);
            turns.wait(n, 10 * n);
        }
        let late = |turns: &mut Turns<u64>, now| std::iter::from_fn(|| turns.late(now)).collect::<Vec<_>>();
        assert_eq!(late(&mut turns, 300), (0..=28).collect::<Vec<_>>());
        while turns.take().is_some() {}
        turns.wait(99, 600);
        assert_eq!((turns.late(615), turns.late(616)), (None, Some(99)), "there was no time a moment ago");
        turns.wait(100, 1_200);
        assert_eq!(turns.late(1_300), None, "for half a second nobody was late");
    }

    /// What became of ten seconds' calls.
    #[derive(Default)]
    struct Outcome {
        finished: u32,
        away: u32,
        /// The longest that who was turned away had waited, after the first half second.
        worst: Millis,
    }

    /// Work in tenths of a millisecond: each call has ten pieces of it, one after another, and to turn one away is one. A call comes each so many
    /// tenths, and each second the machine is busy with something else for so many milliseconds.
    fn works(call_each: u64, elsewhere: Millis) -> Outcome {
        let (mut turns, mut pieces, mut outcome) = (Turns::default(), VecDeque::new(), Outcome::default());
        for tenth in 0..100_000u64 {
            let now = tenth / 10;
            if tenth % call_each == 0 {
                turns.wait(now, now);
            }
            if now % 1_000 < elsewhere {
                continue;
            }
            if let Some(came) = turns.late(now) {
                outcome.away += 1;
                if now > 2 * TOO_LONG {
                    outcome.worst = outcome.worst.max(now - came);
                }
            } else if let Some(left) = pieces.pop_front() {
                if left == 0 { outcome.finished += 1 } else { pieces.push_back(left - 1) }
            } else if turns.take().is_some() {
                pieces.push_back(8);
            }
        }
        outcome
    }

    #[test]
    fn with_twice_the_calls_that_there_is_time_for_nearly_all_the_time_goes_into_calls_that_are_finished() {
        let Outcome { finished, away, worst } = works(5, 0);
        assert!(finished >= 8_500, "{finished} finished, {away} turned away");
        assert!(worst <= PATIENCE + 1, "{worst} ms");
    }

    #[test]
    fn a_machine_that_has_time_for_all_calls_but_not_always_turns_none_away() {
        let Outcome { finished, away, .. } = works(11, 60);
        assert_eq!(away, 0);
        assert!(finished >= 9_000, "{finished} finished");
    }
}
