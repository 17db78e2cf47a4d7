//! Which pages hear of changed queues when: each at most four times a second, of all that changed since the last time together (F2).
//!
//! Agents are spread over 25 slots, whose turns come one after another: ten thousand pages are never told at the same moment.
//! A quiet floor has no turns. On a machine that is too slow for all of them they come later, so that nothing more urgent waits behind them.

use crate::cx::Millis;
use crate::ids::{AgentId, GroupId};
use std::collections::BTreeSet;

/// A page hears at most once in so long.
pub const EVERY: Millis = 250;
const SLOTS: usize = 25;
/// From one slot's turn to the next one's.
const STEP: Millis = 10;
/// A turn that comes so late is not made up for: those after it come later too.
const LATE: Millis = STEP / 2;
/// How often a turn that waits for the end of the one before looks again.
const AGAIN: Millis = 2;
/// It waits no longer: a page that does not read what it is told keeps nobody else waiting.
const PATIENCE: Millis = 50;

/// Agents who have their turn together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(usize);

impl Slot {
    pub fn of(agent: AgentId) -> Self {
        Self(usize::try_from(agent.0.unsigned_abs()).map_or(0, |id| id % SLOTS))
    }
}

#[derive(Default)]
pub struct Board {
    /// What each slot has not heard.
    untold: [BTreeSet<GroupId>; SLOTS],
    /// Turns are counted from the clock's beginning; this is the last one that is over.
    last: Millis,
    /// How much later than by the clock turns come, since some came late.
    behind: Millis,
    /// When the last turn was.
    told_at: Millis,
}

impl Board {
    /// The group's queue is another one than it was.
    pub fn changed(&mut self, group: GroupId, now: Millis) {
        if self.untold.iter().all(BTreeSet::is_empty) {
            self.last = self.last.max(now.saturating_sub(self.behind) / STEP);
        }
        for slot in &mut self.untold {
            slot.insert(group);
        }
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let mut turns = (self.last + 1..).zip(0..SLOTS).map(|(turn, _)| turn);
        let untold = |turn: &Millis| self.untold.get(slot_of(*turn)).is_some_and(|groups| !groups.is_empty());
        turns.find(untold).map(|turn| turn * STEP + self.behind)
    }

    /// Who hears now, and of which groups. `telling`: many have not heard yet what was told last.
    pub fn tick(&mut self, now: Millis, telling: bool) -> Option<(Slot, BTreeSet<GroupId>)> {
        let at = self.next_deadline().filter(|at| *at <= now)?;
        if telling && now < self.told_at + PATIENCE {
            self.behind += now + AGAIN - at;
            return None;
        }
        self.told_at = now;
        self.last = (at - self.behind) / STEP;
        if now - at >= LATE {
            self.behind += now - at;
        }
        let slot = slot_of(self.last);
        self.untold.get_mut(slot).map(|groups| (Slot(slot), std::mem::take(groups)))
    }
}

fn slot_of(turn: Millis) -> usize {
    usize::try_from(turn).map_or(0, |turn| turn % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays ten seconds in which a group changes every `every` milliseconds; the moments at which this agent's page heard.
    fn heard(agent: AgentId, groups: &[GroupId], every: Millis) -> Vec<Millis> {
        let (mut board, mut heard) = (Board::default(), Vec::new());
        for now in 1_000..11_000 {
            if now % every == 0 {
                groups.iter().for_each(|group| board.changed(*group, now));
            }
            let told = board.tick(now, false);
            heard.extend(told.into_iter().filter(|(slot, _)| *slot == Slot::of(agent)).map(|(_, told)| {
                assert_eq!(told.into_iter().collect::<Vec<_>>(), groups);
                now
            }));
        }
        heard
    }

    #[test]
    fn a_page_hears_four_times_a_second_of_all_queues_that_change_together() {
        let groups = [GroupId(1), GroupId(2), GroupId(3)];
        for agent in (0..25).map(AgentId) {
            let heard = heard(agent, &groups, 7);
            assert!((39..=40).contains(&heard.len()), "{agent:?}: {}", heard.len());
            assert!(heard.windows(2).all(|pair| matches!(pair, [before, after] if after - before == EVERY)));
        }
    }

    #[test]
    fn a_change_is_heard_within_a_quarter_of_a_second_by_all_agents_and_not_by_all_at_once() {
        let mut board = Board::default();
        board.changed(GroupId(1), 10_012);
        let mut turns = Vec::new();
        while let Some(at) = board.next_deadline() {
            assert!(board.tick(at - 1, false).is_none());
            turns.extend(board.tick(at, false).into_iter().map(|(slot, _)| (at, slot)));
        }
        assert_eq!(turns.len(), SLOTS);
        assert!(turns.iter().all(|(at, _)| (10_012..=10_012 + EVERY).contains(at)));
        assert!((0..1000).map(AgentId).all(|agent| turns.iter().filter(|(_, slot)| *slot == Slot::of(agent)).count() == 1));
        assert!(turns.windows(2).all(|pair| matches!(pair, [(before, _), (after, _)] if before < after)));
    }

    #[test]
    fn after_a_stall_whoever_is_due_is_told_once_and_one_after_another() {
        let mut board = Board::default();
        board.changed(GroupId(1), 0);
        let (mut now, mut told) = (5_000, BTreeSet::new());
        while let Some((Slot(slot), _)) = board.tick(now, false) {
            assert!(told.insert(slot) && board.tick(now + STEP - 1, false).is_none());
            now += STEP;
        }
        assert_eq!((told.len(), board.next_deadline()), (SLOTS, None));
        board.changed(GroupId(2), now + 1);
        assert_eq!(board.next_deadline(), Some(now + STEP));
    }

    /// To tell a slot takes half as long again as there is time for.
    #[test]
    fn where_pages_are_too_slow_all_are_told_equally_often_and_no_two_slots_at_once() {
        let (mut board, mut told, mut telling_until) = (Board::default(), [0; SLOTS], 0);
        for now in 0..30_000 {
            board.changed(GroupId(1), now);
            if let Some((Slot(slot), _)) = board.tick(now, now < telling_until) {
                assert!(now >= telling_until);
                telling_until = now + STEP * 3 / 2;
                told[slot] += 1;
            }
        }
        assert!(told.iter().all(|times| (74..=76).contains(times)), "{told:?}");
    }

    #[test]
    fn pages_that_never_hear_keep_the_others_waiting_for_a_moment_only() {
        let (mut board, mut turns) = (Board::default(), Vec::new());
        for now in 0..10_000 {
            board.changed(GroupId(1), now);
            turns.extend(board.tick(now, true).map(|_| now));
        }
        assert!(turns.windows(2).all(|pair| matches!(pair, [before, after] if after - before <= PATIENCE + AGAIN)));
        assert!(turns.len() > 180, "{}", turns.len());
    }
}
