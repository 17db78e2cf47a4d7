//! The pool of RTP port pairs: even for RTP, the next for RTCP (RFC 3550 section 11).

use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// Expedited forwarding (RFC 3246), for routers that care.
const DSCP_EF: u32 = 46 << 2;

/// What the kernel keeps of a port that all browsers share, in bytes: a second of a hundred agents (5,000 packets), so that none is lost
/// while the media thread waits for a processor. The system's usual 208 KiB are 50 ms of them.
const SHARED_BUFFER: usize = 4 << 20;

/// Hands out pairs in turn, so that a port rests as long as possible before it is used again.
#[derive(Debug)]
pub struct PortPool {
    ip: IpAddr,
    /// First even port, and how many pairs there are.
    first: u16,
    pairs: u16,
    next: Mutex<u16>,
}

impl PortPool {
    pub fn new(ip: IpAddr, range: &RangeInclusive<u16>) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        let pairs = (range.end().saturating_add(1)).saturating_sub(first) / 2;
        PortPool { ip, first, pairs, next: Mutex::new(0) }
    }

    /// Binds a pair; `None` when every port of the range is taken. Dropping the sockets gives the pair back.
    pub fn bind(&self) -> io::Result<Option<(UdpSocket, UdpSocket)>> {
        let mut next = self.next.lock();
        for _ in 0..self.pairs {
            let port = self.first + *next * 2;
            *next = (*next + 1) % self.pairs;
            let pair = bind(SocketAddr::new(self.ip, port)).and_then(|rtp| Ok((rtp, bind(SocketAddr::new(self.ip, port + 1))?)));
            match pair {
                Ok(pair) => return Ok(Some(pair)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// A non-blocking UDP socket marked for expedited forwarding.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let marked = if address.is_ipv4() { socket.set_tos_v4(DSCP_EF) } else { socket.set_tclass_v6(DSCP_EF) };
    if let Err(error) = marked {
        tracing::debug!(%error, "media packets go unmarked");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A socket for the packets of many far sides, with buffers as large as the system allows up to [`SHARED_BUFFER`].
pub fn bind_shared(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = bind(address)?;
    let buffers = SockRef::from(&socket);
    buffers.set_recv_buffer_size(SHARED_BUFFER)?;
    buffers.set_send_buffer_size(SHARED_BUFFER)?;
    // Linux tells twice what is usable (socket(7)).
    let granted = buffers.recv_buffer_size()? / 2;
    if granted < SHARED_BUFFER {
        tracing::warn!(granted, wanted = SHARED_BUFFER, "browsers' packets may be lost under load: raise net.core.rmem_max");
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_even_and_odd_go_round_and_end() {
        let pool = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(38_201..=38_207));
        let mut held = Vec::new();
        for _ in 0..3 {
            let (rtp, rtcp) = pool.bind().unwrap().unwrap();
            let port = rtp.local_addr().unwrap().port();
            assert_eq!(port % 2, 0);
            assert_eq!(rtcp.local_addr().unwrap().port(), port + 1);
            held.push((rtp, rtcp));
        }
        assert!(pool.bind().unwrap().is_none());
        held.remove(1);
        assert_eq!(pool.bind().unwrap().unwrap().0.local_addr().unwrap().port(), 38_204);
    }

    #[test]
    fn an_empty_range_has_no_pair() {
        let pool = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(38_301..=38_302));
        assert!(pool.bind().unwrap().is_none());
    }
}
