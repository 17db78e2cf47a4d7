//! The call in a queue: its place, what it hears there, and the ways out (C2, C3).

use super::{Answered, Call, EARLY_MEDIA, Queueing, Route, State, Way};
use crate::cx::Cx;
use crate::group::{self, Limit};
use crate::ids::GroupId;
use crate::leg::SignalCommand;
use crate::message::{self, Action, Gateway, MediaAction, Source, Tell, Ticket};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::setup::WayOut;

impl Call {
    /// Who is on the blocklist is refused before anything else: no channel, no ringing, no queue (C1).
    pub(super) fn refuse_barred(&mut self, out: &mut Vec<Action>) -> bool {
        let Way::Barred(group) = self.arrival.way else { return false };
        out.push(Action::Journal(What::Barred { group }));
        self.refuse(603, Some(21), CallStatus::Blocklist, out);
        true
    }

    pub(super) fn granted(&mut self, gateway: Gateway, out: &mut Vec<Action>, cx: &Cx) {
        if !matches!(self.state, State::Claiming | State::Dialling(_)) {
            // The caller left while the trunk counted: give the channel back.
            if self.is_over() && !self.channel {
                out.extend(self.arrival.trunk.map(|trunk| self.free_channel(trunk, self.arrival.leg)));
            }
            return;
        }
        (self.channel, self.gateway) = (true, Some(gateway));
        match &self.arrival.way {
            Way::In(None) => self.refuse(404, Some(1), CallStatus::UnknownNumber, out),
            Way::In(Some(Route { group, .. })) => self.enqueue(*group, cx.wall, false, out),
            Way::Out(_) => self.depart(out, cx),
            // Never asks for a channel.
            Way::Barred(_) => {}
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

    /// The number of a segment that begins.
    pub(super) fn new_segment(&mut self) -> u16 {
        self.segments += 1;
        self.segments
    }

    pub(super) fn ticket(&self, queueing: &Queueing) -> Action {
        let ticket = Ticket {
            call: self.id(),
            arrived: queueing.since,
            priority: 0,
            head: queueing.head,
            last_agent: self.arrival.route().filter(|_| !queueing.consults).and_then(|route| route.last_agent),
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
        self.consult_queued(wait);
        let State::Queueing(queueing) = &mut self.state else { return };
        if queueing.group != group || queueing.wait != wait || std::mem::replace(&mut queueing.welcomed, true) {
            return;
        }
        let first = self.answered == Answered::No;
        if first {
            out.push(self.signal(SignalCommand::Ring));
            if self.arrival.route().is_some_and(|route| route.early_media) {
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
        if matches!(&self.state, State::Queueing(queueing) if queueing.wait == wait && queueing.welcomed) && limit == Limit::QueueFull {
            // A new machine's answer to what the old one had taken in: it has been told so since, and keeps the caller.
            return;
        }
        if wait == self.waits && !self.is_consulting() {
            // A group whose machine is new may have been told of this wait again meanwhile.
            out.push(Action::Tell(Tell::Group(group, group::Event::Left(self.id()))));
        }
        self.transfer_refused(message::Transfer::QueueRefused(limit), |asked| asked.place.wait == wait, out);
        self.consult_turned_away(wait, limit, out);
        let State::Queueing(queueing) = &self.state else { return };
        if queueing.wait != wait {
            return;
        }
        if let Some(back) = queueing.back {
            return self.fall_back(back, out, cx);
        }
        self.tried.insert(group);
        let status = CallStatus::from(limit);
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
        self.segment = self.new_segment();
    }

    pub(super) fn group_restarted(&mut self, group: GroupId, out: &mut Vec<Action>) {
        let transfer = if let State::Talking(talk) = &self.state { talk.transfer.as_ref() } else { None };
        let place = transfer.map(|asked| &asked.place).or_else(|| self.seeking());
        if let Some(place) = place.filter(|place| place.group == group && !place.direct) {
            out.push(self.ticket(place));
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
