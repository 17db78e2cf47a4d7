//! The pool of RTP port pairs: even for RTP, the next for RTCP (RFC 3550 section 11).

use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Expedited forwarding (RFC 3246), for routers that care.
const DSCP_EF: u32 = 46 << 2;

/// What the kernel keeps of a port that all browsers share, in bytes: a second of a hundred agents (5,000 packets), so that none is lost
/// while the media thread waits for a processor. The system's usual 208 KiB are 50 ms of them.
const SHARED_BUFFER: usize = 4 << 20;

/// Hands out pairs in turn, so that a port rests as long as possible before it is used again.
#[derive(Debug)]
pub struct PortPool {
    ip: IpAddr,
    /// Even ports, the longest unused first.
    free: Arc<Mutex<VecDeque<u16>>>,
    pairs: usize,
}

/// Two bound sockets.
#[derive(Debug)]
pub struct Pair {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub lease: Lease,
}

/// Gives the pair back to its pool when it is dropped.
#[derive(Debug)]
pub struct Lease {
    port: u16,
    free: Arc<Mutex<VecDeque<u16>>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.free.lock().push_back(self.port);
    }
}

impl PortPool {
    pub fn new(ip: IpAddr, range: &RangeInclusive<u16>) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        let free: VecDeque<u16> = (first..*range.end()).step_by(2).collect();
        PortPool { ip, pairs: free.len(), free: Arc::new(Mutex::new(free)) }
    }

    /// How many pairs there are, in use or not.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Binds a pair, as long as more than `keep` are free; `None` otherwise. What another program holds is passed over.
    pub fn bind(&self, keep: usize) -> io::Result<Option<Pair>> {
        for _ in 0..self.pairs {
            let port = {
                let mut free = self.free.lock();
                if free.len() <= keep {
                    return Ok(None);
                }
                free.pop_front()
            };
            let Some(port) = port else { return Ok(None) };
            let lease = Lease { port, free: Arc::clone(&self.free) };
            let pair = bind(SocketAddr::new(self.ip, port)).and_then(|rtp| Ok((rtp, bind(SocketAddr::new(self.ip, port + 1))?)));
            match pair {
                Ok((rtp, rtcp)) => return Ok(Some(Pair { rtp, rtcp, lease })),
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
            let pair = pool.bind(0).unwrap().unwrap();
            let port = pair.rtp.local_addr().unwrap().port();
            assert_eq!(port % 2, 0);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), port + 1);
            held.push(pair);
        }
        assert!(pool.bind(0).unwrap().is_none());
        held.remove(1);
        assert_eq!(pool.bind(0).unwrap().unwrap().rtp.local_addr().unwrap().port(), 38_204);
    }

    #[test]
    fn some_are_kept_and_what_another_program_holds_is_passed_over() {
        let pool = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(38_221..=38_229));
        assert_eq!(pool.pairs(), 4);
        let other = bind(SocketAddr::from(([127, 0, 0, 1], 38_223))).unwrap();
        let held = pool.bind(2).unwrap().unwrap();
        assert_eq!(held.rtp.local_addr().unwrap().port(), 38_224);
        let more = pool.bind(2).unwrap().unwrap();
        assert!(pool.bind(2).unwrap().is_none(), "two are kept");
        drop((other, more));
        assert_eq!(pool.bind(2).unwrap().unwrap().rtp.local_addr().unwrap().port(), 38_228);
    }

    #[test]
    fn an_empty_range_has_no_pair() {
        let pool = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(38_301..=38_302));
        assert!(pool.bind(0).unwrap().is_none());
    }
}
