//! One UDP port for every browser: datagrams find their peer by a proven ICE user fragment, then by the address that was proven with it.

use crate::stun::{self, BindingRequest};
use cordboard_core::ids::PeerId;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime, Transmit,
};

/// A browser has a handful of interfaces; an address beyond these pushes out the one learned first.
const ADDRESSES_PER_PEER: usize = 8;
/// Datagrams waiting for one peer's task; more are dropped.
const QUEUE: usize = 256;
/// Datagrams sent together at most.
const BATCH: usize = 64;
/// Larger than any datagram on this port: DTLS flights and SRTP stay under the path MTU.
const DATAGRAM: usize = 2048;

/// The port.
#[derive(Debug)]
pub struct Mux {
    socket: UdpSocket,
    routes: Mutex<Routes>,
    out: Mutex<Out>,
    /// Something waits in `out`.
    waits: Notify,
}

/// What the peers' tasks send in one turn: together it wakes its receivers' machine once.
#[derive(Debug, Default)]
struct Out {
    bytes: Vec<u8>,
    /// Where each one goes and where it ends in the bytes.
    datagrams: Vec<(SocketAddr, usize)>,
}

#[derive(Debug, Default)]
struct Routes {
    by_ufrag: HashMap<String, Arc<Inbox>>,
    by_address: HashMap<SocketAddr, Arc<Inbox>>,
}

/// One peer's side of the port.
#[derive(Debug)]
struct Inbox {
    peer: PeerId,
    password: String,
    state: Mutex<InboxState>,
}

#[derive(Debug, Default)]
struct InboxState {
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    reader: Option<Waker>,
    addresses: VecDeque<SocketAddr>,
    /// The one of them that its voice comes from, and goes to: the browser sends on the pair that it has nominated (RFC 8445 section 12.1). The library
    /// stays with the first, which a browser has left whose network gave it another.
    voice: Option<SocketAddr>,
    last_heard: Option<Instant>,
}

impl Mux {
    /// Takes a bound, non-blocking socket; must be called on the media runtime.
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Arc<Self>> {
        let socket = UdpSocket::from_std(socket)?;
        Ok(Arc::new(Mux { socket, routes: Mutex::default(), out: Mutex::default(), waits: Notify::new() }))
    }

    /// Reads the port for ever, and sends what waits. An error of one datagram (an ICMP answer) is not the port's end.
    pub async fn run(self: Arc<Self>) {
        let mut buffer = [0u8; DATAGRAM];
        loop {
            let received = tokio::select! {
                biased;
                () = self.waits.notified() => {
                    self.flush();
                    continue;
                }
                received = self.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((length, from)) => {
                    if let Some(datagram) = buffer.get(..length) {
                        self.deliver(from, datagram, Instant::now());
                    }
                }
                Err(error) => tracing::debug!(%error, "browser port"),
            }
        }
    }

    /// Hands a datagram to its peer. Only a proven binding request teaches an address; everything else must come from a known one.
    fn deliver(&self, from: SocketAddr, datagram: &[u8], now: Instant) {
        let mut routes = self.routes.lock();
        if let Some(request) = BindingRequest::parse(datagram) {
            let Some(inbox) = routes.by_ufrag.get(request.local_ufrag).cloned() else { return };
            if !request.proven_by(&inbox.password) {
                return;
            }
            routes.learn(from, &inbox);
            inbox.put(from, datagram, now);
            return;
        }
        if stun::is_stun(datagram) && datagram.first() == Some(&0) {
            // A request without proof; the library would refuse it, and the address may be forged.
            return;
        }
        if let Some(inbox) = routes.by_address.get(&from) {
            if !stun::is_stun(datagram) {
                inbox.state.lock().voice = Some(from);
            }
            inbox.put(from, datagram, now);
        }
    }

    /// Has it sent when the tasks that run now have had their turn.
    fn send(&self, to: SocketAddr, datagram: &[u8]) {
        let waiting = {
            let mut out = self.out.lock();
            out.bytes.extend_from_slice(datagram);
            let end = out.bytes.len();
            out.datagrams.push((to, end));
            out.datagrams.len()
        };
        match waiting {
            1 => self.waits.notify_one(),
            BATCH.. => self.flush(),
            _ => {}
        }
    }

