//! The pool of RTP port pairs: even for RTP, the next for RTCP (RFC 3550 section 11).
//!
//! | a pair | becomes | when |
//! |---|---|---|
//! | closed | taken | a leg needs one, and none has rested long enough: bound anew |
//! | taken | resting | the leg is gone; its sockets stay bound and watched |
//! | resting | taken | [`REST`] is over; the longest first |
//! | resting | closed | something still comes to it (a far side that does not stop), nobody wants it for [`LONGEST`], or more than [`RESTING`] rest |
//!
//! Binding, watching and closing a pair costs as much as a dozen packets, and on a busy switch each call has two.

use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is silent for so long has ended: the next leg does not hear the last one's far side.
const REST: Duration = Duration::from_millis(500);
/// A pair that nobody wanted for so long is not needed at this load.
const LONGEST: Duration = Duration::from_secs(5);
/// As many pairs rest at most, those of two thousand calls a second, and no more than half of all.
const RESTING: usize = 2048;
/// Expedited forwarding (RFC 3246), for routers that care.
const DSCP_EF: u32 = 46 << 2;

/// What the kernel keeps of a port that all browsers share, in bytes: a second of a hundred agents (5,000 packets), so that none is lost
/// while the media thread waits for a processor. The system's usual 208 KiB are 50 ms of them.
const SHARED_BUFFER: usize = 4 << 20;

/// Hands out pairs in turn, so that a closed port stays closed as long as possible.
#[derive(Debug)]
pub struct PortPool {
    ip: IpAddr,
    free: Arc<Mutex<Free>>,
    pairs: usize,
}

#[derive(Debug)]
struct Free {
    /// Even ports, the longest unused first.
    closed: VecDeque<u16>,
    /// The longest first.
    resting: VecDeque<Resting>,
    most_resting: usize,
}

#[derive(Debug)]
struct Resting {
    port: u16,
    since: Instant,
    rtp: Arc<UdpSocket>,
    rtcp: UdpSocket,
}

/// Two bound sockets.
#[derive(Debug)]
pub struct Pair {
    pub rtp: Arc<UdpSocket>,
    pub rtcp: UdpSocket,
    /// They are watched since an earlier leg had them.
    pub rested: bool,
    pub lease: Lease,
}

/// Gives the port back to its pool when it is dropped.
#[derive(Debug)]
pub struct Lease {
    port: u16,
    /// None once the pair rests.
    free: Option<Arc<Mutex<Free>>>,
}

impl Lease {
    /// The even port, of the RTP socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets the pair rest, bound and watched as it is.
    pub fn rest(mut self, rtp: Arc<UdpSocket>, rtcp: UdpSocket, since: Instant) {
        let Some(free) = self.free.take() else { return };
        let mut free = free.lock();
        free.resting.push_back(Resting { port: self.port, since, rtp, rtcp });
        if free.resting.len() > free.most_resting {
            let longest = free.resting.pop_front();
            free.close(longest);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(free) = &self.free {
            free.lock().closed.push_back(self.port);
        }
    }
}

impl Free {
    fn len(&self) -> usize {
        self.closed.len() + self.resting.len()
    }

    fn close(&mut self, resting: Option<Resting>) {
        self.closed.extend(resting.map(|resting| resting.port));
    }
}

impl PortPool {
    pub fn new(ip: IpAddr, range: &RangeInclusive<u16>) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        let closed: VecDeque<u16> = (first..*range.end()).step_by(2).collect();
        let pairs = closed.len();
        let free = Free { closed, resting: VecDeque::new(), most_resting: RESTING.min(pairs / 2) };
        PortPool { ip, pairs, free: Arc::new(Mutex::new(free)) }
    }

