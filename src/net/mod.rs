//! Sockets for SIP: datagrams and streams become whole messages with their flow, and back.

mod stream;

use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::Flow;
use parking_lot::Mutex;
use socket2::SockRef;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Largest datagram there is.
const DATAGRAM: usize = 65_535;

/// What the kernel keeps for a SIP socket, in bytes, where it is allowed to: a quarter of a second of a busy switch's messages. The system's usual 208 KiB
/// are a hundred and fifty of them, ten milliseconds; what is lost comes again when its sender's patience is over, and makes a short jam a long one.
const BUFFER: usize = 4 << 20;

/// So many datagrams do not wait until the thread sleeps: a busy one never does.
const TOGETHER: usize = 32;

/// What sockets report upward.
#[derive(Debug)]
pub enum NetEvent {
    /// One datagram, or one framed message of a stream.
    Received { flow: Flow, bytes: Vec<u8> },
    /// A stream ended, or a request could not be sent on this flow.
    Broken { flow: Flow },
}

type Streams = HashMap<Flow, stream::Stream>;
type Outbox = Vec<(Flow, Vec<u8>)>;
type Sink = Arc<dyn Fn(NetEvent) + Send + Sync>;

/// What TLS needs: as the one that is connected to, and as the one that connects (I5).
#[derive(Clone)]
pub struct Tls {
    pub listen: SocketAddr,
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
}

/// All SIP sockets of the switch.
#[derive(Clone)]
pub struct Sockets {
    udp: Arc<Vec<(SocketAddr, Arc<UdpSocket>)>>,
    /// Where we listen for connections: the Via and Contact of ours.
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    connector: Option<TlsConnector>,
    streams: Arc<Mutex<Streams>>,
    /// Datagrams for [`Sockets::flush`].
    outbox: Arc<Mutex<Outbox>>,
    sink: Sink,
}

impl Sockets {
    /// Binds and listens; `advertise` stands for our address in all flows, where it is another one than the sockets'. Must run inside a tokio runtime, which carries the sockets from then on.
    pub async fn bind(
        udp: &[SocketAddr],
        tcp: &[SocketAddr],
        tls: Option<Tls>,
        advertise: Option<IpAddr>,
        sink: impl Fn(NetEvent) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let sink: Sink = Arc::new(sink);
        let mut sockets = Vec::new();
        for addr in udp {
            let socket = Arc::new(UdpSocket::bind(addr).await?);
            keep_much(&socket);
            sockets.push((told(socket.local_addr()?, advertise), socket));
        }
        let mut listeners = Vec::new();
        for addr in tcp {
            listeners.push(TcpListener::bind(addr).await?);
        }
        let tcp = listeners.first().map(TcpListener::local_addr).transpose()?.map(|addr| told(addr, advertise));
        let secure = match &tls {
            Some(tls) => Some((TcpListener::bind(tls.listen).await?, TlsAcceptor::from(tls.server.clone()))),
            None => None,
        };
        let own = secure.as_ref().map(|(listener, _)| listener.local_addr()).transpose()?.map(|addr| told(addr, advertise));
        let connector = tls.map(|tls| TlsConnector::from(tls.client));
        let this = Self { udp: Arc::new(sockets), tcp, tls: own, connector, streams: Arc::default(), outbox: Arc::default(), sink };
        for (local, socket) in this.udp.iter() {
            tokio::spawn(receive(*local, socket.clone(), this.sink.clone()));
        }
        for listener in listeners {
            tokio::spawn(this.clone().accept(listener, None, advertise));
        }
        if let Some((listener, acceptor)) = secure {
            tokio::spawn(this.clone().accept(listener, Some(acceptor), advertise));
        }
        Ok(this)
    }

    /// Our end of a new flow over this transport.
    pub fn local(&self, transport: Transport) -> Option<SocketAddr> {
        match transport {
            Transport::Udp => self.udp.first().map(|(addr, _)| *addr),
            Transport::Tcp => self.tcp,
            Transport::Tls => self.tls,
        }
    }

    /// Sends one message; a datagram waits for [`Self::flush`], or for as many as make [`TOGETHER`].
    pub fn send(&self, flow: Flow, bytes: Vec<u8>) {
        match flow.transport {
            Transport::Udp => {
                let full = {
                    let mut outbox = self.outbox.lock();
                    outbox.push((flow, bytes));
                    outbox.len() >= TOGETHER
                };
                if full {
                    self.flush();
                }
            }
            Transport::Tcp | Transport::Tls => self.send_stream(flow, bytes),
        }
    }

    /// Sends the datagrams that wait: one right after another they wake their receivers' machine once and not each by itself. To be called before the
    /// thread that sends sleeps. What the kernel has no room for is lost, as on any network; retransmission mends it.
    pub fn flush(&self) {
        let waiting = std::mem::take(&mut *self.outbox.lock());
        for (flow, bytes) in waiting {
            let Some((_, socket)) = self.udp.iter().find(|(local, _)| *local == flow.local).or(self.udp.first()) else { return };
            match socket.try_send_to(&bytes, flow.remote) {
                Ok(_) => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                // Where an answer goes is its asker's business: nothing of ours waits on it.
                Err(_) if is_response(&bytes) => {}
                Err(_) => (self.sink)(NetEvent::Broken { flow }),
            }
        }
    }
}

fn is_response(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 ")
}

/// As much of [`BUFFER`] as the system allows.
fn keep_much(socket: &UdpSocket) {
    let buffer = SockRef::from(socket);
    // Linux tells twice what is usable (socket(7)).
    let granted = buffer.set_recv_buffer_size(BUFFER).and_then(|()| buffer.recv_buffer_size()).map(|granted| granted / 2);
    if !granted.as_ref().is_ok_and(|granted| *granted >= BUFFER) {
        tracing::warn!(?granted, wanted = BUFFER, "SIP messages may be lost under load: raise net.core.rmem_max");
    }
}

/// Our address as peers know it.
fn told(own: SocketAddr, advertise: Option<IpAddr>) -> SocketAddr {
    SocketAddr::new(advertise.unwrap_or(own.ip()), own.port())
}

async fn receive(local: SocketAddr, socket: Arc<UdpSocket>, sink: Sink) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, remote)) => {
                let flow = Flow { transport: Transport::Udp, local, remote };
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                sink(NetEvent::Received { flow, bytes });
            }
            // An ICMP error of an earlier send; the socket lives.
            Err(why) => tracing::debug!(%why, "SIP datagram socket"),
        }
    }
}

#[cfg(test)]
mod tests;
