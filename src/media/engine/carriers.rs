//! SIP legs: their places at the RTP ports, and what comes there.

use super::{Engine, open_leg};
use crate::event::RtpRemote;
use crate::intake::{self, Intake};
use crate::leg::{Leg, Link, RtpLink};
use crate::ports::{Lease, Port};
use crate::rtcp;
use crate::rtp;
use crate::sharers::{Claim, Sharers, Whose};
use crate::watch::{Channel, Owner};
use cordboard_core::ids::LegId;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// An open port, and whose what comes there is.
pub(super) struct Door {
    port: Arc<Port>,
    sharers: Sharers,
    /// So many datagrams at once are likely to wait there: to prepare for more costs.
    expects: usize,
}

impl Engine {
    pub(super) fn open_rtp(&mut self, leg: LegId, lease: Lease) {
        let number = lease.port().number;
        if !self.doors.contains_key(&number) {
            let port = Arc::clone(lease.port());
            let watched = self
                .watch
                .add(&port.rtp, Owner::Port(number, Channel::Rtp))
                .and_then(|()| self.watch.add(&port.rtcp, Owner::Port(number, Channel::Rtcp)));
            if let Err(error) = watched {
                tracing::error!(%leg, %error, "RTP sockets");
                self.ports.abandon(number);
                return;
            }
            self.doors.insert(number, Door { port, sharers: Sharers::default(), expects: 1 });
        }
        let link = RtpLink::new(lease);
        if let Some(door) = self.doors.get_mut(&number) {
            door.sharers.join(leg, link.outgoing.ssrc());
        }
        open_leg(&mut self.legs, &mut self.awaited, leg, self.ticks).link = Link::Rtp(Box::new(link));
    }

    pub(super) fn leave_port(&mut self, leg: LegId, link: &RtpLink, now: Instant) {
        if let Some(door) = self.doors.get_mut(&link.lease.port().number) {
            door.sharers.leave(leg, link.outgoing.ssrc(), link.found_at(), now);
        }
    }

    pub(super) fn set_remote(&mut self, leg: LegId, remote: RtpRemote) {
        let Some(Leg { link: Link::Rtp(link), .. }) = self.legs.get_mut(&leg) else {
            tracing::warn!(%leg, "a far side for a leg without RTP");
            return;
        };
        let (before, now) = (link.found_at(), Instant::now());
        link.set_remote(remote, now);
        if let Some(before) = before.filter(|_| link.found_at().is_none()) {
            link.lease.set_found(None);
            if let Some(door) = self.doors.get_mut(&link.lease.port().number) {
                door.sharers.seek(leg, before, now);
            }
        }
    }

    /// Takes a batch of what waits at a port.
    pub(super) fn read_port(&mut self, number: u16, channel: Channel, intake: &mut Intake) {
        let Some(door) = self.doors.get(&number) else { return };
        let (port, most, now) = (Arc::clone(&door.port), door.expects, Instant::now());
        match channel {
            Channel::Rtp => {
                let count = intake.read(&port.rtp, most, |from, datagram| self.rtp_received(number, from, datagram, now));
                if let Some(door) = self.doors.get_mut(&number) {
                    door.expects = if count < most { count + 1 } else { intake::BATCH.min(2 * most) };
                }
            }
            Channel::Rtcp => {
                intake.read(&port.rtcp, 1, |from, datagram| self.rtcp_received(number, from, datagram, now));
            }
        }
    }

    fn rtp_received(&mut self, number: u16, from: SocketAddr, datagram: &[u8], now: Instant) {
        let Some(packet) = rtp::Packet::parse(datagram) else { return };
        let Some(door) = self.doors.get_mut(&number) else { return };
        let payload_type = packet.header.payload_type;
        let claim = |leg| match self.legs.get(&leg) {
            Some(Leg { link: Link::Rtp(link), .. }) => link.claim(payload_type, from, now),
            _ => Claim::None,
        };
        let (leg, found_now) = match door.sharers.whose(from, packet.header.ssrc, now, claim) {
            Whose::Legs(leg) => (leg, false),
            Whose::FoundNow { leg, robbed } => {
                if let Some(Leg { link: Link::Rtp(robbed), .. }) = robbed.and_then(|robbed| self.legs.get_mut(&robbed)) {
                    robbed.lost();
                }
                (leg, true)
            }
            Whose::Nobodys => return,
        };
        let Some(Leg { link: Link::Rtp(link), .. }) = self.legs.get_mut(&leg) else { return };
        if found_now {
            link.found(from);
        }
        let Some(remote) = link.session.as_ref().map(|session| session.remote) else { return };
        let Some(event) = remote.is_event(payload_type) else { return };
        link.control.heard(now);
        if event {
            link.reception.receive_untimed(&packet.header, now);
        } else {
            link.reception.receive(&packet.header, now);
        }
        if !remote.receive {
            return;
        }
        if event {
            self.event_from(leg, &packet, now);
        } else {
            self.audio_from(leg, &packet, remote.law, now);
        }
    }

    fn rtcp_received(&mut self, number: u16, from: SocketAddr, datagram: &[u8], now: Instant) {
        let (Some(door), Some(reports)) = (self.doors.get(&number), rtcp::parse(datagram)) else { return };
        let about = reports.iter().flat_map(|report| &report.blocks).map(|block| block.block.ssrc);
        let Some(leg) = door.sharers.whose_reports(from, about) else { return };
        if let Some(Leg { link: Link::Rtp(link), .. }) = self.legs.get_mut(&leg) {
            link.receive_reports(from, &reports, now);
        }
    }

    /// Closes the ports that nobody wants, and forgets the streams that have ended.
    pub(super) fn tidy_ports(&mut self, now: Instant) {
        for number in self.ports.tidy(now) {
            self.doors.remove(&number);
        }
        for door in self.doors.values_mut() {
            door.sharers.tidy(now);
        }
    }
}
