//! The call in a queue: offers, accepts, time-outs, and the ways out (C2–C6, C9).

use super::{Answered, Call, EARLY_MEDIA, InHand, Queueing, Route, Seat, State, hang_up, phone_of};
use crate::agent;
use crate::cx::Cx;
use crate::group::{self, Limit};
use crate::ids::{AgentId, GroupId, LegId, OfferId, PeerId};
use crate::leg::{self, SignalCommand};
use crate::message::{self, Action, LegPlan, MediaAction, Offer, OfferEnd, Phase, Ringing, Source, Tell, Ticket, Withdrawal};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::setup::WayOut;

impl Call {
    pub(super) fn granted(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.state != State::Claiming {
            // The caller left while the trunk counted: give the channel back.
            if self.is_over() && !self.channel {
                out.push(Action::Tell(Tell::Trunk(self.arrival.trunk, crate::trunk::Event::Free(self.id()))));
            }
            return;
        }
        self.channel = true;
        match &self.arrival.route {
            None => self.refuse(404, Some(1), CallStatus::UnknownNumber, out),
            Some(Route { group, .. }) => self.enqueue(*group, cx.wall, false, out),
        }
    }

    /// Puts the caller in a group's queue. `since` is the place; `head` is before everybody.
    pub(super) fn enqueue(&mut self, group: GroupId, since: i64, head: bool, out: &mut Vec<Action>) {
        let place = self.place(group, since, head);
        self.join_queue(place, out);
    }

    /// A place in that queue, for a new wait.
    pub(super) fn place(&mut self, group: GroupId, since: i64, head: bool) -> Queueing {
        self.waits += 1;
        Queueing::new(group, since, head, self.waits)
    }

    pub(super) fn join_queue(&mut self, queueing: Queueing, out: &mut Vec<Action>) {
        out.push(Action::Journal(What::Queued { group: queueing.group }));
        out.push(self.ticket(&queueing));
        self.state = State::Queueing(queueing);
    }

    pub(super) fn ticket(&self, queueing: &Queueing) -> Action {
        let ticket = Ticket {
            call: self.id(),
            arrived: queueing.since,
            priority: 0,
            head: queueing.head,
            last_agent: self.arrival.route.as_ref().and_then(|route| route.last_agent),
            wait: queueing.wait,
            taken_in: queueing.welcomed,
            offers: queueing.offers.iter().map(|hand| (hand.offer.offer, hand.offer.agent)).collect(),
            refused: queueing.refused.clone(),
        };
        Action::Tell(Tell::Group(queueing.group, group::Event::Enqueue(ticket)))
    }

    /// The group took the caller in: 180, the answer (or early media), the welcome and the music (C2).
    pub(super) fn queued(&mut self, group: GroupId, wait: u32, music: String, welcome: Option<String>, out: &mut Vec<Action>, cx: &Cx) {
        self.transfer_queued(wait, out);
        let State::Queueing(queueing) = &mut self.state else { return };
        if queueing.group != group || queueing.wait != wait || std::mem::replace(&mut queueing.welcomed, true) {
            return;
        }
        let first = self.answered == Answered::No;
        if first {
            out.push(self.signal(SignalCommand::Ring));
            if self.arrival.route.as_ref().is_some_and(|route| route.early_media) {
                self.answered = Answered::Early { until: cx.now + EARLY_MEDIA };
                out.push(self.signal(SignalCommand::Progress));
            } else {
                self.answer(out);
            }
        }
        self.music.clone_from(&music);
        out.push(self.hear(Source::Music(music)));
        self.play_after(welcome.filter(|_| first).into_iter().collect(), out);
    }

    /// What the group tells its callers while they wait (C2).
    pub(super) fn announced(&mut self, group: GroupId, position: Option<usize>, sound: Option<String>, out: &mut Vec<Action>) {
        // Before the group's word that it took the caller in, this is about an earlier wait.
        if matches!(&self.state, State::Queueing(queueing) if queueing.group == group && queueing.welcomed) {
            self.play_after(position.map(position_sounds).unwrap_or_default().into_iter().chain(sound).collect(), out);
        }
    }

