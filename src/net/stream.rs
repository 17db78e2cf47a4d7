//! SIP over TCP and TLS: framing, one task that reads and one that writes for each connection.

use super::{NetEvent, Sockets, told};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::Flow;
use cordboard_sip::message::{Frame, StreamFramer};
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::ServerName;

/// Messages that may wait for a slow peer.
const QUEUE: usize = 256;
/// Connections that a stranger may hold open in all.
const MOST_STREAMS: usize = 4_096;
/// How long a connection may take to come up, TLS included (timer F would give up later).
const CONNECT: Duration = Duration::from_secs(8);
/// How long a connection whose bytes make no sense any more stays for what is still to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

impl Sockets {
    pub(super) async fn accept(self, listener: TcpListener, acceptor: Option<TlsAcceptor>, advertise: Option<IpAddr>) {
        let transport = if acceptor.is_some() { Transport::Tls } else { Transport::Tcp };
        loop {
            match listener.accept().await {
                Ok((stream, remote)) if self.streams.lock().len() < MOST_STREAMS => {
                    let Ok(local) = stream.local_addr().map(|own| told(own, advertise)) else { continue };
                    let flow = Flow { transport, local, remote };
                    let receiver = self.adopt(flow);
                    tokio::spawn(self.clone().welcome(stream, acceptor.clone(), flow, receiver));
                }
                Ok((_, remote)) => tracing::warn!(%remote, "too many SIP connections: one refused"),
                Err(why) => {
                    tracing::warn!(%why, "a SIP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn adopt(&self, flow: Flow) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.streams.lock().insert(flow, sender);
        receiver
    }

    pub(super) fn send_stream(&self, flow: Flow, bytes: Vec<u8>) {
        let known = {
            let streams = self.streams.lock();
            // Any connection to that peer will do when ours is a new one (RFC 3261 §18.1.1).
            let alike = |other: &Flow| other.remote == flow.remote && other.transport == flow.transport;
            streams.get(&flow).or_else(|| streams.iter().find(|(other, _)| alike(other)).map(|(_, sender)| sender)).cloned()
        };
        let sender = known.unwrap_or_else(|| {
            let receiver = self.adopt(flow);
            tokio::spawn(self.clone().connect(flow, receiver));
            self.streams.lock().get(&flow).cloned().unwrap_or_else(|| mpsc::channel(1).0)
        });
        if sender.try_send(bytes).is_err() {
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
        let connected = within(TcpStream::connect(flow.remote)).await;
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
        }
        self.broken(flow);
    }

    async fn read(&self, mut reader: impl AsyncRead + Unpin, flow: Flow) {
        let mut framer = StreamFramer::default();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            for frame in framer.push(buffer.get(..length).unwrap_or_default()) {
                match frame {
                    Frame::Message(bytes) => (self.sink)(NetEvent::Received { flow, bytes }),
                    Frame::Ping => {
                        let pong = self.streams.lock().get(&flow).cloned();
                        if pong.is_some_and(|sender| sender.try_send(b"\r\n".to_vec()).is_err()) {
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
        if self.streams.lock().remove(&flow).is_some() {
            (self.sink)(NetEvent::Broken { flow });
        }
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
