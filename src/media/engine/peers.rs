//! Browsers: their peers come and go, and what they send (F7, B3).

use super::{Engine, PEER_CONNECT, PEER_SILENCE, open_leg};
use crate::event::{Codec, MediaEvent};
use crate::g711::Law;
use crate::intake::{self, Intake};
use crate::leg::{Leg, Link, open, open_mut};
use crate::narrow;
use crate::peer::{self, Negotiated, Notice, OpenPeer, Peer, PeerError, PeerState};
use crate::rtp;
use cordboard_core::ids::{LegId, PeerId};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use webrtc::peer_connection::RTCPeerConnectionState;

/// So many batches of the browsers' datagrams are read together at most.
const BATCHES: usize = 8;

impl Engine {
    pub(super) fn open_peer(&mut self, peer: PeerId, offer: String, codec: Codec) {
        if self.peers.contains_key(&peer) {
            self.tell(MediaEvent::PeerFailed { peer, why: "this peer is open already".into() });
            return;
        }
        let here = (self.advertised.clone(), self.browser_port);
        let negotiation = peer::negotiate(Arc::clone(&self.mux), peer, offer, codec, here, self.notices.clone());
        let notices = self.notices.clone();
        tokio::task::spawn_local(async move {
            let result = negotiation.await;
            if notices.send(Notice::Ready(peer, result)).is_err() {
                tracing::trace!("the media engine has ended");
            }
        });
        self.peers.insert(peer, Peer { state: PeerState::Negotiating, leg: None, opened: Instant::now() });
    }

    pub(super) fn close_peer(&mut self, peer: PeerId) {
        let Some(closed) = self.peers.remove(&peer) else { return };
        // One that still negotiates is closed when its notice comes.
        if let PeerState::Open(open) = closed.state {
            peer::close(Arc::clone(&open.connection));
        }
        self.attach_failed(closed.leg);
    }

    /// A leg that waited for its browser waits in vain.
    pub(super) fn attach_failed(&mut self, leg: Option<LegId>) {
        let Some(leg) = leg else { return };
        let Some(known) = self.legs.get_mut(&leg) else { return };
        if let Link::Browser { told, .. } = known.link {
            known.link = Link::None;
            if !told {
                self.tell(MediaEvent::AttachFailed { leg });
            }
        }
    }

