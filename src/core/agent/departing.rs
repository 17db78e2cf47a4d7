//! Leaving: log-out, and an admin who takes the agent offline or off the floor, at once or at the call's end (A9, I6).

use super::{Activity, Agent, Chosen, Departure, to_call};
use crate::call;
use crate::cx::Cx;
use crate::message::Action;

impl Agent {
    pub(super) fn depart(&mut self, departure: Departure, end_call: bool, out: &mut Vec<Action>, cx: &Cx) {
        // Who is off the floor stays so, whatever they ask for meanwhile.
        if self.departing != Some(Departure::Removed) {
            self.departing = Some(departure);
        }
        match &self.activity {
            Activity::Free => {}
            Activity::Reserved(_) | Activity::Ringing(_) => self.let_go(out),
            Activity::Accepted(_) if end_call => self.let_go(out),
            // The first ends a consultation, where there is one; the other the call.
            Activity::InCall { call } if end_call => {
                let hang_up = call::Event::Command { agent: self.setup.id, command: call::Command::HangUp };
                out.extend([to_call(*call, hang_up.clone()), to_call(*call, hang_up)]);
            }
            Activity::Accepted(_) | Activity::InCall { .. } => {}
            Activity::WrapUp { .. } => self.end_occupation(cx),
        }
        out.push(Action::StateChanged);
    }

    /// What an admin decided stands.
    pub(super) fn stay(&mut self, out: &mut Vec<Action>) {
        if self.departing.take_if(|departure| *departure == Departure::LogOut).is_some() {
            out.push(Action::StateChanged);
        }
    }

    pub(super) fn settle_departure(&mut self, out: &mut Vec<Action>) {
        if self.activity == Activity::Free
            && let Some(departure) = self.departing.take()
        {
            (self.misses, self.rests, self.chosen) = (0, None, Chosen::Offline);
            match departure {
                Departure::LogOut => out.push(Action::LogOut),
                Departure::ForcedOffline => {}
                Departure::Removed => out.extend([Action::LogOut, Action::Finished]),
            }
        }
    }
}
