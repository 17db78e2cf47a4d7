//! The RTP ports: pairs of sockets, even for RTP and the next for RTCP (RFC 3550 section 11). Legs share them: one read brings what came for all of a
//! port's legs, one call sends for all of them, and on a busy switch that is more than half of what a socket for each leg costs.
//!
//! A packet finds its leg by the address it comes from and its stream. A leg whose far side has not been heard yet takes it from wherever it comes (NAT), so a port
//! has one such leg at a time; once it is found, the next may join. Some far sides (gateways with one port) tell our legs apart by our address: who is
//! known to send from the same address as a leg of the port has another.
//!
//! | a port | becomes | when |
//! |---|---|---|
//! | closed | seeking | a leg needs one, and no open one can be joined: bound anew |
//! | seeking | joinable | its leg's far side is found, and there is room for more |
//! | seeking | resting | its leg is gone: for [`REST`], since what is still sent to it would be taken for the next leg's |
//! | joinable, rested | seeking | a leg needs one: the lowest, so that few ports have many legs |
//! | joinable | closed | it has had no leg for [`LONGEST`] |

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is silent for so long has ended; who is not sent to any more is silent before that.
pub const REST: Duration = Duration::from_millis(500);
/// A port that nobody wanted for so long is not needed at this load.
const LONGEST: Duration = Duration::from_secs(5);
/// So many ports are looked at for one that the leg may join.
const LOOK_AT: usize = 64;
/// Expedited forwarding (RFC 3246), for routers that care.
const DSCP_EF: u32 = 46 << 2;

/// What the kernel keeps of a port that many share, in bytes: a second of a hundred far sides (5,000 packets), so that none is lost
/// while the media thread waits for a processor. The system's usual 208 KiB are 50 ms of them.
const SHARED_BUFFER: usize = 4 << 20;
/// What a leg needs of it: 200 ms of packets, each with what a network driver takes for it.
const LEG_BUFFER: usize = 10 * 2304;

/// Hands out ports; new ones in turn, so that a closed port stays closed as long as possible.
#[derive(Debug)]
pub struct PortPool {
    ip: IpAddr,
    free: Arc<Mutex<Free>>,
    pairs: usize,
}

#[derive(Debug, Default)]
struct Free {
    /// Even ports, the longest unused first.
    closed: VecDeque<u16>,
    open: BTreeMap<u16, Open>,
    /// Those of the open ones that a leg may join.
    joinable: BTreeSet<u16>,
    /// The longest first.
    resting: VecDeque<(Instant, u16)>,
}

#[derive(Debug)]
struct Open {
    port: Arc<Port>,
    legs: usize,
    /// Those of them whose far side is not found.
    seeking: usize,
    /// How often it is among those that rest.
    rests: usize,
    /// Where the legs' far sides are, as far as it is known.
    far: FxHashMap<SocketAddr, usize>,
    idle_since: Option<Instant>,
}

/// Two bound sockets.
#[derive(Debug)]
pub struct Port {
    /// The even one, of the RTP socket.
    pub number: u16,
    pub rtp: Arc<UdpSocket>,
    pub rtcp: UdpSocket,
    most: usize,
}

/// A leg's place at a port, until it is dropped.
#[derive(Debug)]
pub struct Lease {
    port: Arc<Port>,
    /// As the SDP has it, where it was known before.
    told: Option<SocketAddr>,
    found: Option<SocketAddr>,
    free: Arc<Mutex<Free>>,
}

impl Lease {
    pub fn port(&self) -> &Arc<Port> {
        &self.port
    }