    /// What the kernel does not take is lost.
    fn flush(&self) {
        let Out { bytes, datagrams } = std::mem::take(&mut *self.out.lock());
        let mut start = 0;
        let (mut parts, mut names) = (Vec::with_capacity(datagrams.len()), Vec::with_capacity(datagrams.len()));
        for (to, end) in datagrams {
            parts.push([IoSlice::new(bytes.get(start..end).unwrap_or_default())]);
            names.push(Some(SockaddrStorage::from(to)));
            start = end;
        }
        let mut headers = MultiHeaders::preallocate(parts.len(), None);
        let none: [ControlMessage<'_>; 0] = [];
        let mut sent = 0;
        while let (Some(parts @ [_, ..]), Some(names)) = (parts.get(sent..), names.get(sent..)) {
            // Past tokio's own bookkeeping of readiness, which would refuse the first datagrams.
            match sendmmsg(self.socket.as_raw_fd(), &mut headers, parts, names, none, MsgFlags::MSG_DONTWAIT) {
                Ok(results) => sent += results.count().max(1),
                Err(Errno::EINTR) => {}
                Err(error) => {
                    tracing::trace!(%error, "browser datagram dropped");
                    sent += 1;
                }
            }
        }
    }

    /// When the peer was last heard: a proven check or a packet from a proven address.
    pub fn last_heard(&self, ufrag: &str) -> Option<Instant> {
        self.routes.lock().by_ufrag.get(ufrag).and_then(|inbox| inbox.state.lock().last_heard)
    }

    /// User fragments and addresses known now.
    #[cfg(test)]
    pub fn sizes(&self) -> (usize, usize) {
        let routes = self.routes.lock();
        (routes.by_ufrag.len(), routes.by_address.len())
    }
}

impl Routes {
    fn learn(&mut self, from: SocketAddr, inbox: &Arc<Inbox>) {
        if self.by_address.get(&from).is_some_and(|known| Arc::ptr_eq(known, inbox)) {
            return;
        }
        if let Some(earlier) = self.by_address.insert(from, Arc::clone(inbox)) {
            let mut state = earlier.state.lock();
            state.addresses.retain(|address| *address != from);
            state.voice = state.voice.filter(|address| *address != from);
        }
        let mut state = inbox.state.lock();
        state.addresses.push_back(from);
        if state.addresses.len() > ADDRESSES_PER_PEER
            && let Some(oldest) = state.addresses.pop_front()
        {
            self.by_address.remove(&oldest);
        }
        tracing::debug!(peer = %inbox.peer, "browser address proven");
    }

