//! Who hears whom in a consultation and after it, and what its agents see (D5).

use super::super::{Call, State, Talk};
use super::Third;
use crate::message::{Action, MediaAction, Side, Source};
use crate::record::What;

impl Call {
    pub(in crate::call) fn voices_changed(&mut self, out: &mut Vec<Action>) {
        self.join_voices(out);
        self.settle_hold(out);
        self.show_talk(out);
        self.show_guest(out);
    }

    /// The customer's time on hold, whatever the reason (G1).
    fn settle_hold(&mut self, out: &mut Vec<Action>) {
        if let State::Aside(aside) = &mut self.state {
            aside.settle_hold(out);
        } else if let State::Talking(talk) = &mut self.state {
            let waits = talk.seat.held && !talk.is_in_flow() || talk.consult.as_ref().is_some_and(|consult| consult.side == Side::Third);
            if std::mem::replace(&mut talk.waits, waits) != waits {
                out.push(Action::Journal(if waits { What::Held } else { What::Resumed }));
            }
        }
    }

    /// A consultation's voices; whether there is one.
    pub(in crate::call) fn join_three(&self, talk: &Talk, out: &mut Vec<Action>) -> bool {
        let Some(consult) = &talk.consult else { return false };
        let music = || Source::Music(talk.seat.terms.music.clone());
        let (customer, agent) = (self.arrival.leg, talk.seat.leg);
        let mut hear = |leg, source| out.push(Action::Media(MediaAction::Hear { leg, source }));
        let Some(third) = consult.up().map(Third::leg) else {
            hear(customer, music());
            hear(agent, consult.waiting_sound());
            return true;
        };
        match consult.side {
            Side::Third => {
                hear(customer, music());
                hear(agent, Source::Leg(third));
                hear(third, talk.seat.voice());
            }
            Side::Customer => {
                hear(customer, talk.seat.voice());
                hear(agent, Source::Leg(customer));
                hear(third, music());
            }
            Side::All => {
                let with_agent =
                    |other| if talk.seat.muted || talk.seat.away { Source::Leg(other) } else { Source::Mix(vec![other, agent]) };
                hear(customer, with_agent(third));
                hear(agent, Source::Mix(vec![customer, third]));
                hear(third, with_agent(customer));
            }
        }
        true
    }

    pub(in crate::call) fn join_two(&self, out: &mut Vec<Action>) {
        let mut hear = |leg, source| out.push(Action::Media(MediaAction::Hear { leg, source }));
        match &self.state {
            State::Aside(aside) => match aside.consult.up() {
                Some(third) => {
                    hear(aside.seat.leg, third.voice());
                    hear(third.leg(), aside.seat.voice());
                }
                None => hear(aside.seat.leg, aside.consult.waiting_sound()),
            },
            State::Bridged(outside) => {
                hear(self.arrival.leg, Source::Leg(outside.leg));
                hear(outside.leg, Source::Leg(self.arrival.leg));
            }
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Talking(_)
            | State::Leaving { .. }
            | State::Over => {}
        }
    }

    /// What the third sees, where that is an agent.
    pub(in crate::call) fn show_guest(&self, out: &mut Vec<Action>) {
        if let Some(seat) = self.guest() {
            self.show_here(seat, None, out);
        }
    }
}