    /// Sounds for who waits: after what plays now, and instead of what waits for that.
    fn play_after(&mut self, sounds: Vec<String>, out: &mut Vec<Action>) {
        let State::Queueing(queueing) = &mut self.state else { return };
        queueing.next = sounds;
        if queueing.playing.is_none() {
            self.play_next(out);
        }
    }

    pub(super) fn play_next(&mut self, out: &mut Vec<Action>) {
        let State::Queueing(queueing) = &mut self.state else { return };
        let sounds = std::mem::take(&mut queueing.next);
        queueing.playing = None;
        if !sounds.is_empty() {
            self.tokens += 1;
            queueing.playing = Some(self.tokens);
            out.push(Action::Media(MediaAction::Play { leg: self.arrival.leg, sounds, token: self.tokens }));
        }
    }

    pub(super) fn turned_away(&mut self, group: GroupId, wait: u32, limit: Limit, way_out: WayOut, out: &mut Vec<Action>, cx: &Cx) {
        if wait == self.waits {
            // A group whose machine is new may have been told of this wait again meanwhile.
            out.push(Action::Tell(Tell::Group(group, group::Event::Left(self.id()))));
        }
        self.transfer_refused(message::Transfer::QueueRefused(limit), |asked| asked.place.wait == wait, out);
        let State::Queueing(queueing) = &self.state else { return };
        if queueing.wait != wait {
            return;
        }
        if let Some(back) = queueing.back {
            return self.fall_back(back, out, cx);
        }
        self.tried.insert(group);
        let status = match limit {
            Limit::NoAgentOnline => CallStatus::NoAgentOnline,
            Limit::QueueFull => CallStatus::QueueFull,
            Limit::QueueTimeout => CallStatus::QueueTimeout,
        };
        match way_out {
            WayOut::Group(next) if !self.tried.contains(&next) => {
                self.end_segment(CallStatus::Overflow, HungUpBy::Switch, out);
                self.enqueue(next, cx.wall, false, out);
            }
            WayOut::Group(_) | WayOut::HangUp { prompt: None } => {
                if self.answered == Answered::Yes {
                    self.end(status, HungUpBy::Switch, out);
                } else {
                    // 480: nobody can take the call now; 486: the queue is busy.
                    self.refuse(if limit == Limit::QueueFull { 486 } else { 480 }, None, status, out);
                }
            }
            WayOut::HangUp { prompt: Some(sound) } => {
                self.answer(out);
                let token = self.token();
                out.push(self.hear(Source::Silence));
                out.push(Action::Media(MediaAction::Play { leg: self.arrival.leg, sounds: vec![sound], token }));
                self.state = State::Leaving { status };
            }
        }
    }

    pub(super) fn end_segment(&mut self, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        self.tell_quality(out);
        out.push(Action::Journal(What::SegmentEnded { status, by }));
        self.segment += 1;
    }

    pub(super) fn group_restarted(&mut self, group: GroupId, out: &mut Vec<Action>) {
        let place = match &self.state {
            State::Queueing(queueing) => Some(queueing),
            State::Talking(talk) => talk.transfer.as_ref().map(|asked| &asked.place),
            State::Claiming | State::Joining(_) | State::Leaving { .. } | State::Over => None,
        };
        if let Some(place) = place.filter(|place| place.group == group && !place.direct) {
            out.push(self.ticket(place));
        }
    }

    // ---- offers ----

