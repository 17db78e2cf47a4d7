//! SIP over TCP and TLS: framing, one task for each connection, and how long and how many of them strangers may hold.

use super::{NetEvent, Sockets, is_response, told};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::Flow;
use cordboard_sip::message::{Frame, StreamFramer};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::ServerName;

/// Messages that may wait for a slow peer.
const QUEUE: usize = 256;
/// Connections in all.
const MOST_STREAMS: usize = 4_096;
/// Connections of one host that is a stranger: phones behind one NAT are strangers until they have registered.
pub(super) const MOST_OF_A_HOST: usize = 128;
/// How long a stranger may stay one.
const PROBATION: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 32 });
/// How long a connection may take to come up, TLS included (timer F would give up later).
const CONNECT: Duration = Duration::from_secs(8);
/// How long a connection whose bytes make no sense any more stays for what is still to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection, or one that is coming up.
pub(super) struct Stream {
    writer: mpsc::Sender<Vec<u8>>,
    task: AbortHandle,
    /// Nobody knows yet who the peer is.
    strange: bool,
}

impl Sockets {
    /// The peer of this connection is a trunk's or a phone: it may stay.
    pub fn trust(&self, flow: &Flow) {
        if let Some(stream) = self.streams.lock().get_mut(flow) {
            stream.strange = false;
        }
    }

