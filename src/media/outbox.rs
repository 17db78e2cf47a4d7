//! Packets that go out together: sent in one go, they wake their receivers' machine once and not each by itself.

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
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
    to: SocketAddr,
    /// Of the bytes.
    range: Range<usize>,
}

impl Outbox {
    pub fn new() -> Self {
        Outbox { bytes: Vec::new(), packets: Vec::new(), headers: MultiHeaders::preallocate(BATCH, None) }
    }

    /// Takes a packet as `write` appends it, and gives it back as it was written.
    pub fn push(&mut self, socket: &Arc<UdpSocket>, to: SocketAddr, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.packets.push(Packet { socket: Arc::clone(socket), to, range: start..self.bytes.len() });
        self.bytes.get(start..).unwrap_or_default()
    }

    /// Sends all, those of one socket together and in their order.
    pub fn flush(&mut self) {
        self.packets.sort_by_key(|packet| Arc::as_ptr(&packet.socket));
        for of_one in self.packets.chunk_by(|one, next| Arc::ptr_eq(&one.socket, &next.socket)) {
            let bytes = |packet: &Packet| self.bytes.get(packet.range.clone()).unwrap_or_default();
            match of_one {
                [] => {}
                [only] => send_now(&only.socket, bytes(only), only.to),
                [first, ..] => {
                    let parts: Vec<_> = of_one.iter().map(|packet| [IoSlice::new(bytes(packet))]).collect();
                    let names: Vec<_> = of_one.iter().map(|packet| Some(SockaddrStorage::from(packet.to))).collect();
                    send_together(&first.socket, &mut self.headers, &parts, &names);
                }
            }
        }
        self.packets.clear();
        self.bytes.clear();
    }
}

/// Sends at once or not at all.
pub fn send_now(socket: &UdpSocket, datagram: &[u8], to: SocketAddr) {
    if let Err(error) = socket.send_to(datagram, to) {
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
    use std::collections::HashMap;

    #[test]
    fn all_that_was_pushed_arrives_and_in_its_order_what_leaves_by_one_socket() {
        let bind = || Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let [one, other, alone, far] = [(); 4].map(|()| bind());
        let to = far.local_addr().unwrap();
        let mut outbox = Outbox::new();
        for _ in 0..2 {
            let mut sent = [(&one, Vec::new()), (&other, Vec::new()), (&alone, Vec::new())];
            for number in 0..150u8 {
                let (from, sent) = &mut sent[usize::from(number % 3 == 0)];
                let bytes = vec![number; usize::from(number) + 1];
                assert_eq!(outbox.push(from, to, |out| out.extend_from_slice(&bytes)), bytes);
                sent.push(bytes);
            }
            // Nobody can be sent to there.
            outbox.push(&one, "[::1]:9".parse().unwrap(), |out| out.push(0));
            for (from, sent) in &mut sent {
                outbox.push(from, to, |out| out.push(7));
                sent.push(vec![7]);
            }
            outbox.flush();
            let mut came = HashMap::<SocketAddr, Vec<Vec<u8>>>::new();
            for _ in 0..153 {
                let mut buffer = [0; 256];
                let (length, sender) = far.recv_from(&mut buffer).unwrap();
                came.entry(sender).or_default().push(buffer[..length].to_vec());
            }
            for (from, sent) in sent {
                assert_eq!(came.remove(&from.local_addr().unwrap()), Some(sent));
            }
        }
        far.set_nonblocking(true).unwrap();
        outbox.flush();
        assert!(far.recv(&mut [0; 8]).is_err(), "it was sent again");
    }
}
