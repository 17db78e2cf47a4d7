//! One UDP port for every browser: datagrams find their peer by a proven ICE user fragment, then by the address that was proven with it.

use crate::outbox::send_now;
use crate::stun::{self, BindingRequest};
use cordboard_core::ids::PeerId;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime, Transmit,
};

/// A browser has a handful of interfaces; an address beyond these pushes out the one learned first.
const ADDRESSES_PER_PEER: usize = 8;
/// Datagrams waiting for one peer's task; more are dropped.
const QUEUE: usize = 256;
/// The library's timers go off at marks of a clock that all peers have in common: each by itself, five times a second, wakes the thread more often than voices do.
const TIMERS: Duration = Duration::from_millis(20);

/// The port.
#[derive(Debug)]
pub struct Mux {
    socket: Arc<UdpSocket>,
    routes: Mutex<Routes>,
    /// Where the clock of the timers begins.
    opened: tokio::time::Instant,
}

#[derive(Debug, Default)]
struct Routes {
    by_ufrag: HashMap<String, Arc<Inbox>>,
    by_address: HashMap<SocketAddr, Arc<Inbox>>,
}

/// One peer's side of the port: what waits for the library, and where its voice goes.
#[derive(Debug)]
pub struct Inbox {
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
    /// Takes a bound, non-blocking socket.
    pub fn new(socket: UdpSocket) -> Arc<Self> {
        Arc::new(Mux { socket: Arc::new(socket), routes: Mutex::default(), opened: tokio::time::Instant::now() })
    }

    pub fn socket(&self) -> &Arc<UdpSocket> {
        &self.socket
    }

    /// Hands STUN and DTLS to the library, and tells whose a packet of RTP or RTCP is (RFC 7983). Only a proven binding request teaches an address;
    /// everything else must come from a known one.
    pub fn deliver(&self, from: SocketAddr, datagram: &[u8], now: Instant) -> Option<PeerId> {
        let mut routes = self.routes.lock();
        match datagram.first()? {
            0..=3 => {
                if let Some(request) = BindingRequest::parse(datagram) {
                    let inbox = routes.by_ufrag.get(request.local_ufrag).filter(|inbox| request.proven_by(&inbox.password)).cloned()?;
                    routes.learn(from, &inbox);
                    inbox.put(from, datagram, now);
                } else if stun::is_stun(datagram) && datagram.first() != Some(&0) {
                    // Not a request without proof: the library would refuse it, and the address may be forged.
                    routes.by_address.get(&from)?.put(from, datagram, now);
                }
                None
            }
            20..=63 => {
                let inbox = routes.by_address.get(&from)?;
                inbox.state.lock().voice.get_or_insert(from);
                inbox.put(from, datagram, now);
                None
            }
            128..=191 => routes.by_address.get(&from).map(|inbox| inbox.peer),
            _ => None,
        }
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

    /// The browser's voice, proven by its keys, came from there.
    pub fn voice_came(&self, from: SocketAddr, now: Instant) {
        let mut state = self.state.lock();
        state.last_heard = Some(now);
        state.voice = Some(from);
    }

    /// Where its voice comes from, else where its handshake did, else where it was last proven.
    pub fn voice_goes(&self) -> Option<SocketAddr> {
        let state = self.state.lock();
        state.voice.or_else(|| state.addresses.back().copied())
    }

    /// When the peer was last heard: a proven check or packet, or a handshake from a proven address.
    pub fn last_heard(&self) -> Option<Instant> {
        self.state.lock().last_heard
    }
}

/// What the library takes for one peer's network: sockets are views of the one port, tasks and timers are tokio's.
#[derive(Debug)]
pub struct MuxRuntime {
    inner: TokioRuntime,
    mux: Arc<Mux>,
    inbox: Arc<Inbox>,
    ufrag: String,
}

impl MuxRuntime {
    pub fn new(mux: Arc<Mux>, peer: PeerId, ufrag: String, password: String) -> Self {
        MuxRuntime { inner: TokioRuntime, mux, inbox: Arc::new(Inbox { peer, password, state: Mutex::default() }), ufrag }
    }

    pub fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
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
        send_now(&mux.socket, transmit.contents, voice.unwrap_or(transmit.destination));
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
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let label = socket.local_addr()?;
        self.mux.routes.lock().by_ufrag.insert(self.ufrag.clone(), self.inbox());
        Ok(Arc::new(PeerSocket { label, mux: Arc::downgrade(&self.mux), inbox: self.inbox(), ufrag: self.ufrag.clone() }))
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
        let since = (self.mux.opened.elapsed() + duration).as_millis() % TIMERS.as_millis();
        let early = Duration::from_millis(since.try_into().unwrap_or(0));
        self.inner.sleep(if duration < TIMERS / 2 { duration } else { duration + TIMERS - early })
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
        inboxes: Vec<Arc<Inbox>>,
        sockets: Vec<Arc<dyn AsyncUdpSocket>>,
    }

