//! Which pages hear of changed queues when: each at most four times a second, of all that changed since the last time together (F2).
//!
//! Agents are spread over 25 slots, whose turns come one after another: ten thousand pages are never told at the same moment.
//! A quiet floor has no turns.

use crate::cx::Millis;
use crate::ids::{AgentId, GroupId};
use std::collections::BTreeSet;

/// A page hears at most once in so long.
pub const EVERY: Millis = 250;
const SLOTS: usize = 25;
/// From one slot's turn to the next one's.
const STEP: Millis = 10;

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
}

impl Board {
    /// The group's queue is another one than it was.
    pub fn changed(&mut self, group: GroupId, now: Millis) {
        if self.untold.iter().all(BTreeSet::is_empty) {
            self.last = self.last.max(now / STEP);
        }
        for slot in &mut self.untold {
            slot.insert(group);
        }
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let mut turns = (self.last + 1..).zip(0..SLOTS).map(|(turn, _)| turn);
        let untold = |turn: &Millis| self.untold.get(slot_of(*turn)).is_some_and(|groups| !groups.is_empty());
        turns.find(untold).map(|turn| turn * STEP)
    }

    /// Who hears now, and of which groups.
    pub fn tick(&mut self, now: Millis) -> Vec<(Slot, BTreeSet<GroupId>)> {
        let mut told = Vec::new();
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            self.last = at / STEP;
            let slot = slot_of(self.last);
            told.extend(self.untold.get_mut(slot).map(|groups| (Slot(slot), std::mem::take(groups))));
        }
        told
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
            let told = board.tick(now);
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
            assert!(board.tick(at - 1).is_empty());
            turns.extend(board.tick(at).into_iter().map(|(slot, _)| (at, slot)));
        }
        assert_eq!(turns.len(), SLOTS);
        assert!(turns.iter().all(|(at, _)| (10_012..=10_012 + EVERY).contains(at)));
        assert!((0..1000).map(AgentId).all(|agent| turns.iter().filter(|(_, slot)| *slot == Slot::of(agent)).count() == 1));
        assert!(turns.windows(2).all(|pair| matches!(pair, [(before, _), (after, _)] if before < after)));
    }

    #[test]
    fn a_late_turn_tells_whoever_is_due_once() {
        let mut board = Board::default();
        board.changed(GroupId(1), 0);
        assert_eq!(board.tick(5_000).len(), SLOTS);
        assert_eq!((board.next_deadline(), board.tick(5_000)), (None, Vec::new()));
        board.changed(GroupId(2), 5_001);
        assert_eq!(board.next_deadline(), Some(5_010));
    }
}