    fn forget(&mut self, ufrag: &str, inbox: &Arc<Inbox>) {
        self.by_ufrag.remove(ufrag);
        self.by_address.retain(|_, known| !Arc::ptr_eq(known, inbox));
    }
}

impl Inbox {
    fn put(&self, from: SocketAddr, datagram: &[u8], now: Instant) {
        let mut state = self.state.lock();
        state.last_heard = Some(now);
        if state.queue.len() < QUEUE {
            state.queue.push_back((from, datagram.to_vec()));
        }
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

/// What the library takes for one peer's network: sockets are views of the one port, tasks and timers are tokio's.
#[derive(Debug)]
pub struct MuxRuntime {
    inner: TokioRuntime,
    mux: Arc<Mux>,
    peer: PeerId,
    ufrag: String,
    password: String,
}

impl MuxRuntime {
    pub fn new(mux: Arc<Mux>, peer: PeerId, ufrag: String, password: String) -> Self {
        MuxRuntime { inner: TokioRuntime, mux, peer, ufrag, password }
    }
}

/// One peer's view of the port.
#[derive(Debug)]
struct PeerSocket {
    /// The address the library believes to own; it names the candidate inside the library only.
    label: SocketAddr,
    mux: Weak<Mux>,
    inbox: Arc<Inbox>,
    ufrag: String,
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        if let Some(mux) = self.mux.upgrade() {
            mux.routes.lock().forget(&self.ufrag, &self.inbox);
        }
    }
}

impl AsyncUdpSocket for PeerSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.label)
    }

    /// Sends now or drops: one peer never waits for the readiness of a socket it shares with all others.
    fn poll_send(&self, _cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let Some(mux) = self.mux.upgrade() else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
        let answers_a_check = stun::is_stun(transmit.contents);
        let voice = self.inbox.state.lock().voice.filter(|_| !answers_a_check);
        let to = voice.unwrap_or(transmit.destination);
        mux.send(to, transmit.contents);
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(&self, cx: &mut Context<'_>, bufs: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> Poll<io::Result<usize>> {
        let mut state = self.inbox.state.lock();
        let Some((from, datagram)) = state.queue.pop_front() else {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let (Some(buffer), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        let length = datagram.len().min(buffer.len());
        if let (Some(to), Some(bytes)) = (buffer.get_mut(..length), datagram.get(..length)) {
            to.copy_from_slice(bytes);
        }
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = length;
        meta.stride = length.max(1);
        Poll::Ready(Ok(1))
    }
}

impl Runtime for MuxRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    /// The library binds a socket of its own; it is closed at once and only its address is kept.
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let label = socket.local_addr()?;
        let inbox = Arc::new(Inbox { peer: self.peer, password: self.password.clone(), state: Mutex::default() });
        self.mux.routes.lock().by_ufrag.insert(self.ufrag.clone(), Arc::clone(&inbox));
        Ok(Arc::new(PeerSocket { label, mux: Arc::downgrade(&self.mux), inbox, ufrag: self.ufrag.clone() }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, address: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.inner.connect_tcp(address)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.inner.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn name(&self) -> &'static str {
        "cordboard-mux"
    }
}

/// The addresses a browser may try: the configured ones, else the bound one.
pub fn advertised(configured: &[IpAddr], bound: SocketAddr) -> Vec<IpAddr> {
    if configured.is_empty() { vec![bound.ip()] } else { configured.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::tests::binding_request;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    struct Rig {
        mux: Arc<Mux>,
        sockets: Vec<Arc<dyn AsyncUdpSocket>>,
    }

    fn rig(peers: &[(&str, &str)]) -> Rig {
        let bind = || {
            let socket = std::net::UdpSocket::bind(at(0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let mux = Mux::new(bind()).unwrap();
        let sockets = peers
            .iter()
            .map(|(ufrag, password)| {
                MuxRuntime::new(mux.clone(), PeerId(1), (*ufrag).into(), (*password).into()).wrap_udp_socket(bind()).unwrap()
            })
            .collect();
        Rig { mux, sockets }
    }

    fn read(socket: &Arc<dyn AsyncUdpSocket>) -> Option<(SocketAddr, Vec<u8>)> {
        let mut buffer = [0u8; DATAGRAM];
        let mut meta = [RecvMeta::default()];
        let mut cx = Context::from_waker(Waker::noop());
        match socket.poll_recv(&mut cx, &mut [IoSliceMut::new(&mut buffer)], &mut meta) {
            Poll::Ready(Ok(1)) => Some((meta[0].addr, buffer[..meta[0].len].to_vec())),
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn an_unproven_request_teaches_nothing_and_reaches_nobody() {
        let rig = rig(&[("aaaa", "right")]);
        let now = Instant::now();
        rig.mux.deliver(at(1000), &binding_request("aaaa:zzzz", "wrong"), now);
        rig.mux.deliver(at(1000), &binding_request("bbbb:zzzz", "right"), now);
        rig.mux.deliver(at(1000), &binding_request("aaaa:zzzz", "right")[..20], now);
        rig.mux.deliver(at(1000), &[0x80; 40], now);
        assert_eq!(read(&rig.sockets[0]), None);
        assert_eq!(rig.mux.sizes(), (1, 0));
        assert_eq!(rig.mux.last_heard("aaaa"), None);
    }

    #[tokio::test]
    async fn packets_follow_the_proven_address_of_their_own_peer() {
        let rig = rig(&[("aaaa", "one"), ("bbbb", "two")]);
        let now = Instant::now();
        rig.mux.deliver(at(1000), &binding_request("aaaa:z", "one"), now);
        rig.mux.deliver(at(2000), &binding_request("bbbb:z", "two"), now);
        rig.mux.deliver(at(2000), &[0x80, 2], now);
        rig.mux.deliver(at(1000), &[0x80, 1], now);
        rig.mux.deliver(at(3000), &[0x80, 3], now);
        for (socket, port, last) in [(&rig.sockets[0], 1000, 1), (&rig.sockets[1], 2000, 2)] {
            assert_eq!(read(socket).unwrap().0, at(port));
            assert_eq!(read(socket), Some((at(port), vec![0x80, last])));
            assert_eq!(read(socket), None);
        }
        assert_eq!(rig.mux.last_heard("aaaa"), Some(now));
    }

    // B3
    #[tokio::test]
    async fn voice_goes_where_it_comes_from_and_the_answer_to_a_check_to_who_asked() {
        let rig = rig(&[("aaaa", "one")]);
        let [before, after] = [(); 2].map(|()| std::net::UdpSocket::bind(at(0)).unwrap());
        let address = |socket: &std::net::UdpSocket| socket.local_addr().unwrap();
        let told = |socket: &std::net::UdpSocket| {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut byte = [0u8; 1];
            socket.recv(&mut byte).map(|_| byte[0]).unwrap()
        };
        let send = |first: u8| {
            let contents = [first, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let transmit = Transmit { destination: address(&before), ecn: None, contents: &contents, segment_size: None, src_ip: None };
            let sent = rig.sockets[0].poll_send(&mut Context::from_waker(Waker::noop()), &transmit);
            assert!(matches!(sent, Poll::Ready(Ok(_))));
            rig.mux.flush();
        };
        let now = Instant::now();
        for socket in [&before, &after] {
            rig.mux.deliver(address(socket), &binding_request("aaaa:z", "one"), now);
            send(0x80);
            assert_eq!(told(&before), 0x80, "a check alone moves nothing");
        }
        rig.mux.deliver(address(&after), &[0x80, 0], now);
        send(0x80);
        assert_eq!(told(&after), 0x80);
        send(1);
        assert_eq!(told(&before), 1);
    }

    #[tokio::test]
    async fn addresses_of_a_peer_are_bounded_and_go_with_it() {
        let mut rig = rig(&[("aaaa", "one")]);
        let now = Instant::now();
        for port in 1000..1100 {
            rig.mux.deliver(at(port), &binding_request("aaaa:z", "one"), now);
        }
        assert_eq!(rig.mux.sizes(), (1, ADDRESSES_PER_PEER));
        rig.sockets.clear();
        assert_eq!(rig.mux.sizes(), (0, 0));
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_wakes_the_reader() {
        let rig = rig(&[("aaaa", "one")]);
        for _ in 0..QUEUE + 10 {
            rig.mux.deliver(at(1000), &binding_request("aaaa:z", "one"), Instant::now());
        }
        let mut read_back = 0;
        while read(&rig.sockets[0]).is_some() {
            read_back += 1;
        }
        assert_eq!(read_back, QUEUE);
    }

    #[tokio::test]
    async fn a_second_peer_that_proves_an_address_takes_it_over() {
        let rig = rig(&[("aaaa", "one"), ("bbbb", "two")]);
        let now = Instant::now();
        rig.mux.deliver(at(1000), &binding_request("aaaa:z", "one"), now);
        rig.mux.deliver(at(1000), &binding_request("bbbb:z", "two"), now);
        rig.mux.deliver(at(1000), &[0x80], now);
        assert_eq!(rig.mux.sizes(), (2, 1));
        read(&rig.sockets[1]).unwrap();
        assert_eq!(read(&rig.sockets[1]), Some((at(1000), vec![0x80])));
    }
}