    /// The peers are 1, 2 and so on.
    fn rig(peers: &[(&str, &str)]) -> Rig {
        let bind = || {
            let socket = UdpSocket::bind(at(0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let mux = Mux::new(bind());
        let runtime = |(peer, (ufrag, password)): (u128, &(&str, &str))| {
            MuxRuntime::new(mux.clone(), PeerId(peer), (*ufrag).into(), (*password).into())
        };
        let runtimes: Vec<MuxRuntime> = (1..).zip(peers).map(runtime).collect();
        let inboxes = runtimes.iter().map(MuxRuntime::inbox).collect();
        let sockets = runtimes.iter().map(|runtime| runtime.wrap_udp_socket(bind()).unwrap()).collect();
        Rig { mux, inboxes, sockets }
    }

    fn read(socket: &Arc<dyn AsyncUdpSocket>) -> Option<(SocketAddr, Vec<u8>)> {
        let mut buffer = [0u8; 2048];
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
        rig.mux.deliver(at(1000), &[20; 40], now);
        assert_eq!(rig.mux.deliver(at(1000), &[0x80; 40], now), None);
        assert_eq!(rig.mux.deliver(at(1000), &[], now), None);
        assert_eq!(read(&rig.sockets[0]), None);
        assert_eq!(rig.mux.sizes(), (1, 0));
        assert_eq!(rig.inboxes[0].last_heard(), None);
    }

    #[tokio::test]
    async fn what_comes_from_a_proven_address_is_its_peers_and_voices_pass_the_library_by() {
        let rig = rig(&[("aaaa", "one"), ("bbbb", "two")]);
        let now = Instant::now();
        rig.mux.deliver(at(1000), &binding_request("aaaa:z", "one"), now);
        rig.mux.deliver(at(2000), &binding_request("bbbb:z", "two"), now);
        // RFC 7983: DTLS, two kinds of something else, RTP.
        for (first, of) in [(20, None), (63, None), (16, None), (64, None), (127, None), (192, None), (128, Some(())), (191, Some(()))] {
            assert_eq!(rig.mux.deliver(at(2000), &[first, 2], now), of.map(|()| PeerId(2)));
            assert_eq!(rig.mux.deliver(at(1000), &[first, 1], now), of.map(|()| PeerId(1)));
            assert_eq!(rig.mux.deliver(at(3000), &[first, 3], now), None);
        }
        for (socket, port, last) in [(&rig.sockets[0], 1000, 1), (&rig.sockets[1], 2000, 2)] {
            assert_eq!(read(socket).unwrap().0, at(port));
            assert_eq!(read(socket), Some((at(port), vec![20, last])));
            assert_eq!(read(socket), Some((at(port), vec![63, last])));
            assert_eq!(read(socket), None);
        }
        assert_eq!(rig.inboxes[0].last_heard(), Some(now));
    }

    // B3
    #[tokio::test]
    async fn voice_goes_where_it_comes_from_and_the_answer_to_a_check_to_who_asked() {
        let rig = rig(&[("aaaa", "one")]);
        let inbox = &rig.inboxes[0];
        let [before, after] = [(); 2].map(|()| UdpSocket::bind(at(0)).unwrap());
        let address = |socket: &UdpSocket| socket.local_addr().unwrap();
        let told = |socket: &UdpSocket| {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut byte = [0u8; 1];
            socket.recv(&mut byte).map(|_| byte[0]).unwrap()
        };
        let send = |first: u8| {
            let contents = [first, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let transmit = Transmit { destination: address(&before), ecn: None, contents: &contents, segment_size: None, src_ip: None };
            let sent = rig.sockets[0].poll_send(&mut Context::from_waker(Waker::noop()), &transmit);
            assert!(matches!(sent, Poll::Ready(Ok(_))));
        };
        let now = Instant::now();
        assert_eq!(inbox.voice_goes(), None);
        for socket in [&before, &after] {
            rig.mux.deliver(address(socket), &binding_request("aaaa:z", "one"), now);
            rig.mux.deliver(address(socket), &[20, 0], now);
            send(20);
            assert_eq!(told(&before), 20, "neither a check nor what anybody may send moves it");
            rig.mux.deliver(address(socket), &[0x80, 0], now);
            assert_eq!(inbox.voice_goes(), Some(address(&before)), "a packet without proof moves nothing");
        }
        inbox.voice_came(address(&after), now);
        assert_eq!(inbox.voice_goes(), Some(address(&after)));
        send(20);
        assert_eq!(told(&after), 20);
        send(1);
        assert_eq!(told(&before), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn timers_go_off_together_and_short_ones_at_once() {
        let rig = rig(&[]);
        let runtime = MuxRuntime::new(rig.mux.clone(), PeerId(1), "a".into(), "b".into());
        for (millis, since) in [(5, 5), (30, 40), (200, 260), (215, 480), (1000, 1500), (9, 1509)] {
            runtime.sleep(Duration::from_millis(millis)).await;
            let late = rig.mux.opened.elapsed() - Duration::from_millis(since);
            assert!(late <= Duration::from_millis(2), "{millis} ms are {late:?} late");
        }
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
        rig.inboxes[0].voice_came(at(1000), now);
        rig.mux.deliver(at(1000), &binding_request("bbbb:z", "two"), now);
        assert_eq!(rig.mux.sizes(), (2, 1));
        assert_eq!(rig.mux.deliver(at(1000), &[0x80], now), Some(PeerId(2)));
        assert_eq!(rig.inboxes.iter().map(|inbox| inbox.voice_goes()).collect::<Vec<_>>(), [None, Some(at(1000))]);
    }
}
