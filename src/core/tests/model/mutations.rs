//! Named mutations: each spoils one rule at the mail or the clock, and the model must notice within some orders.

use super::reference::AgentSight;
use super::{Outcome, run_order};
use crate::floor::{Floor, Letter, Node};
use cordboard_core::agent::{self, Agent};
use cordboard_core::cx::{CountingIds, Cx, Millis};
use cordboard_core::ids::{Address, AgentId, PeerId};
use cordboard_core::message::{Action, OfferEnd, Tell, Withdrawal};
use cordboard_core::{call, group, trunk};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// An agent honours a reservation of any epoch, ready or not.
    NoEpochCheck,
    /// A lease never ends by itself.
    NoLeaseExpiry,
    /// Who accepted too late is not released.
    LateAcceptKept,
    /// The call does not wait for the agent's word that an offer is over.
    NoWithdrawalWait,
    /// The call forgets to tell the group that the caller left.
    LeftForgotten,
    /// A group keeps what it knew of an agent whose machine is new.
    StaleReadyKept,
    /// A caller who lost the agent goes to the end of the queue.
    HeadLost,
    /// A workstation that comes back starts after-call work anew.
    WrapUpRestarted,
    /// Who declined is asked again at once.
    RefusalForgotten,
    /// Calls do not register with a new group again.
    RegistrationForgotten,
    /// A channel is not given back.
    ChannelKept,
    /// The grace time ends and the call does not hear of it.
    LossUntold,
    /// A call's actions do not wait for the journal.
    JournalNotAwaited,
}

impl Floor {
    /// What a mutation makes of a message; none: swallowed.
    pub(crate) fn tamper(&mut self, mut letter: Letter) -> Option<Letter> {
        let Some(mutation) = self.mutation else { return Some(letter) };
        match (mutation, &mut letter) {
            (Mutation::NoEpochCheck, Letter::Tell(Tell::Agent(id, event @ agent::Event::Reserve { .. })))
                if !self.agents[id].is_ready() =>
            {
                self.honour_anyway(*id, event);
                return None;
            }
            (Mutation::LateAcceptKept, Letter::Tell(Tell::Agent(id, agent::Event::Withdraw { call, offer, .. })))
                if self.agents.get(id).is_some_and(|agent| agent.kind() == "Accepted") =>
            {
                let word = Tell::Call(*call, call::Event::Withdrawn { offer: *offer });
                self.post_tell(Node::At(Address::Agent(*id)), word);
                return None;
            }
            (Mutation::LeftForgotten, Letter::Tell(Tell::Group(_, group::Event::Left(_) | group::Event::CallGone(_))))
            | (Mutation::StaleReadyKept, Letter::Tell(Tell::Group(_, group::Event::AgentRestarted(_))))
            | (Mutation::RegistrationForgotten, Letter::Tell(Tell::Call(_, call::Event::GroupRestarted(_))))
            | (Mutation::ChannelKept, Letter::Tell(Tell::Trunk(_, trunk::Event::Free(_) | trunk::Event::CallGone(_))))
            | (Mutation::LossUntold, Letter::Tell(Tell::Call(_, call::Event::AgentLost { .. }))) => return None,
            (Mutation::HeadLost, Letter::Tell(Tell::Group(_, group::Event::Enqueue(ticket)))) => ticket.head = false,
            (Mutation::RefusalForgotten, Letter::Tell(Tell::Group(_, group::Event::OfferOver { how, .. }))) => *how = OfferEnd::Gone,
            _ => {}
        }
        Some(letter)
    }

