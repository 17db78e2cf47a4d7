//! SIP over TCP: framing, one task that reads and one that writes for each connection.

use super::{NetEvent, Sockets};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::Flow;
use cordboard_sip::message::{Frame, StreamFramer};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Messages that may wait for a slow peer.
const QUEUE: usize = 256;
/// Connections that a stranger may hold open in all.
const MOST_STREAMS: usize = 4_096;
/// How long a connection may take to come up (timer F would give up later).
const CONNECT: Duration = Duration::from_secs(8);
/// How long a connection whose bytes make no sense any more stays for what is still to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

impl Sockets {
    pub(super) async fn accept(self, listener: TcpListener, advertise: Option<IpAddr>) {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) if self.streams.lock().len() < MOST_STREAMS => {
                    let Ok(local) = stream.local_addr().map(|own| super::told(own, advertise)) else { continue };
                    let receiver = self.adopt(local, remote);
                    tokio::spawn(self.clone().serve(stream, local, remote, receiver));
                }
                Ok((_, remote)) => tracing::warn!(%remote, "too many SIP connections: one refused"),
                Err(why) => {
                    tracing::warn!(%why, "a SIP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn adopt(&self, local: SocketAddr, remote: SocketAddr) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.streams.lock().insert((local, remote), sender);
        receiver
    }

    pub(super) fn send_stream(&self, flow: Flow, bytes: Vec<u8>) {
        let known = {
            let streams = self.streams.lock();
            // Any connection to that peer will do when ours is a new one (RFC 3261 §18.1.1).
            streams
                .get(&(flow.local, flow.remote))
                .or_else(|| streams.iter().find(|((_, r), _)| *r == flow.remote).map(|(_, s)| s))
                .cloned()
        };
        let sender = known.unwrap_or_else(|| {
            let receiver = self.adopt(flow.local, flow.remote);
            tokio::spawn(self.clone().connect(flow, receiver));
            self.streams.lock().get(&(flow.local, flow.remote)).cloned().unwrap_or_else(|| mpsc::channel(1).0)
        });
        if sender.try_send(bytes).is_err() {
            self.broken(flow.local, flow.remote);
        }
    }

    async fn connect(self, flow: Flow, receiver: mpsc::Receiver<Vec<u8>>) {
        match tokio::time::timeout(CONNECT, TcpStream::connect(flow.remote)).await {
            Ok(Ok(stream)) => self.serve(stream, flow.local, flow.remote, receiver).await,
            Ok(Err(_)) | Err(_) => self.broken(flow.local, flow.remote),
        }
    }

    /// `local` is the name of our end in the flow: the socket's for connections made to us, the one asked for in ours.
    async fn serve(self, stream: TcpStream, local: SocketAddr, remote: SocketAddr, receiver: mpsc::Receiver<Vec<u8>>) {
        let (reader, writer) = stream.into_split();
        tokio::select! {
            () = self.read(reader, local, remote) => {}
            () = write(writer, receiver) => {}
        }
        self.broken(local, remote);
    }

    async fn read(&self, mut reader: OwnedReadHalf, local: SocketAddr, remote: SocketAddr) {
        let mut framer = StreamFramer::default();
        let mut buffer = vec![0; 16 * 1024];
        let flow = Flow { transport: Transport::Tcp, local, remote };
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            for frame in framer.push(buffer.get(..length).unwrap_or_default()) {
                match frame {
                    Frame::Message(bytes) => (self.sink)(NetEvent::Received { flow, bytes }),
                    Frame::Ping => {
                        let pong = self.streams.lock().get(&(local, remote)).cloned();
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

    fn broken(&self, local: SocketAddr, remote: SocketAddr) {
        if self.streams.lock().remove(&(local, remote)).is_some() {
            (self.sink)(NetEvent::Broken { flow: Flow { transport: Transport::Tcp, local, remote } });
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut receiver: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = receiver.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
