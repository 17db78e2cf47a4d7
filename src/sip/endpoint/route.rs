//! Where messages come from and where responses go.

use crate::message::{Host, Via};
use cordboard_core::ids::TrunkId;
use cordboard_core::setup::Transport;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

/// One way to a peer: the socket or connection, and the peer's address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Flow {
    pub transport: Transport,
    /// Our address as the peer is told it, in Via and Contact.
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

impl Flow {
    pub fn is_reliable(&self) -> bool {
        match self.transport {
            Transport::Udp => false,
            Transport::Tcp | Transport::Tls => true,
        }
    }

    /// The transport's name in Via.
    pub fn via_transport(&self) -> &'static str {
        match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// Where the response to a request that came by this flow goes (RFC 3261 §18.2.2, RFC 3581). `via` is as it was received; its `maddr` is passed over,
    /// by which a stranger could choose who hears our answer.
    pub(super) fn back(self, via: Option<&Via>) -> Self {
        let (Transport::Udp, Some(via)) = (self.transport, via) else { return self };
        if via.params.has("rport") {
            return self;
        }
        let port = via.port.filter(|port| *port != 0).unwrap_or(5060);
        Self { remote: SocketAddr::new(self.remote.ip(), port), ..self }
    }
}

/// Marks a received Via with its true source (RFC 3261 §18.2.1, RFC 3581 §4).
pub(super) fn mark_received(via: &mut Via, source: SocketAddr) {
    let asked = via.params.has("rport");
    if asked {
        via.params.set("rport", Some(source.port().to_string()));
    }
    if asked || via.host != Host::Ip(source.ip()) {
        via.params.set("received", Some(source.ip().to_string()));
    } else {
        via.params.remove("received");
    }
}

/// Who a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Trunk(TrunkId),
    Phone,
}

/// The addresses that may speak to us.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources {
    /// A carrier's addresses and the trunk that they belong to.
    pub trunks: Vec<(IpAddr, TrunkId)>,
    /// Contacts of SIP phones. One is told from a trunk at the same address by its port.
    pub phones: HashSet<SocketAddr>,
}

impl Sources {
    pub(super) fn find(&self, remote: SocketAddr) -> Option<Source> {
        if self.phones.contains(&remote) {
            return Some(Source::Phone);
        }
        let trunk = self.trunks.iter().find(|(ip, _)| *ip == remote.ip()).map(|(_, trunk)| Source::Trunk(*trunk));
        // A phone's own connections have a port of their own.
        trunk.or_else(|| self.phones.iter().any(|p| p.ip() == remote.ip()).then_some(Source::Phone))
    }
}