    /// An agent who forgets everything else for a reservation.
    fn honour_anyway(&mut self, id: AgentId, event: &agent::Event) {
        let agent::Event::Reserve { group, offer, call, ring, .. } = *event else { return };
        let old = &self.agents[&id];
        let before = AgentSight { kind: old.kind(), held: old.held_by() };
        let mut ids = CountingIds(0);
        let mut cx = Cx::new(self.now, self.wall(), 0, &mut ids);
        let peer = old.peer().or(Some(PeerId(1)));
        let mut kept = agent::Kept::choice(agent::Chosen::Available);
        (kept.sockets, kept.peer) = (true, peer);
        let (mut machine, out) = Agent::new(old.setup.clone(), kept, &mut cx);
        let epoch = out.iter().find_map(|action| match action {
            Action::Tell(Tell::Group(_, group::Event::Ask { epoch, .. })) => Some(*epoch),
            _ => None,
        });
        let epoch = epoch.expect("an available agent asks");
        for membership in machine.setup.groups.clone() {
            machine.handle(agent::Event::Best { group: membership.group, epoch, waiting: None }, &mut cx);
        }
        let out = machine.handle(agent::Event::Reserve { group, epoch, offer, call, ring }, &mut cx);
        let after = AgentSight { kind: machine.kind(), held: machine.held_by() };
        self.reference.agent(self.now, &machine, event, &before, &after);
        self.agents.insert(id, machine);
        self.after_agent(id, out);
    }

    /// A call that does not wait: the agent's word is there before the agent heard.
    pub(crate) fn hasten(&mut self, tell: &Tell) {
        if self.mutation == Some(Mutation::NoWithdrawalWait)
            && let Tell::Agent(id, agent::Event::Withdraw { call, offer, why }) = tell
            && !matches!(why, Withdrawal::NotNeeded)
        {
            let word = Tell::Call(*call, call::Event::Withdrawn { offer: *offer });
            self.post_tell(Node::At(Address::Agent(*id)), word);
        }
    }

    /// An agent's deadline, as a mutation lets it be seen.
    pub(crate) fn tampered_deadline(&self, id: AgentId, machine: &Agent) -> Option<Millis> {
        let deadline = machine.next_deadline()?;
        match self.mutation {
            Some(Mutation::NoLeaseExpiry) if machine.held_by().is_some_and(|(_, offer)| offer.is_some()) => None,
            Some(Mutation::WrapUpRestarted) if machine.kind() == "WrapUp" => {
                Some(deadline.max(self.kept[&id].back_at.map_or(0, |at| at + 10_000)))
            }
            _ => Some(deadline),
        }
    }
}

/// Within how many orders a mutation must be noticed.
const WITHIN: u64 = 3_000;

/// The model says this of a floor with that mutation.
fn is_caught(mutation: Mutation, sign: &str) {
    for order in 0..WITHIN {
        if let Outcome::Broken { violations, .. } = run_order(order, None, Some(mutation), false).outcome
            && violations.iter().any(|violation| violation.contains(sign))
        {
            return;
        }
    }
    panic!("{mutation:?} went unnoticed for {WITHIN} orders");
}

macro_rules! caught {
    ($($name:ident: $mutation:ident, $sign:literal;)*) => {$(
        #[test]
        fn $name() {
            is_caught(Mutation::$mutation, $sign);
        }
    )*};
}

caught! {
    no_epoch_check_is_caught: NoEpochCheck, "while not available";
    no_lease_expiry_is_caught: NoLeaseExpiry, "beyond the lease";
    no_release_of_a_late_accept_is_caught: LateAcceptKept, "knows of no offer";
    no_wait_for_the_withdrawal_is_caught: NoWithdrawalWait, "both ring";
    a_call_that_forgets_to_leave_the_queue_is_caught: LeftForgotten, "callers for";
    a_stale_ready_entry_after_an_agents_restart_is_caught: StaleReadyKept, "serves";
    a_lost_place_at_the_head_is_caught: HeadLost, "serves";
    a_wrap_up_that_starts_anew_at_a_reconnect_is_caught: WrapUpRestarted, "beyond its time";
    a_forgotten_refusal_is_caught: RefusalForgotten, "again at once";
    calls_that_do_not_register_with_a_new_group_are_caught: RegistrationForgotten, "lost the place";
    a_channel_that_is_not_given_back_is_caught: ChannelKept, "channels";
    a_lost_agent_of_whom_the_call_does_not_hear_is_caught: LossUntold, "with nobody";
}
