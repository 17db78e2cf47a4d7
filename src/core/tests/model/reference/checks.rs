//! What must hold, told from the floor and the reference.

use super::{Caller, Reference, internal};
use crate::floor::{Far, Floor};
use cordboard_core::agent::{Chosen, GRACE, RING_REACH};
use cordboard_core::call::Call;
use cordboard_core::group::REFUSED_REST;
use cordboard_core::ids::{AgentId, CallId};
use cordboard_core::leg::Kind;
use cordboard_core::message::Source;
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::What;
use cordboard_core::setup::{GroupSetup, Strategy};
use std::collections::BTreeSet;

impl Reference {
    // ---- at any moment ----

    /// What holds even while messages are under way.
    pub fn check_moment(&mut self, floor: &Floor) {
        let mut wrong = Vec::new();
        for (id, agent) in &floor.agents {
            let person = &self.people[id];
            if let Some((offer, ends)) = person.lease
                && ends < floor.now
            {
                wrong.push(format!("{id:?} holds {offer:?} beyond the lease"));
            }
            if person.wrap_up.flatten().is_some_and(|ends| ends < floor.now) {
                wrong.push(format!("{id:?}: after-call work goes on beyond its time"));
            }
            let gone = |ms| person.away_since.is_some_and(|since| since + ms < floor.now);
            if gone(GRACE) || gone(RING_REACH) && person.rings_since.is_some_and(|since| since + RING_REACH < floor.now) {
                wrong.push(format!("{id:?} is out of reach and still {}", agent.kind()));
            }
        }
        for what in wrong {
            self.wrong(what);
        }
    }

    /// What holds when no message is under way.
    pub fn check(&mut self, floor: &Floor) {
        let mut wrong = Vec::new();
        self.check_agents(floor, &mut wrong);
        self.check_calls(floor, &mut wrong);
        self.check_queues(floor, &mut wrong);
        for (id, trunk) in &floor.trunks {
            let live: Vec<CallId> = floor.calls.values().filter(|l| !l.machine.is_over()).map(|l| l.machine.id()).collect();
            let channels: usize = floor.calls.values().map(|line| line.machine.channels()).sum();
            if trunk.channels() != channels || live.iter().any(|call| floor.calls[call].machine.channels() > 0 && !trunk.holds(*call)) {
                wrong.push(format!("{id:?} counts {} channels for {channels} of {} calls", trunk.channels(), live.len()));
            }
        }
        for leg in floor.legs.values() {
            if !floor.calls.contains_key(&leg.call) {
                wrong.push(format!("{:?} outlives its call", leg.id));
            }
        }
        for what in wrong {
            self.wrong(what);
        }
    }

    fn check_agents(&self, floor: &Floor, wrong: &mut Vec<String>) {
        for (id, agent) in &floor.agents {
            let line = agent.held_by().map(|(call, offer)| (call, offer, floor.calls.get(&call)));
            match line {
                Some((_, Some(offer), _)) if self.lost_offers.contains(&offer) && agent.kind() == "Reserved" => {}
                Some((call, _, None)) => wrong.push(format!("{id:?} is {} for {call:?}, which is gone", agent.kind())),
                Some((call, Some(offer), Some(line))) if !line.machine.offered().contains(&(offer, *id)) => {
                    wrong.push(format!("{id:?} is {} for {call:?}, which knows of no offer", agent.kind()));
                }
                Some((call, None, Some(line))) if !line.machine.agents().iter().any(|(agent, _)| agent == id) => {
                    wrong.push(format!("{id:?} is in line with {call:?}, which is not with them"));
                }
                Some(_) | None => {}
            }
            let person = &self.people[id];
            let ready = agent.held_by().is_none() && person.is_available(floor.now);
            if ready != agent.is_ready() {
                wrong.push(format!("{id:?} should be ready: {ready}, the machine says {}", agent.is_ready()));
            }
            for group in &person.groups {
                if floor.groups[group].is_ready(*id) && !ready {
                    wrong.push(format!("{group:?} counts on {id:?}, who is not ready"));
                }
            }
            if floor.bars.contains_key(id) != matches!(agent.kind(), "Ringing" | "Accepted") {
                wrong.push(format!("{id:?}'s answer bar does not fit {}", agent.kind()));
            }
        }
    }

