//! Named mutations: each spoils one rule at the mail or the clock, and the model must notice within some orders.

use super::{Outcome, run_order};
use crate::floor::{Floor, Letter, Node};
use cordboard_core::agent::{self, Agent};
use cordboard_core::cx::Millis;
use cordboard_core::ids::{Address, AgentId};
use cordboard_core::message::{OfferEnd, Tell, Withdrawal};
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
}

impl Floor {
    /// What a mutation makes of a message; none: swallowed.
    pub(crate) fn tamper(&mut self, from: Node, mut letter: Letter) -> Option<Letter> {
        let Some(mutation) = self.mutation else { return Some(letter) };
        match (mutation, &mut letter) {
            (Mutation::NoEpochCheck, Letter::Tell(Tell::Agent(id, agent::Event::Reserve { epoch, .. }))) => {
                *epoch = self.epochs.get(id).copied().unwrap_or(*epoch);
            }
            (Mutation::LateAcceptKept, Letter::Tell(Tell::Agent(id, agent::Event::Withdraw { call, offer, .. })))
                if self.agents.get(id).is_some_and(|agent| agent.kind() == "Accepted") =>
            {
                let word = Tell::Call(*call, call::Event::Withdrawn { offer: *offer });
                self.post_tell(Node::At(Address::Agent(*id)), word);
                return None;
            }
            (Mutation::NoWithdrawalWait, Letter::Tell(Tell::Agent(_, agent::Event::Withdraw { .. }))) => {
                // The word was posted with the withdrawal, see `hasten`.
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
        let _ = from;
        Some(letter)
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

fn is_caught(mutation: Mutation) {
    for order in 0..WITHIN {
        if let Outcome::Broken { .. } = run_order(order, None, Some(mutation), false).outcome {
            return;
        }
    }
    panic!("{mutation:?} went unnoticed for {WITHIN} orders");
}

macro_rules! caught {
    ($($name:ident: $mutation:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            is_caught(Mutation::$mutation);
        }
    )*};
}

caught! {
    no_epoch_check_is_caught: NoEpochCheck,
    no_lease_expiry_is_caught: NoLeaseExpiry,
    no_release_of_a_late_accept_is_caught: LateAcceptKept,
    no_wait_for_the_withdrawal_is_caught: NoWithdrawalWait,
    a_call_that_forgets_to_leave_the_queue_is_caught: LeftForgotten,
    a_stale_ready_entry_after_an_agents_restart_is_caught: StaleReadyKept,
    a_lost_place_at_the_head_is_caught: HeadLost,
    a_wrap_up_that_starts_anew_at_a_reconnect_is_caught: WrapUpRestarted,
    a_forgotten_refusal_is_caught: RefusalForgotten,
    calls_that_do_not_register_with_a_new_group_are_caught: RegistrationForgotten,
    a_channel_that_is_not_given_back_is_caught: ChannelKept,
    a_lost_agent_of_whom_the_call_does_not_hear_is_caught: LossUntold,
}