    pub(super) fn attach_peer(&mut self, leg: LegId, peer: PeerId) {
        let known = open_leg(&mut self.legs, &mut self.awaited, leg, self.ticks);
        if let Link::Browser { peer: before, .. } = known.link
            && let Some(before) = self.peers.get_mut(&before).filter(|before| before.leg == Some(leg))
        {
            before.leg = None;
        }
        let Some(target) = self.peers.get_mut(&peer) else {
            known.link = Link::None;
            self.tell(MediaEvent::AttachFailed { leg });
            return;
        };
        let evicted = target.leg.replace(leg).filter(|other| *other != leg);
        let up = open(Some(target)).is_some_and(|open| open.up);
        known.link = Link::Browser { peer, told: up };
        if let Some(other) = evicted.and_then(|other| self.legs.get_mut(&other)) {
            other.link = Link::None;
        }
        if up {
            self.tell(MediaEvent::Attached { leg });
        }
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Ready(peer, result) => self.negotiated(peer, result),
            Notice::State(peer, state) => self.peer_state(peer, state),
        }
    }

    pub(super) fn negotiated(&mut self, id: PeerId, result: Result<Box<Negotiated>, PeerError>) {
        let Some(peer) = self.peers.get_mut(&id) else {
            // Closed meanwhile.
            if let Ok(negotiated) = result {
                peer::close(negotiated.connection);
            }
            return;
        };
        match result {
            Ok(negotiated) => {
                let sdp = negotiated.answer.clone();
                peer.state = PeerState::Open(Box::new(OpenPeer::new(*negotiated)));
                self.tell(MediaEvent::PeerAnswer { peer: id, sdp });
            }
            Err(error) => self.peer_failed(id, error.to_string()),
        }
    }

    fn peer_failed(&mut self, id: PeerId, why: String) {
        self.tell(MediaEvent::PeerFailed { peer: id, why });
        self.close_peer(id);
    }

    pub(super) fn peer_state(&mut self, id: PeerId, state: RTCPeerConnectionState) {
        let Some(open) = open_mut(self.peers.get_mut(&id)) else { return };
        match state {
            RTCPeerConnectionState::Connected => {
                open.connected();
                self.peer_up(id);
            }
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                open.closed();
                self.peer_lost(id);
            }
            // Whether a browser is heard we see for ourselves, sooner than the library tells.
            RTCPeerConnectionState::Disconnected
            | RTCPeerConnectionState::Connecting
            | RTCPeerConnectionState::New
            | RTCPeerConnectionState::Unspecified
            | _ => {}
        }
    }

    pub(super) fn peer_up(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let PeerState::Open(open) = &mut peer.state else { return };
        if open.up || !open.is_connected() {
            return;
        }
        open.up = true;
        open.lost = false;
        let leg = peer.leg;
        self.tell(MediaEvent::PeerUp { peer: id });
        if let Some(leg) = leg
            && let Some(Leg { link: Link::Browser { told: told @ false, .. }, .. }) = self.legs.get_mut(&leg)
        {
            *told = true;
            self.tell(MediaEvent::Attached { leg });
        }
    }

    pub(super) fn peer_lost(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let PeerState::Open(open) = &mut peer.state else { return };
        if open.lost {
            return;
        }
        if !open.up {
            // It never was. Who tries again does so with a new one.
            return self.peer_failed(id, "the browser did not connect".into());
        }
        open.up = false;
        open.lost = true;
        let leg = peer.leg;
        let waits = leg.and_then(|leg| self.legs.get(&leg)).is_some_and(|leg| matches!(leg.link, Link::Browser { told: false, .. }));
        if waits {
            peer.leg = None;
        }
        self.tell(MediaEvent::PeerLost { peer: id });
        if waits {
            self.attach_failed(leg);
        }
    }

    /// Looks after browsers that went away, came back or never came, and sends the reports that are due to those in a call.
    pub(super) fn watch_peers(&mut self, now: Instant) {
        let mut came = Vec::new();
        let mut went = Vec::new();
        for (id, peer) in &mut self.peers {
            let (leg, opened) = (peer.leg, peer.opened);
            let Some(open) = open_mut(Some(peer)) else { continue };
            let heard = open.inbox.last_heard().is_some_and(|at| now.saturating_duration_since(at) < PEER_SILENCE);
            let in_time = now.saturating_duration_since(opened) < PEER_CONNECT;
            if open.up && !heard || !open.is_connected() && !open.lost && !in_time {
                went.push(*id);
            } else if open.is_connected() && !open.up && heard {
                came.push(*id);
            }
            if leg.is_some() {
                open.report(&mut self.outbox, now);
            }
        }
        self.outbox.flush();
        went.into_iter().for_each(|id| self.peer_lost(id));
        came.into_iter().for_each(|id| self.peer_up(id));
    }

    /// Takes what waits at the browsers' port, for so long that neither they nor the carriers wait for the other.
    pub(super) fn read_browsers(&mut self, intake: &mut Intake) {
        let mux = Arc::clone(&self.mux);
        for _ in 0..BATCHES {
            let now = Instant::now();
            let count = intake.read(mux.socket(), intake::BATCH, |from, datagram| {
                if let Some(peer) = mux.deliver(from, datagram, now) {
                    self.browser_packet(peer, from, datagram, now);
                }
            });
            if count < intake::BATCH {
                return;
            }
        }
    }

    fn browser_packet(&mut self, id: PeerId, from: SocketAddr, datagram: &[u8], now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let leg = peer.leg;
        let Some(open) = open_mut(Some(peer)) else { return };
        let Some(packet) = open.receive(from, datagram, now) else { return };
        let Some(packet) = rtp::Packet::parse(&packet) else { return };
        let header = packet.header;
        let event = open.event_type == Some(header.payload_type);
        if !event && header.payload_type != open.audio_type {
            return;
        }
        if let Some(narrow) = &mut open.narrow {
            let heard = narrow.decode(header, packet.payload);
            open.reception.receive(&narrow::in_g711_time(header), now);
            let (Some(leg), Ok(heard)) = (leg, heard) else { return };
            for narrow::Decoded { header, payload } in &heard {
                self.audio_from(leg, &rtp::Packet { header: *header, payload }, Law::Mu, now);
            }
            return;
        }
        if event {
            open.reception.receive_untimed(&header, now);
        } else {
            open.reception.receive(&header, now);
        }
        let Some(leg) = leg else { return };
        if event {
            self.event_from(leg, &packet, now);
        } else {
            self.audio_from(leg, &packet, Law::Mu, now);
        }
    }
}
