//! Calls into the centre: customers who call, the agents' phones that ring for them, and what workstations tell of them.

use super::{AtDesk, Deed, Engine, Live, Of, Side, agent_of, heard, micros};
use crate::run::leg::{self, Event, Leg, Micros};
use crate::run::results::CallLog;
use crate::story::{Story, Turn, index_of, number_of};
use cordboard_sip::message::Request;

impl Engine {
    pub(super) fn place(&mut self, now: Micros) {
        let call = self.calls.len();
        let caller = number_of(call);
        let id = format!("{:08x}-{call}", self.run);
        let (stream, audio) = self.stream(Of::In(call), None);
        let (leg, out) = Leg::customer(id, &caller, &self.did, self.carrier.local, audio, self.places.switch, now);
        let patience = micros(self.scenario.customers.patience.sample(&mut self.random));
        self.calls.push(CallLog { placed: now, ..CallLog::default() });
        self.this_second.tried += 1;
        let todo = vec![(now + patience, Deed::HangUp)];
        let live = Live { leg, side: Side::Customer, of: Of::In(call), agent: None, stream, todo, armed: None };
        let index = self.keep(live);
        self.customers.push(Some(index));
        self.perform(index, out, now);
    }

    /// The switch calls an agent's phone.
    pub(super) fn called(&mut self, invite: Request, now: Micros) {
        let call = invite.caller().and_then(|caller| index_of(&caller.uri.user().unwrap_or_default()));
        let Some(call) = call.filter(|call| *call < self.calls.len()) else { return };
        let agent = agent_of(&invite.called());
        let (stream, audio) = self.stream(Of::In(call), leg::media(&invite.body));
        let (leg, out) = Leg::phone(invite, self.phones.local, audio);
        let after = micros(self.scenario.agents.answers_after.sample(&mut self.answers));
        let live = Live { leg, side: Side::Phone, of: Of::In(call), agent, stream, todo: vec![(now + after, Deed::Answer)], armed: None };
        self.offered(call, now);
        let index = self.keep(live);
        self.perform(index, out, now);
    }

    fn offered(&mut self, call: usize, now: Micros) {
        if let Some(log) = self.calls.get_mut(call) {
            log.offered.get_or_insert(now);
            log.offers += 1;
        }
    }

    pub(super) fn happened(&mut self, index: usize, event: &Event, now: Micros) {
        let Some(Some(live)) = self.legs.get_mut(index) else { return };
        let (side, stream, agent) = (live.side, live.stream, live.agent);
        let call = match live.of {
            Of::In(call) => call,
            Of::Out(call) => return self.happened_out(index, call, event, now),
        };
        let Some(log) = self.calls.get_mut(call) else { return };
        match (event, side) {
            (Event::Rings, _) => {}
            (Event::Up, Side::Customer) => log.answered = Some(now),
            (Event::Up, Side::Phone) => {
                let first = self.connected(call, agent, now);
                let customer = self.customers.get(call).copied().flatten();
                if let (Some(voices), Some(stream)) = (&mut self.voices, stream)
                    && let Some(customer) = customer
                    && let Some(Some(Live { stream: Some(customer), .. })) = self.legs.get(customer)
                {
                    voices.join(*customer, stream);
                }
                let story = Story::of(&self.scenario, call);
                let hangs_up = if story.agent_hangs_up { Some(index) } else { customer.filter(|_| first) };
                if let Some(hangs_up) = hangs_up {
                    // The second agent of a call has the second half of the talk.
                    self.later(hangs_up, now + micros(if first { story.talk } else { story.talk / 2 }), Deed::HangUp);
                }
            }
            (Event::Over(ending), side) => {
                let (heard, by_agent) = heard(&mut self.voices, stream, self.scenario.agents.kind);
                match side {
                    Side::Customer => {
                        log.agent_heard.add(by_agent);
                        let story = Story::of(&self.scenario, call);
                        log.end(*ending, now, micros(story.talk), story.agent_hangs_up);
                        log.quiet = story.quiet().map(micros);
                        log.customer_heard = heard;
                        if log.connected.is_none() {
                            self.this_second.failed += 1;
                        }
                        if let Some(customer) = self.customers.get_mut(call) {
                            *customer = None;
                        }
                    }
                    Side::Phone => log.agent_heard.add(heard),
                }
                self.forget(index);
            }
        }
    }

    /// A conversation begins; whether with the first agent of the call.
    fn connected(&mut self, call: usize, agent: Option<u32>, now: Micros) -> bool {
        let Some(log) = self.calls.get_mut(call) else { return false };
        log.agents.extend(agent.filter(|agent| !log.agents.contains(agent)));
        let first = log.connected.is_none();
        if first {
            log.connected = Some(now);
            self.this_second.connected += 1;
            match self.customers.get(call).copied().flatten().and_then(|customer| self.legs.get_mut(customer)) {
                // The customer is patient now, and once more with a second agent who does not come.
                Some(Some(live)) if !live.leg.leaves() => {
                    let Story { talk, turn, .. } = Story::of(&self.scenario, call);
                    let patience = micros(talk + self.scenario.customers.patience.sample(&mut self.answers));
                    live.todo = turn.hands_on().then_some((now + patience, Deed::HangUp)).into_iter().collect();
                }
                Some(_) | None => log.crossed = true,
            }
        }
        first
    }

    pub(super) fn at_desk(&mut self, now: Micros, what: AtDesk) {
        match what {
            // A phone tells by itself; calls answered in a browser have none here.
            AtDesk::Rings { .. } | AtDesk::Talks { .. } if self.scenario.agents.kind.has_phones() => {}
            AtDesk::Rings { call } => self.offered(call, now),
            AtDesk::Talks { call, agent } => self.talks(call, agent, now),
            AtDesk::SelfService { call } => {
                if let (Some(customer), Turn::SelfService(key, after)) =
                    (self.customers.get(call).copied().flatten(), Story::of(&self.scenario, call).turn)
                {
                    self.later(customer, now + micros(after), Deed::Press(key));
                }
            }
            AtDesk::Dials(call) => self.dials(call, now),
        }
    }

    fn talks(&mut self, call: usize, agent: u32, now: Micros) {
        let story = Story::of(&self.scenario, call);
        let customer = self.customers.get(call).copied().flatten();
        let stream = customer.and_then(|customer| self.legs.get(customer)).and_then(|live| live.as_ref()?.stream);
        // What an agent before this one heard.
        let before = self.voices.as_mut().zip(stream).and_then(|(voices, stream)| voices.partner_hears_anew(stream));
        if let Some((log, before)) = self.calls.get_mut(call).zip(before) {
            log.agent_heard.add(before);
        }
        self.join_browser(stream, agent);
        if self.connected(call, Some(agent), now)
            && !story.agent_hangs_up
            && let Some(customer) = customer
        {
            self.later(customer, now + micros(story.talk), Deed::HangUp);
        }
    }
}
