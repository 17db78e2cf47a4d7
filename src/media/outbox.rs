//! Packets that go out together: sent in one go, they wake their receivers' machine once and not each by itself.

use crate::leg::send_now;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

/// What waits for [`Outbox::flush`]; nothing waits longer than the work of one turn of the media thread takes.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

struct Packet {
    socket: Rc<UdpSocket>,
    /// None where the socket is connected.
    to: Option<SocketAddr>,
    /// Where it ends in the bytes; it begins where the one before it ends.
    end: usize,
}

impl Outbox {
    /// Takes a packet as `write` appends it, and gives it back as it was written.
    pub fn push(&mut self, socket: &Rc<UdpSocket>, to: Option<SocketAddr>, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.packets.push(Packet { socket: Rc::clone(socket), to, end: self.bytes.len() });
        self.bytes.get(start..).unwrap_or_default()
    }

    pub fn flush(&mut self) {
        let mut start = 0;
        for Packet { socket, to, end } in self.packets.drain(..) {
            send_now(&socket, self.bytes.get(start..end).unwrap_or_default(), to);
            start = end;
        }
        self.bytes.clear();
    }
}