    pub(super) fn offered_to(&mut self, offer: Offer, out: &mut Vec<Action>, cx: &mut Cx) {
        let (call, caller, contact) = (self.id(), self.arrival.caller.clone(), self.arrival.contact.clone());
        let State::Queueing(queueing) = &mut self.state else {
            // The race is over: the group's offer crossed the end.
            return self.send_back(offer.offer, offer.agent, out);
        };
        if offer.wait != queueing.wait {
            return self.send_back(offer.offer, offer.agent, out);
        }
        let terms = &offer.terms;
        out.push(Action::Journal(What::Ringing { agent: offer.agent }));
        let ringing = Ringing {
            offer: offer.offer,
            call,
            caller: caller.clone(),
            called: contact,
            group: terms.group_name.clone(),
            waiting_since: queueing.since,
            rings_since: cx.wall,
            rings_until: cx.wall + i64::try_from(terms.ring).unwrap_or(i64::MAX),
            automatic: terms.automatic,
        };
        out.push(Action::Tell(Tell::Agent(offer.agent, agent::Event::Ring(Box::new(ringing)))));
        let leg = phone_of(&offer).cloned().map(|phone| {
            let leg = LegId(cx.next_id());
            out.push(Action::OpenLeg { leg, plan: LegPlan::Phone { agent: offer.agent, phone, caller } });
            leg
        });
        let until = cx.now + terms.ring;
        queueing.offers.push(InHand { offer, leg, until, withdrawn: None });
        self.legs.extend(leg);
    }

    /// An offer that came too late.
    pub(super) fn send_back(&mut self, offer: OfferId, agent: AgentId, out: &mut Vec<Action>) {
        self.unconfirmed.insert(offer, agent);
        out.push(self.withdraw(offer, agent, Withdrawal::NotNeeded));
    }

    pub(super) fn ring_timeouts(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let State::Queueing(queueing) = &self.state else { return };
        let late: Vec<OfferId> =
            queueing.offers.iter().filter(|o| o.withdrawn.is_none() && o.until <= cx.now).map(|o| o.offer.offer).collect();
        for offer in late {
            self.take_back(offer, |terms| Withdrawal::RingTimeout { misses: terms.misses }, out);
        }
    }

    /// Takes an offer back; the group's next offer waits for the agent's word.
    fn take_back(&mut self, offer: OfferId, why: impl Fn(&crate::message::Terms) -> Withdrawal, out: &mut Vec<Action>) {
        let State::Queueing(queueing) = &mut self.state else { return };
        let Some(hand) = queueing.offers.iter_mut().find(|o| o.offer.offer == offer && o.withdrawn.is_none()) else { return };
        hand.withdrawn = Some(OfferEnd::Refused);
        let (offer, leg) = (hand.offer.clone(), hand.leg);
        out.push(Action::Journal(What::RingEnded { agent: offer.agent }));
        out.push(self.withdraw(offer.offer, offer.agent, why(&offer.terms)));
        out.extend(leg.map(hang_up));
    }

    /// The agent's word that an offer is over.
    pub(super) fn offer_ended(&mut self, offer: OfferId, how: OfferEnd, out: &mut Vec<Action>, cx: &Cx) {
        self.unconfirmed.remove(&offer);
        // A winner that let go before it heard of its win says `AgentLost` to the win.
        let State::Queueing(queueing) = &mut self.state else { return };
        let Some(at) = queueing.offers.iter().position(|o| o.offer.offer == offer) else { return };
        let hand = queueing.offers.remove(at);
        let how = hand.withdrawn.unwrap_or(how);
        if hand.withdrawn.is_none() {
            out.push(Action::Journal(What::RingEnded { agent: hand.offer.agent }));
            out.extend(hand.leg.map(hang_up));
        }
        if queueing.direct {
            if let (Some(back), true) = (queueing.back, queueing.offers.is_empty()) {
                self.fall_back(back, out, cx);
            }
            return;
        }
        let (group, agent, call) = (queueing.group, hand.offer.agent, self.arrival.call);
        if how == OfferEnd::Refused {
            queueing.refused.insert(agent, cx.wall);
        }
        out.push(Action::Tell(Tell::Group(group, group::Event::OfferOver { call, offer, agent, how })));
    }