    pub(super) async fn accept(self, listener: TcpListener, acceptor: Option<TlsAcceptor>, advertise: Option<IpAddr>) {
        let transport = if acceptor.is_some() { Transport::Tls } else { Transport::Tcp };
        loop {
            match listener.accept().await {
                Ok((stream, remote)) if self.has_room_for(remote.ip()) => {
                    let Ok(local) = stream.local_addr().map(|own| told(own, advertise)) else { continue };
                    let flow = Flow { transport, local, remote };
                    keep_alive(&stream);
                    self.begin(flow, true, |this, receiver| this.welcome(stream, acceptor.clone(), flow, receiver));
                }
                Ok((_, remote)) => tracing::warn!(%remote, "too many SIP connections: one refused"),
                Err(why) => {
                    tracing::warn!(%why, "a SIP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn has_room_for(&self, ip: IpAddr) -> bool {
        let streams = self.streams.lock();
        let of_host = |(flow, stream): &(&Flow, &Stream)| stream.strange && host(flow.remote.ip()) == host(ip);
        streams.len() < MOST_STREAMS && streams.iter().filter(of_host).count() < MOST_OF_A_HOST
    }

    /// Begins the task of a connection; gives the way to its writer.
    fn begin<T>(&self, flow: Flow, strange: bool, task: impl FnOnce(Self, mpsc::Receiver<Vec<u8>>) -> T) -> mpsc::Sender<Vec<u8>>
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let (writer, receiver) = mpsc::channel(QUEUE);
        // Locked before the task begins, which may end at once.
        let mut streams = self.streams.lock();
        let task = tokio::spawn(task(self.clone(), receiver)).abort_handle();
        if let Some(old) = streams.insert(flow, Stream { writer: writer.clone(), task, strange }) {
            old.task.abort();
        }
        writer
    }

    pub(super) fn send_stream(&self, flow: Flow, bytes: Vec<u8>) {
        let known = {
            let streams = self.streams.lock();
            // Any connection to that peer will do when ours is a new one (RFC 3261 §18.1.1).
            let alike = |other: &Flow| other.remote == flow.remote && other.transport == flow.transport;
            let found = streams.get_key_value(&flow).or_else(|| streams.iter().find(|(other, _)| alike(other)));
            found.map(|(flow, stream)| (*flow, stream.writer.clone()))
        };
        let (flow, writer) = match known {
            Some(known) => known,
            // Who asked has gone: its connection's port takes no others.
            None if is_response(&bytes) => return,
            None => (flow, self.begin(flow, false, |this, receiver| this.connect(flow, receiver))),
        };
        if writer.try_send(bytes).is_err() {
            self.broken(flow);
        }
    }

    /// A connection made to us.
    async fn welcome(self, stream: TcpStream, acceptor: Option<TlsAcceptor>, flow: Flow, receiver: mpsc::Receiver<Vec<u8>>) {
        let Some(acceptor) = acceptor else {
            let (reader, writer) = stream.into_split();
            return self.serve(reader, writer, flow, receiver).await;
        };
        match within(acceptor.accept(stream)).await {
            Ok(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                self.serve(reader, writer, flow, receiver).await;
            }
            Err(why) => {
                tracing::debug!(remote = %flow.remote, %why, "a TLS connection for SIP did not come about");
                self.broken(flow);
            }
        }
    }

    /// A connection of ours.
    async fn connect(self, flow: Flow, receiver: mpsc::Receiver<Vec<u8>>) {
        let connected = within(TcpStream::connect(flow.remote)).await.inspect(keep_alive);
        let connector = self.connector.clone().filter(|_| flow.transport == Transport::Tls);
        let why = match (connected, connector) {
            (Ok(stream), Some(connector)) => match within(connector.connect(ServerName::from(flow.remote.ip()), stream)).await {
                Ok(stream) => {
                    let (reader, writer) = tokio::io::split(stream);
                    return self.serve(reader, writer, flow, receiver).await;
                }
                Err(why) => why,
            },
            (Ok(stream), None) if flow.transport == Transport::Tcp => {
                let (reader, writer) = stream.into_split();
                return self.serve(reader, writer, flow, receiver).await;
            }
            (Ok(_), None) => io::Error::other("sip.tls is off"),
            (Err(why), _) => why,
        };
        tracing::warn!(remote = %flow.remote, transport = ?flow.transport, %why, "no connection for SIP");
        self.broken(flow);
    }

    /// The flow's `local` is the name of our end: the socket's for connections made to us, the one asked for in ours.
    async fn serve(self, reader: impl AsyncRead + Unpin, writer: impl AsyncWrite + Unpin, flow: Flow, receiver: mpsc::Receiver<Vec<u8>>) {
        tokio::select! {
            () = self.read(reader, flow) => {}
            () = write(writer, receiver) => {}
            () = self.probation(flow) => {}
        }
        self.broken(flow);
    }

    /// Ends when a stranger has stayed one for too long, whatever it sends.
    async fn probation(&self, flow: Flow) {
        tokio::time::sleep(PROBATION).await;
        let strange = self.streams.lock().get(&flow).is_some_and(|stream| stream.strange);
        if !strange {
            std::future::pending::<()>().await;
        }
    }

    async fn read(&self, mut reader: impl AsyncRead + Unpin, flow: Flow) {
        let mut framer = StreamFramer::default();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            for frame in framer.push(buffer.get(..length).unwrap_or_default()) {
                match frame {
                    Frame::Message(bytes) => (self.sink)(NetEvent::Received { flow, bytes }),
                    Frame::Ping => {
                        let writer = self.streams.lock().get(&flow).map(|stream| stream.writer.clone());
                        if writer.is_some_and(|writer| writer.try_send(b"\r\n".to_vec()).is_err()) {
                            return;
                        }
                    }
                    Frame::Broken(bytes) => {
                        (self.sink)(NetEvent::Received { flow, bytes });
                        // Bytes left unread would make the close a reset, which takes the answer with it.
                        let _ = tokio::time::timeout(FAREWELL, tokio::io::copy(&mut reader, &mut tokio::io::sink())).await;
                        return;
                    }
                }
            }
        }
    }

    fn broken(&self, flow: Flow) {
        let stream = self.streams.lock().remove(&flow);
        if let Some(stream) = stream {
            // It may be waiting for a peer that reads nothing.
            stream.task.abort();
            (self.sink)(NetEvent::Broken { flow });
        }
    }
}

/// Whom a share of the connections belongs to: a host has as many addresses of IPv6 as it likes.
fn host(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// Lets the kernel ask whether a silent peer is still there, since a call or a registration may be silent for long: one that has vanished is noticed
/// within five minutes.
fn keep_alive(stream: &TcpStream) {
    let often = TcpKeepalive::new().with_time(Duration::from_secs(180)).with_interval(Duration::from_secs(30)).with_retries(4);
    if let Err(why) = SockRef::from(stream).set_tcp_keepalive(&often) {
        tracing::debug!(%why, "a SIP connection without keep-alive");
    }
}

async fn within<T>(attempt: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn write(mut writer: impl AsyncWrite + Unpin, mut receiver: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = receiver.recv().await {
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}
