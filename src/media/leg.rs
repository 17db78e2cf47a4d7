//! One leg as the engine holds it: its way to the far side, what it hears, and the packets it sends.

use crate::address::FarAddress;
use crate::control::{Control, Meter};
use crate::dtmf::{DigitReceiver, DigitSender};
use crate::event::{Quality, RtpRemote, Source};
use crate::g711::Law;
use crate::library::Library;
use crate::mixer::Mixer;
use crate::outbox::{Outbox, send_now};
use crate::outgoing::Outgoing;
use crate::packet::{Own, Packet};
use crate::peer::{OpenPeer, Peer, PeerState};
use crate::ports::Lease;
use crate::reception::Reception;
use crate::recording::Recorder;
use crate::rtcp::Report;
use crate::rtp::{CLOCK, HEADER_LEN, Header};
use crate::sharers::Claim;
use crate::sound::{FRAME, Frame, Sound};
use crate::spool;
use cordboard_core::ids::{CallId, LegId, PeerId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A browser that hears another leg gets silence of our own when nothing came for this long, until something comes: else it makes up what it plays.
const FILL_AFTER: Duration = Duration::from_millis(400);
/// A SIP leg that does gets one frame of it in each such time: carriers and NATs want packets now and then (RFC 6263).
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Mostly one: they lie in the leg, since each of its packets asks for them.
pub type Listeners = SmallVec<[LegId; 1]>;

/// One leg.
pub struct Leg {
    /// In ticks of the clock.
    opened: u64,
    pub link: Link,
    /// Who hears it as it is.
    pub listeners: Listeners,
    pub source: Source,
    /// Which frame of the source's sound comes next.
    source_frame: usize,
    /// The leg that a browser hears has stopped sending: silence of our own stands in until it sends again.
    filling: bool,
    pub prompt: Option<Prompt>,
    pub digits_in: DigitReceiver,
    pub digits_out: DigitSender,
    pub recorded_by: Option<CallId>,
}

/// The way to the far side.
pub enum Link {
    /// Waiting for a peer.
    None,
    Rtp(Box<RtpLink>),
    Browser {
        peer: PeerId,
        told: bool,
    },
}

/// A SIP leg's place at a port, and its session.
pub struct RtpLink {
    pub lease: Lease,
    pub session: Option<Session>,
    pub outgoing: Outgoing,
    pub reception: Reception,
    pub control: Control,
    pub meter: Meter,
}

/// What the SDP agreed on.
pub struct Session {
    pub remote: RtpRemote,
    pub far: FarAddress,
}

/// Sounds that play over whatever the leg hears.
pub struct Prompt {
    pub token: u64,
    /// By name; `None` while the file is read.
    sounds: VecDeque<(String, Option<Arc<Sound>>)>,
    /// Which frame of the first one comes next.
    frame: usize,
}

impl Prompt {
    pub fn new(token: u64, sounds: VecDeque<(String, Option<Arc<Sound>>)>) -> Self {
        Prompt { token, sounds, frame: 0 }
    }

    /// A file was read.
    pub fn loaded(&mut self, name: &str, sound: &Arc<Sound>) {
        for (_, waits) in self.sounds.iter_mut().filter(|(wanted, sound)| wanted == name && sound.is_none()) {
            *waits = Some(Arc::clone(sound));
        }
    }

    /// `None` at the end.
    fn next_frame(&mut self, law: Law) -> Option<Frame> {
        while let Some((_, sound)) = self.sounds.front() {
            let Some(sound) = sound else { return Some(Frame::silence(law)) };
            if let Some(frame) = sound.frame(law, self.frame) {
                self.frame += 1;
                return Some(Frame::copy(frame));
            }
            self.sounds.pop_front();
            self.frame = 0;
        }
        None
    }
}

impl RtpLink {
    pub fn new(lease: Lease) -> Self {
        let outgoing = Outgoing::new(rand::random(), rand::random(), rand::random());
        RtpLink {
            lease,
            session: None,
            outgoing,
            reception: Reception::default(),
            control: Control::new(CLOCK, Instant::now()),
            meter: Meter::default(),
        }
    }

    pub fn set_remote(&mut self, remote: RtpRemote, now: Instant) {
        match &mut self.session {
            Some(session) => {
                // `0.0.0.0` holds (RFC 2543); the far side stays where it is.
                if !remote.addr.ip().is_unspecified() {
                    session.far.told_again(remote.addr, now);
                }
                session.remote = remote;
            }
            None => {
                self.session = Some(Session { remote, far: FarAddress::told(remote.addr, now) });
                self.control = Control::new(CLOCK, now);
            }
        }
    }

    /// What a packet of RTP with this payload type has to do with the leg.
    pub fn claim(&self, payload_type: u8, from: SocketAddr, now: Instant) -> Claim {
        match &self.session {
            None => Claim::Unknown,
            Some(session) if session.remote.is_event(payload_type).is_none() => Claim::Unfit,
            Some(session) => session.far.claim(from, now),
        }
    }

    /// Where the far side was found.
    pub fn found_at(&self) -> Option<SocketAddr> {
        self.session.as_ref()?.far.locked()
    }

    /// The far side was found there.
    pub fn found(&mut self, at: SocketAddr) {
        if let Some(session) = &mut self.session {
            session.far.lock(at);
        }
        self.lease.set_found(Some(at));
    }

    /// It was another leg's.
    pub fn lost(&mut self) {
        if let Some(session) = &mut self.session {
            session.far.unlock();
        }
        self.lease.set_found(None);
    }

    /// Sends a report when one is due.
    pub fn report(&mut self, now: Instant) {
        let Some(session) = &self.session else { return };
        let report = self.control.due(&self.outgoing, &mut self.reception, now, SystemTime::now(), rand::random());
        if let Some(report) = report {
            send_now(&self.lease.port().rtcp, &report, session.rtcp_target());
        }
    }

    /// For how long nothing came, once what should come has not for too long.
    pub fn silence(&mut self, now: Instant) -> Option<Duration> {
        self.session.as_ref()?;
        self.control.silent(now)
    }

    /// Tells the far side that the stream ends.
    pub fn goodbye(&mut self, now: Instant) {
        let Some(session) = &self.session else { return };
        if let Some(goodbye) = self.control.goodbye(&self.outgoing, &mut self.reception, now, SystemTime::now()) {
            send_now(&self.lease.port().rtcp, &goodbye, session.rtcp_target());
        }
    }

    /// Takes the far side's reports, from the host that its RTP comes from only.
    pub fn receive_reports(&mut self, from: SocketAddr, reports: &[Report], now: Instant) {
        let Some(session) = &self.session else { return };
        if from.ip() == session.rtcp_target().ip() {
            self.control.heard(now);
            self.control.receive(reports, self.outgoing.ssrc(), now, SystemTime::now());
        }
    }
}

impl Session {
    /// Where our RTCP goes: as told, unless the far side's RTP turned out to come from elsewhere.
    pub fn rtcp_target(&self) -> SocketAddr {
        let next_port = |address: SocketAddr| SocketAddr::new(address.ip(), address.port().saturating_add(1));
        self.remote.rtcp.filter(|_| !self.far.moved()).unwrap_or_else(|| next_port(self.far.target()))
    }
}

impl Leg {
    /// A leg that opens when the clock has ticked so often.
    pub fn new(listeners: Listeners, ticks: u64) -> Self {
        Leg {
            opened: ticks,
            link: Link::None,
            listeners,
            source: Source::Silence,
            source_frame: 0,
            filling: false,
            prompt: None,
            digits_in: DigitReceiver::default(),
            digits_out: DigitSender::default(),
            recorded_by: None,
        }
    }

    /// Whether it is its turn of what each leg has every so many ticks. Each counts from its own opening: with all of them at one tick, packets and the
    /// pages that are told would wait.
    pub fn is_turn(&self, ticks: u64, every: u64) -> bool {
        ticks.wrapping_sub(self.opened).is_multiple_of(every)
    }

    /// The law this leg is sent.
    pub fn law(&self) -> Law {
        match &self.link {
            Link::Rtp(link) => link.session.as_ref().map_or(Law::Mu, |session| session.remote.law),
            Link::Browser { .. } | Link::None => Law::Mu,
        }
    }

    /// Gives what was heard before.
    pub fn hear(&mut self, source: Source) -> Source {
        if self.source != source {
            self.source_frame = 0;
        }
        self.filling = false;
        self.prompt = None;
        std::mem::replace(&mut self.source, source)
    }

    /// In the middle of a prompt or a digit.
    pub fn says_own(&self) -> bool {
        self.prompt.is_some() || self.digits_out.is_sending()
    }

    /// What it is sent comes from another leg: only now and then has it to be looked whether something does.
    pub fn is_relayed(&self) -> bool {
        matches!(self.source, Source::Leg(_)) && !self.filling && !self.says_own()
    }

    /// The next 20 ms of our own, when it is our turn; the second value is a prompt that has come to its end.
    pub fn next_frame(
        &mut self,
        library: &Library,
        mixer: &Mixer,
        peers: &FxHashMap<PeerId, Peer>,
        now: Instant,
    ) -> (Option<Own>, Option<Prompt>) {
        let law = self.law();
        if self.digits_out.is_sending() {
            let events = self.event_type(peers).is_some();
            return (self.digits_out.next_frame(law, events), None);
        }
        let (frame, ended) = self.next_audio(law, library, mixer, peers, now);
        (frame.map(Own::Audio), ended)
    }

    fn next_audio(
        &mut self,
        law: Law,
        library: &Library,
        mixer: &Mixer,
        peers: &FxHashMap<PeerId, Peer>,
        now: Instant,
    ) -> (Option<Frame>, Option<Prompt>) {
        let prompt = self.prompt.as_mut().and_then(|prompt| prompt.next_frame(law));
        if prompt.is_some() {
            return (prompt, None);
        }
        let ended = self.prompt.take();
        match &self.source {
            Source::Leg(_) => {
                let last = self.last_sent(peers);
                let is_silent_for = |time| last.is_none_or(|since| now.saturating_duration_since(since) >= time);
                let is_due = match self.link {
                    Link::Browser { .. } => self.filling || is_silent_for(FILL_AFTER),
                    Link::Rtp(_) | Link::None => is_silent_for(KEEP_ALIVE),
                };
                self.filling = is_due;
                return (is_due.then(|| Frame::silence(law)), ended);
            }
            Source::Mix(legs) => return (Some(mixer.mix(legs, law)), ended),
            Source::Silence | Source::Music(_) | Source::Ringback | Source::Busy | Source::Congestion => {}
        }
        let sound = self.source.sound().and_then(|name| library.get(name));
        let frame = sound.and_then(|sound| sound.looped(law, self.source_frame)).map_or_else(|| Frame::silence(law), Frame::copy);
        self.source_frame = self.source_frame.wrapping_add(1);
        (Some(frame), ended)
    }

    /// When the leg was last sent something.
    fn last_sent(&self, peers: &FxHashMap<PeerId, Peer>) -> Option<Instant> {
        match &self.link {
            Link::Rtp(link) => link.outgoing.last_sent(),
            Link::Browser { peer, .. } => open(peers.get(peer)).and_then(|peer| peer.outgoing.last_sent()),
            Link::None => None,
        }
    }

    /// The payload type of telephone events to the far side.
    fn event_type(&self, peers: &FxHashMap<PeerId, Peer>) -> Option<u8> {
        match &self.link {
            Link::Rtp(link) => link.session.as_ref()?.remote.dtmf_type,
            Link::Browser { peer, .. } => open(peers.get(peer))?.event_type,
            Link::None => None,
        }
    }

    /// The quality of what came since it was last asked for; `None` when nothing did.
    pub fn measure(&mut self, peers: &mut FxHashMap<PeerId, Peer>) -> Option<Quality> {
        let (meter, reception, control) = match &mut self.link {
            Link::Rtp(link) => (&mut link.meter, &link.reception, &link.control),
            Link::Browser { peer, .. } => {
                let open = open_mut(peers.get_mut(peer))?;
                (&mut open.meter, &open.reception, &open.control)
            }
            Link::None => return None,
        };
        Some(control.quality(meter.interval(reception)?))
    }

    /// Sends one packet to the far side, and to the leg's recording as what it hears.
    pub fn send(
        &mut self,
        id: LegId,
        peers: &mut FxHashMap<PeerId, Peer>,
        packet: &Packet<'_>,
        outbox: &mut Outbox,
        recorder: &mut Recorder,
        now: Instant,
    ) {
        if matches!(packet, Packet::Audio { .. }) {
            self.filling = false;
        }
        let recorded_by = self.recorded_by.filter(|_| packet.is_audio());
        let mut record = |header: &Header, law: Law, payload: &[u8]| {
            if let Some(call) = recorded_by {
                recorder.take(call, spool::Channel::Right, (header.ssrc, header.timestamp), law, payload, now);
            }
        };
        match &mut self.link {
            Link::Rtp(link) => {
                let Some(session) = link.session.as_ref().filter(|session| session.remote.send) else { return };
                let remote = &session.remote;
                let Some(header) = packet.header(&mut link.outgoing, remote.payload_type, remote.dtmf_type, now) else { return };
                let written = outbox.push(&link.lease.port().rtp, session.far.target(), |out| {
                    header.write(out);
                    packet.write_payload(out, remote.law);
                });
                record(&header, remote.law, written.get(HEADER_LEN..).unwrap_or_default());
            }
            Link::Browser { peer, .. } => {
                let Some(peer) = peers.get_mut(peer).filter(|peer| peer.leg == Some(id)) else { return };
                let PeerState::Open(open) = &mut peer.state else { return };
                if !open.is_connected() {
                    return;
                }
                let Some(header) = packet.header(&mut open.outgoing, open.audio_type, open.event_type, now) else { return };
                let mut plain = Vec::with_capacity(HEADER_LEN + FRAME);
                header.write(&mut plain);
                packet.write_payload(&mut plain, Law::Mu);
                record(&header, Law::Mu, plain.get(HEADER_LEN..).unwrap_or_default());
                open.send(&header, plain, outbox);
            }
            Link::None => {}
        }
    }
}

/// The peer's open connection.
pub fn open(peer: Option<&Peer>) -> Option<&OpenPeer> {
    match &peer?.state {
        PeerState::Open(open) => Some(open),
        PeerState::Negotiating => None,
    }
}

/// The same to change.
pub fn open_mut(peer: Option<&mut Peer>) -> Option<&mut OpenPeer> {
    match &mut peer?.state {
        PeerState::Open(open) => Some(open),
        PeerState::Negotiating => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_that_open_one_after_another_have_their_turns_one_after_another() {
        let legs: Vec<Leg> = (7..17).map(|ticks| Leg::new(Listeners::default(), ticks)).collect();
        for ticks in 20..50 {
            let turns: Vec<usize> = (0..10).filter(|at| legs[*at].is_turn(ticks, 10)).collect();
            assert_eq!(turns, [usize::try_from(ticks - 7).unwrap() % 10]);
        }
    }
}
