//! Calls out of the centre (E1): the customers whom the switch calls.

use super::{Deed, Engine, Live, Of, Side, heard, micros};
use crate::run::leg::{self, Event, Leg, Micros};
use crate::run::results::LogOut;
use crate::story::{CallOut, Meets, StoryOut};
use cordboard_sip::message::Request;

impl Engine {
    /// An agent dials.
    pub(super) fn dials(&mut self, call: CallOut, now: Micros) {
        self.log_of(call).seen.placed = now;
    }

    /// The INVITE may come before its agent's dialling is told.
    fn log_of(&mut self, call: CallOut) -> &mut LogOut {
        let meets = StoryOut::of(&self.scenario, call).meets;
        self.calls_out.entry(call).or_insert_with(|| LogOut::new(meets))
    }

    /// The switch calls a customer (E1).
    pub(super) fn called_out(&mut self, invite: Request, now: Micros) {
        let Some(call) = CallOut::of(&invite.called()) else { return };
        let LogOut { meets, seen } = self.log_of(call);
        (seen.offered, seen.agents) = (Some(now), vec![call.agent]);
        let meets = *meets;
        let (stream, audio) = self.stream(Of::Out(call), leg::media(&invite.body));
        let (mut leg, rings) = Leg::phone(invite, self.carrier.local, audio);
        let (out, todo) = match meets {
            Meets::Answer(after) => (rings, vec![(now + micros(after), Deed::Answer)]),
            Meets::Busy => (leg.hang_up(now), Vec::new()),
            Meets::Nobody => (rings, Vec::new()),
        };
        let index = self.keep(Live { leg, side: Side::Customer, of: Of::Out(call), agent: None, stream, todo, armed: None });
        self.perform(index, out, now);
    }

    pub(super) fn happened_out(&mut self, index: usize, call: CallOut, event: &Event, now: Micros) {
        let stream = self.legs.get(index).and_then(|live| live.as_ref()?.stream);
        let Some(LogOut { seen, .. }) = self.calls_out.get_mut(&call) else { return };
        match event {
            Event::Rings => {}
            Event::Up => {
                (seen.answered, seen.connected) = (Some(now), Some(now));
                let StoryOut { talk, agent_hangs_up, .. } = StoryOut::of(&self.scenario, call);
                self.join_browser(stream, call.agent);
                if !agent_hangs_up {
                    self.later(index, now + micros(talk), Deed::HangUp);
                }
            }
            Event::Over(ending) => {
                let StoryOut { talk, agent_hangs_up, .. } = StoryOut::of(&self.scenario, call);
                seen.end(*ending, now, micros(talk), agent_hangs_up);
                seen.quiet = Some(micros(StoryOut::QUIET));
                (seen.customer_heard, seen.agent_heard) = heard(&mut self.voices, stream, self.scenario.agents.kind);
                self.forget(index);
            }
        }
    }
}
