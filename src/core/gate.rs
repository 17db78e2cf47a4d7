//! The order in which a machine's actions are performed, and which of them wait for the journal (G5).
//!
//! | gate | next action | |
//! |---|---|---|
//! | Open | any | performed |
//! | Open | journal *accepted* | performed → Ajar |
//! | Open | another durable line | performed → Shut |
//! | Ajar | the caller or the world outside would hear of it | held |
//! | Ajar | a durable line | held → Shut |
//! | Ajar | any other: the trunk's channel, the queue, the agent's telephone | performed |
//! | Shut | any | held |
//! | Ajar, Shut | the line is on disk | → Open: first what was held, in its order |
//! | any | finished | performed → Done |
//!
//! So a call looks for its agent while *accepted* is being written, and nobody is answered who could be forgotten.

use crate::ids::LegId;
use crate::leg::{Command, SignalCommand};
use crate::message::{Action, LegPlan, Tell};
use crate::record::What;
use std::collections::VecDeque;

/// What a machine wants done and its shell has not done yet.
#[derive(Debug, Default)]
pub struct Gate {
    state: State,
    held: VecDeque<Action>,
    coming: VecDeque<Action>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Open,
    /// *Accepted* is being written.
    Ajar,
    Shut,
    /// Nothing follows the last action.
    Done,
}

impl Gate {
    /// Actions in the order in which they came out of the machine. Who is refused before the journal has the call is told nothing else.
    pub fn extend(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            if let (Some(refused), false) = (refused(&action), self.state == State::Open) {
                self.held.retain(|earlier| !is_signal_to(earlier, refused));
                self.coming.retain(|earlier| !is_signal_to(earlier, refused));
            }
            self.coming.push_back(action);
        }
    }

    /// The next action to perform now. After a durable line the shell calls [`Gate::open`] when it is on disk, or never will be.
    pub fn next_action(&mut self) -> Option<Action> {
        loop {
            let action = match self.state {
                State::Open => self.held.pop_front().or_else(|| self.coming.pop_front())?,
                State::Ajar => self.coming.pop_front()?,
                State::Shut | State::Done => return None,
            };
            let line = if let Action::Journal(what) = &action { Some(what).filter(|what| what.is_durable()) } else { None };
            self.state = match (self.state, line) {
                (State::Open, Some(What::Accepted { .. })) => State::Ajar,
                (State::Open, Some(_)) => State::Shut,
                (State::Ajar, Some(_)) => {
                    self.held.push_back(action);
                    self.state = State::Shut;
                    return None;
                }
                (State::Ajar, None) if is_told_outside(&action) => {
                    self.held.push_back(action);
                    continue;
                }
                (_, None) if action == Action::Finished => State::Done,
                (state, _) => state,
            };
            return Some(action);
        }
    }

    /// The journal is done with the durable line.
    pub fn open(&mut self) {
        if self.state != State::Done {
            self.state = State::Open;
        }
    }
}

/// Whether it reaches a caller, or somebody whom nobody but this call concerns: a telephone outside.
fn is_told_outside(action: &Action) -> bool {
    match action {
        Action::Tell(Tell::Leg(..)) | Action::Media(_) | Action::Finished => true,
        Action::OpenLeg { plan: LegPlan::Trunk { .. } | LegPlan::Phone { agent: None, .. }, .. } => true,
        Action::OpenLeg { plan: LegPlan::Browser { .. } | LegPlan::Phone { agent: Some(_), .. }, .. }
        | Action::Tell(Tell::Agent(..) | Tell::Call(..) | Tell::Group(..) | Tell::Trunk(..))
        | Action::AnnounceRestart
        | Action::Journal(_)
        | Action::ShowSession { .. }
        | Action::QueueChanged
        | Action::StateChanged
        | Action::PlaceCall(_)
        | Action::ShowOffer(_)
        | Action::ClosePeer(_)
        | Action::LogOut
        | Action::Probe { .. } => false,
    }
}

fn refused(action: &Action) -> Option<LegId> {
    match action {
        Action::Tell(Tell::Leg(leg, Command::Signal(SignalCommand::Reject { .. }))) => Some(*leg),
        _ => None,
    }
}

fn is_signal_to(action: &Action, to: LegId) -> bool {
    matches!(action, Action::Tell(Tell::Leg(leg, Command::Signal(_))) if *leg == to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group;
    use crate::ids::{CallId, GroupId};
    use crate::outcome::{CallStatus, CallType, HungUpBy};

    const CUSTOMER: LegId = LegId(1);

    fn accepted() -> Action {
        let way = CallType::Inbound;
        Action::Journal(What::Accepted { way, trunk: None, caller: "+441".into(), contact: "+442".into() })
    }

    fn ended() -> Action {
        Action::Journal(What::Ended { status: CallStatus::NormalEnd, by: HungUpBy::Customer })
    }

    fn signal(command: SignalCommand) -> Action {
        Action::Tell(Tell::Leg(CUSTOMER, Command::Signal(command)))
    }

    fn reject() -> Action {
        signal(SignalCommand::Reject { status: 503, q850: None, retry_after: None })
    }

    fn to_the_queue() -> Action {
        Action::Tell(Tell::Group(GroupId(1), group::Event::Left(CallId(1))))
    }

    fn all(gate: &mut Gate) -> Vec<Action> {
        std::iter::from_fn(|| gate.next_action()).collect()
    }

    fn gate(actions: impl IntoIterator<Item = Action>) -> Gate {
        let mut gate = Gate::default();
        gate.extend(actions);
        gate
    }

    // G5
    #[test]
    fn a_call_queues_while_it_is_written_and_its_caller_hears_of_it_afterwards() {
        let mut gate = gate([accepted(), signal(SignalCommand::Ring), to_the_queue(), signal(SignalCommand::Answer)]);
        assert_eq!(all(&mut gate), [accepted(), to_the_queue()]);
        gate.open();
        assert_eq!(all(&mut gate), [signal(SignalCommand::Ring), signal(SignalCommand::Answer)]);
    }

    // G5
    #[test]
    fn nothing_passes_a_second_durable_line() {
        let mut gate = gate([accepted(), signal(SignalCommand::Ring), ended(), to_the_queue(), Action::Finished]);
        assert_eq!(all(&mut gate), [accepted()]);
        gate.open();
        assert_eq!(all(&mut gate), [signal(SignalCommand::Ring), ended()]);
        gate.open();
        assert_eq!(all(&mut gate), [to_the_queue(), Action::Finished]);
    }

    #[test]
    fn who_is_refused_before_it_is_written_hears_of_nothing_else() {
        let mut gate = gate([accepted(), signal(SignalCommand::Ring), ended(), signal(SignalCommand::Answer)]);
        assert_eq!(all(&mut gate), [accepted()]);
        gate.extend([reject()]);
        gate.open();
        assert_eq!(all(&mut gate), [ended()]);
        gate.open();
        assert_eq!(all(&mut gate), [reject()]);
        gate.extend([signal(SignalCommand::Ring), reject()]);
        assert_eq!(all(&mut gate), [signal(SignalCommand::Ring), reject()]);
    }

    #[test]
    fn nothing_follows_the_last_action() {
        let mut gate = gate([Action::Finished, to_the_queue()]);
        assert_eq!(all(&mut gate), [Action::Finished]);
        gate.open();
        assert_eq!(all(&mut gate), []);
    }
}
