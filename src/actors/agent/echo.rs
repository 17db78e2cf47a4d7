//! A page's test path (F4): a peer whose own audio comes straight back to it. No call and no machine knows of it.

use super::{AgentActor, AgentRole};
use crate::actors::shell::Shell;
use crate::wire::ToWorkstation;
use actix::prelude::*;
use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Codec, MediaEvent, Source};
use std::time::Duration;

/// A page that forgets to close it does not keep it.
const LONGEST: Duration = Duration::from_secs(30);

pub(super) struct Echo {
    pub page: u64,
    peer: PeerId,
    leg: LegId,
}

impl Shell<AgentRole> {
    /// One at a time: a newer one takes its place.
    pub(super) fn open_echo(&mut self, page: u64, sdp: String, ctx: &mut Context<AgentActor>) {
        self.close_echo(|_| true);
        let (peer, leg) = (PeerId(self.switch.new_id()), LegId(self.switch.new_id()));
        self.switch.directory.write().peers.insert(peer, self.role.machine.setup.id);
        self.switch.media.open_peer(peer, sdp, Codec::Pcmu);
        self.switch.media.attach_peer(leg, peer);
        self.switch.media.hear(leg, Source::Leg(leg));
        self.role.echo = Some(Echo { page, peer, leg });
        ctx.run_later(LONGEST, move |shell, _| shell.close_echo(|echo| echo.peer == peer));
    }

    pub(super) fn close_echo(&mut self, which: impl Fn(&Echo) -> bool) {
        let Some(echo) = self.role.echo.take_if(|echo| which(echo)) else { return };
        self.switch.directory.write().peers.remove(&echo.peer);
        self.switch.media.close(echo.leg);
        self.switch.media.close_peer(echo.peer);
    }

    /// Whether the event is the test path's and nobody else's.
    pub(super) fn echo_heard(&mut self, event: &MediaEvent) -> bool {
        let Some((peer, page)) = self.role.echo.as_ref().map(|echo| (echo.peer, echo.page)) else { return false };
        let (MediaEvent::PeerAnswer { peer: of, .. }
        | MediaEvent::PeerFailed { peer: of, .. }
        | MediaEvent::PeerUp { peer: of }
        | MediaEvent::PeerLost { peer: of }) = event
        else {
            return false;
        };
        if *of != peer {
            return false;
        }
        if let MediaEvent::PeerAnswer { sdp, .. } = event {
            self.role.show_to(page, ToWorkstation::Echo { sdp: Some(sdp.clone()) });
        } else if let MediaEvent::PeerFailed { .. } = event {
            self.role.show_to(page, ToWorkstation::Echo { sdp: None });
            self.close_echo(|_| true);
        }
        true
    }
}