    /// How many pairs there are, in use or not.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Takes a pair that has rested, or binds one, as long as more than `keep` are free; `None` otherwise. What another program holds is passed over.
    pub fn take(&self, keep: usize, now: Instant) -> io::Result<Option<Pair>> {
        let closed = {
            let mut free = self.free.lock();
            if free.len() <= keep {
                return Ok(None);
            }
            let rested = |longest: &mut Resting| now.saturating_duration_since(longest.since) >= REST;
            if let Some(resting) = free.resting.pop_front_if(rested) {
                return Ok(Some(self.taken(resting)));
            }
            free.closed.len()
        };
        for _ in 0..closed {
            let Some(port) = self.free.lock().closed.pop_front() else { break };
            let lease = self.lease(port);
            let pair = bind(SocketAddr::new(self.ip, port)).and_then(|rtp| Ok((rtp, bind(SocketAddr::new(self.ip, port + 1))?)));
            match pair {
                Ok((rtp, rtcp)) => return Ok(Some(Pair { rtp: Arc::new(rtp), rtcp, rested: false, lease })),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        // None is left but those that rest.
        Ok(self.free.lock().resting.pop_front().map(|resting| self.taken(resting)))
    }

    fn taken(&self, Resting { port, rtp, rtcp, .. }: Resting) -> Pair {
        Pair { rtp, rtcp, rested: true, lease: self.lease(port) }
    }

    fn lease(&self, port: u16) -> Lease {
        Lease { port, free: Some(Arc::clone(&self.free)) }
    }

    /// Closes the pairs that nobody wants.
    pub fn tidy(&self, now: Instant) {
        let mut free = self.free.lock();
        let unwanted = |longest: &mut Resting| now.saturating_duration_since(longest.since) >= LONGEST;
        while let Some(resting) = free.resting.pop_front_if(unwanted) {
            free.close(Some(resting));
        }
    }

    /// Closes a resting pair to which something came. It may have been taken meanwhile.
    pub fn disturbed(&self, port: u16) {
        let mut free = self.free.lock();
        if let Some(at) = free.resting.iter().position(|resting| resting.port == port) {
            let resting = free.resting.remove(at);
            free.close(resting);
        }
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

    fn pool(ports: RangeInclusive<u16>) -> PortPool {
        PortPool::new(IpAddr::from([127, 0, 0, 1]), &ports)
    }

    fn take(pool: &PortPool, keep: usize, now: Instant) -> Option<Pair> {
        pool.take(keep, now).unwrap()
    }

    fn rest(Pair { rtp, rtcp, lease, .. }: Pair, since: Instant) {
        lease.rest(rtp, rtcp, since);
    }

    #[test]
    fn pairs_are_even_and_odd_go_round_and_end() {
        let (pool, now) = (pool(38_201..=38_207), Instant::now());
        let mut held = Vec::new();
        for _ in 0..3 {
            let pair = take(&pool, 0, now).unwrap();
            let port = pair.rtp.local_addr().unwrap().port();
            assert_eq!((port % 2, port), (0, pair.lease.port()));
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), port + 1);
            held.push(pair);
        }
        assert!(take(&pool, 0, now).is_none());
        held.remove(1);
        assert_eq!(take(&pool, 0, now).unwrap().lease.port(), 38_204);
    }

    #[test]
    fn some_are_kept_and_what_another_program_holds_is_passed_over() {
        let (pool, now) = (pool(38_221..=38_229), Instant::now());
        assert_eq!(pool.pairs(), 4);
        let other = bind(SocketAddr::from(([127, 0, 0, 1], 38_223))).unwrap();
        let held = take(&pool, 2, now).unwrap();
        assert_eq!(held.lease.port(), 38_224);
        let more = take(&pool, 2, now).unwrap();
        assert!(take(&pool, 2, now).is_none(), "two are kept");
        drop((other, more));
        assert_eq!(take(&pool, 2, now).unwrap().lease.port(), 38_228);
        // The one that rests and one that is not ours are left.
        let pool = self::pool(38_381..=38_385);
        let ours = take(&pool, 0, now).unwrap();
        let _other = bind(SocketAddr::from(([127, 0, 0, 1], 38_384))).unwrap();
        rest(ours, now);
        assert_eq!(take(&pool, 0, now).unwrap().lease.port(), 38_382);
    }

    #[test]
    fn an_empty_range_has_no_pair() {
        assert!(take(&pool(38_301..=38_302), 0, Instant::now()).is_none());
    }

    #[test]
    fn a_pair_that_has_rested_is_taken_as_it_is_and_one_that_has_not_only_when_there_is_no_other() {
        let (pool, now) = (pool(38_321..=38_325), Instant::now());
        rest(take(&pool, 0, now).unwrap(), now);
        let other = take(&pool, 0, now + REST / 2).unwrap();
        assert_eq!((other.lease.port(), other.rested), (38_324, false));
        let port_of = |pair: Option<Pair>| pair.map(|pair| (pair.lease.port(), pair.rested));
        assert_eq!(port_of(take(&pool, 0, now + REST / 2)), Some((38_322, true)), "the last one");
        drop(other);
        let first = take(&pool, 0, now).unwrap();
        let (number, address) = (first.lease.port(), first.rtp.local_addr().unwrap());
        rest(first, now);
        let again = take(&pool, 0, now + REST).unwrap();
        assert_eq!((again.lease.port(), again.rested, again.rtp.local_addr().unwrap()), (number, true, address));
        assert!(take(&pool, 1, now).is_none(), "the other is kept");
    }

    #[test]
    fn a_resting_pair_to_which_something_comes_is_closed() {
        let (pool, now) = (pool(38_341..=38_345), Instant::now());
        let pair = take(&pool, 0, now).unwrap();
        let port = pair.lease.port();
        rest(pair, now);
        pool.disturbed(port);
        bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        let ports: Vec<_> = [take(&pool, 0, now + REST), take(&pool, 0, now + REST)].into_iter().flatten().collect();
        assert_eq!(ports.iter().map(|pair| (pair.lease.port(), pair.rested)).collect::<Vec<_>>(), [(38_344, false), (38_342, false)]);
        pool.disturbed(port);
        assert!(bind(SocketAddr::from(([127, 0, 0, 1], port))).is_err(), "it was taken");
    }

    #[test]
    fn a_pair_that_nobody_wants_is_closed() {
        let (pool, now) = (pool(38_361..=38_365), Instant::now());
        let pair = take(&pool, 0, now).unwrap();
        let port = pair.lease.port();
        rest(pair, now);
        pool.tidy(now + LONGEST / 2);
        assert!(bind(SocketAddr::from(([127, 0, 0, 1], port))).is_err());
        pool.tidy(now + LONGEST);
        bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        assert_eq!(pool.free.lock().len(), 2);
    }

    #[test]
    fn half_of_all_rest_at_most() {
        let (pool, now) = (pool(38_401..=38_409), Instant::now());
        let all = [0; 3].map(|_| take(&pool, 0, now).unwrap());
        let ports = all.each_ref().map(|pair| pair.lease.port());
        all.into_iter().for_each(|pair| rest(pair, now));
        bind(SocketAddr::from(([127, 0, 0, 1], ports[0]))).unwrap();
        let rested = [0; 2].map(|_| take(&pool, 0, now + REST).unwrap());
        assert_eq!(rested.each_ref().map(|pair| (pair.lease.port(), pair.rested)), [(ports[1], true), (ports[2], true)]);
    }
}