    /// The leg's far side was found there, or is sought again.
    pub fn set_found(&mut self, found: Option<SocketAddr>) {
        let before = std::mem::replace(&mut self.found, found);
        self.free.lock().change(self.port.number, |open| {
            open.seeking += usize::from(before.is_some());
            open.seeking -= usize::from(found.is_some());
            open.move_far(before, found);
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (number, now) = (self.port.number, Instant::now());
        let mut free = self.free.lock();
        if self.found.is_none() && free.open.contains_key(&number) {
            free.resting.push_back((now, number));
        }
        free.change(number, |open| {
            open.legs -= 1;
            if self.found.is_none() {
                open.seeking -= 1;
                open.rests += 1;
            }
            open.move_far(self.told, None);
            open.move_far(self.found, None);
            open.idle_since = (open.legs == 0).then_some(now);
        });
    }
}

impl Open {
    fn move_far(&mut self, from: Option<SocketAddr>, to: Option<SocketAddr>) {
        if let Some(from) = from
            && let Entry::Occupied(mut legs) = self.far.entry(from)
        {
            *legs.get_mut() -= 1;
            if *legs.get() == 0 {
                legs.remove();
            }
        }
        if let Some(to) = to {
            *self.far.entry(to).or_default() += 1;
        }
    }
}

impl Free {
    fn change(&mut self, number: u16, change: impl FnOnce(&mut Open)) {
        let Some(open) = self.open.get_mut(&number) else { return };
        change(open);
        if open.seeking == 0 && open.rests == 0 && open.legs < open.port.most {
            self.joinable.insert(number);
        } else {
            self.joinable.remove(&number);
        }
    }

    /// How many more legs can seek their far sides now.
    fn len(&self) -> usize {
        self.closed.len() + self.joinable.len() + self.resting.len()
    }

    /// Ends the rests that have lasted long enough.
    fn wake(&mut self, now: Instant) {
        while let Some((_, number)) = self.resting.pop_front_if(|(since, _)| now.saturating_duration_since(*since) >= REST) {
            self.change(number, |open| open.rests -= 1);
        }
    }

    /// The lowest that a leg may join whose far side is there.
    fn lowest(&self, told: Option<SocketAddr>) -> Option<u16> {
        let has = |number: &u16, far: &SocketAddr| self.open.get(number).is_some_and(|open| open.far.contains_key(far));
        self.joinable.iter().take(LOOK_AT).find(|number| told.is_none_or(|told| !has(number, &told))).copied()
    }
}

impl PortPool {
    pub fn new(ip: IpAddr, range: &RangeInclusive<u16>) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        let closed: VecDeque<u16> = (first..*range.end()).step_by(2).collect();
        let pairs = closed.len();
        PortPool { ip, pairs, free: Arc::new(Mutex::new(Free { closed, ..Free::default() })) }
    }

    /// How many ports there are, open or not.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Takes a place for a leg at an open port, or opens one, as long as more than `keep` are free; `None` otherwise. What another program holds is passed
    /// over. `told` is the far side's address where it is known already.
    pub fn take(&self, keep: usize, told: Option<SocketAddr>, now: Instant) -> io::Result<Option<Lease>> {
        let closed = {
            let mut free = self.free.lock();
            free.wake(now);
            if free.len() <= keep {
                return Ok(None);
            }
            if let Some(lowest) = free.lowest(told) {
                return Ok(self.join(&mut free, lowest, told));
            }
            free.closed.len()
        };
        let mut failed = None;
        for _ in 0..closed {
            let Some(number) = self.free.lock().closed.pop_front() else { break };
            match Port::open(self.ip, number) {
                Ok(port) => {
                    let mut free = self.free.lock();
                    let open = Open { port: Arc::new(port), legs: 0, seeking: 0, rests: 0, far: FxHashMap::default(), idle_since: None };
                    free.open.insert(number, open);
                    return Ok(self.join(&mut free, number, told));
                }
                Err(error) => {
                    self.free.lock().closed.push_back(number);
                    if error.kind() != io::ErrorKind::AddrInUse {
                        failed = Some(error);
                        break;
                    }
                }
            }
        }
        // None is left but those that rest, or whose far side cannot tell the leg from another.
        let mut free = self.free.lock();
        if let Some(any) = free.joinable.first().copied() {
            return Ok(self.join(&mut free, any, told));
        }
        let rests = |free: &Free, number: u16| free.open.get(&number).is_some_and(|open| open.seeking == 0);
        let at = free.resting.iter().position(|(_, number)| rests(&free, *number));
        let Some((_, number)) = at.and_then(|at| free.resting.remove(at)) else { return failed.map_or(Ok(None), Err) };
        free.change(number, |open| open.rests -= 1);
        Ok(self.join(&mut free, number, told))
    }

    fn join(&self, free: &mut Free, number: u16, told: Option<SocketAddr>) -> Option<Lease> {
        let port = Arc::clone(&free.open.get(&number)?.port);
        free.change(number, |open| {
            open.legs += 1;
            open.seeking += 1;
            open.move_far(None, told);
            open.idle_since = None;
        });
        Some(Lease { port, told, found: None, free: Arc::clone(&self.free) })
    }

    /// Takes a port out of use that cannot be used; its legs stay without sound.
    pub fn abandon(&self, number: u16) {
        let mut free = self.free.lock();
        if free.open.remove(&number).is_some() {
            free.joinable.remove(&number);
            free.resting.retain(|(_, resting)| *resting != number);
            free.closed.push_back(number);
        }
    }

    /// Takes the ports that nobody wants out of use, and tells which: they close when their sockets are dropped.
    pub fn tidy(&self, now: Instant) -> Vec<u16> {
        let mut free = self.free.lock();
        let free = &mut *free;
        free.wake(now);
        let unwanted =
            |open: &Open| open.rests == 0 && open.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= LONGEST);
        let unwanted: Vec<u16> = free.open.extract_if(.., |_, open| unwanted(open)).map(|(number, _)| number).collect();
        for number in &unwanted {
            free.joinable.remove(number);
            free.closed.push_back(*number);
        }
        unwanted
    }
}

