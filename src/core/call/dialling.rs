//! An agent calls: the channel, the agent's leg, then the customer's telephone, with honest progress, or the colleague (E1, E3–E6, G3).

use super::mobile::failure_of;
use super::{Call, Called, Departure, Seat, State, Way};
use crate::cx::{Cx, Millis};
use crate::ids::{LegId, PeerId};
use crate::leg;
use crate::message::{Action, Device, Gateway, LegPlan, MediaAction, Phase, Source};
use crate::outbound::{RING_OUT, status_of};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::trunk;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Dialling {
    pub seat: Seat,
    step: Step,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Step {
    /// The trunk, where there is one, counts its channels.
    Claiming,
    /// The agent's own device: a phone or mobile rings first.
    Agent { until: Millis },
    /// The customer is called.
    Customer { until: Millis, rings: bool, early_media: bool },
}

impl Dialling {
    pub fn new(departure: &Departure) -> Self {
        let Departure { agent, leg, device, terms, .. } = departure;
        Self { seat: Seat::new(*agent, *leg, device.clone(), terms.clone(), 0, false), step: Step::Claiming }
    }

    pub fn is_customer_called(&self) -> bool {
        matches!(self.step, Step::Customer { .. })
    }

    /// When it has rung for long enough.
    pub fn until(&self) -> Option<Millis> {
        match self.step {
            Step::Claiming => None,
            Step::Agent { until } | Step::Customer { until, .. } => Some(until),
        }
    }
}

impl Call {
    /// The first thing of a call out: who dials, and whether they may (E6). An inbound call always goes on.
    pub(super) fn may_depart(&mut self, out: &mut Vec<Action>) -> bool {
        let Way::Out(departure) = &self.arrival.way else { return true };
        let permitted = departure.permitted;
        out.push(Action::Journal(What::Dialling { agent: departure.agent, group: departure.terms.group }));
        self.show_dialling(Phase::Dialling, out);
        if !permitted {
            self.end(CallStatus::NotPermitted, HungUpBy::Switch, out);
        }
        permitted
    }

    pub(super) fn no_channel(&mut self, refusal: trunk::Refusal, out: &mut Vec<Action>) {
        if matches!(&self.state, State::Dialling(dialling) if dialling.step == Step::Claiming) {
            self.end(refusal.into(), HungUpBy::Switch, out);
        }
    }

    /// There is a channel, or no need of one: the agent's leg comes first, so that every sound from the customer's side is heard.
    pub(super) fn depart(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let (State::Dialling(dialling), Way::Out(departure)) = (&mut self.state, &self.arrival.way) else { return };
        if dialling.step != Step::Claiming {
            return;
        }
        dialling.step = Step::Agent { until: cx.now + dialling.seat.terms.ring };
        let (agent, leg) = (departure.agent, departure.leg);
        let plan = match (departure.device.clone(), departure.peer) {
            (Device::Browser, Some(peer)) => LegPlan::Browser { agent, peer },
            (Device::Browser, None) => return self.dialler_lost(None, out),
            (Device::Phone(phone), _) => LegPlan::Phone { agent: Some(agent), phone, caller: self.arrival.contact.clone() },
            (Device::Mobile(mobile), _) => {
                if !self.reach_mobile(agent, leg, &mobile, out) {
                    self.mobile_without_line(leg, out);
                }
                return;
            }
        };
        self.legs.insert(leg);
        out.push(Action::OpenLeg { leg, plan });
    }

    pub(super) fn dialled_leg(&mut self, leg: LegId, event: leg::Event, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Dialling(dialling) = &self.state else { return };
        if leg == dialling.seat.leg {
            match event {
                leg::Event::Up => self.call_out(out, cx),
                leg::Event::HungUp => self.end(CallStatus::CallerCancelled, HungUpBy::Agent, out),
                leg::Event::Failed(why) => {
                    let reason = failure_of(&dialling.seat.device, Some(self.device_status(leg, &why)));
                    self.dialler_lost(Some(reason), out);
                }
                leg::Event::Cancelled | leg::Event::Closed => {
                    let reason = failure_of(&dialling.seat.device, None);
                    self.dialler_lost(Some(reason), out);
                }
                leg::Event::Ringing { .. } | leg::Event::Digit(_) | leg::Event::Held(_) => {}
            }
        } else if leg == self.arrival.leg {
            match event {
                leg::Event::Ringing { early_media } => self.customer_rings(early_media, out),
                leg::Event::Up => self.customer_answers(out, cx),
                leg::Event::Failed(why) => {
                    let status = status_of(&why, Gateway::outcomes(self.gateway.as_ref()));
                    let by =
                        if matches!(status, CallStatus::Rejected | CallStatus::InCall) { HungUpBy::Customer } else { HungUpBy::Switch };
                    self.end(status, by, out);
                }
                leg::Event::HungUp | leg::Event::Cancelled | leg::Event::Closed => {
                    self.end(CallStatus::CarrierException, HungUpBy::Switch, out);
                }
                leg::Event::Digit(_) | leg::Event::Held(_) => {}
            }
        }
    }

    /// The agent's leg is up.
    fn call_out(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        let (State::Dialling(dialling), Way::Out(departure)) = (&mut self.state, &self.arrival.way) else { return };
        let Step::Agent { .. } = dialling.step else { return };
        let (leg, caller, called) = (self.arrival.leg, self.arrival.caller.clone(), self.arrival.contact.clone());
        let plan = match &departure.to {
            Called::Number(trunk) => {
                let host = self.gateway.as_ref().and_then(|gateway| Some((gateway.host?, gateway.transport)));
                host.map(|(host, transport)| LegPlan::Trunk { agent: None, trunk: *trunk, host, transport, caller, called })
            }
            Called::Sip(phone) => Some(LegPlan::Phone { agent: None, phone: phone.clone(), caller }),
            Called::Agent(colleague) => return self.call_colleague(*colleague, out, cx),
            Called::Mobile(colleague, number) => {
                let (colleague, number) = (*colleague, number.clone());
                return self.call_colleagues_mobile(colleague, number, out, cx);
            }
        };
        let Some(plan) = plan else { return self.end(CallStatus::CarrierException, HungUpBy::Switch, out) };
        dialling.step = Step::Customer { until: cx.now + RING_OUT, rings: false, early_media: false };
        self.legs.insert(leg);
        out.push(Action::OpenLeg { leg, plan });
    }

    /// The agent hears what the far network plays, else a ringing tone of ours (E5).
    fn customer_rings(&mut self, early: bool, out: &mut Vec<Action>) {
        let State::Dialling(dialling) = &mut self.state else { return };
        let Step::Customer { rings, early_media, .. } = &mut dialling.step else { return };
        let (agent, leg) = (dialling.seat.agent, dialling.seat.leg);
        let first = !std::mem::replace(rings, true);
        if early && !std::mem::replace(early_media, true) {
            out.push(Action::Media(MediaAction::Hear { leg, source: Source::Leg(self.arrival.leg) }));
        } else if first {
            out.push(Action::Media(MediaAction::Hear { leg, source: Source::Music("ringback".into()) }));
        }
        if first {
            out.push(Action::Journal(What::Ringing { agent }));
            self.show_dialling(Phase::Ringing, out);
        }
    }

    fn customer_answers(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let State::Dialling(dialling) = &self.state else { return };
        if let Step::Customer { .. } = dialling.step {
            self.connect(dialling.seat.clone(), out, cx);
        }
    }

    /// It rang for long enough, at the agent's phone or at the customer's.
    pub(super) fn ring_out(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let State::Dialling(dialling) = &self.state else { return };
        match dialling.step {
            Step::Agent { until } if until <= cx.now => {
                let reason = failure_of(&dialling.seat.device, Some(CallStatus::Missed));
                self.dialler_lost(Some(reason), out);
            }
            Step::Customer { until, .. } if until <= cx.now => self.end(CallStatus::Missed, HungUpBy::Switch, out),
            Step::Claiming | Step::Agent { .. } | Step::Customer { .. } => {}
        }
    }

    /// The agent who dials is gone, or their device is, for this reason (B3, B4).
    pub(super) fn dialler_lost(&mut self, device_failed: Option<&str>, out: &mut Vec<Action>) {
        if let State::Dialling(dialling) = &mut self.state {
            dialling.seat.device_failed = device_failed.map(str::to_owned);
            if device_failed.is_some() {
                let agent = dialling.seat.agent;
                out.push(self.agent_over(agent, None, device_failed));
            }
            self.end(CallStatus::AgentLost, HungUpBy::Switch, out);
        }
    }

    /// The leg that is still to be opened shall have this peer.
    pub(super) fn plan_peer(&mut self, peer: PeerId) {
        if let Way::Out(departure) = &mut self.arrival.way {
            departure.peer = Some(peer);
        }
    }

    fn show_dialling(&self, phase: Phase, out: &mut Vec<Action>) {
        if let State::Dialling(dialling) = &self.state {
            out.push(self.show(&dialling.seat, phase, None, None));
        }
    }
}