    pub(super) fn accepted(&mut self, offer: OfferId, peer: Option<PeerId>, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Queueing(queueing) = &self.state else { return };
        let Some(hand) = queueing.offers.iter().find(|o| o.offer.offer == offer && o.withdrawn.is_none()) else { return };
        match (hand.leg, peer) {
            // A phone that rings is answered at the phone, not in the page.
            (Some(_), _) => {}
            (None, Some(peer)) => {
                let (leg, agent) = (LegId(cx.next_id()), hand.offer.agent);
                self.legs.insert(leg);
                self.win(offer, leg, out);
                out.push(Action::OpenLeg { leg, plan: LegPlan::Browser { agent, peer } });
            }
            (None, None) => self.take_back(offer, |_| Withdrawal::DeviceFailed("no_voice_path".into()), out),
        }
    }

    /// One agent has won: everybody else hears so (C4).
    fn win(&mut self, offer: OfferId, leg: LegId, out: &mut Vec<Action>) {
        let State::Queueing(queueing) = std::mem::replace(&mut self.state, State::Claiming) else { return };
        let call = self.id();
        out.extend(self.leave(&queueing));
        for hand in queueing.offers {
            if hand.offer.offer == offer {
                out.push(Action::Tell(Tell::Agent(hand.offer.agent, agent::Event::Won { offer, call })));
                let seat = Seat { agent: hand.offer.agent, leg, terms: hand.offer.terms, ding_dong: None, away: false };
                out.push(self.show(&seat, Phase::Connecting, None, None));
                self.state = State::Joining(seat);
            } else {
                self.abandon_offer(&hand, out);
            }
        }
    }

    /// What happens to a phone that rings for an offer.
    pub(super) fn phone_leg(&mut self, leg: LegId, event: leg::Event, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Queueing(queueing) = &self.state else { return };
        let Some(hand) = queueing.offers.iter().find(|o| o.leg == Some(leg) && o.withdrawn.is_none()) else { return };
        let offer = hand.offer.offer;
        match event {
            leg::Event::Up => {
                self.win(offer, leg, out);
                self.joined(out, cx);
            }
            // 603 and 486 at a phone: the person said no, or the line is taken.
            leg::Event::Failed(why) if why.status == 603 => self.take_back(offer, |_| Withdrawal::NotNeeded, out),
            leg::Event::Failed(why) if why.q850 == Some(leg::SUBSCRIBER_ABSENT) => {
                self.take_back(offer, |_| Withdrawal::DeviceFailed("phone_not_registered".into()), out);
            }
            leg::Event::Failed(_) | leg::Event::Cancelled | leg::Event::HungUp | leg::Event::Closed => {
                self.take_back(offer, |_| Withdrawal::DeviceFailed("device_failed".into()), out);
            }
            leg::Event::Ringing { .. } => {}
        }
    }

    pub(super) fn agent_restarted(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        self.unconfirmed.retain(|_, who| *who != agent);
        self.transfer_target_restarted(agent, out);
        // The old machine may have died over the withdrawal, and the new one may have this very offer: both answer `Withdrawn`.
        if let State::Queueing(queueing) = &mut self.state {
            let call = self.arrival.call;
            for hand in queueing.offers.iter_mut().filter(|hand| hand.offer.agent == agent) {
                if hand.withdrawn.is_none() {
                    hand.withdrawn = Some(OfferEnd::Gone);
                    out.push(Action::Journal(What::RingEnded { agent }));
                    out.extend(hand.leg.map(hang_up));
                }
                let event = agent::Event::Withdraw { call, offer: hand.offer.offer, why: Withdrawal::NotNeeded };
                out.push(Action::Tell(Tell::Agent(agent, event)));
            }
        }
        if self.seat().is_some_and(|seat| seat.agent == agent) {
            out.push(Action::Tell(Tell::Agent(agent, agent::Event::Reclaim { call: self.id() })));
        }
    }
}

/// The sounds that say a place in the queue (C2). Beyond 99 the number would be no comfort.
pub fn position_sounds(position: usize) -> Vec<String> {
    if position > 99 {
        return vec!["many-ahead".into()];
    }
    let (tens, ones) = if position <= 20 { (0, position) } else { (position - position % 10, position % 10) };
    let number = [tens, ones].into_iter().filter(|part| *part > 0).map(|part| format!("number-{part}"));
    std::iter::once("you-are-number".into()).chain(number).chain(["in-the-queue".into()]).collect()
}