    fn check_calls(&self, floor: &Floor, wrong: &mut Vec<String>) {
        for (id, line) in &floor.calls {
            let machine = &line.machine;
            let caller = &self.callers[id];
            if line.dead || machine.is_over() {
                wrong.push(format!("{id:?} is over and does not go away"));
                continue;
            }
            if floor.unrecorded.contains(id) != (caller.unrecorded && floor.recording.contains(id)) {
                wrong.push(format!("{id:?}: the agent paused the recording: {}, and it is not so", caller.unrecorded));
            }
            for (agent, leg) in machine.agents() {
                if floor.agents[&agent].in_call() != Some(*id) {
                    wrong.push(format!("{id:?}: the customer is with nobody ({agent:?} is not in the call)"));
                }
                match floor.legs.get(&leg) {
                    None => wrong.push(format!("{id:?}: {agent:?} has no leg")),
                    Some(leg) if matches!(leg.kind(), Kind::Browser { .. }) == self.people[&agent].pageless => {
                        wrong.push(format!("{id:?}: {agent:?} is at {:?}, which their machine does not know", leg.kind()));
                    }
                    Some(_) => {}
                }
            }
            match (machine.kind(), machine.is_consulting()) {
                ("Talking", false) => self.check_voices(floor, machine, caller, wrong),
                ("Aside", _) if machine.arrival().colleagues().is_some() => caller.internal.check_voices(floor, machine, wrong),
                ("Talking", true) | ("Aside" | "Bridged", _) => check_parties(floor, machine, wrong),
                _ => {}
            }
            if machine.kind() == "Queueing" && !matches!(floor.hears_now(machine.customer_leg()), Source::Music(_)) {
                wrong.push(format!("{id:?} waits in silence"));
            }
            let offered = machine.offered();
            let agents: BTreeSet<AgentId> = offered.iter().map(|(_, agent)| *agent).collect();
            let all = machine.queue().is_some_and(|group| self.groups[&group].strategy == Strategy::RingAll);
            if agents.len() != offered.len() || (!all && offered.len() > 1) {
                wrong.push(format!("{id:?} is offered twice: {offered:?}"));
            }
            for (offer, agent) in offered {
                if floor.agents[&agent].held_by() != Some((*id, Some(offer))) {
                    wrong.push(format!("{id:?} counts on {agent:?}, who knows nothing of it"));
                }
            }
        }
    }

    fn check_voices(&self, floor: &Floor, machine: &Call, caller: &Caller, wrong: &mut Vec<String>) {
        let (Some((_, agent_leg)), customer) = (machine.agent(), machine.customer_leg()) else { return };
        if caller.served {
            let heard = [floor.hears_now(customer), floor.hears_now(agent_leg)];
            if heard != [Source::Silence, Source::Silence] {
                wrong.push(format!("{:?}: in self-service the customer and the agent hear {heard:?}", machine.id()));
            }
            if machine.next_deadline().is_none() {
                wrong.push(format!("{:?}: self-service waits for ever", machine.id()));
            }
            return;
        }
        let heard = floor.hears_now(customer);
        let right = match (caller.held || caller.away, caller.muted) {
            (true, _) => matches!(heard, Source::Music(_)),
            (false, true) => heard == Source::Silence,
            (false, false) => heard == Source::Leg(agent_leg),
        };
        if !right {
            wrong.push(format!(
                "{:?}: held {} muted {} away {}, and the customer hears {heard:?}",
                machine.id(),
                caller.held,
                caller.muted,
                caller.away
            ));
        }
        if floor.plays(customer) {
            wrong.push(format!("{:?}: an announcement goes on over the conversation", machine.id()));
        }
        if floor.hears_now(agent_leg) != Source::Leg(customer) {
            wrong.push(format!("{:?}: the agent does not hear the customer", machine.id()));
        }
    }

    fn check_queues(&self, floor: &Floor, wrong: &mut Vec<String>) {
        for (id, group) in &floor.groups {
            let setup = &self.groups[id];
            let here = |line: &&crate::floor::Line| line.machine.queue() == Some(*id);
            let waiting: Vec<&Call> = floor.calls.values().filter(here).map(|line| &line.machine).collect();
            for call in &waiting {
                if !group.holds(call.id()) {
                    wrong.push(format!("{:?} lost the place in {id:?}", call.id()));
                }
            }
            if group.queue().0 != waiting.len() {
                wrong.push(format!("{id:?} counts {} callers for {}", group.queue().0, waiting.len()));
            }
            let mut order: Vec<CallId> = waiting.iter().filter(|call| call.offered().is_empty()).map(|call| call.id()).collect();
            order.sort_by_key(|call| (!self.callers[call].head, self.callers[call].since, *call));
            let unserved: Vec<CallId> = group.unserved().collect();
            if unserved != order {
                wrong.push(format!("{id:?} serves {unserved:?}, the order is {order:?}"));
            }
            for call in &waiting {
                self.check_wait(floor, setup, call, wrong);
            }
        }
    }