impl Port {
    fn open(ip: IpAddr, number: u16) -> io::Result<Self> {
        let rtp = bind(SocketAddr::new(ip, number))?;
        let most = (enlarge(&rtp)? / LEG_BUFFER).max(1);
        Ok(Port { number, rtp: Arc::new(rtp), rtcp: bind(SocketAddr::new(ip, number + 1))?, most })
    }
}

/// A non-blocking UDP socket marked for expedited forwarding.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let marked = if address.is_ipv4() { socket.set_tos_v4(DSCP_EF) } else { socket.set_tclass_v6(DSCP_EF) };
    if let Err(error) = marked {
        tracing::debug!(%error, "media packets go unmarked");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Gives a socket buffers as large as the system allows up to [`SHARED_BUFFER`]; tells how much that is in the kernel's own count (socket(7)), which is
/// twice what was asked for.
fn enlarge(socket: &UdpSocket) -> io::Result<usize> {
    let buffers = SockRef::from(socket);
    buffers.set_recv_buffer_size(SHARED_BUFFER)?;
    buffers.set_send_buffer_size(SHARED_BUFFER)?;
    Ok(buffers.recv_buffer_size()?.min(buffers.send_buffer_size()?))
}

/// The socket of all browsers.
pub fn bind_shared(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = bind(address)?;
    let granted = enlarge(&socket)? / 2;
    if granted < SHARED_BUFFER {
        tracing::warn!(granted, wanted = SHARED_BUFFER, "browsers' packets may be lost under load: raise net.core.rmem_max and wmem_max");
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(ports: RangeInclusive<u16>) -> PortPool {
        PortPool::new(IpAddr::from([127, 0, 0, 1]), &ports)
    }

    fn take(pool: &PortPool, keep: usize, now: Instant) -> Option<Lease> {
        pool.take(keep, None, now).unwrap()
    }

    fn far(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn number(lease: &Lease) -> u16 {
        lease.port().number
    }

    /// One whose far side is found.
    fn found(pool: &PortPool) -> Lease {
        let mut lease = take(pool, 0, Instant::now()).unwrap();
        lease.set_found(Some(far(4000)));
        lease
    }

    #[test]
    fn pairs_are_even_and_odd_and_end() {
        let (pool, now) = (pool(14_201..=14_207), Instant::now());
        let held: Vec<Lease> = std::iter::from_fn(|| take(&pool, 0, now)).collect();
        assert_eq!(held.iter().map(number).collect::<Vec<_>>(), [14_202, 14_204, 14_206]);
        for lease in &held {
            let Port { number, rtp, rtcp, .. } = &**lease.port();
            assert_eq!((rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port()), (*number, number + 1));
        }
        assert!(take(&self::pool(14_301..=14_302), 0, now).is_none(), "an empty range");
    }

    #[test]
    fn some_are_kept_and_what_another_program_holds_is_passed_over() {
        let (pool, now) = (pool(14_221..=14_229), Instant::now());
        assert_eq!(pool.pairs(), 4);
        let other = bind(SocketAddr::from(([127, 0, 0, 1], 14_223))).unwrap();
        let held = take(&pool, 2, now).unwrap();
        assert_eq!(number(&held), 14_224);
        let more = take(&pool, 2, now).unwrap();
        assert!(take(&pool, 2, now).is_none(), "two are kept");
        drop((other, more));
        assert_eq!(take(&pool, 2, now).as_ref().map(number), Some(14_228));
    }

    #[test]
    fn a_port_has_one_leg_that_seeks_its_far_side_and_many_that_have_found_it() {
        let (pool, now) = (pool(14_321..=14_327), Instant::now());
        let mut first = take(&pool, 0, now).unwrap();
        let second = take(&pool, 0, now).unwrap();
        assert_eq!([&first, &second].map(number), [14_322, 14_324]);
        first.set_found(Some(far(4000)));
        let mut joins = take(&pool, 0, now).unwrap();
        assert_eq!(number(&joins), 14_322);
        joins.set_found(Some(far(4001)));
        first.set_found(None);
        assert_eq!(take(&pool, 0, now).as_ref().map(number), Some(14_326), "the first seeks again");
        first.set_found(Some(far(4000)));
        assert_eq!(number(&found(&pool)), 14_322);
    }

    #[test]
    fn who_sends_from_the_address_of_another_leg_has_another_port() {
        let (pool, now) = (pool(14_401..=14_405), Instant::now());
        let leg = |told: u16| pool.take(0, Some(far(told)), now).unwrap().unwrap();
        let mut first = leg(4000);
        first.set_found(Some(far(5000)));
        let mut second = leg(6000);
        assert_eq!([&first, &second].map(number), [14_402, 14_402]);
        second.set_found(Some(far(6000)));
        let mut third = leg(6000);
        assert_eq!(number(&third), 14_404);
        third.set_found(Some(far(6000)));
        for told in [4000, 5000] {
            let mut other = leg(told);
            assert_eq!(number(&other), 14_404, "where the first's is told and found to be");
            other.set_found(Some(far(told)));
        }
        let shares = leg(6000);
        assert_eq!(number(&shares), 14_402, "there is no other");
        drop(shares);
        assert!(second.port().number == 14_402 && pool.free.lock().open[&14_402].far.contains_key(&far(6000)), "one of the two is left");
        drop(first);
        assert_eq!(pool.take(0, Some(far(5000)), now + 2 * REST).unwrap().as_ref().map(number), Some(14_402));
    }

    #[test]
    fn a_port_takes_no_more_than_its_buffer_has_room_for() {
        let pool = pool(14_341..=14_345);
        let mut held = vec![found(&pool)];
        let most = held[0].port().most;
        assert!(most >= 2, "{most}");
        held.extend(std::iter::from_fn(|| Some(found(&pool))).take(most));
        assert_eq!(held.iter().filter(|lease| number(lease) == 14_342).count(), most);
        let place = held.iter().position(|lease| number(lease) == 14_342).unwrap();
        held.remove(place);
        assert_eq!(number(&found(&pool)), 14_342);
    }

    #[test]
    fn a_port_that_was_given_up_does_not_rest() {
        let (pool, now) = (pool(14_441..=14_443), Instant::now());
        let before = take(&pool, 0, now).unwrap();
        pool.abandon(14_442);
        drop(before);
        let again = take(&pool, 0, now).unwrap();
        pool.tidy(now + 2 * REST);
        drop(again);
        pool.tidy(now + 4 * REST);
        assert_eq!(pool.free.lock().joinable.first(), Some(&14_442));
    }

    #[test]
    fn a_port_whose_leg_was_not_found_rests_but_where_there_is_no_other() {
        let (pool, now) = (pool(14_361..=14_365), Instant::now());
        drop(take(&pool, 0, now));
        let other = take(&pool, 0, now).unwrap();
        assert_eq!(number(&other), 14_364);
        let again = take(&pool, 0, now).unwrap();
        assert_eq!(number(&again), 14_362, "the last one");
        drop(again);
        assert!(take(&pool, 1, now).is_none(), "it is kept");
        let mut rested = take(&pool, 0, now + 2 * REST).unwrap();
        assert_eq!(number(&rested), 14_362);
        // While another leg's far side was found there, it rests all the same.
        rested.set_found(Some(far(4000)));
        drop(take(&pool, 0, now + 2 * REST));
        drop(other);
        assert!(pool.free.lock().joinable.is_empty());
        assert_eq!(take(&pool, 0, now + 4 * REST).as_ref().map(number), Some(14_362));
    }

    #[test]
    fn a_port_that_nobody_wants_is_closed() {
        let (pool, now) = (pool(14_381..=14_385), Instant::now());
        let lease = found(&pool);
        let stays = found(&pool);
        let bound = || bind(SocketAddr::from(([127, 0, 0, 1], 14_382)));
        assert_eq!((number(&lease), number(&stays)), (14_382, 14_382));
        drop(lease);
        assert!(pool.tidy(now + 2 * LONGEST).is_empty(), "somebody is there");
        drop(stays);
        assert!(pool.tidy(now + LONGEST / 2).is_empty());
        assert!(bound().is_err());
        assert_eq!(pool.tidy(Instant::now() + LONGEST), [14_382]);
        bound().unwrap();
        assert_eq!(pool.free.lock().closed, [14_384, 14_382]);
    }
}
