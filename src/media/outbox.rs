//! Packets that go out together: sent in one go, they wake their receivers' machine once and not each by itself.

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Datagrams of one system call.
const BATCH: usize = 64;

/// What waits for [`Outbox::flush`]; nothing waits longer than the work of one turn of the media thread takes.
pub struct Outbox {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    headers: MultiHeaders<SockaddrStorage>,
}

struct Packet {
    socket: Arc<UdpSocket>,
    /// None where the socket is connected.
    to: Option<SocketAddr>,
    /// Where it ends in the bytes; it begins where the one before it ends.
    end: usize,
}

impl Outbox {
    pub fn new() -> Self {
        Outbox { bytes: Vec::new(), packets: Vec::new(), headers: MultiHeaders::preallocate(BATCH, None) }
    }

    /// Takes a packet as `write` appends it, and gives it back as it was written.
    pub fn push(&mut self, socket: &Arc<UdpSocket>, to: Option<SocketAddr>, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.packets.push(Packet { socket: Arc::clone(socket), to, end: self.bytes.len() });
        self.bytes.get(start..).unwrap_or_default()
    }

    pub fn flush(&mut self) {
        let mut start = 0;
        for run in self.packets.chunk_by(|one, next| Arc::ptr_eq(&one.socket, &next.socket)) {
            if let [Packet { socket, to, end }] = run {
                send_now(socket, self.bytes.get(start..*end).unwrap_or_default(), *to);
                start = *end;
                continue;
            }
            let (mut parts, mut names) = (Vec::with_capacity(run.len()), Vec::with_capacity(run.len()));
            for Packet { to, end, .. } in run {
                parts.push([IoSlice::new(self.bytes.get(start..*end).unwrap_or_default())]);
                names.push(to.map(SockaddrStorage::from));
                start = *end;
            }
            if let Some(Packet { socket, .. }) = run.first() {
                send_together(socket, &mut self.headers, &parts, &names);
            }
        }
        self.packets.clear();
        self.bytes.clear();
    }
}

/// Sends at once or not at all; a connected socket needs no address.
pub fn send_now(socket: &UdpSocket, datagram: &[u8], to: Option<SocketAddr>) {
    let sent = match to {
        Some(to) => socket.send_to(datagram, to),
        None => socket.send(datagram),
    };
    if let Err(error) = sent {
        tracing::trace!(%error, "packet dropped");
    }
}

/// What the kernel does not take is lost. As many go by one call as there are headers.
fn send_together<'a>(
    socket: &UdpSocket,
    headers: &mut MultiHeaders<SockaddrStorage>,
    parts: &'a [[IoSlice<'a>; 1]],
    names: &[Option<SockaddrStorage>],
) {
    let none: [ControlMessage<'_>; 0] = [];
    let mut sent = 0;
    while let (Some(parts @ [_, ..]), Some(names)) = (parts.get(sent..), names.get(sent..)) {
        match sendmmsg(socket.as_raw_fd(), headers, parts, names, none, MsgFlags::MSG_DONTWAIT) {
            Ok(results) => sent += results.count().max(1),
            Err(Errno::EINTR) => {}
            Err(error) => {
                tracing::trace!(%error, "packet dropped");
                sent += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_pushed_arrives_in_its_order_whatever_socket_it_leaves_by() {
        let bind = || Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let (one, other, far) = (bind(), bind(), bind());
        let to = far.local_addr().unwrap();
        let mut outbox = Outbox::new();
        for _ in 0..2 {
            let mut sent = Vec::new();
            for number in 0..150u8 {
                let from = if number < 100 { &one } else { &other };
                assert_eq!(
                    outbox.push(from, Some(to), |out| out.extend(vec![number; usize::from(number) + 1])).len(),
                    usize::from(number) + 1
                );
                sent.push((from.local_addr().unwrap(), vec![number; usize::from(number) + 1]));
            }
            // Nobody can be sent to there.
            outbox.push(&one, Some("[::1]:9".parse().unwrap()), |out| out.push(0));
            outbox.push(&one, Some(to), |out| out.push(7));
            sent.push((one.local_addr().unwrap(), vec![7]));
            outbox.flush();
            for (from, bytes) in sent {
                let mut buffer = [0; 256];
                let (length, sender) = far.recv_from(&mut buffer).unwrap();
                assert_eq!((sender, &buffer[..length]), (from, &bytes[..]));
            }
        }
        far.set_nonblocking(true).unwrap();
        outbox.flush();
        assert!(far.recv(&mut [0; 8]).is_err(), "it was sent again");
    }
}