    /// No caller waits while a suitable agent is ready.
    fn check_wait(&self, floor: &Floor, setup: &GroupSetup, call: &Call, wrong: &mut Vec<String>) {
        let (id, caller, offered) = (call.id(), &self.callers[&call.id()], call.offered());
        if !offered.is_empty() && setup.strategy != Strategy::RingAll {
            return;
        }
        if let Some(max) = setup.max_wait
            && offered.is_empty()
            && !caller.head
            && caller.since + max < floor.now
        {
            wrong.push(format!("{id:?} waits longer than {:?} allows", setup.id));
        }
        let kept_for = caller.last_agent.filter(|_| !call.is_consulting()).filter(|last| {
            let comes = floor.agents[last].kind() != "Free" && *floor.agents[last].chosen() == Chosen::Available;
            comes && floor.now < caller.since + setup.last_agent_wait
        });
        for (agent, person) in &self.people {
            let refused = self.refused.get(&(id, *agent)).is_some_and(|(at, heard)| floor.now < heard.max(at).saturating_add(REFUSED_REST));
            let ready = floor.agents[agent].held_by().is_none() && person.is_available(floor.now);
            let free_to_go = kept_for.is_none_or(|last| last == *agent);
            if ready && person.groups.contains(&setup.id) && !refused && free_to_go {
                wrong.push(format!("{id:?} waits in {:?} while {agent:?} is ready", setup.id));
            }
        }
    }

    // ---- at the end ----

    /// Everybody has hung up and time went by: all is as if nothing had happened, but for the records.
    pub fn check_end(&mut self, floor: &Floor) {
        let mut wrong = Vec::new();
        if !floor.calls.is_empty() || !floor.legs.is_empty() {
            wrong.push(format!("left over: {:?} {:?}", floor.calls.keys().collect::<Vec<_>>(), floor.legs.keys().collect::<Vec<_>>()));
        }
        if floor.far.values().any(|far| *far != Far::Closed) {
            wrong.push("a far end was never hung up".into());
        }
        if !floor.hears.is_empty() || !floor.recording.is_empty() {
            wrong.push(format!("media left over: {:?} {:?}", floor.hears, floor.recording));
        }
        for (id, agent) in &floor.agents {
            if !matches!(agent.kind(), "Free" | "WrapUp") {
                wrong.push(format!("{id:?} is still {}", agent.kind()));
            }
        }
        for (id, caller) in &self.callers {
            let Some(lines) = floor.journal.get(id) else {
                wrong.push(format!("{id:?} left no journal"));
                continue;
            };
            let ends = lines.iter().filter(|line| matches!(line.what, What::Ended { .. })).count();
            if ends != 1 {
                wrong.push(format!("{id:?} ended {ends} times"));
            }
            let row = floor.row(*id);
            if Some((row.status, row.hung_up_by)) != caller.ended {
                wrong.push(format!("{id:?} ended as {:?} by {:?}, expected {:?}", row.status, row.hung_up_by, caller.ended));
            }
            let mut chain = caller.segments.clone();
            chain.extend(caller.ended.map(|(status, _)| status));
            let told: Vec<CallStatus> = row.records.iter().map(|record| record.status).collect();
            let numbered = row.records.iter().zip(0..).all(|(record, number)| record.segment == number);
            if let Some(records) = internal::records(&row, lines) {
                chain = records;
            }
            if !numbered || told != chain && !caller.consulted {
                wrong.push(format!("{id:?} has the records {told:?}, expected {chain:?}"));
            }
            for record in &row.records {
                let talked = matches!(record.status, CallStatus::AgentLost)
                    || record.status == CallStatus::NormalEnd && record.hung_up_by == HungUpBy::Customer;
                if talked && record.agent.is_none() || record.wait < 0 || record.ring < 0 || record.hold < 0 {
                    wrong.push(format!("{id:?} has a record that cannot be: {record:?}"));
                }
            }
        }
        for what in wrong {
            self.wrong(what);
        }
    }
}

/// A consultation's voices, at the least: nobody hears themself, or a leg that is gone, and nobody is left in silence unless the agent is mute.
fn check_parties(floor: &Floor, machine: &Call, wrong: &mut Vec<String>) {
    for leg in machine.parties() {
        let heard = match floor.hears_now(leg) {
            Source::Leg(other) => vec![other],
            Source::Mix(others) => others,
            Source::Music(_) | Source::Silence => continue,
        };
        if heard.contains(&leg) || heard.iter().any(|other| !floor.legs.contains_key(other)) {
            wrong.push(format!("{:?}: {leg:?} hears {heard:?}", machine.id()));
        }
    }
}
