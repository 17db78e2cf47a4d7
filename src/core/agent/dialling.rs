//! An agent calls a number or a colleague: whether they may, and the call that begins (table B, E1, E3, E4, E6).

use super::{Activity, Agent, Chosen};
use crate::call::{Arrival, Called, Departure, Way};
use crate::cx::Cx;
use crate::ids::{CallId, LegId};
use crate::message::{Action, Device, Terms};
use serde::{Deserialize, Serialize};

/// A call, as the agent asks for it (E1, E3, E4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dial {
    pub to: Called,
    /// Our number, which the customer is shown; the agent's own for a colleague.
    pub caller: String,
    pub contact: String,
    pub terms: Terms,
    /// The role's prefixes allow the number (E6).
    pub permitted: bool,
    /// Most calls out in a day (E6).
    pub a_day: Option<u32>,
}

/// Why an agent cannot call out now (table B).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoDial {
    Offline,
    InLine,
    /// The page has no voice path.
    OutOfReach,
}

impl Agent {
    /// Whether the agent may call out (table B).
    pub fn may_dial(&self) -> Result<(), NoDial> {
        match self.activity {
            Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } => Err(NoDial::InLine),
            Activity::Free | Activity::WrapUp { .. } if self.chosen == Chosen::Offline => Err(NoDial::Offline),
            Activity::Free | Activity::WrapUp { .. } if !self.reaches(&self.dials_on()) => Err(NoDial::OutOfReach),
            Activity::Free | Activity::WrapUp { .. } => Ok(()),
        }
    }

    /// Whether one more call out is within the day's limit (E6). `today` as in [`Cx`].
    pub fn may_call_again(&self, a_day: Option<u32>, today: i32) -> bool {
        a_day.is_none_or(|most| self.dialled_on(today) < most)
    }

    fn dialled_on(&self, today: i32) -> u32 {
        if self.dialled_today.0 == today { self.dialled_today.1 } else { 0 }
    }

    pub(super) fn count_call_out(&mut self, cx: &Cx) {
        self.dialled_today = (cx.today, self.dialled_on(cx.today) + 1);
    }

    /// Where a call out begins: at the mobile, while that is switched on (E2).
    fn dials_on(&self) -> Device {
        self.mobile_or_own(|mobile| mobile.outbound)
    }

    pub(super) fn dial(&mut self, dial: Dial, out: &mut Vec<Action>, cx: &mut Cx) {
        if self.may_dial().is_err() {
            return;
        }
        let permitted = dial.permitted && self.may_call_again(dial.a_day, cx.today);
        if permitted && dial.to.is_customer() {
            self.count_call_out(cx);
        }
        let call = CallId(cx.next_id());
        let device = self.dials_on();
        let departure = Departure {
            agent: self.setup.id,
            leg: LegId(cx.next_id()),
            device: device.clone(),
            peer: self.peer,
            terms: dial.terms,
            to: dial.to,
            permitted,
        };
        let arrival = Arrival {
            call,
            leg: LegId(cx.next_id()),
            trunk: departure.to.trunk(),
            caller: dial.caller,
            contact: dial.contact,
            way: Way::Out(Box::new(departure)),
        };
        self.enter_call_on(call, device);
        out.push(Action::PlaceCall(Box::new(arrival)));
    }
}
